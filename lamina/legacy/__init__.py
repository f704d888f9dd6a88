"""Old spellings of Keras 1 and 2 in programs and files; `keras.legacy.saving` is `keras.utils.legacy`."""

from __future__ import annotations

from typing import Any

from lamina.legacy import saving
from lamina.legacy.gone import GONE, GONE_MODULES
from lamina.legacy.moves import OldClass, OldNameError, find_old_modules, make_callable, moved, moved_from, old_names_of
from lamina.legacy.names import FILES_WITH_OLD_PATHS, INSTEAD, MODULES, NAMES, SHORT_LOSS_NAMES
from lamina.legacy.renames import (
    OldSpelling,
    accepting_old_names,
    accepts_old_names,
    name_first,
    name_of_today,
    old_names,
    only_old_names,
    rename,
    warn_renamed,
    warn_renamed_method,
    without_rename_warnings,
)
from lamina.legacy.table import (
    CLASSES,
    METHODS,
    ROWS,
    FixedValue,
    MovedTo,
    Part,
    Row,
    data_format_of,
)

__all__ = [
    "CLASSES", "FILES_WITH_OLD_PATHS", "GONE", "GONE_MODULES", "INSTEAD", "METHODS", "MODULES", "NAMES", "ROWS",
    "SHORT_LOSS_NAMES", "FixedValue", "MovedTo", "OldClass", "OldNameError", "OldSpelling", "Part", "Row",
    "accepting_old_names", "accepts_old_names", "data_format_of", "find_old_modules", "make_callable", "moved",
    "moved_from", "name_first", "name_of_today", "old_names", "old_names_of", "only_old_names", "rename",
    "warn_renamed", "warn_renamed_method", "without_rename_warnings",
]  # fmt: skip

__getattr__: Any = old_names_of(__name__)

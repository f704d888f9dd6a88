"""Old spellings of Keras 1 and 2 in programs and files; `keras.legacy.saving` is `keras.utils.legacy`."""

from __future__ import annotations

from lamina.legacy import saving
from lamina.legacy.moves import OldClass, install_old_modules, moved, moved_from
from lamina.legacy.renames import (
    OldSpelling,
    accepting_old_names,
    accepts_old_names,
    name_of_today,
    old_names,
    old_names_of,
    only_old_names,
    rename,
    warn_renamed,
    warn_renamed_method,
    without_rename_warnings,
)
from lamina.legacy.table import (
    CLASSES,
    FILES_WITH_OLD_PATHS,
    METHODS,
    MODULES,
    NAMES,
    ROWS,
    SHORT_LOSS_NAMES,
    FixedValue,
    MovedTo,
    Part,
    Row,
    data_format_of,
)

__all__ = [
    "CLASSES", "FILES_WITH_OLD_PATHS", "METHODS", "MODULES", "NAMES", "ROWS", "SHORT_LOSS_NAMES", "FixedValue",
    "MovedTo", "OldClass", "OldSpelling", "Part", "Row", "accepting_old_names", "accepts_old_names", "data_format_of",
    "install_old_modules", "moved", "moved_from", "name_of_today", "old_names", "old_names_of", "only_old_names",
    "rename", "warn_renamed", "warn_renamed_method", "without_rename_warnings",
]  # fmt: skip

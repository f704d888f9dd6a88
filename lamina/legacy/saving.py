"""keras.legacy.saving: the functions of `keras.utils.legacy`, which are on a higher floor and are read when used."""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    return getattr(importlib.import_module("lamina.utils.legacy"), name)

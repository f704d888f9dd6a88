"""Formats of files whose names have no known ending, which programs for TensorFlow bring."""

from __future__ import annotations

from typing import Any

__all__ = ["further"]

further: dict[str, Any] = {}
"""`save_weights`, `load_weights` and `save_model`, each a function of a model and a path, or none of them."""

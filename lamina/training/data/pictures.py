"""Pictures of several sizes, which are no array."""

from __future__ import annotations

from typing import Any

from lamina.errors import DataError

__all__ = ["refuse_sizes"]


def refuse_sizes(values: Any, name: str, fix: str) -> None:
    """Raise a DataError about pictures that differ in size.

    Args:
        values: An array of objects, pictures or others.
        name: What it is called.
        fix: Code that gives the pictures one size.
    """
    shapes = [getattr(one, "shape", ()) for one in values]
    other = next((row for row, shape in enumerate(shapes) if shape != shapes[0]), None)
    if other is not None and len(shapes[0]) == 3:
        raise DataError(
            f"The pictures of {name} differ in size: row 0 has shape {shapes[0]}, row {other} has {shapes[other]}.",
            fix=fix,
        )

"""What to do about tensors whose sizes differ on an axis."""

from __future__ import annotations

from typing import Any

__all__ = ["widened"]


def widened(sizes: dict[str, Any], shapes: dict[str, Any], axis: int) -> str:
    """The fix for two sizes of one axis: a layer that gives one tensor as many features, where both are symbolic.

    Args:
        sizes: The size of each tensor on that axis, by the name of the argument.
        shapes: The shapes by name.
        axis: The axis, counted from the end.

    >>> widened({"x1": 8, "x2": 3}, {"x1": (None, 8), "x2": (None, 3)}, -1)
    'x2 = keras.layers.Dense(8)(x2) has 8 on the last axis.'
    """
    least, most = (pick(size for size in sizes.values() if size not in (1, None)) for pick in (min, max))
    if axis == -1 and len(sizes) == 2 and all(shape[:1] == (None,) for shape in shapes.values()):
        fewer = min(sizes, key=lambda key: sizes[key])
        return f"{fewer} = keras.layers.Dense({most})({fewer}) has {most} on the last axis."
    return f"Give each {least} on axis {axis}, or 1."

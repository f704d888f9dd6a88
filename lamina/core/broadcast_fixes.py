"""What to do about tensors whose sizes differ on an axis."""

from __future__ import annotations

import ast
import re
from typing import Any

__all__ = ["for_broadcast", "widened"]


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


def for_broadcast(site: Any, words: str) -> str | None:
    """What to do about two tensors of a user's line whose shapes do not broadcast; None where nothing better is known
    than that their shapes differ.

    Args:
        site: Place of the line.
        words: What JAX said: "incompatible shapes for broadcasting: shapes=[(2, 25, 8), (20, 8)]".
    """
    shapes = [tuple(map(int, re.findall(r"\d+", one))) for one in re.findall(r"\(([\d, ]*)\)", words)]
    if len(shapes) != 2 or not isinstance(site.node, ast.BinOp):
        return None
    named = sorted(
        zip(shapes, map(ast.unparse, (site.node.left, site.node.right)), strict=True), key=lambda one: len(one[0])
    )
    (low, lower), (high, higher) = named
    if len(low) < len(high) and low and low == high[: len(low)]:
        more = "keras.ops.expand_dims({}, -1)"
        for _ in range(len(high) - len(low)):
            lower = more.format(lower)
        return f"{lower} has the shape {(*low, *[1] * (len(high) - len(low)))}."
    if len(low) == len(high) == 2 and low == high[::-1]:
        return f"keras.ops.transpose({lower}) has the shape {high}."
    axis = next(
        axis for axis in range(-1, -len(low) - 1, -1) if low[axis] != high[axis] and 1 not in (low[axis], high[axis])
    )
    for call in ast.walk(site.node):
        if not isinstance(call, ast.Call) or ast.unparse(call.func).rpartition(".")[2] not in ("arange", "range"):
            continue
        if call.args and site.number(call.args[-1]) in (low[axis], high[axis]):
            name = next((name for name, shape in site.tensors().items() if {*shape} & {low[axis], high[axis]}), "x")
            shape = site.tensors().get(name, ())
            place = next((place for place, size in enumerate(shape) if size in (low[axis], high[axis])), 1)
            call.args[-1] = ast.parse(f"{name}.shape[{place}]", mode="eval").body
            return f"{ast.unparse(site.node)}  # an Embedding of positions has a row for each"
    return (
        f"{lower} has {low[axis]} on axis {axis}, and {higher} has {high[axis]}: give both one size, or one of them 1."
    )

"""What mends inputs that a merging layer cannot merge."""

from __future__ import annotations

from typing import Any


def fix_of_sizes(axis: int, rank: int, sizes: Any) -> str:
    """What gives inputs one size on an axis."""
    inside = f"padding='same' in the layers before keeps the size {max(sizes)} of axis {axis}."
    last = f"layers.Dense({max(sizes)})(x) gives an input {max(sizes)} features."
    return "Give all the same number of samples." if axis == 0 else last if axis == rank - 1 else inside


def fix_of_rank(shapes: Any) -> str:
    """Where inputs differ in rank, or have no such axis."""
    ranks = [len(shape) for shape in shapes]
    if min(ranks) == max(ranks):
        return "axis=-1"
    shape = tuple(shapes[ranks.index(min(ranks))])
    sizes = (*[1] * (max(ranks) - len(shape)), *shape[1:])
    return f"layers.Reshape({sizes})(x) gives the input of shape {shape} as many axes."


def fix_of_dot(first: Any, second: Any) -> str:
    """Axes of the same size that can be summed over, where there are some."""
    pairs = [(a, b) for a in range(1, len(first)) for b in range(1, len(second)) if first[a] == second[b]]
    if first[0] not in (second[0], None) and second[0] is not None:
        return "Give both the same number of samples."
    return (
        f"axes={pairs[-1]}" if pairs else f"layers.Dense({first[-1]})(y) gives the second input {first[-1]} features."
    )

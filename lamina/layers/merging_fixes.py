"""What mends inputs that a merging layer cannot merge."""

from __future__ import annotations

from typing import Any


def fix_of_sizes(axis: int, shapes: Any) -> str:
    """What gives inputs of one rank the same size on an axis."""
    rank, largest = len(shapes[0]), max(shape[axis] or 0 for shape in shapes)
    if axis == 0:
        return "Give all the same number of samples."
    if axis == rank - 1:
        return f"layers.Dense({largest})(x) gives an input {largest} features."
    small = min(shapes, key=lambda shape: shape[axis] or largest)
    others = [max(shape[place] or 0 for shape in shapes) for place in range(rank)]
    missing = [(0, others[place] - (small[place] or others[place])) for place in range(1, rank - 1)]
    if rank > 5:
        return f"padding='same' in the layers before keeps the size {largest} of axis {axis}."
    code = f"layers.ZeroPadding{rank - 2}D({missing[0] if rank == 3 else tuple(missing)})(x)"
    return f"{code} gives the input of shape {small} these sizes, as padding='same' in the layers before may do."


def fix_of_rank(shapes: Any) -> str:
    """Where inputs differ in rank, or have no such axis."""
    ranks = [len(shape) for shape in shapes]
    if min(ranks) == max(ranks):
        return "axis=-1"
    shape, large = tuple(shapes[ranks.index(min(ranks))]), tuple(shapes[ranks.index(max(ranks))])
    if large[0] == shape[0] and any(size != 1 for size in large[1:-1]):  # which an axis of size 1 does not fit
        if None in large[1:]:
            return f"layers.GlobalAveragePooling{len(large) - 2}D()(x) gives the input of shape {large} one vector."
        return f"layers.Flatten()(x) gives the input of shape {large} one axis."
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

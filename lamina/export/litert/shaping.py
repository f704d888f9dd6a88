"""Operations that move elements, in builtin operators of LiteRT."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.export.litert.converter import writes
from lamina.export.litert.elementwise import merged
from lamina.export.litert.graph import Value, broadcast_shape, lowers, stored
from lamina.export.onnx.graph import is_static

__all__: list[str] = []

MAX_RANK = 5  # of slices and padding
MAX_TRANSPOSED = 6
LARGE = np.iinfo(np.int32).max


def vector(numbers: Any) -> np.ndarray:
    """Numbers as an array of int32."""
    return np.clip(np.asarray(list(numbers), np.int64), -LARGE - 1, LARGE).astype(np.int32)


@lowers("Identity")
def _identity(graph, x):
    """A value of its own, as outputs of a graph must be."""
    x = graph.use(x)
    return graph.emit("RESHAPE", [x, graph.shape(_open(x.shape))], x.shape, x.dtype)


def _open(shape):
    """The shape with -1 for its only size that is not known."""
    unknown = [axis for axis, size in enumerate(shape) if not is_static([size])]
    if len(unknown) != 1 or 0 in shape:
        return list(shape)
    return [-1 if axis == unknown[0] else size for axis, size in enumerate(shape)]


@lowers("Reshape")
def _reshape(graph, x, shape, allowzero=0):
    x = graph.use(x)
    sizes = list(graph.sizes_in(shape))
    if -1 in sizes:
        total, rest = 1, 1
        for size in x.shape:
            total = total * size
        for size in sizes:
            rest = rest * (1 if is_static([size]) and size == -1 else size)
        known = list(sizes)
        known[sizes.index(-1)] = total // rest if rest != 0 else 0
        sizes = known
    if tuple(sizes) == x.shape:
        return x
    return graph.emit("RESHAPE", [x, graph.shape(_open(sizes))], sizes, x.dtype)


@lowers("Squeeze")
def _squeeze(graph, x, axes):
    x = graph.use(x)
    axes = [int(axis) % len(x.shape) for axis in axes]
    return graph.reshape(x, [size for axis, size in enumerate(x.shape) if axis not in axes])


@lowers("Unsqueeze")
def _unsqueeze(graph, x, axes):
    x = graph.use(x)
    sizes = iter(x.shape)
    rank = len(x.shape) + len(axes)
    axes = [int(axis) % rank for axis in axes]
    return graph.reshape(x, [1 if axis in axes else next(sizes) for axis in range(rank)])


@lowers("Expand")
def _expand(graph, x, shape):
    x = graph.use(x)
    target = broadcast_shape(x.shape, graph.sizes_in(shape))
    if target == x.shape:
        return x
    if x.dtype == np.float16:
        x = graph.computed(x)
    return graph.emit("BROADCAST_TO", [x, graph.shape(target)], target, x.dtype)


@lowers("Transpose")
def _transpose(graph, x, perm):
    """Axes that stay together move as one."""
    x = graph.use(x)
    shape = [x.shape[axis] for axis in perm]
    if len(perm) > MAX_TRANSPOSED:
        groups = _runs(perm)
        sizes = [_product(x.shape[axis] for axis in group) for group in sorted(groups)]
        order = [sorted(groups).index(group) for group in groups]
        return graph.reshape(graph.add("Transpose", graph.reshape(x, sizes), perm=order), shape)
    return graph.emit("TRANSPOSE", [x, vector(perm)], shape, x.dtype)


def _runs(perm):
    groups: list[list[int]] = []
    for axis in perm:
        if groups and groups[-1][-1] == axis - 1:
            groups[-1].append(axis)
        else:
            groups.append([axis])
    return groups


def _product(sizes):
    total = 1
    for size in sizes:
        total = total * size
    return total


@lowers("Slice")
def _slice(graph, x, starts, ends, axes=None, steps=None):
    x = graph.use(x)
    x = graph.computed(x) if x.dtype == np.float16 else x
    axes = [int(axis) % len(x.shape) for axis in (range(len(x.shape)) if axes is None else axes)]
    starts, ends = graph.sizes_in(starts), graph.sizes_in(ends)
    steps = [1] * len(axes) if steps is None else list(map(int, steps))
    if len(x.shape) > MAX_RANK:
        kept = [axis if axis in axes else -1 for axis in range(len(x.shape))]
        places = [axis for axis in range(len(kept)) if not axis or kept[axis] != kept[axis - 1]]
        small = graph.reshape(x, merged(x.shape, kept))
        made = graph.add("Slice", small, graph.shape(starts), graph.shape(ends), [places.index(a) for a in axes], steps)
        shape = list(x.shape)
        for axis in axes:
            shape[axis] = made.shape[places.index(axis)]
        return graph.reshape(made, shape)
    rank = len(x.shape)
    begin, end, stride, shape = [0] * rank, [0] * rank, [1] * rank, list(x.shape)
    begin_mask = end_mask = (1 << rank) - 1
    for axis, start, stop, step in zip(axes, starts, ends, steps, strict=True):
        size = x.shape[axis]
        begin[axis], stride[axis] = _within(start), step
        begin_mask &= ~(1 << axis)
        first = _place(start, size)
        if is_static([stop]) and stop >= LARGE:
            last = size
        else:
            end[axis], last = _within(stop), _place(stop, size)
            end_mask &= ~(1 << axis)
        shape[axis] = -((first - last) // step)
    vectors = [graph.shape(begin), graph.shape(end), vector(stride)]
    return graph.emit("STRIDED_SLICE", [x, *vectors], shape, x.dtype, begin_mask=begin_mask, end_mask=end_mask)


def _within(number):
    return max(-LARGE - 1, min(int(number), LARGE)) if is_static([number]) else number


def _place(number, size):
    if not is_static([number]):
        return number
    if number < 0:
        return size + int(number)
    return min(int(number), size) if is_static([size]) else int(number)


@lowers("Pad")
def _pad(graph, x, edges, value=None):
    x, rank = graph.use(x), len(graph.use(x).shape)
    sizes = graph.sizes_in(edges)
    pairs = list(zip(sizes[:rank], sizes[rank:], strict=True))
    shape = [size + before + after for size, (before, after) in zip(x.shape, pairs, strict=True)]
    is_bool = x.dtype == bool
    if x.dtype != stored(x.dtype) or is_bool:
        x = graph.cast(x, np.int32) if x.dtype == bool else graph.computed(x)
        made = graph.add("Pad", x, edges, graph.cast(np.asarray(0) if value is None else value, x.dtype))
        return graph.cast(made, bool) if is_bool else made
    if rank > MAX_RANK:
        kept = [-1 if pair == (0, 0) else axis for axis, pair in enumerate(pairs)]
        places = [axis for axis in range(rank) if not axis or kept[axis] != kept[axis - 1]]
        small = graph.reshape(x, merged(x.shape, kept))
        flat = [pairs[axis][side] for side in (0, 1) for axis in places]
        return graph.reshape(graph.add("Pad", small, graph.shape(flat), value), shape)
    paddings = graph.shape([edge for pair in pairs for edge in pair])
    paddings = paddings.reshape(rank, 2) if isinstance(paddings, np.ndarray) else graph.reshape(paddings, [rank, 2])
    if value is None or (isinstance(value, np.ndarray) and not value.any()):
        return graph.emit("PAD", [x, paddings], shape, x.dtype)
    return graph.emit("PADV2", [x, paddings, graph.cast(value, x.dtype)], shape, x.dtype)


@lowers("Concat")
def _concat(graph, *operands, axis):
    values = [graph.use(operand) for operand in operands]
    if len({value.dtype for value in values}) > 1 or values[0].dtype == np.float16:
        values = [graph.computed(value) for value in values]
    axis = axis % len(values[0].shape)
    shape = list(values[0].shape)
    shape[axis] = sum((value.shape[axis] for value in values[1:]), shape[axis])
    return graph.emit("CONCATENATION", values, shape, values[0].dtype, axis=axis)


@lowers("Tile")
def _tile(graph, x, reps):
    x = graph.computed(x)
    shape = [size * times for size, times in zip(x.shape, graph.sizes_in(reps), strict=True)]
    return graph.emit("TILE", [x, reps], shape, x.dtype)


@lowers("Range")
def _range(graph, start, limit, step):
    (size,) = graph.sizes_in(limit) if not isinstance(limit, np.ndarray) else (int(limit),)
    limit = graph.reshape(limit, []) if isinstance(limit, Value) else np.asarray(limit)
    return graph.emit("RANGE", [np.int32(start), limit, np.int32(step)], [size], np.int32)


@lowers("Shape")
def _shape(graph, x):
    x = graph.use(x)
    sizes = graph.emit("SHAPE", [x], [len(x.shape)], np.int32, out_type=np.int8(2))
    sizes.sizes = x.shape
    return sizes


@lowers("Gather")
def _gather(graph, x, indices, axis=0):
    x = graph.use(x)
    x = graph.computed(x) if x.dtype == np.float16 else x
    indices = graph.computed(indices)
    axis = axis % len(x.shape)
    shape = [*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]]
    return graph.emit("GATHER", [x, indices], shape, x.dtype, axis=axis, batch_dims=0)


@lowers("GatherElements")
def _gather_elements(graph, x, order, axis):
    """The elements of each row in another order."""
    x, order = graph.computed(x), graph.use(order)
    rank = len(x.shape)
    swapped = [*(other for other in range(rank) if other != axis % rank), axis % rank]
    moved, order = graph.use(graph.transpose(x, swapped)), graph.use(graph.transpose(order, swapped))
    rows = _product(moved.shape[:-1])
    flat = [graph.reshape(value, [rows, value.shape[-1]]) for value in (moved, order)]
    made = graph.emit("GATHER", flat, [rows, order.shape[-1]], x.dtype, axis=1, batch_dims=1)
    return graph.transpose(graph.reshape(made, order.shape), np.argsort(swapped))


@lowers("TopK")
def _topk(graph, x, k, axis=-1, largest=1, sorted=1):
    x = graph.computed(x)
    rank = len(x.shape)
    swapped = [*(other for other in range(rank) if other != axis % rank), axis % rank]
    moved = graph.use(graph.transpose(x if largest else graph.add("Neg", x), swapped))
    (count,) = graph.sizes_in(k)
    shape = [*moved.shape[:-1], count]
    values, order = graph.emit_many("TOPK_V2", [moved, k], [(shape, x.dtype), (shape, np.int32)])
    values = values if largest else graph.add("Neg", values)
    return [graph.use(graph.transpose(result, np.argsort(swapped))) for result in (values, order)]


@writes("split")
def _split(converter, equation, x):
    graph, axis, start, parts = converter.graph, int(equation.params["axis"]), 0, []
    for size in equation.params["sizes"]:
        parts.append(graph.add("Slice", x, graph.shape([start]), graph.shape([start + size]), [axis]))
        start = start + size
    return parts


@writes("rev")
def _rev(converter, equation, x):
    graph = converter.graph
    x = graph.computed(x)
    for axis in equation.params["dimensions"]:
        x = graph.emit("REVERSE_V2", [x, vector([axis])], x.shape, x.dtype)
    return x


def starts_of(graph: Any, indices: Any, shape: Any, sizes: Any) -> Any:
    """The first indices of a slice of these sizes, moved so that it lies inside, as one vector."""
    parts = [graph.reshape(graph.cast(index, np.int32), [1]) for index in indices]
    starts = graph.add("Concat", *parts, axis=0) if len(parts) > 1 else parts[0]
    last = graph.shape([size - length for size, length in zip(shape, sizes, strict=True)])
    return graph.add("Min", graph.add("Max", starts, np.int32(0)), last)


@writes("dynamic_slice")
def _dynamic_slice(converter, equation, x, *indices):
    graph, sizes, shape = converter.graph, equation.params["slice_sizes"], equation.invars[0].aval.shape
    moving = [axis for axis, size in enumerate(sizes) if size is not shape[axis] and size != shape[axis]]
    if not moving:
        return x
    x = graph.computed(x)
    if len(moving) == 1:
        (axis,) = moving
        first = starts_of(graph, [indices[axis]], [shape[axis]], [sizes[axis]])
        if sizes[axis] != 1:
            steps = graph.add("Range", np.int64(0), graph.reshape(graph.size(sizes[axis]), []), np.int64(1))
            first = graph.add("Add", first, steps)
        return graph.add("Gather", x, first, axis=axis)
    starts = starts_of(graph, indices, shape, sizes)
    return graph.emit("SLICE", [x, starts, graph.shape(sizes)], sizes, x.dtype)


@writes("dynamic_update_slice")
def _dynamic_update_slice(converter, equation, x, update, *indices):
    graph, shape, sizes = converter.graph, equation.invars[0].aval.shape, equation.invars[1].aval.shape
    if not sizes:
        return update
    starts = starts_of(graph, indices, shape, sizes)
    x = graph.computed(x)
    return graph.emit("DYNAMIC_UPDATE_SLICE", [x, graph.computed(update), starts], shape, x.dtype)


@writes("sort")
def _sort(converter, equation, *operands):
    """Indices of the sorted key put all in order; of several keys the last is sorted by first."""
    graph, params = converter.graph, equation.params
    axis, keys = int(params["dimension"]), int(params.get("num_keys", 1))
    count = graph.size(equation.invars[0].aval.shape[axis])
    for key in reversed(range(keys)):
        sortable = graph.cast(operands[key], np.int32 if equation.invars[key].aval.dtype.kind in "bui" else np.float32)
        _, order = graph.add("TopK", sortable, count, outputs=2, axis=axis, largest=0)
        operands = [graph.add("GatherElements", operand, order, axis=axis) for operand in operands]
    return list(operands)


NEUTRAL: dict[str, Any] = {"max": -np.inf, "min": np.inf, "mul": 1}


@lowers("ScatterElements")
def _scatter_elements(graph, x, places, updates, axis=0, reduction="none"):
    """Into a vector. Several updates of one place are added by the operator; where one is to stay, their mean does."""
    x, places, updates = graph.use(x), graph.cast(places, np.int32), graph.computed(updates)
    if x.dtype == bool:
        x, updates = graph.cast(x, np.int32), graph.cast(updates, np.int32)
        return graph.cast(graph.add("ScatterElements", x, places, updates, reduction=reduction), bool)
    size = graph.shape(x.shape)
    if reduction in NEUTRAL:
        neutral = NEUTRAL[reduction]
        neutral = np.clip(neutral, -LARGE - 1, LARGE) if x.dtype.kind == "i" else neutral
        rows = graph.add("Unsqueeze", graph.add("Range", np.int64(0), graph.reshape(size, []), np.int64(1)), [1])
        here = graph.add("Equal", rows, graph.add("Unsqueeze", places, [0]))
        chosen = graph.add("Where", here, graph.add("Unsqueeze", updates, [0]), np.asarray(neutral, x.dtype))
        kind = "Prod" if reduction == "mul" else reduction.capitalize()
        made = graph.add(f"Reduce{kind}", chosen, [1])
        return graph.add("Mul" if reduction == "mul" else kind, x, made)
    rows = graph.add("Unsqueeze", places, [1])
    total = graph.emit("SCATTER_ND", [rows, updates, size], x.shape, x.dtype)
    if reduction == "add":
        return graph.add("Add", x, total)
    ones = graph.add("Expand", np.asarray(1, x.dtype), graph.shape(updates.shape))
    count = graph.emit("SCATTER_ND", [rows, ones, size], x.shape, x.dtype)
    one = np.asarray(1, x.dtype)
    return graph.add("Where", graph.add("Less", count, one), x, graph.add("Div", total, graph.add("Max", count, one)))

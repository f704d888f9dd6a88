"""Operations that move elements: shapes, slices, padding, concatenation, sorting."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ConfigError
from lamina.export.onnx.converter import writes
from lamina.export.onnx.graph import is_static

__all__: list[str] = []

LARGE = np.iinfo(np.int64).max


def axes_of(values: Any) -> Any:
    """Axes or numbers as a vector of int64."""
    return np.asarray(list(values), np.int64)


@writes("reshape", "squeeze", "expand_dims")
def _reshape(converter, equation, x):
    source, target = equation.invars[0].aval.shape, equation.outvars[0].aval.shape
    order = equation.params["dimensions"] if equation.primitive.name == "reshape" else None
    if order is not None:  # in which the axes are read
        x, source = converter.graph.transpose(x, order), None
    if source == target:
        return x
    if equation.primitive.name == "squeeze":
        return converter.graph.add("Squeeze", x, axes_of(equation.params["dimensions"]))
    return converter.graph.reshape(x, target)


@writes("broadcast_in_dim")
def _broadcast_in_dim(converter, equation, x):
    """Axes of size 1 are added, then repeated; operators that broadcast by themselves read the first of both."""
    graph, shape, places = converter.graph, equation.outvars[0].aval.shape, equation.params["broadcast_dimensions"]
    source = equation.invars[0].aval.shape
    x, given = graph.unexpand(x), x
    sizes = [1] * len(shape)
    for axis, place in enumerate(places):
        sizes[place] = source[axis]
    thin = x
    if len(source) != len(shape):
        new = [axis for axis in range(len(shape)) if axis not in places]
        thin = graph.add("Unsqueeze", x, axes_of(new)) if isinstance(x, str) else np.expand_dims(x, tuple(new))
    if tuple(sizes) == tuple(shape) and x is given:
        return thin
    result = graph.add("Expand", thin, graph.shape(shape))
    graph.unexpanded[result] = graph.named(thin)
    return result


@writes("tile")
def _tile(converter, equation, x):
    return converter.graph.add("Tile", x, converter.graph.shape(equation.params["reps"]))


@writes("transpose")
def _transpose(converter, equation, x):
    return converter.graph.transpose(x, equation.params["permutation"])


@writes("rev")
def _rev(converter, equation, x):
    axes = equation.params["dimensions"]
    count = len(axes)
    return converter.graph.add(
        "Slice", x, axes_of([-1] * count), axes_of([-LARGE] * count), axes_of(axes), axes_of([-1] * count)
    )


@writes("concatenate")
def _concatenate(converter, equation, *operands):
    axis = int(equation.params["dimension"])
    pairs = zip(operands, equation.invars, strict=True)
    parts = [operand for operand, atom in pairs if atom.aval.shape[axis] != 0]  # runtimes hardly take what is empty
    return converter.graph.add("Concat", *parts, axis=axis) if len(parts) != 1 else parts[0]


@writes("stack")
def _stack(converter, equation, *operands):
    axis = int(equation.params["axis"])
    apart = [converter.graph.add("Unsqueeze", operand, np.asarray([axis], np.int64)) for operand in operands]
    return converter.graph.add("Concat", *apart, axis=axis)


@writes("split")
def _split(converter, equation, x):
    sizes, axis = equation.params["sizes"], int(equation.params["axis"])
    if len(sizes) == 1:
        return x
    return converter.graph.add("Split", x, converter.graph.shape(sizes), outputs=len(sizes), axis=axis)


@writes("slice")
def _slice_(converter, equation, x):
    graph, params = converter.graph, equation.params
    shape, starts, ends = equation.invars[0].aval.shape, params["start_indices"], params["limit_indices"]
    steps = params["strides"] or [1] * len(shape)
    axes = [axis for axis, size in enumerate(shape) if (starts[axis], ends[axis], steps[axis]) != (0, size, 1)]
    if not axes:
        return x
    parts = [graph.shape([values[axis] for axis in axes]) for values in (starts, ends)]
    return graph.add("Slice", x, *parts, axes_of(axes), axes_of(int(steps[axis]) for axis in axes))


@writes("pad")
def _pad(converter, equation, x, value):
    """Gaps between elements, then what is outside; negative padding cuts."""
    graph, config = converter.graph, equation.params["padding_config"]
    shape, rank = list(equation.invars[0].aval.shape), len(config)
    for axis, (_, _, gap) in enumerate(config):
        if gap:
            x = with_gaps(graph, x, value, shape, axis, gap)
            shape[axis] = shape[axis] + (shape[axis] - 1) * gap
    zero_or_more = [[max(edge, 0) if is_static([edge]) else edge for edge in pair[:2]] for pair in config]
    edges = [pair[side] for side in (0, 1) for pair in zero_or_more]
    if any(not is_static([edge]) or edge for edge in edges):
        x = graph.add("Pad", x, graph.shape(edges), value)
    cuts = [axis for axis in range(rank) if any(is_static([edge]) and edge < 0 for edge in config[axis][:2])]
    if cuts:
        starts = [max(-config[axis][0], 0) for axis in cuts]
        ends = [config[axis][1] if config[axis][1] < 0 else LARGE for axis in cuts]
        x = graph.add("Slice", x, axes_of(starts), axes_of(ends), axes_of(cuts))
    return x


def with_gaps(graph: Any, x: Any, value: Any, shape: Any, axis: Any, gap: Any) -> Any:
    """`x` with `gap` values between neighbours along an axis."""
    rank = len(shape)
    x = graph.add("Unsqueeze", x, axes_of([axis + 1]))
    edges = [0] * (2 * (rank + 1))
    edges[rank + 1 + axis + 1] = gap
    x = graph.add("Pad", x, axes_of(edges), value)
    x = graph.reshape(x, [*shape[:axis], shape[axis] * (gap + 1), *shape[axis + 1 :]])
    return graph.add("Slice", x, axes_of([0]), axes_of([-gap]), axes_of([axis]))


def clamped_starts(converter: Any, equation: Any, indices: Any, sizes: Any) -> Any:
    """The first indices of a slice of these sizes, moved so that it lies inside, as a vector of int64."""
    graph, shape = converter.graph, equation.invars[0].aval.shape
    if not indices:
        return axes_of([])
    starts = [graph.reshape(graph.cast(index, np.int64), [1]) for index in indices]
    starts = graph.add("Concat", *starts, axis=0)
    last = graph.shape([size - length for size, length in zip(shape, sizes, strict=True)])
    return graph.add("Min", graph.add("Max", starts, axes_of([0])), last)


@writes("dynamic_slice")
def _dynamic_slice(converter, equation, x, *indices):
    graph, sizes = converter.graph, equation.params["slice_sizes"]
    if not sizes:
        return x
    starts = clamped_starts(converter, equation, indices, sizes)
    ends = graph.add("Add", starts, graph.shape(sizes))
    return graph.add("Slice", x, starts, ends, axes_of(range(len(sizes))))


@writes("dynamic_update_slice")
def _dynamic_update_slice(converter, equation, x, update, *indices):
    """The update is padded to the shape of `x` and taken where it lies."""
    graph, shape, sizes = converter.graph, equation.invars[0].aval.shape, equation.invars[1].aval.shape
    if not sizes:
        return update
    starts = clamped_starts(converter, equation, indices, sizes)
    rest = graph.shape([size - length for size, length in zip(shape, sizes, strict=True)])
    edges = graph.add("Concat", starts, graph.add("Sub", rest, starts), axis=0)
    dtype = equation.invars[0].aval.dtype
    padded = graph.add("Pad", update, edges, np.asarray(0, dtype))
    ones = graph.add("Expand", np.asarray(1, np.float32), graph.shape(sizes))
    inside = graph.cast(graph.add("Pad", ones, edges, np.asarray(0, np.float32)), bool)
    return graph.add("Where", inside, padded, x)


@writes("iota")
def _iota(converter, equation):
    graph, aval, axis = converter.graph, equation.outvars[0].aval, equation.params["dimension"]
    sizes = [1] * len(aval.shape)
    sizes[axis] = aval.shape[axis]
    scalar = graph.reshape(graph.size(aval.shape[axis]), [])
    numbers = graph.cast(graph.add("Range", np.asarray(0, np.int64), scalar, np.asarray(1, np.int64)), aval.dtype)
    return graph.add("Expand", graph.reshape(numbers, sizes), graph.shape(aval.shape))


@writes("dim_as_value")
def _dim_as_value(converter, equation):
    graph = converter.graph
    return graph.cast(graph.reshape(graph.size(equation.params["dim"]), []), equation.outvars[0].aval.dtype)


@writes("sort")
def _sort(converter, equation, *operands):
    """Indices of the sorted first operand put all in order; of several keys the last is sorted by first."""
    graph, params = converter.graph, equation.params
    axis, keys = int(params["dimension"]), int(params.get("num_keys", 1))
    operands = [graph.named(operand) for operand in operands]
    count = graph.size(equation.invars[0].aval.shape[axis])
    for key in reversed(range(keys)):
        sortable = _sortable(graph, operands[key], equation.invars[key].aval.dtype)
        _, order = graph.add("TopK", sortable, count, outputs=2, axis=axis, largest=0, sorted=1)
        operands = [graph.add("GatherElements", operand, order, axis=axis) for operand in operands]
    return operands


def _sortable(graph, operand, dtype):
    return graph.cast(operand, np.int32) if str(dtype) in ("bool", "int8", "uint8", "int16", "uint16") else operand


@writes("top_k")
def _top_k(converter, equation, x):
    graph, axis = converter.graph, int(equation.params.get("axis", -1))
    k = graph.size(equation.params["k"])
    values, order = graph.add("TopK", x, k, outputs=2, axis=axis, largest=1, sorted=1)
    return [values, graph.cast(order, equation.outvars[1].aval.dtype)]


@writes("random_bits", "threefry2x32", "random_seed", "random_wrap", "random_fold_in", "random_unwrap", "random_split")
def _random_numbers(converter, equation, *operands):
    raise ConfigError(
        f"A layer draws random numbers when it predicts, which {converter.format} cannot repeat.",
        fix='model.export("name.jax") keeps all operations.',
    )

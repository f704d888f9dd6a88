"""Gather and scatter, in general: the place of each element in the flattened array is computed, then looked up."""

from __future__ import annotations

import numpy as np

from lamina.export.onnx.contractions import joined
from lamina.export.onnx.converter import writes
from lamina.export.onnx.shaping import axes_of

__all__: list[str] = []

REDUCTIONS = {"scatter": "none", "scatter_add": "add", "scatter-add": "add", "scatter_mul": "mul", "scatter-mul": "mul",
              "scatter_min": "min", "scatter-min": "min", "scatter_max": "max", "scatter-max": "max"}  # fmt: skip


@writes("gather")
def _gather(converter, equation, x, indices):
    graph, params = converter.graph, equation.params
    numbers, sizes = params["dimension_numbers"], params["slice_sizes"]
    shape, out = equation.invars[0].aval.shape, equation.outvars[0].aval.shape
    batch_axes = [axis for axis in range(len(out)) if axis not in numbers.offset_dims]
    is_clipped = "PROMISE" not in str(params["mode"]).upper()
    if _is_take(numbers, sizes, shape):
        (axis,) = numbers.start_index_map
        rows = graph.cast(graph.add("Squeeze", indices, axes_of([-1])), np.int64)
        last = graph.add("Sub", graph.size(shape[axis]), axes_of([1]))
        chosen = _clip(graph, rows, last) if is_clipped else rows
        chosen = chosen if batch_axes else graph.reshape(chosen, [])  # limits are vectors of one
        result = graph.add("Gather", x, chosen, axis=int(axis))
        order = [*range(axis), *range(axis + len(batch_axes), len(out)), *range(axis, axis + len(batch_axes))]
        result = graph.transpose(result, _order(numbers.offset_dims, batch_axes, order))
        checks = [(rows, last)]
    else:
        window = [
            axis
            for axis in range(len(shape))
            if axis not in (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims)
        ]
        places = dict(zip(window, numbers.offset_dims, strict=True))
        linear, checks = _linear(
            graph, shape, sizes, indices, numbers.start_index_map, batch_axes, places, len(out), is_clipped,
            dict(zip(numbers.operand_batching_dims, numbers.start_indices_batching_dims, strict=True)), out,
        )  # fmt: skip
        linear = graph.add("Expand", linear, graph.shape(out))
        result = graph.add("Gather", graph.reshape(x, [-1]), linear, axis=0)
    if "FILL" in str(params["mode"]).upper():
        result = _fill(converter, equation, result, checks, batch_axes, out)
    return result


def _is_take(numbers, sizes, shape):
    """Whether whole rows of one axis are taken."""
    axes = numbers.start_index_map
    return (
        len(axes) == 1 and tuple(numbers.collapsed_slice_dims) == tuple(axes) and not numbers.operand_batching_dims
        and all(axis == axes[0] or size == shape[axis] for axis, size in enumerate(sizes))
    )  # fmt: skip


def _order(offset, batch, order):
    """The permutation that puts axes, now in the order (before, batch, after), where the result has them."""
    places = [*offset, *batch]  # where the axes (before, after, batch) belong
    permutation = [0] * len(places)
    for place, axis in zip(places, order, strict=True):
        permutation[place] = axis
    return permutation


def _clip(graph, x, last):
    return graph.add("Min", graph.add("Max", x, axes_of([0])), last)


def _linear(graph, shape, sizes, indices, index_map, batch_axes, places, rank, is_clipped, batching, out):
    """(place in the flattened array of each element of the result, [(index, last valid index)])."""
    indices, total, checks = graph.cast(indices, np.int64), np.zeros([1] * rank, np.int64), []
    stride = axes_of([1])
    for axis in reversed(range(len(shape))):
        parts = []
        if axis in batching:
            parts.append(_steps(graph, shape[axis], batch_axes[batching[axis]], rank))
        if axis in index_map:
            index = graph.add("Gather", indices, np.asarray(list(index_map).index(axis), np.int64), axis=-1)
            last = graph.add("Sub", graph.size(shape[axis]), graph.size(sizes[axis]))
            checks.append((index, last))
            index = _clip(graph, index, last) if is_clipped else index
            parts.append(_spread(graph, index, batch_axes, rank, out))
        if axis in places and sizes[axis] != 1:
            parts.append(_steps(graph, sizes[axis], places[axis], rank))
        for part in parts:
            total = graph.add("Add", total, graph.add("Mul", part, stride))
        stride = graph.add("Mul", stride, graph.size(shape[axis]))
    return total, checks


def _steps(graph, size, axis, rank):
    """0, 1, 2 ... along one axis of the result."""
    scalar = graph.reshape(graph.size(size), [])
    numbers = graph.add("Range", np.asarray(0, np.int64), scalar, np.asarray(1, np.int64))
    return graph.add("Reshape", numbers, axes_of(-1 if other == axis else 1 for other in range(rank)))


def _spread(graph, index, batch_axes, rank, out):
    """Indices over the batch axes, with axes of size 1 for the others."""
    sizes = [out[axis] if axis in batch_axes else 1 for axis in range(rank)]
    return graph.reshape(index, sizes)


def _fill(converter, equation, result, checks, batch_axes, out):
    """The result where indices are valid; elsewhere the fill value."""
    graph, dtype = converter.graph, equation.outvars[0].aval.dtype
    fill = equation.params["fill_value"]
    if fill is None:
        fill = np.nan if np.issubdtype(dtype, np.inexact) else np.iinfo(dtype).min if dtype.kind != "b" else True
    inside = None
    for index, last in checks:
        valid = graph.add(
            "Not", graph.add("Or", graph.add("Less", index, axes_of([0])), graph.add("Greater", index, last))
        )
        inside = valid if inside is None else graph.add("And", inside, valid)
    if inside is None:
        return result
    return graph.add("Where", _spread(graph, inside, batch_axes, len(out), out), result, np.asarray(fill, dtype))


@writes(*REDUCTIONS)
def _scatter(converter, equation, x, indices, updates):
    """Elements that belong outside go to one more place at the end, which is cut off."""
    graph, params = converter.graph, equation.params
    numbers, shape, out = params["dimension_numbers"], equation.invars[0].aval.shape, equation.invars[2].aval.shape
    scatter_axes = [axis for axis in range(len(out)) if axis not in numbers.update_window_dims]
    window = [
        axis
        for axis in range(len(shape))
        if axis not in (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
    ]
    places = dict(zip(window, numbers.update_window_dims, strict=True))
    sizes = [out[places[axis]] if axis in places else 1 for axis in range(len(shape))]
    batching = dict(zip(numbers.operand_batching_dims, numbers.scatter_indices_batching_dims, strict=True))
    linear, checks = _linear(
        graph, shape, sizes, indices, numbers.scatter_dims_to_operand_dims, scatter_axes, places, len(out),
        "CLIP" in str(params["mode"]).upper(), batching, out,
    )  # fmt: skip
    flat, count = graph.reshape(x, [-1]), graph.size(joined(shape))
    for index, last in checks:
        outside = graph.add("Or", graph.add("Less", index, axes_of([0])), graph.add("Greater", index, last))
        linear = graph.add("Where", _spread(graph, outside, scatter_axes, len(out), out), count, linear)
    linear = graph.reshape(graph.add("Expand", linear, graph.shape(out)), [-1])
    flat = graph.add("Pad", flat, axes_of([0, 1]), np.asarray(0, equation.invars[0].aval.dtype))
    reduction = REDUCTIONS[equation.primitive.name]
    if reduction == "none" and params.get("update_jaxpr") is None and equation.primitive.name != "scatter":
        raise converter.refusal("scatter of this kind", 'model.export("name.jax")')
    flat = graph.add("ScatterElements", flat, linear, graph.reshape(updates, [-1]), axis=0, reduction=reduction)
    return graph.reshape(graph.add("Slice", flat, axes_of([0]), axes_of([-1])), shape)

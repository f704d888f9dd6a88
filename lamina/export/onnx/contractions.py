"""Products of matrices and convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.export.onnx.converter import writes
from lamina.export.onnx.graph import is_static
from lamina.export.onnx.shaping import axes_of, with_gaps

__all__: list[str] = []


@writes("product")
def _product(converter, equation, left, right):
    """lamina's own primitive: a product of matrices."""
    graph, params = converter.graph, equation.params
    left = graph.transpose(left, [1, 0]) if params["transpose_left"] else left
    right = graph.transpose(right, [1, 0]) if params["transpose_right"] else right
    return _in_float(converter, equation, left, right)


@writes("dot_general")
def _dot_general(converter, equation, left, right):
    """Axes are put in the order (batch, rows, contracted) and (batch, contracted, columns), and joined."""
    (contracted, batch) = equation.params["dimension_numbers"]
    shapes = [atom.aval.shape for atom in equation.invars]
    graph, sides = converter.graph, []
    for side, operand in enumerate((left, right)):
        inner, shared = list(contracted[side]), list(batch[side])
        free = [axis for axis in range(len(shapes[side])) if axis not in inner + shared]
        shape = shapes[side]
        sizes = [[shape[axis] for axis in axes] for axes in (shared, free, inner)]
        order = shared + (free + inner if side == 0 else inner + free)
        ends = [joined(sizes[1]), joined(sizes[2])] if side == 0 else [joined(sizes[2]), joined(sizes[1])]
        operand = graph.transpose(operand, order)
        if len(free) != 1 or len(inner) != 1:
            operand = graph.reshape(operand, [*sizes[0], *ends])
        sides.append((operand, sizes))
    result = _in_float(converter, equation, sides[0][0], sides[1][0])
    (_, (shared, rows, _)), (_, (_, columns, _)) = sides
    if len(rows) != 1 or len(columns) != 1:
        result = graph.reshape(result, [*shared, *rows, *columns])
    return result


def joined(sizes: Any) -> Any:
    """The product of sizes, which may be symbolic."""
    total = 1
    for size in sizes:
        total = total * size
    return total


def _in_float(converter, equation, left, right):
    """The product, in the dtype of the result: small numbers would overflow in their own."""
    graph, target = converter.graph, equation.outvars[0].aval.dtype
    if {str(atom.aval.dtype) for atom in equation.invars} == {"int8"} and target == "int32":
        one = np.asarray(1, np.float32)  # the scales belong to what is made of the result
        floats = [graph.add("DequantizeLinear", operand, one, np.asarray(0, np.int8)) for operand in (left, right)]
        return graph.cast(graph.add("MatMul", *floats), target)
    operands = []
    for operand, atom in zip((left, right), equation.invars, strict=True):
        operands.append(operand if atom.aval.dtype == target else graph.cast(operand, target))
    return graph.add("MatMul", *operands)


def channels_first(rank: Any) -> Any:
    """Axes of (batch, *space, channels) in the order (batch, channels, *space)."""
    return [0, rank - 1, *range(1, rank - 1)]


def channels_last(rank: Any) -> Any:
    """The reverse of `channels_first`."""
    return [0, *range(2, rank), 1]


@writes("convolve")
def _convolve(converter, equation, inputs, kernel):
    """lamina's own primitive: inputs (batch, *space, channels), kernel (*window, channels, filters)."""
    graph, window = converter.graph, equation.params["window"]
    rank = len(equation.invars[0].aval.shape)
    inputs = graph.transpose(inputs, channels_first(rank))
    kernel = graph.transpose(kernel, [rank - 1, rank - 2, *range(rank - 2)])
    result = _conv(converter, inputs, kernel, window.strides, window.padding, window.dilation, window.groups)
    return graph.transpose(result, channels_last(rank))


def _conv(converter, inputs, kernel, strides, padding, dilation, groups):
    graph = converter.graph
    if any(not is_static([edge]) or edge < 0 for pair in padding for edge in pair):  # a negative one cuts
        edges = [0, 0, *[pair[0] for pair in padding], 0, 0, *[pair[1] for pair in padding]]
        inputs = graph.add("Pad", inputs, graph.shape(edges))
        padding = [(0, 0)] * len(padding)
    pads = [int(pair[side]) for side in (0, 1) for pair in padding]
    settings = {"strides": list(map(int, strides)), "dilations": list(map(int, dilation)), "group": int(groups)}
    return graph.add("Conv", inputs, kernel, pads=pads, **settings)


@writes("convolve_input_gradient")
def _convolve_input_gradient(converter, equation, cotangent, kernel):
    """lamina's own primitive: the transposed convolution, whose kernel is (*window, outputs, inputs)."""
    graph, params = converter.graph, equation.params
    window, shape = params["window"], params["shape"]
    rank = len(shape)
    space = range(rank - 2)
    sizes, small = shape[1:-1], equation.invars[0].aval.shape[1:-1]
    width = [(k - 1) * d + 1 for k, d in zip(equation.invars[1].aval.shape[:-2], window.dilation, strict=True)]
    full = [(small[axis] - 1) * window.strides[axis] + width[axis] for axis in space]
    after = [full[axis] - window.padding[axis][0] - sizes[axis] for axis in space]
    after = [int(edge) if is_static([edge]) else int(window.padding[axis][1]) for axis, edge in enumerate(after)]
    kernel_axes = [rank - 1, rank - 2, *space]
    groups = int(window.groups)
    kernel = graph.transpose(kernel, kernel_axes)
    result = graph.add(
        "ConvTranspose", graph.transpose(cotangent, channels_first(rank)), kernel,
        strides=list(map(int, window.strides)), dilations=list(map(int, window.dilation)), group=groups,
        pads=[int(pair[0]) for pair in window.padding] + [max(edge, 0) for edge in after],
    )  # fmt: skip
    if min(after) < 0:
        edges = [0] * (2 + len(after)) + [0, 0] + [max(-edge, 0) for edge in after]
        result = graph.add("Pad", result, axes_of(edges))
    return graph.transpose(result, channels_last(rank))


@writes("conv_general_dilated")
def _conv_general_dilated(converter, equation, inputs, kernel):
    """XLA's convolution: gaps between inputs are zeros that are written out."""
    graph, params = converter.graph, equation.params
    lhs, rhs, out = params["dimension_numbers"]
    if params["batch_group_count"] != 1 or not is_static([params["feature_group_count"]]):
        raise converter.refusal("convolution in groups of the batch", 'model.export("name.jax")')
    inputs = graph.transpose(inputs, lhs)
    kernel = graph.transpose(kernel, rhs)
    shape = [equation.invars[0].aval.shape[axis] for axis in lhs]
    for axis, gap in enumerate(params["lhs_dilation"]):
        if gap != 1:
            inputs = with_gaps(graph, inputs, np.asarray(0, equation.invars[0].aval.dtype), shape, axis + 2, gap - 1)
            shape[axis + 2] = (shape[axis + 2] - 1) * gap + 1
    result = _conv(
        converter, inputs, kernel, params["window_strides"], params["padding"], params["rhs_dilation"],
        params["feature_group_count"],
    )  # fmt: skip
    return graph.transpose(result, np.argsort(out))

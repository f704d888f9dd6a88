"""Products of matrices and convolutions, in builtin operators of LiteRT: images have their channels last."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.export.litert.converter import writes
from lamina.export.litert.graph import lowers
from lamina.export.litert.schema import SAME, VALID
from lamina.export.onnx.contractions import joined
from lamina.export.onnx.graph import is_static
from lamina.export.onnx.shaping import with_gaps

__all__: list[str] = []

LARGE = np.iinfo(np.int32).max


def is_constant(operand: Any) -> bool:
    """Whether an operand is known."""
    return isinstance(operand, np.ndarray) or operand.data is not None


def _floats(graph, operand):
    return graph.cast(operand, np.float32)


@lowers("MatMul")
def _matmul(graph, left, right):
    """The last two axes of each; a constant matrix is the weights of a FULLY_CONNECTED."""
    if len(left.shape) == 1:
        made = graph.add("MatMul", graph.add("Unsqueeze", left, [0]), right)
        return graph.add("Squeeze", made, [-2])
    if is_constant(right) and len(right.shape) == 2 and len(left.shape) > 1:
        weights = graph.transpose(right, [1, 0]) if isinstance(right, np.ndarray) else right.data.T
        return fully_connected(graph, left, weights)
    left, right = (graph.use(_floats(graph, side)) for side in (left, right))
    shape = [*max(left.shape[:-2], right.shape[:-2], key=len), left.shape[-2], right.shape[-1]]
    return graph.emit("BATCH_MATMUL", [left, right], shape, np.float32, adj_x=False, adj_y=False)


def fully_connected(graph: Any, x: Any, weights: Any) -> Any:
    """A product with weights (units, features), of the last axis."""
    x = _floats(graph, x)
    shape = [*x.shape[:-1], weights.shape[0]]
    return graph.emit("FULLY_CONNECTED", [x, _floats(graph, weights), None], shape, np.float32, keep_num_dims=True)


@writes("product")
def _product(converter, equation, left, right):
    """lamina's own primitive: a product of matrices."""
    graph, params = converter.graph, equation.params
    left = graph.transpose(left, [1, 0]) if params["transpose_left"] else left
    if params["transpose_right"] and isinstance(right, np.ndarray):
        right = right.T
    elif params["transpose_right"]:
        right = graph.transpose(right, [1, 0])
    return graph.cast(graph.add("MatMul", left, right), equation.outvars[0].aval.dtype)


@writes("dot_general")
def _dot_general(converter, equation, left, right):
    """Axes are put in the order (batch, rows, contracted) and (batch, contracted, columns), and joined."""
    (contracted, batch), graph = equation.params["dimension_numbers"], converter.graph
    shapes, sides, sizes = [atom.aval.shape for atom in equation.invars], [], []
    for side, operand in enumerate((left, right)):
        inner, shared = list(contracted[side]), list(batch[side])
        free = [axis for axis in range(len(shapes[side])) if axis not in inner + shared]
        shape = shapes[side]
        sizes.append([[shape[axis] for axis in axes] for axes in (shared, free, inner)])
        operand = graph.transpose(operand, shared + (free + inner if side == 0 else inner + free))
        ends = [joined(sizes[side][1]), joined(sizes[side][2])][:: 1 if side == 0 else -1]
        rows = sizes[0][1] if side == 0 and not shared and is_constant(right) and len(free) else None
        start = [joined(shape[axis] for axis in shared)] if len(shared) > 1 else sizes[side][0]
        new = [*rows, ends[1]] if rows is not None else [*start, *ends]
        if isinstance(operand, np.ndarray):
            operand = operand.reshape(new)
        elif tuple(new) != tuple(operand.shape):
            operand = graph.reshape(operand, new)
        sides.append(operand)
    result = graph.add("MatMul", *sides)
    (shared, rows, _), (_, columns, _) = sizes[0], sizes[1]
    if tuple(result.shape) != (*shared, *rows, *columns):
        result = graph.reshape(result, [*shared, *rows, *columns])
    return graph.cast(result, equation.outvars[0].aval.dtype)


@writes("convolve")
def _convolve(converter, equation, inputs, kernel):
    """lamina's own primitive: inputs (batch, *space, channels), kernel (*window, channels, filters)."""
    window = equation.params["window"]
    return convolution(converter, inputs, kernel, window.strides, window.padding, window.dilation, window.groups)


def convolution(converter: Any, x: Any, kernel: Any, strides: Any, padding: Any, dilation: Any, groups: int) -> Any:
    """A convolution, channels last.

    Args:
        converter: The converter.
        x: (batch, *space, channels)
        kernel: (*window, channels / groups, filters)
        strides: Steps of the window.
        padding: (before, after) for each axis; what is negative cuts.
        dilation: Distance between elements of the window.
        groups: Number of groups of channels.
    """
    graph = converter.graph
    x, kernel = graph.use(_floats(graph, x)), _floats(graph, kernel)
    rank = len(x.shape) - 2
    if rank == 1:
        made = convolution(
            converter, graph.reshape(x, [x.shape[0], 1, *x.shape[1:]]), _with_axis(graph, kernel),
            (1, *strides), ((0, 0), *padding), (1, *dilation), groups,
        )  # fmt: skip
        return graph.reshape(made, [made.shape[0], *made.shape[2:]])
    if groups > 1 and (rank == 3 or kernel.shape[-2] != 1 or groups != x.shape[-1]):
        parts = [
            convolution(converter, _part(graph, x, -1, group, groups), _part(graph, kernel, -1, group, groups),
                        strides, padding, dilation, 1)
            for group in range(groups)
        ]  # fmt: skip
        return graph.add("Concat", *parts, axis=-1)
    width = [(size - 1) * step + 1 for size, step in zip(kernel.shape, dilation, strict=False)]
    mode, padding = _mode(x.shape[1:-1], width, strides, padding)
    if any(not is_static([edge]) or edge for pair in padding for edge in pair):
        x = with_edges(graph, x, [(0, 0), *padding, (0, 0)])
    fewer = [0 if mode is SAME else wide - 1 for wide in width]
    space = [-((less - size) // step) for size, less, step in zip(x.shape[1:-1], fewer, strides, strict=True)]
    settings = _settings(strides, dilation)
    filters = kernel.shape[-1]
    shape = [x.shape[0], *space, filters]
    if rank == 3:
        return graph.emit("CONV_3D", [x, kernel], shape, np.float32, padding=mode, **settings)
    if groups > 1:
        kernel = _reshaped(graph, kernel, [1, *kernel.shape[:2], filters])
        settings["depth_multiplier"] = filters // groups
        return graph.emit("DEPTHWISE_CONV_2D", [x, kernel, None], shape, np.float32, padding=mode, **settings)
    kernel = graph.transpose(kernel, [3, 0, 1, 2])
    return graph.emit("CONV_2D", [x, kernel, None], shape, np.float32, padding=mode, **settings)


def _with_axis(graph, kernel):
    return _reshaped(graph, kernel, [1, *kernel.shape])


def _reshaped(graph, operand, shape):
    return operand.reshape(shape) if isinstance(operand, np.ndarray) else graph.reshape(operand, shape)


def _settings(strides, dilation):
    """The names of the axes in options are depth, height and width."""
    axes = "dhw"[3 - len(strides) :]
    settings = {f"stride_{name}": int(step) for name, step in zip(axes, strides, strict=True)}
    return settings | {f"dilation_{name}": int(step) for name, step in zip(axes, dilation, strict=True)}


def _edges(size, width, stride):
    """What the runtime adds at both ends for SAME."""
    total = max((-(-size // stride) - 1) * stride + width - size, 0)
    return total // 2, total - total // 2


def _mode(space, width, strides, padding):
    """(SAME or VALID, the padding that is still to be written)."""
    none = [(0, 0)] * len(space)
    if all(is_static(pair) and tuple(pair) == (0, 0) for pair in padding):
        return VALID, none
    for size, wide, stride, pair in zip(space, width, strides, padding, strict=True):
        known = size if is_static([size]) else wide if stride == 1 else None
        if known is None or not is_static(pair) or tuple(map(int, pair)) != _edges(known, wide, stride):
            return VALID, list(padding)
    return SAME, none


def _part(graph, operand, axis, group, groups):
    axis = axis % len(operand.shape)
    size = operand.shape[axis] // groups
    if isinstance(operand, np.ndarray):
        return operand[..., group * size : (group + 1) * size]
    return graph.add("Slice", operand, np.asarray([group * size]), np.asarray([(group + 1) * size]), [axis])


def with_edges(graph: Any, x: Any, pairs: Any, value: Any = None) -> Any:
    """`x` with more elements before and after along each axis; a negative number of them cuts."""
    more = [[max(edge, 0) if is_static([edge]) else edge for edge in pair] for pair in pairs]
    flat = [pair[side] for side in (0, 1) for pair in more]
    if any(not is_static([edge]) or edge for edge in flat):
        x = graph.add("Pad", x, graph.shape(flat), value)
    for axis, pair in enumerate(pairs):
        before, after = (max(-edge, 0) if is_static([edge]) else 0 for edge in pair)
        if before or after:
            x = graph.add("Slice", x, np.asarray([before]), np.asarray([-after if after else LARGE]), [axis])
    return x


@writes("convolve_input_gradient")
def _convolve_input_gradient(converter, equation, x, kernel):
    """lamina's own primitive: the transposed convolution, whose kernel is (*window, outputs, inputs)."""
    window, shape = equation.params["window"], equation.params["shape"]
    return transposed(converter, x, kernel, window.strides, window.padding, window.dilation, int(window.groups), shape)


def transposed(
    converter: Any, x: Any, kernel: Any, strides: Any, padding: Any, dilation: Any, groups: int, shape: Any
) -> Any:
    """Each input adds its window to the output; what lies outside of `shape` is cut off."""
    graph = converter.graph
    x, kernel = graph.use(_floats(graph, x)), _floats(graph, kernel)
    rank = len(shape) - 2
    if groups > 1:
        parts = [
            transposed(converter, _part(graph, x, -1, group, groups), _part(graph, kernel, -1, group, groups),
                       strides, padding, dilation, 1, (*shape[:-1], shape[-1] // groups))
            for group in range(groups)
        ]  # fmt: skip
        return graph.add("Concat", *parts, axis=-1)
    if rank == 1:
        made = transposed(
            converter, graph.reshape(x, [x.shape[0], 1, *x.shape[1:]]), _with_axis(graph, kernel), (1, *strides),
            ((0, 0), *padding), (1, *dilation), 1, (shape[0], 1, *shape[1:]),
        )  # fmt: skip
        return graph.reshape(made, shape)
    width = [(size - 1) * step + 1 for size, step in zip(kernel.shape, dilation, strict=False)]
    full = [(x.shape[axis + 1] - 1) * strides[axis] + width[axis] for axis in range(rank)]
    if rank == 2 and max(dilation) == 1:
        sizes = [x.shape[0], *full, shape[-1]]
        weights = graph.transpose(kernel, [2, 0, 1, 3])
        made = graph.emit(
            "TRANSPOSE_CONV", [graph.shape(sizes), weights, x], sizes, np.float32, padding=VALID,
            stride_w=int(strides[1]), stride_h=int(strides[0]),
        )  # fmt: skip
    else:
        wide, space = x, list(x.shape)
        for axis, stride in enumerate(strides):
            if stride > 1:
                wide = with_gaps(graph, wide, np.float32(0), space, axis + 1, stride - 1)
                space[axis + 1] = (space[axis + 1] - 1) * stride + 1
        flipped = np.swapaxes(np.flip(_array(kernel), tuple(range(rank))), -1, -2)
        made = convolution(converter, wide, flipped, (1,) * rank, [(size - 1, size - 1) for size in width], dilation, 1)
    cuts = []
    for axis in range(rank):
        before, after = padding[axis][0], full[axis] - padding[axis][0] - shape[axis + 1]
        cuts.append((-before, -after if is_static([after]) else -padding[axis][1]))
    return with_edges(graph, made, [(0, 0), *cuts, (0, 0)])


def _array(kernel):
    return kernel if isinstance(kernel, np.ndarray) else kernel.data


@writes("conv_general_dilated")
def _conv_general_dilated(converter, equation, x, kernel):
    """XLA's convolution: gaps between inputs are zeros that are written out."""
    graph, params = converter.graph, equation.params
    lhs, rhs, out = params["dimension_numbers"]
    if params["batch_group_count"] != 1 or not is_static([params["feature_group_count"]]):
        raise converter.refusal("convolution in groups of the batch", 'model.export("name.jax")')
    x = graph.use(graph.transpose(x, [lhs[0], *lhs[2:], lhs[1]]))
    kernel = graph.transpose(kernel, [*rhs[2:], rhs[1], rhs[0]])
    shape = list(x.shape)
    for axis, gap in enumerate(params["lhs_dilation"], 1):
        if gap != 1:
            x = with_gaps(graph, x, np.float32(0), shape, axis, gap - 1)
            shape[axis] = (shape[axis] - 1) * gap + 1
    result = convolution(
        converter, x, kernel, params["window_strides"], params["padding"], params["rhs_dilation"],
        params["feature_group_count"],
    )  # fmt: skip
    places = [out[0], *out[2:], out[1]]
    return graph.transpose(result, np.argsort(places))

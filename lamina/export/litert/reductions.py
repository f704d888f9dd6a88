"""Reductions over axes and over windows, in builtin operators of LiteRT."""

from __future__ import annotations

import numpy as np

from lamina.export.litert.contractions import with_edges
from lamina.export.litert.converter import writes
from lamina.export.litert.graph import lowers
from lamina.export.litert.schema import VALID
from lamina.export.onnx.attention import softmax_axis
from lamina.export.onnx.contractions import joined

__all__: list[str] = []

REDUCE = {"ReduceSum": "SUM", "ReduceMax": "REDUCE_MAX", "ReduceMin": "REDUCE_MIN", "ReduceProd": "REDUCE_PROD"}


def _without(shape, axes):
    return [size for axis, size in enumerate(shape) if axis not in axes]


@lowers(*REDUCE)
def _reduce(graph, x, axes, keepdims=0, kind=""):
    x = graph.computed(x)
    axes = [int(axis) for axis in axes]
    return graph.emit(REDUCE[kind], [x, np.asarray(axes, np.int32)], _without(x.shape, axes), x.dtype, keep_dims=False)


@lowers("ArgMax", "ArgMin")
def _arg(graph, x, axis, keepdims=0, kind=""):
    x = graph.computed(x)
    operator = "ARG_MAX" if kind == "ArgMax" else "ARG_MIN"
    return graph.emit(operator, [x, np.int32(axis)], _without(x.shape, [axis]), np.int32, out_type=np.int8(2))


@lowers("CumSum")
def _cumsum(graph, x, axis, reverse=0):
    x = graph.computed(x)
    return graph.emit("CUMSUM", [x, np.int32(axis)], x.shape, x.dtype, exclusive=False, reverse=bool(reverse))


@writes("reduce_window_max", "reduce_window_sum", "reduce_window_min")
def _reduce_window(converter, equation, x):
    """Pooling over two axes at a time, the others as batch and channels: maxima and sums of three come in two steps."""
    graph, params, name = converter.graph, equation.params, equation.primitive.name
    if any(size != 1 for size in (*params["base_dilation"], *params["window_dilation"])):
        return converter.decomposed(equation, [x])
    window, strides = params["window_dimensions"], params["window_strides"]
    used = [axis for axis, size in enumerate(window) if size != 1 or strides[axis] != 1]
    is_sum = name.endswith("sum")
    x = graph.use(graph.cast(x, np.float32))
    x = graph.add("Neg", x) if name.endswith("min") else x
    x = with_edges(graph, x, params["padding"], None if is_sum else np.float32(np.finfo(np.float32).min))
    for pair in (used[start : start + 2] for start in range(0, len(used), 2)):
        x = _pool(graph, x, pair, window, strides, is_sum)
    if is_sum:
        x = graph.add("Mul", x, np.float32(np.prod(window)))
    x = graph.add("Neg", x) if name.endswith("min") else x
    return graph.cast(x, equation.outvars[0].aval.dtype)


def _pool(graph, x, axes, window, strides, is_sum):
    """Pool over one or two axes: what is before them and between is batch, what follows is channels."""
    rank = len(x.shape)
    rest = [axis for axis in range(rank) if axis not in axes]
    first = [axis for axis in rest if axis < axes[-1]]
    order = [*first, *axes, *(axis for axis in rest if axis > axes[-1])]
    moved = graph.use(graph.transpose(x, order))
    before, behind = moved.shape[: len(first)], moved.shape[len(first) + len(axes) :]
    space = [*[1] * (2 - len(axes)), *moved.shape[len(first) : len(first) + len(axes)]]
    sizes = [*[1] * (2 - len(axes)), *(int(window[axis]) for axis in axes)]
    steps = [*[1] * (2 - len(axes)), *(int(strides[axis]) for axis in axes)]
    image = graph.reshape(moved, [joined(before), *space, joined(behind)])
    made = [(size - width) // step + 1 for size, width, step in zip(space, sizes, steps, strict=True)]
    result = graph.emit(
        "AVERAGE_POOL_2D" if is_sum else "MAX_POOL_2D", [image], [joined(before), *made, joined(behind)], np.float32,
        padding=VALID, stride_h=steps[0], stride_w=steps[1], filter_h=sizes[0], filter_w=sizes[1],
    )  # fmt: skip
    return graph.transpose(graph.reshape(result, [*before, *made[2 - len(axes) :], *behind]), np.argsort(order))


@writes("lamina_softmax")
def _softmax(converter, equation, x):
    graph, axis, inner = converter.graph, softmax_axis(equation), equation.params["jaxpr"]
    if axis is None:
        return converter.run(inner.jaxpr, inner.consts, [x])
    order = list(range(len(equation.outvars[0].aval.shape)))
    order[axis], order[-1] = order[-1], order[axis]
    x = graph.use(graph.transpose(x, order))
    return graph.transpose(graph.emit("SOFTMAX", [x], x.shape, np.float32, beta=np.float32(1)), order)

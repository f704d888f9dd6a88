"""Reductions over axes and over windows, and running sums."""

from __future__ import annotations

import numpy as np

from lamina.export.onnx.contractions import channels_first, channels_last
from lamina.export.onnx.converter import writes
from lamina.export.onnx.elementwise import SMALL
from lamina.export.onnx.graph import is_static
from lamina.export.onnx.shaping import axes_of

__all__: list[str] = []

REDUCE = {
    "reduce_sum": "ReduceSum", "reduce_max": "ReduceMax", "reduce_min": "ReduceMin", "reduce_prod": "ReduceProd",
    "reduce_and": "ReduceMin", "reduce_or": "ReduceMax",
}  # fmt: skip
RUNNING = {"cumprod": "Mul", "cummax": "Max", "cummin": "Min"}


@writes(*REDUCE)
def _reduce(converter, equation, x):
    graph, dtype = converter.graph, str(equation.invars[0].aval.dtype)
    axes = equation.params["axes"]
    if not axes:
        return x
    wide = SMALL.get(dtype)
    kind, x = REDUCE[equation.primitive.name], graph.cast(x, wide) if wide else x
    if converter.opset < 18 and kind != "ReduceSum":
        result = graph.add(kind, x, axes=list(axes), keepdims=0)
    else:
        result = graph.add(kind, x, axes_of(axes), keepdims=0)
    return graph.cast(result, equation.outvars[0].aval.dtype) if wide else result


@writes("argmax", "argmin")
def _argmax(converter, equation, x):
    graph, dtype = converter.graph, str(equation.invars[0].aval.dtype)
    (axis,) = equation.params["axes"]
    kind = "ArgMax" if equation.primitive.name == "argmax" else "ArgMin"
    x = graph.cast(x, SMALL[dtype]) if dtype in SMALL else x
    return graph.cast(graph.add(kind, x, axis=int(axis), keepdims=0), equation.outvars[0].aval.dtype)


@writes("cumsum")
def _cumsum(converter, equation, x):
    axis, reverse = equation.params["axis"], equation.params["reverse"]
    return converter.graph.add("CumSum", x, np.asarray(axis, np.int64), reverse=int(reverse))


@writes(*RUNNING)
def _running(converter, equation, x):
    """In log2(size) steps, each element is combined with the one that many places before it; one by one if the size is
    open."""
    graph, axis, reverse = converter.graph, equation.params["axis"], equation.params["reverse"]
    size = equation.invars[0].aval.shape[axis]
    kind = RUNNING[equation.primitive.name]
    if not is_static([size]):
        return converter.decomposed(equation, [x])
    step = 1
    while step < size:
        kept, moved = (slice(None, -step), slice(step, None)) if reverse else (slice(step, None), slice(None, -step))
        first = _part(graph, x, axis, slice(-step, None) if reverse else slice(None, step))
        rest = graph.add(kind, _part(graph, x, axis, kept), _part(graph, x, axis, moved))
        x = graph.add("Concat", *([rest, first] if reverse else [first, rest]), axis=axis)
        step *= 2
    return x


def _part(graph, x, axis, part):
    start = 0 if part.start is None else part.start
    stop = np.iinfo(np.int64).max if part.stop is None else part.stop
    return graph.add("Slice", x, axes_of([start]), axes_of([stop]), axes_of([axis]))


@writes("reduce_window_max", "reduce_window_sum", "reduce_window_min")
def _reduce_window(converter, equation, x):
    """Pooling, over the axes whose window is larger than 1 (one to three of them), the others as batch and channels."""
    graph, params = converter.graph, equation.params
    name, rank = equation.primitive.name, len(params["window_dimensions"])
    if any(size != 1 for size in (*params["base_dilation"], *params["window_dilation"])):
        return converter.decomposed(equation, [x])
    used = [
        axis for axis in range(rank) if params["window_dimensions"][axis] != 1 or params["window_strides"][axis] != 1
    ]
    is_first = rank - 1 in used  # channels come first, or there is nothing but windows
    pools = range(2, rank) if is_first else range(1, rank - 1)
    x = x if is_first else graph.transpose(x, channels_first(rank))
    x = graph.add("Neg", x) if name.endswith("min") else x
    window, strides = ([int(params[key][axis]) for axis in pools] for key in ("window_dimensions", "window_strides"))
    pads = [int(params["padding"][axis][side]) for side in (0, 1) for axis in pools]
    settings = {"kernel_shape": window, "strides": strides}
    dtype = equation.invars[0].aval.dtype
    if name.endswith("sum"):
        x = _pad(graph, x, pads, np.asarray(0, dtype))
        x = graph.add("Mul", graph.add("AveragePool", x, **settings), np.asarray(np.prod(window), dtype))
    elif any(pad >= size for pad, size in zip(pads, window * 2, strict=True)):
        x = graph.add("MaxPool", _pad(graph, x, pads, np.asarray(-np.inf, dtype)), **settings)
    else:
        x = graph.add("MaxPool", x, pads=pads, **settings)
    x = graph.add("Neg", x) if name.endswith("min") else x
    return x if is_first else graph.transpose(x, channels_last(rank))


def _pad(graph, x, pads, value):
    half = len(pads) // 2
    return graph.add("Pad", x, axes_of([0, 0, *pads[:half], 0, 0, *pads[half:]]), value) if any(pads) else x

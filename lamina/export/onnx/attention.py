"""Softmax, and attention as the operator that ONNX has for it since version 23.

While a model is exported, `keras.ops.dot_product_attention` calls itself as a function named `lamina_attention` of
(query, key, value, scale) and, if not all keys are seen, the mask of those that are; a softmax as `lamina_softmax`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.export.onnx.converter import writes

__all__ = ["softmax_axis"]

HEADS_FIRST = (0, 2, 1, 3)
UNSEEN = np.float32(-0.7 * np.finfo(np.float32).max)  # a query that sees no key attends to all of them, as in lamina


@writes("lamina_attention")
def _attention(converter, equation, *operands):
    query, key, value, scale, *masks = operands
    graph, dtypes = converter.graph, {str(atom.aval.dtype) for atom in equation.invars[:3]}
    steps = (equation.invars[0].aval.shape[1], equation.invars[1].aval.shape[1])
    whole = all(tuple(atom.aval.shape[-2:]) == steps for atom in equation.invars[4:])  # onnxruntime broadcasts no mask
    if converter.opset < 23 or dtypes != {"float32"} or isinstance(scale, str) or not whole:
        inner = equation.params["jaxpr"]
        return converter.run(inner.jaxpr, inner.consts, operands)
    added = [graph.add("Where", mask, np.zeros((), np.float32), UNSEEN) for mask in masks]
    turned = [graph.transpose(operand, HEADS_FIRST) for operand in (query, key, value)]
    made = graph.add("Attention", *turned, *added, scale=float(scale))
    return [graph.transpose(made, HEADS_FIRST)]


def softmax_axis(equation: Any) -> int | None:
    """The axis of an equation of `lamina_softmax`; None if it is not of float32.

    Args:
        equation: The equation.
    """
    maximum = next(inner for inner in equation.params["jaxpr"].jaxpr.eqns if inner.primitive.name == "reduce_max")
    return int(maximum.params["axes"][0]) if str(equation.outvars[0].aval.dtype) == "float32" else None


@writes("lamina_softmax")
def _softmax(converter, equation, x):
    axis, inner = softmax_axis(equation), equation.params["jaxpr"]
    if axis is None:
        return converter.run(inner.jaxpr, inner.consts, [x])
    return converter.graph.add("Softmax", x, axis=axis)

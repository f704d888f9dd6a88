"""Attention as the operator that ONNX has for it since version 23.

While a model is exported, `keras.ops.dot_product_attention` calls itself as a function named `lamina_attention` of
(query, key, value, scale) and, if not all keys are seen, the mask of those that are.
"""

from __future__ import annotations

import numpy as np

from lamina.export.onnx.converter import writes

__all__: list[str] = []

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

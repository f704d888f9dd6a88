"""Attention, einsums and GRUs, rewritten for TensorFlow.js."""

from __future__ import annotations

import math

import numpy as np

from lamina.export.tensorflowjs.layers import name_of_activation
from lamina.export.tensorflowjs.of_operations import activate
from lamina.export.tensorflowjs.rewriting import Unable, plain_weights, rewrites

__all__: list[str] = []

MOST_STEPS = 64  # that a GRU is unrolled for
UNSEEN = -1e9
_OF_CELLS = ("LSTMCell", "GRUCell", "SimpleRNNCell")


@rewrites("EinsumDense")
def _einsum(make, layer, x):
    """An einsum over the last axes of the inputs, whose outputs come last: a Dense layer between two reshapes."""
    inputs, kernel, outputs = layer.equation.replace("->", ",").replace("...", "").split(",")
    values = plain_weights(layer)
    contracted = [label for label in kernel if label not in outputs]
    kept = inputs[: len(inputs) - len(contracted)]
    new = [label for label in kernel if label in outputs]
    if list(inputs[len(kept) :]) != contracted or set(kept) & set(kernel) or outputs != kept + "".join(new):
        raise Unable
    array = values[0].transpose([kernel.index(label) for label in (*contracted, *new)])
    shape, size = array.shape[len(contracted) :], math.prod(array.shape[: len(contracted)])
    lead = x.shape[1 : len(x.shape) - len(contracted)]
    flat = make.reshape(x, *lead, size)
    made = make("Dense", flat, units=math.prod(shape), use_bias=False, weights=[array.reshape(size, -1)])
    made = make.reshape(made, *lead, *shape)
    made = made if layer.bias is None else make.affine(made, offset=values[1])
    return activate(make, name_of_activation(layer), made)


def _attended(make, scores, values, is_causal):
    steps, keys = scores.shape[1:]
    if is_causal:
        if None in (steps, keys):
            raise Unable
        scores = make.affine(scores, offset=np.triu(np.full((steps, keys), UNSEEN), 1))
    weights = make("Softmax", scores)
    return make("Dot", weights, values, axes=(2, 1)), weights


@rewrites("MultiHeadAttention", "GroupedQueryAttention", "GroupQueryAttention")
def _heads(make, layer, query, value, key=None, use_causal_mask=False):
    """A Dense layer for query, key and value of each head."""
    key = value if key is None else key
    if any(len(x.shape) != 3 for x in (query, key, value)) or getattr(layer, "sliding_window", None):
        raise Unable
    dense = [plain_weights(layer._dense(role)) for role in ("query", "key", "value", "output")]
    gates = plain_weights(layer._gate_dense) if getattr(layer, "use_gate", False) else []
    count = [weights[0].shape[1] for weights in dense[:3]]
    if any(weights[0].ndim != 3 for weights in dense[:3]):
        raise Unable
    parts = []
    for head in range(count[0]):
        made = []
        for weights, heads, x in zip(dense, count, (query, key, value), strict=False):
            place = head // (count[0] // heads)
            scale = weights[0].shape[-1] ** -0.5 if not made else 1.0
            kernel, *bias = [scale * array[..., place, :] for array in weights]
            made.append(make("Dense", x, units=kernel.shape[-1], use_bias=bool(bias), weights=[kernel, *bias]))
        scores = make("Dot", made[0], made[1], axes=(2, 2))
        attended = _attended(make, scores, made[2], use_causal_mask)[0]
        if gates:
            kernel, *bias = (array[..., head, :] for array in gates)
            settings = {"units": kernel.shape[-1], "use_bias": bool(bias), "activation": "sigmoid"}
            attended = make("Multiply", attended, make("Dense", query, weights=[kernel, *bias], **settings))
        parts.append(attended)
    joined = make("Concatenate", *parts, axis=-1) if len(parts) > 1 else parts[0]
    kernel, *bias = dense[3]
    kernel = kernel.reshape(joined.shape[-1], -1)
    return make("Dense", joined, units=kernel.shape[1], use_bias=bool(bias), weights=[kernel, *bias])


@rewrites("Attention", "AdditiveAttention")
def _attention(make, layer, inputs, use_causal_mask=False, return_attention_scores=False):
    query, value, key = inputs if len(inputs) == 3 else (*inputs, inputs[1])
    if any(len(x.shape) != 3 for x in (query, key, value)):
        raise Unable
    weights = plain_weights(layer)
    if getattr(layer, "score_mode", "") == "dot" and type(layer).__name__ == "Attention":
        scores = make("Dot", query, key, axes=(2, 2))
        scores = make.scale(scores, weights[0]) if weights else scores
    else:
        (steps, size), keys = query.shape[1:], key.shape[1]
        if None in (steps, keys):
            raise Unable
        wide, high = make.reshape(query, steps, 1, size), make.reshape(key, 1, keys, size)
        wide, high = make("UpSampling2D", wide, size=(1, keys)), make("UpSampling2D", high, size=(steps, 1))
        sums = make("Add", wide, high)
        scales = weights[0] if weights else np.ones(size)
        if type(layer).__name__ == "Attention":
            raise Unable
        made = make("Dense", activate(make, "tanh", sums), units=1, use_bias=False, weights=[scales.reshape(size, 1)])
        scores = make.reshape(made, steps, keys)
    made, weights = _attended(make, scores, value, use_causal_mask)
    return (made, weights) if return_attention_scores else made


def _steps(make, layer, x):
    """The outputs of a GRU that resets after the product, of each step in the order in which it goes."""
    steps, units = x.shape[1], layer.units
    if steps is None or steps > MOST_STEPS or not layer.reset_after or layer.stateful or len(x.shape) != 3:
        raise Unable
    kernel, recurrent, *bias = plain_weights(layer)
    bias = bias[0] if bias else np.zeros((2, 3 * units))
    projected = make("Dense", x, units=3 * units, weights=[kernel, bias[0]])
    rows = make.reshape(projected, steps, 3 * units, 1)
    gates = [make.layer("Dense", units=units) for _ in range(3)]
    gated = name_of_activation(layer, "recurrent_activation")
    state, outputs = None, []
    for step in range(steps)[:: -1 if layer.go_backwards else 1]:
        given = []
        for gate in range(3):
            edges = ((step, steps - 1 - step), (gate * units, (2 - gate) * units))
            given.append(make.reshape(make("Cropping2D", rows, cropping=edges), units))
        state = make.scale(given[0], 0) if state is None else state
        products = [gate(state) for gate in gates]
        z, r = (activate(make, gated, make("Add", given[n], products[n])) for n in (0, 1))
        inner = make("Add", given[2], make("Multiply", r, products[2]))
        new = activate(make, name_of_activation(layer), inner)
        state = make("Add", new, make("Multiply", z, make.minus(state, new)))
        outputs.append(state)
    for number, gate in enumerate(gates):
        columns = slice(number * units, (number + 1) * units)
        gate.set_weights([recurrent[:, columns], bias[1][columns]])
    return outputs


def _joined(make, outputs):
    rows = [make.reshape(output, 1, output.shape[-1]) for output in outputs]
    return make("Concatenate", *rows, axis=1) if len(rows) > 1 else rows[0]


@rewrites("RNN")
def _cells(make, layer, x):
    """A layer for each cell of a row of cells."""
    cells = getattr(layer.cell, "cells", [layer.cell])
    if layer.return_state or layer.stateful or any(type(cell).__name__ not in _OF_CELLS for cell in cells):
        raise Unable
    for place, cell in enumerate(cells):
        is_last = place + 1 == len(cells)
        settings = {
            "return_sequences": layer.return_sequences or not is_last,
            "go_backwards": layer.go_backwards and not place,
        }
        x = make.like(cell, x, kind=type(cell).__name__.removesuffix("Cell"), **settings)
    return x


@rewrites("GRU")
def _gru(make, layer, x):
    outputs = _steps(make, layer, x)
    made = _joined(make, outputs) if layer.return_sequences else outputs[-1]
    return [made, outputs[-1]] if layer.return_state else made


@rewrites("Bidirectional")
def _both_ways(make, layer, x):
    ways = [layer.forward_layer, layer.backward_layer]
    if any(type(way).__name__ != "GRU" for way in ways) or layer.return_state or not layer.merge_mode:
        raise Unable
    there, back = (_steps(make, way, x) for way in ways)
    if layer.return_sequences:
        there, back = _joined(make, there), _joined(make, back[::-1])
    else:
        there, back = there[-1], back[-1]
    kinds = {"concat": "Concatenate", "sum": "Add", "mul": "Multiply", "ave": "Average"}
    return make(kinds[layer.merge_mode], there, back)

"""LSTM and GRU with the activations of their papers, and simple recurrent layers, as the operators of ONNX.

While a model is exported, `lamina.layers.RNN` calls its loop as a function named `lamina_lstm`, `lamina_gru`,
`lamina_gru_reset_before` or, by its activation, `lamina_rnn_tanh`, with `_backwards` at the end where it runs from the
last step to the first. Its last arguments are (inputs (time, batch, features), kernel, recurrent kernel, bias, states).
"""

from __future__ import annotations

import numpy as np

from lamina.export.onnx.converter import writes
from lamina.export.onnx.shaping import axes_of

__all__: list[str] = []

# Of the gates in ONNX, as places among those of Keras.
ORDERS: dict[str, tuple[int, ...]] = {"lstm": (0, 3, 1, 2), "gru": (0, 1, 2), "rnn": (0,)}
STATES = {"lstm": 2, "gru": 1, "rnn": 1}
NAMES = ("lstm", "gru", "gru_reset_before", "rnn_tanh", "rnn_relu", "rnn_sigmoid")


@writes(*(f"lamina_{name}{end}" for name in NAMES for end in ("", "_backwards")))
def _gated(converter, equation, *operands):
    graph, name = converter.graph, equation.params["name"].removeprefix("lamina_")
    kind = name.split("_")[0]
    is_backwards = name.endswith("_backwards")
    count = STATES[kind]
    states = operands[-count:]
    inputs, *weights = operands[-count - 4 : -count]
    if any(isinstance(weight, str) for weight in weights):
        inner = equation.params["jaxpr"]
        return converter.run(inner.jaxpr, inner.consts, operands)
    units = weights[1].shape[0]
    kernel, recurrent = (_ordered(weight, ORDERS[kind], units).T[None] for weight in weights[:2])
    bias = _bias(weights[2], ORDERS[kind], units)
    settings = {"hidden_size": units, "direction": "reverse" if is_backwards else "forward"}
    if kind == "gru":
        settings["linear_before_reset"] = int("reset_before" not in name)
    if kind == "rnn":
        settings["activations"] = [name.split("_")[1].capitalize()]
    first = [graph.add("Unsqueeze", state, axes_of([0])) for state in states]
    made = graph.add(kind.upper(), inputs, kernel, recurrent, bias, None, *first, outputs=count + 1, **settings)
    outputs = graph.add("Squeeze", made[0], axes_of([1]))
    new = [graph.add("Squeeze", state, axes_of([0])) for state in made[1:]]
    if len(equation.outvars) == count + 1:
        return [new[0], *new]
    if is_backwards:
        outputs = graph.add(
            "Slice", outputs, axes_of([-1]), axes_of([np.iinfo(np.int64).min]), axes_of([0]), axes_of([-1])
        )
    return [new[0], outputs, *new]


def _ordered(weight, order, units):
    """A weight whose last axis holds the gates, with them in the order of ONNX."""
    return np.concatenate([weight[..., gate * units : (gate + 1) * units] for gate in order], -1)


def _bias(bias, order, units):
    """(1, 2 * gates * units): for the inputs, then for the states."""
    both = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
    return _ordered(both, order, units).reshape(1, -1)

"""Descriptions of ops in a graph: `x + y`, `keras.ops.mean(x, axis=1)`."""

import math
from typing import Any

import numpy as np

from lamina.core.keras_tensor import KerasTensor
from lamina.explanations.descriptions import describes
from lamina.facts.activations import meaning_of_activation
from lamina.facts.words import shape_of

__all__ = []

_SIGNS = {
    "add": "+", "subtract": "-", "multiply": "*", "true_divide": "/", "divide": "/", "floor_divide": "//", "mod": "%",
    "power": "**", "matmul": "@", "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==",
    "not_equal": "!=",
}  # fmt: skip


@describes("OpCall")
def _op(fact):
    name = fact.layer.op_name
    arguments, settings = fact.arguments or ((), {})
    settings = {**fact.layer.settings, **settings}
    words = [_word(value) for value in arguments]
    if name in _SIGNS and len(words) == 2:
        formula = f"{words[0]} {_SIGNS[name]} {words[1]}"
    elif name == "get_item" and len(words) == 2:
        formula = f"{words[0]}[{words[1].removeprefix('(').removesuffix(')')}]"
    else:
        named = [f"{key}={_word(value)}" for key, value in settings.items() if value is not None]
        formula = f"{name}({', '.join([*words, *named])})"
    said = [f"An op: {formula}, which gives {shape_of(fact.output)}."]
    meaning = meaning_of_activation(name)
    if meaning:
        said.append(f"{meaning}.")
    if name == "add" and len(fact.inputs) == 2 and fact.inputs[0] == fact.inputs[1]:
        said.append("In training the gradient passes through the sum to both, unchanged.")
    return said


def _word(value: Any) -> str:
    """A tensor by the layer that made it, a number as it is, an array by its shape."""
    if isinstance(value, KerasTensor):
        history = getattr(value, "_keras_history", None)
        return "a tensor" if history is None else history.operation.name
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"an array {tuple(shape)}" if math.prod(shape) > 1 else f"{np.asarray(value).item():g}"
    if isinstance(value, (list, tuple)):
        words = ", ".join(map(_word, value))
        return f"({words}{',' * (len(value) == 1)})" if isinstance(value, tuple) else f"[{words}]"
    if isinstance(value, slice):
        parts = [value.start, value.stop, *([] if value.step is None else [value.step])]
        return ":".join("" if part is None else str(part) for part in parts)
    return "..." if value is Ellipsis else repr(value)

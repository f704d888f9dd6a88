"""What is said about ops in a graph: `x + y`, `keras.ops.mean(x, axis=1)`."""

import math

import numpy as np

from lamina.core import tree
from lamina.core.symbolic import KerasTensor
from lamina.explain.basic_layers import meaning_of_activation
from lamina.explain.table import says
from lamina.explain.words import shape_of

__all__ = []

_SIGNS = {
    "add": "+", "subtract": "-", "multiply": "*", "true_divide": "/", "divide": "/", "floor_divide": "//", "mod": "%",
    "power": "**", "matmul": "@", "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==",
    "not_equal": "!=",
}  # fmt: skip


@says("OpCall")
def _op(fact):
    name = fact.layer.op_name
    arguments, settings = fact.arguments or ((), {})
    settings = {**fact.layer.settings, **settings}
    words = [_word(value) for value in arguments]
    if name in _SIGNS and len(words) == 2:
        formula = f"{words[0]} {_SIGNS[name]} {words[1]}"
    elif name == "get_item" and len(words) == 2:
        formula = f"{words[0]}[{words[1]}]"
    else:
        named = [f"{key}={_word(value)}" for key, value in settings.items() if value is not None]
        formula = f"{name}({', '.join([*words, *named])})"
    said = [f"An op of the program: {formula}, which gives {shape_of(fact.output)}."]
    meaning = meaning_of_activation(name)
    if meaning:
        said.append(f"{meaning[0].upper()}{meaning[1:]}.")
    if name == "add" and len(fact.inputs) == 2 and fact.inputs[0] == fact.inputs[1]:
        said.append("In training the gradient passes through the sum to both, unchanged.")
    return said


def _word(value):
    """A tensor by the layer that made it, a number as it is, an array by its shape."""
    if isinstance(value, KerasTensor):
        return value._keras_history.operation.name if hasattr(value, "_keras_history") else "a tensor"
    if isinstance(value, (list, tuple)) and any(isinstance(leaf, KerasTensor) for leaf in tree.flatten(value)):
        return f"[{', '.join(map(_word, value))}]"
    if hasattr(value, "shape") and math.prod(value.shape) > 1:
        return f"an array {tuple(value.shape)}"
    if isinstance(value, slice):
        return ":".join(
            "" if part is None else str(part) for part in (value.start, value.stop, value.step)
        ).removesuffix(":" if value.step is None else "")
    if isinstance(value, tuple):
        return ", ".join(map(_word, value))
    return f"{np.asarray(value).item():g}" if hasattr(value, "shape") else "..." if value is Ellipsis else repr(value)

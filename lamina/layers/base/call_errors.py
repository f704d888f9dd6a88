"""Errors of a layer's call in the terms of its inputs, in place of those of JAX, NumPy and Python."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from jax.core import Tracer

from lamina.core import tree
from lamina.core.arguments import shown
from lamina.core.keras_tensor import KerasTensor
from lamina.core.op_errors import FAILURES, is_explained
from lamina.core.op_shapes import trying
from lamina.errors import CallError, LaminaError, ShapeError
from lamina.layers.base.call_signature import brief, is_tensor
from lamina.ops.core import cast

__all__ = ["explain"]


def explain(error: BaseException, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> BaseException:
    """The error of a call of one of lamina's layers that says what the layer takes, and what to call it with.

    Args:
        error: The error that was raised.
        layer: The layer.
        args, kwargs: What it was called with.
    """
    if not type(layer).__module__.startswith("lamina.") or not isinstance(error, FAILURES) or is_explained(error):
        return error
    name, inputs = type(layer).__name__, args[0] if args else next(iter(kwargs.values()), None)
    strange = next((leaf for leaf in tree.flatten(inputs) if not is_tensor(leaf)), inputs if inputs is None else 0)
    if inputs is None or not isinstance(strange, (int, float)):
        fix = "A function that made it may lack its `return`." if strange is None else f"{layer.name}(np.array(x))"
        return CallError(f"{name} takes tensors; got {shown(strange)}.", fix=fix)
    if any(np.dtype(leaf.dtype).kind in "OUS" for leaf in tree.flatten(inputs) if hasattr(leaf, "dtype")):
        fix = "np.array(x, dtype='float32') reads numbers; layers.StringLookup() numbers words."
        if getattr(layer, "invert", False) and hasattr(layer, "get_vocabulary"):
            fix = f"keras.layers.{name}(vocabulary=...)(x), without invert=True, gives the numbers of words."
        return CallError(f"{name} takes numbers; got an array of text.", fix=fix)
    parameters = list(inspect.signature(layer.call).parameters.values())
    needed = [one.name for one in parameters if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD]
    if missing := [key for key in needed[len(args) :] if key not in kwargs]:
        message = f"{name} takes {', '.join(needed)}; {', '.join(missing)} is missing."
        return CallError(f"{message}{_shapes(layer)}", fix=f"{layer.name}({', '.join(needed)})")
    told = f"{name} cannot be called with {brief(args, kwargs)}."
    with trying() as is_nested:
        for value, code in () if is_nested else _changes(inputs):
            if _works(layer, value, args[1:], kwargs):
                return ShapeError(f"{told}{_shapes(layer)}", fix=f"{layer.name}({code})")
    function = getattr(layer, "function", None)
    if isinstance(inputs, (list, tuple)) and f"{getattr(function, '__name__', None)}() missing" in str(error):
        return CallError(
            f"{name} calls its function with one argument, the list of {len(inputs)} tensors.",
            fix="keras.layers.Lambda(lambda inputs: inputs[0] + inputs[1])",
        )
    said = str(error).split("\n")[0].rstrip(".")
    return CallError(f"{told[:-1]}: {said}.{_shapes(layer)}", fix=f"help(keras.layers.{name})")


def _changes(inputs: Any) -> Iterator[tuple[Any, str]]:
    """Other inputs, and the code that makes them of x."""
    if isinstance(inputs, dict):
        yield from ((value, f"x[{key!r}]") for key, value in inputs.items())
        yield [*inputs.values()], "list(x.values())"
    elif isinstance(inputs, (list, tuple)):
        yield from ((inputs[place], f"x[{place}]") for place in range(min(len(inputs), 1)))
    else:
        x = _symbol(inputs)
        yield from ((cast(x, kind), f'keras.ops.cast(x, "{kind}")') for kind in ("int32", "float32") if x.dtype != kind)
        yield x[..., None], "x[..., None]"
        yield x[None], "x[None]"
        if x.shape:
            yield x[:, 0] if len(x.shape) > 1 else x[0], "x[:, 0]" if len(x.shape) > 1 else "x[0]"
        yield [x, x], "[x, y]"


def _works(layer, value, others, kwargs):
    try:
        clone = type(layer).from_config(layer.get_config())
        clone(*tree.map_structure(_symbol, (value, *others)), **tree.map_structure(_symbol, kwargs))
    except (*FAILURES, LaminaError):
        return False
    return True


def _symbol(value):
    """A tensor as it is, but a symbolic one in place of one that is traced."""
    return KerasTensor(tuple(value.shape), str(value.dtype)) if isinstance(value, Tracer) else value


def _shapes(layer):
    """The docstring's line of shapes, with a space before it."""
    text = re.search(r"Shapes: (.*(?:\n.+)*)", inspect.getdoc(type(layer)) or "")
    return f" Its shapes: {' '.join(text[1].split()).rstrip('.')}." if text else ""

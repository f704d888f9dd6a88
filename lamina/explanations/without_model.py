"""A layer, or a class of layers, explained on inputs that stand for those of a model."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping, Sequence
from typing import Any

from lamina import layers
from lamina.core.graph import Function
from lamina.core.typing import Shape
from lamina.errors import CallError, LaminaError
from lamina.layers.input_layer import Input

__all__ = ["example_layer", "example_model"]

ARGUMENTS: dict[str, Any] = {  # examples for arguments that have no default, by their names
    "units": 32, "filters": 16, "kernel_size": 3, "input_dim": 1000, "output_dim": 16, "rate": 0.5, "n": 3,
    "stddev": 0.1,
    "num_heads": 2, "key_dim": 16, "head_dim": 16, "num_query_heads": 4, "num_key_value_heads": 2, "dims": (2, 1),
    "target_shape": (-1,), "axes": -1, "output_size": 4, "num_tokens": 10, "num_bins": 10, "height": 8, "width": 8,
    "factor": 0.1, "scale": 1 / 255, "height_factor": 0.1, "width_factor": 0.1, "l1": 0.01, "equation": "ab,bc->ac",
    "output_shape": 16, "groups": 4, "value_range": (0, 255), "function": abs, "vocabulary": ["a", "b"],
    "num_buckets": 10, "crossing_dim": 8, "nb_feature": 4, "output_length": 4, "rank": 2,
}  # fmt: skip
SHAPES = (  # of one sample: rows, sequences, pictures, volumes, a sequence of pictures
    ((32,), "float32"), ((32,), "int32"), ((10, 32), "float32"), ((28, 28, 3), "float32"),
    ((8, 28, 28, 3), "float32"), ((4, 8, 28, 28, 3), "float32"), ((4096, 1), "float32"), ((), "string"),
)  # fmt: skip
_MANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
OF_CLASS: dict[str, dict[str, Any]] = {
    "CategoryEncoding": {"num_tokens": 10}, "Discretization": {"num_bins": 10}, "Activation": {"activation": "relu"},
    "RandomPosterization": {"factor": 4}, "MaxNumBoundingBoxes": {"max_number": 4},
}  # fmt: skip
INSIDE = {"forward_layer": "LSTM", "cell": "LSTMCell", "cells": "LSTMCell"}


def example_layer(cls: type, arguments: Mapping[str, Any] = ARGUMENTS, given: Mapping[str, Any] | None = None) -> Any:
    """An instance of a class of layers, with an example for each argument that has no default.

    Args:
        cls: Class of layers.
        arguments: Examples by the names of arguments.
        given: Arguments of this class; None for none.

    Raises:
        CallError: No example is known for one of the arguments.
    """
    settings = dict(given or OF_CLASS.get(cls.__name__, {}))
    for name, parameter in inspect.signature(cls).parameters.items():
        if parameter.default is not inspect.Parameter.empty or parameter.kind in _MANY or name in settings:
            continue
        inside = {**INSIDE, "layer": "LSTM" if cls.__name__ == "Bidirectional" else "Dense"}.get(name)
        if inside:
            made = example_layer(getattr(layers, inside), arguments)
            settings[name] = [made] if name == "cells" else made
        elif name in arguments:
            settings[name] = arguments[name]
        else:
            raise CallError(
                f"{cls.__name__} needs {name}, for which no example is known.",
                fix=f"Make one and explain it: keras.layers.{cls.__name__}({name}=...).explain()",
            )
    return cls(**settings)


def example_model(layer: Any, examples: Sequence[tuple[Shape, str]] = SHAPES) -> Any:
    """The graph of an input and a layer like this one, which is not changed.

    Args:
        layer: Layer; one that is built keeps the shape that it was built for.
        examples: Shapes of one sample, and dtypes, that are tried in turn.

    Raises:
        CallError: It takes none of the example inputs.
    """
    calls = (lambda layer, a, _: layer(a), lambda layer, a, b: layer([a, b]), lambda layer, a, _: layer(a, a))
    for number, call in enumerate(calls):
        for shape, dtype in _shapes(layer, examples):
            inputs = [Input(shape, dtype=dtype) for _ in range(2)]
            try:
                outputs = call(type(layer).from_config(layer.get_config()), *inputs)
            except (LaminaError, TypeError, ValueError, IndexError, AttributeError, NotImplementedError):
                continue
            return types.SimpleNamespace(name="example", _graph=Function(inputs[: 2 if number == 1 else 1], outputs))
    raise CallError(
        f"{type(layer).__name__} takes none of the inputs that are tried, from rows to sequences of pictures.",
        fix="Put it into a model: keras.Model(inputs, layer(inputs)).explain()",
    )


def _shapes(layer, examples):
    shapes = getattr(layer, "_build_shapes", None)
    known = [shape for shape in (shapes or {}).values() if isinstance(shape, tuple)] if layer.built else []
    return [(tuple(known[0][1:]), layer.input_dtype), *examples] if len(known) == 1 else examples

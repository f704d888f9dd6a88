"""The writer of LiteRT files, and the smaller kinds of them."""

from __future__ import annotations

import collections
import functools
import pathlib
from typing import Any

from lamina.errors import ConfigError
from lamina.export.functions import endpoint_of
from lamina.export.litert.calibration import ranges_of
from lamina.export.litert.model import to_graph, to_litert
from lamina.export.litert.quantize import INTEGERS, to_float16, to_int8, to_int8_weights
from lamina.export.litert.runtime import litert_runtime, operators_of
from lamina.export.report import Written

__all__ = ["write_litert"]

KINDS: dict[str, float | None] = {
    "float16": 2e-2,
    "dynamic": None,
    "int8": None,
}  # and the difference from `predict` that is allowed


def write_litert(
    model: Any, signature: Any, target: pathlib.Path, quantize: str | None = None, representative_data: Any = None,
    optimizations: Any = None, representative_dataset: Any = None, target_spec: Any = None,
    inference_input_type: Any = None, inference_output_type: Any = None,
) -> Written:  # fmt: skip
    """Write a TFLite file.

    Args:
        model: Model.
        signature: Shapes and types of its inputs.
        target: File.
        quantize: "dynamic" stores weights in 8 bits, "int8" computes in 8 bits too, "float16" stores weights in 16.
        representative_data: Inputs of the model, from which "int8" takes the ranges of all values.
        optimizations: TensorFlow's name of `quantize`: a list that is not empty stands for "int8" with representative
            data and for "dynamic" without.
        representative_dataset: TensorFlow's name of `representative_data`.
        target_spec: TensorFlow's way to say "float16": a dict or an object whose `supported_types` are float16.
        inference_input_type: "int8" or "uint8" for inputs in integers, whose scale and zero are in the file, as devices
            without floating-point numbers need them; for `quantize="int8"`. None leaves float32.
        inference_output_type: The same for the outputs.

    Raises:
        ConfigError: The arguments do not fit each other.
        ImportError: "int8" runs the model to find the ranges, and ai-edge-litert is not installed.
    """
    data_given = representative_dataset if representative_data is None else representative_data
    if optimizations:
        quantize = quantize or _kind_of(target_spec, data_given)
    if quantize == "float16" and target_spec is not None:
        data_given = None  # TensorFlow takes ranges for it too, and does not need them
    _check(quantize, data_given)
    ends = [_integers(quantize, name) for name in (inference_input_type, inference_output_type)]
    endpoint, data = endpoint_of(model, signature, "litert")
    facts, kept, samples = [], [], None
    if quantize is not None:
        data, kept, samples = _smaller(endpoint.program, data, quantize, data_given, ends)
        facts.append(quantize)
    facts += [f"{side} in {name}" for side, name in zip(("inputs", "outputs"), ends, strict=True) if name]
    target.write_bytes(data)
    load = functools.partial(litert_runtime, endpoint.program, data)
    tolerance = endpoint.program.tolerance if quantize is None else KINDS[quantize]
    operators = collections.Counter(operators_of(data))
    lost = (
        [f"8 bits of {len(kept)} operators, which compute in float32: {', '.join(sorted(set(kept)))}"] if kept else []
    )
    return Written(endpoint.input_avals, "ai-edge-litert", load, operators, facts, lost, tolerance, samples=samples)


def _kind_of(target_spec, given):
    """What TensorFlow makes of a list of `optimizations` with these settings."""
    spec = target_spec if isinstance(target_spec, dict) else vars(target_spec) if target_spec else {}
    types = [_name_of(one) for one in spec.get("supported_types", ())]
    return "float16" if "float16" in types else "dynamic" if given is None else "int8"


def _check(quantize, given):
    if quantize is not None and quantize not in KINDS:
        raise ConfigError(
            f"quantize is one of {', '.join(map(repr, KINDS))}; got {quantize!r}.", fix='quantize="dynamic"'
        )
    if quantize == "int8" and given is None:
        raise ConfigError(
            'quantize="int8" takes the ranges of all values from inputs of the model; got representative_data=None.',
            fix='quantize="int8", representative_data=x_train[:100]',
        )
    if quantize != "int8" and given is not None:
        raise ConfigError(
            f'representative_data is for quantize="int8"; got quantize={quantize!r}.', fix='quantize="int8"'
        )


def _name_of(dtype):
    return getattr(dtype, "name", None) or getattr(dtype, "__name__", str(dtype))


def _integers(quantize, dtype):
    """The name of the type of integers; None for float32."""
    name = None if dtype is None else _name_of(dtype)
    if name in (None, "float32"):
        return None
    if name not in INTEGERS:
        raise ConfigError(
            f"Inputs and outputs of 8 bits are of the types {', '.join(map(repr, INTEGERS))}; got {dtype!r}.",
            fix='inference_input_type="int8"',
        )
    if quantize != "int8":
        raise ConfigError(
            f"Inputs and outputs are integers where all is computed in them; got {name!r}, quantize={quantize!r}.",
            fix='quantize="int8", representative_data=x_train[:100]',
        )
    return name


def _smaller(program, data, quantize, given, ends):
    """The file; of one that was to be of 8 bits, the operators that stay float32 and inputs that it is made for."""
    graph, kept, samples = to_graph(program), [], None
    if quantize == "float16":
        to_float16(graph)
    elif quantize == "dynamic":
        to_int8_weights(graph)
    else:
        ranges, samples = ranges_of(program, data, given)
        kept = to_int8(graph, ranges, *ends)
    return to_litert(program, graph), kept, samples

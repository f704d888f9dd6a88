"""The writer of LiteRT files."""

from __future__ import annotations

import collections
import functools
import pathlib
from typing import Any

from lamina.export.functions import endpoint_of
from lamina.export.litert.runtime import litert_runtime, operators_of
from lamina.export.report import Written

__all__ = ["write_litert"]


def write_litert(
    model: Any, signature: Any, target: pathlib.Path, quantize: str | None = None, representative_data: Any = None
) -> Written:
    """Write a TFLite file.

    Args:
        model: Model.
        signature: Shapes and types of its inputs.
        target: File.
        quantize: None; "dynamic", "int8" or "float16", see `Model.export`.
        representative_data: Inputs of the model, from which "int8" takes the ranges of all values.
    """
    endpoint, data = endpoint_of(model, signature, "litert")
    target.write_bytes(data)
    load = functools.partial(litert_runtime, endpoint.program, data)
    return Written(endpoint.input_avals, "ai-edge-litert", load, collections.Counter(operators_of(data)))

"""Converter to LiteRT: as to ONNX, with writers of its own where builtin operators differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.export.litert.graph import Value
from lamina.export.onnx import elementwise, indexing, reductions, shaping, spectra
from lamina.export.onnx.converter import WRITERS as OF_ONNX
from lamina.export.onnx.converter import Converter as BaseConverter
from lamina.facts.programs import CALLS

__all__ = ["WRITERS", "Converter", "writes"]

_WRITERS = (elementwise, indexing, reductions, shaping, spectra)  # fill WRITERS
WRITERS: dict[str, Callable[..., Any]] = {
    name: function for name, function in OF_ONNX.items() if not name.startswith("lamina_")
}
WIDE = ("uint64", "int64")  # whose equations `lamina.export.litert.wide` writes
NARROW = ("int8", "uint8", "int16", "uint16")  # computed in int32, with these results brought back into their range
OVERFLOWING = {"add", "sub", "mul", "neg", "shift_left", "integer_pow", "reduce_sum", "cumsum", "convert_element_type",
               "bitcast_convert_type"}  # fmt: skip


def writes(*primitives: str) -> Callable[[Any], Any]:
    """Register a function that writes some primitives in LiteRT.

    Args:
        *primitives: Their names in a jaxpr.
    """

    def register(function):
        WRITERS.update({primitive: function for primitive in primitives})
        return function

    return register


class Converter(BaseConverter):
    """Writes equations into a graph of LiteRT."""

    format: str = "LiteRT"
    writers: dict[str, Callable[..., Any]] = WRITERS

    def is_whole(self, value: Any) -> bool:
        return False  # a CAST does, which needs no scale

    def write(self, equation: Any, operands: list[Any]) -> list[Any]:
        dtype = str(equation.outvars[0].aval.dtype)
        name = equation.primitive.name
        wide, result = [str(atom.aval.dtype) in WIDE for atom in (*equation.invars, *equation.outvars)], None
        if any(wide) and name not in CALLS and not self._is_known(equation, operands):
            result = self.writers["of 64 bits"](self, equation, *operands)
            if result is None and dtype in WIDE:
                raise self.refusal(f"arithmetic of {dtype}, which {name!r} needs")
        results = super().write(equation, operands) if result is None else [result]
        if dtype in NARROW and name in OVERFLOWING:
            source = str(equation.invars[0].aval.dtype)
            if "int" in source and (name != "convert_element_type" or source != dtype):
                results = [_wrapped(self.graph, result, np.iinfo(dtype)) for result in results]
        for result, variable in zip(results, equation.outvars, strict=True):
            if isinstance(result, Value) and result.data is None and not isinstance(variable.aval, tuple):
                assert len(result.shape) == len(variable.aval.shape), (equation, result.shape)
                result.shape = tuple(variable.aval.shape)
        return results


def _wrapped(graph, value, edges):
    """An integer of 32 bits as one of fewer bits has it."""
    least = np.int32(edges.min)
    size = np.int32(edges.max - edges.min + 1)
    return (
        value
        if isinstance(value, np.ndarray)
        else graph.add("Add", graph.add("Mod", graph.add("Sub", value, least), size), least)
    )

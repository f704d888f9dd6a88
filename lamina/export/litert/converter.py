"""Converter to LiteRT: as to ONNX, with writers of its own where builtin operators differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamina.export.litert.graph import Value
from lamina.export.onnx import elementwise, indexing, reductions, shaping, spectra
from lamina.export.onnx.converter import WRITERS as OF_ONNX
from lamina.export.onnx.converter import Converter as BaseConverter

__all__ = ["WRITERS", "Converter", "writes"]

_WRITERS = (elementwise, indexing, reductions, shaping, spectra)  # fill WRITERS
WRITERS: dict[str, Callable[..., Any]] = {
    name: function for name, function in OF_ONNX.items() if not name.startswith("lamina_")
}
WIDE = ("uint64", "int64")  # hashes are computed in them


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

    def write(self, equation: Any, operands: list[Any]) -> list[Any]:
        dtype = str(equation.outvars[0].aval.dtype)
        if dtype in WIDE and not self._is_known(equation, operands):
            raise self.refusal(f"arithmetic of {dtype}, which {equation.primitive.name!r} needs")
        results = super().write(equation, operands)
        for result, variable in zip(results, equation.outvars, strict=True):
            if isinstance(result, Value) and result.data is None and not isinstance(variable.aval, tuple):
                assert len(result.shape) == len(variable.aval.shape), (equation, result.shape)
                result.shape = tuple(variable.aval.shape)
        return results

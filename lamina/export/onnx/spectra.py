"""Complex numbers, as pairs (real part, imaginary part), and Fourier transforms, as products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ConfigError
from lamina.export.onnx.converter import writes
from lamina.export.onnx.graph import is_static

__all__: list[str] = []

MAX_LENGTH = 8192  # of a transform: its matrix has the square of it


def magnitude(graph: Any, pair: Any) -> Any:
    """The absolute value of a complex number."""
    squares = [graph.add("Mul", part, part) for part in pair]
    return graph.add("Sqrt", graph.add("Add", *squares))


@writes("complex")
def _complex_(converter, equation, real, imaginary):
    return (real, imaginary)


@writes("real", "imag")
def _part(converter, equation, pair):
    return pair[equation.primitive.name == "imag"]


@writes("conj")
def _conj(converter, equation, pair):
    return (pair[0], converter.graph.add("Neg", pair[1]))


@writes("fft")
def _fft(converter, equation, x):
    """Along the last axis, of a length that is known."""
    graph, lengths, kind = converter.graph, equation.params["fft_lengths"], str(equation.params["fft_type"]).upper()
    if len(lengths) != 1 or not is_static(lengths) or lengths[0] > MAX_LENGTH:
        raise ConfigError(
            f"A Fourier transform of {lengths} numbers is not written; one axis of at most {MAX_LENGTH} is.",
            fix='model.export("name.jax") keeps all operations.',
        )
    length = int(lengths[0])
    angles = 2 * np.pi * np.outer(np.arange(length), np.arange(length)) / length
    cosines, sines = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
    if kind.endswith("IRFFT") or kind.endswith("3"):
        weights = (
            np.where((np.arange(length // 2 + 1) == 0) | (2 * np.arange(length // 2 + 1) == length), 1, 2) / length
        )
        half = [(weights[:, None] * matrix[: length // 2 + 1]).astype(np.float32) for matrix in (cosines, sines)]
        return graph.add("Sub", graph.add("MatMul", x[0], half[0]), graph.add("MatMul", x[1], half[1]))
    if not isinstance(x, tuple):
        columns = length // 2 + 1 if "RFFT" in kind or kind.endswith("2") else length
        return (graph.add("MatMul", x, cosines[:, :columns]), graph.add("MatMul", x, -sines[:, :columns]))
    sign, scale = (1, 1 / length) if "IFFT" in kind or kind.endswith("1") else (-1, 1)
    a, b = (cosines * scale).astype(np.float32), (sines * sign * scale).astype(np.float32)
    real = graph.add("Sub", graph.add("MatMul", x[0], a), graph.add("MatMul", x[1], b))
    return (real, graph.add("Add", graph.add("MatMul", x[0], b), graph.add("MatMul", x[1], a)))

"""Complex numbers, as pairs (real part, imaginary part), and Fourier transforms, as products of matrices."""

from __future__ import annotations

from typing import Any

import jax
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


@writes("complex mul")
def _product(converter, equation, x, y):
    add = converter.graph.add
    real = add("Sub", add("Mul", x[0], y[0]), add("Mul", x[1], y[1]))
    return (real, add("Add", add("Mul", x[0], y[1]), add("Mul", x[1], y[0])))


@writes("complex div")
def _quotient(converter, equation, x, y):
    """x / y = x conj(y) / |y|**2."""
    add = converter.graph.add
    x, y = (value if isinstance(value, tuple) else (value, np.zeros((), np.float32)) for value in (x, y))
    size = add("Add", *(add("Mul", part, part) for part in y))
    real = add("Add", add("Mul", x[0], y[0]), add("Mul", x[1], y[1]))
    imaginary = add("Sub", add("Mul", x[1], y[0]), add("Mul", x[0], y[1]))
    return (add("Div", real, size), add("Div", imaginary, size))


@writes("complex exp")
def _exponential(converter, equation, x):
    add = converter.graph.add
    size = add("Exp", x[0])
    return (add("Mul", size, add("Cos", x[1])), add("Mul", size, add("Sin", x[1])))


@writes("complex dot_general")
def _matrices_product(converter, equation, x, y):
    """From the products of the parts."""
    flat = [jax.ShapeDtypeStruct(atom.aval.shape, np.float32) for atom in equation.invars]
    params = {**equation.params, "preferred_element_type": np.dtype(np.float32), "out_sharding": None}
    inner = jax.make_jaxpr(lambda x, y: jax.lax.dot_general_p.bind(x, y, **params))(*flat).jaxpr
    product = lambda a, b: converter.run(inner, (), [a, b])[0]  # noqa: E731
    add = converter.graph.add
    real = add("Sub", product(x[0], y[0]), product(x[1], y[1]))
    return (real, add("Add", product(x[0], y[1]), product(x[1], y[0])))


@writes("complex convert_element_type")
def _converted(converter, equation, x):
    """A real number to a complex one; the parts of a complex number have 32 bits already."""
    if isinstance(x, tuple):
        return x
    real = converter.graph.cast(x, np.dtype(np.float32))
    return (real, converter.graph.add("Mul", real, np.float32(0)))


@writes("fft")
def _fft(converter, equation, x):
    """Along the last axes, one after another, of lengths that are known: that of the real numbers first, or last."""
    graph, lengths, kind = converter.graph, equation.params["fft_lengths"], equation.params["fft_type"]
    if not is_static(lengths) or max(lengths) > MAX_LENGTH:
        raise ConfigError(
            f"A Fourier transform of {lengths} numbers is not written; axes of at most {MAX_LENGTH} are.",
            fix='model.export("name.jax") keeps all operations.',
        )
    rank, kind = equation.invars[0].aval.ndim, jax.lax.FftType(kind)
    is_inverse = kind in (jax.lax.FftType.IFFT, jax.lax.FftType.IRFFT)
    others = [rank - len(lengths) + place for place in range(len(lengths) - 1)]
    if kind == jax.lax.FftType.RFFT:
        x = _of_real(graph, x, int(lengths[-1]))
    elif kind != jax.lax.FftType.IRFFT:
        x = _transform(graph, x, int(lengths[-1]), is_inverse)
    for axis, length in zip(others, lengths, strict=False):
        last = [*range(axis), *range(axis + 1, rank), axis]
        back = [*range(axis), rank - 1, *range(axis, rank - 1)]
        moved = _transform(graph, [graph.add("Transpose", part, perm=last) for part in x], int(length), is_inverse)
        x = tuple(graph.add("Transpose", part, perm=back) for part in moved)
    return _to_real(graph, x, int(lengths[-1])) if kind == jax.lax.FftType.IRFFT else x


def _matrices(length):
    angles = 2 * np.pi * (np.outer(np.arange(length), np.arange(length)) % length) / length
    return np.cos(angles), np.sin(angles)


def _of_real(graph, x, length):
    columns = length // 2 + 1
    cosines, sines = (matrix[:, :columns].astype(np.float32) for matrix in _matrices(length))
    return (graph.add("MatMul", x, cosines), graph.add("MatMul", x, -sines))


def _to_real(graph, x, length):
    rows = np.arange(length // 2 + 1)
    weights = np.where((rows == 0) | (2 * rows == length), 1, 2)[:, None] / length
    cosines, sines = ((weights * matrix[: len(rows)]).astype(np.float32) for matrix in _matrices(length))
    return graph.add("Sub", graph.add("MatMul", x[0], cosines), graph.add("MatMul", x[1], sines))


def _transform(graph, x, length, is_inverse):
    scale = 1 / length if is_inverse else 1
    cosines, sines = (np.asarray(matrix * scale, np.float32) for matrix in _matrices(length))
    sines = sines if is_inverse else -sines
    real = graph.add("Sub", graph.add("MatMul", x[0], cosines), graph.add("MatMul", x[1], sines))
    return (real, graph.add("Add", graph.add("MatMul", x[0], sines), graph.add("MatMul", x[1], cosines)))

"""New tensors: constants, ranges, windows, and tensors like others."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina.core.arguments import whole
from lamina.core.keras_tensor import KerasTensor
from lamina.core.op import explains, op
from lamina.core.typing import ArrayLike, DTypeLike, Size, Tensor, TensorLike
from lamina.ops.arrays import canonical, canonical_or_none, floating, sizes, tensor
from lamina.runtime.settings import floatx

__all__ = [
    "arange", "array", "bartlett", "blackman", "copy", "empty", "empty_like", "eye", "full", "full_like", "geomspace",
    "hamming", "hanning", "identity", "kaiser", "linspace", "logspace", "meshgrid", "ones", "ones_like", "tri",
    "vander", "view", "zeros", "zeros_like",
]  # fmt: skip


@explains
def zeros(shape: Size, dtype: DTypeLike | None = None) -> Tensor:
    """A tensor of zeros.

    Args:
        shape: Shape of the tensor.
        dtype: Type of the tensor; None means floatx.

    >>> import lamina as keras
    >>> keras.ops.zeros((2,))
    Array([0., 0.], dtype=float32)
    """
    return jnp.zeros(sizes(shape), canonical(dtype))


@explains
def ones(shape: Size, dtype: DTypeLike | None = None) -> Tensor:
    """A tensor of ones.

    Args:
        shape: Shape of the tensor.
        dtype: Type of the tensor; None means floatx.
    """
    return jnp.ones(sizes(shape), canonical(dtype))


@explains
def empty(shape: Size, dtype: DTypeLike | None = None) -> Tensor:
    """A tensor whose values do not matter; they are zeros.

    Args:
        shape: Shape of the tensor.
        dtype: Type of the tensor; None means floatx.
    """
    return jnp.empty(shape, canonical(dtype))


@op(settings=("shape",))
def full(shape: Size, fill_value: TensorLike, dtype: DTypeLike | None = None) -> Any:
    """A tensor of one value.

    Args:
        shape: Shape of the tensor.
        fill_value: The value, or a tensor that broadcasts to the shape.
        dtype: Type of the tensor; None means floatx.
    """
    return jnp.full(sizes(shape), fill_value, canonical(dtype))  # pyright: ignore[reportArgumentType]


@op(compiles=True)
def zeros_like(x: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """Zeros in the shape of x.

    Args:
        x: Tensor.
        dtype: Type of the result; None means that of x.
    """
    return jnp.zeros_like(tensor(x), dtype=canonical_or_none(dtype))


@op(compiles=True)
def ones_like(x: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """Ones in the shape of x.

    Args:
        x: Tensor.
        dtype: Type of the result; None means that of x.
    """
    return jnp.ones_like(tensor(x), dtype=canonical_or_none(dtype))


@op
def empty_like(x: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """A tensor in the shape of x whose values do not matter; they are zeros.

    Args:
        x: Tensor.
        dtype: Type of the result; None means that of x.
    """
    return jnp.empty_like(tensor(x), dtype=canonical_or_none(dtype))


@op
def full_like(x: TensorLike, fill_value: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """One value in the shape of x.

    Args:
        x: Tensor.
        fill_value: The value, or a tensor that broadcasts to the shape.
        dtype: Type of the result; None means that of x.
    """
    return jnp.full_like(tensor(x), fill_value, dtype=canonical_or_none(dtype))  # pyright: ignore[reportArgumentType]


def array(x: ArrayLike | KerasTensor, dtype: DTypeLike | None = None) -> Any:
    """x as a JAX array.

    Args:
        x: Array, variable, number, or nested list of numbers; a symbolic tensor is cast.
        dtype: Type of the result; None means that of x.
    """
    return x.astype(dtype or x.dtype) if isinstance(x, KerasTensor) else tensor(x, dtype)


@op
def copy(x: TensorLike) -> Tensor:
    """A copy of x in memory of its own.

    Args:
        x: Tensor.
    """
    return jnp.copy(tensor(x))


@op
def view(x: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """The bytes of x read as another type; the size of the last axis changes with the width of the type.

    Args:
        x: Tensor.
        dtype: Type of the result; None means that of x.
    """
    x = tensor(x)
    return x if dtype is None else x.view(canonical(dtype))


@explains
def arange(
    start: float, stop: float | None = None, step: float | None = None, dtype: DTypeLike | None = None
) -> Tensor:
    """The numbers start, start + step, ... that are less than stop.

    Args:
        start: First number; if it is the only argument, the numbers are 0, 1, ... below it.
        stop: Upper bound, which is not included.
        step: Difference of two numbers; None means 1.
        dtype: Type of the result; None means that of the arguments.

    >>> import lamina as keras
    >>> keras.ops.arange(3)
    Array([0, 1, 2], dtype=int32)
    """
    if dtype is None:
        dtype = jnp.result_type(*(item for item in (start, stop, step) if item is not None))
    return jnp.arange(start, stop, step, dtype=canonical(dtype))


@op
def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Any:
    """Numbers with equal differences.

    Args:
        start: First number, or a tensor of them.
        stop: Last number, or a tensor of them.
        num: Number of numbers.
        endpoint: Whether `stop` is the last number; if not, it would be the next one.
        retstep: Whether to return (numbers, difference).
        dtype: Type of the result; None means a float type.
        axis: Axis of the numbers in the result, if start and stop are tensors.
    """
    return jnp.linspace(floating(start), floating(stop), num, endpoint, retstep, canonical_or_none(dtype), axis)


@op
def logspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Any:
    """Numbers with equal ratios, from base**start to base**stop.

    Args:
        start: Exponent of the first number, or a tensor of them.
        stop: Exponent of the last number, or a tensor of them.
        num: Number of numbers.
        endpoint: Whether base**stop is the last number; if not, it would be the next one.
        base: Base of the powers.
        dtype: Type of the result; None means a float type.
        axis: Axis of the numbers in the result, if start and stop are tensors.
    """
    return jnp.logspace(floating(start), floating(stop), num, endpoint, base, canonical_or_none(dtype), axis)


@op
def geomspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Any:
    """Numbers with equal ratios.

    Args:
        start: First number, or a tensor of them.
        stop: Last number, or a tensor of them.
        num: Number of numbers.
        endpoint: Whether `stop` is the last number; if not, it would be the next one.
        dtype: Type of the result; None means a float type.
        axis: Axis of the numbers in the result, if start and stop are tensors.
    """
    return jnp.geomspace(floating(start), floating(stop), num, endpoint, canonical_or_none(dtype), axis)


@explains
def eye(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike | None = None) -> Tensor:
    """A matrix with ones on one diagonal and zeros elsewhere.

    Args:
        N: Number of rows.
        M: Number of columns; None means N.
        k: Number of the diagonal: 0 is the main one, positive ones are above it.
        dtype: Type of the tensor; None means floatx.
    """
    return jnp.eye(N, M, k, dtype=canonical(dtype))


@explains
def identity(n: int, dtype: DTypeLike | None = None) -> Tensor:
    """The n x n matrix with ones on the main diagonal and zeros elsewhere.

    Args:
        n: Number of rows and columns.
        dtype: Type of the tensor; None means floatx.
    """
    return jnp.eye(n, dtype=canonical(dtype))


@explains
def tri(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike | None = None) -> Tensor:
    """A matrix with ones on and below one diagonal and zeros above it.

    Args:
        N: Number of rows.
        M: Number of columns; None means N.
        k: Number of the diagonal: 0 is the main one, positive ones are above it.
        dtype: Type of the tensor; None means floatx.
    """
    return jnp.tri(N, M, k, dtype=canonical(dtype))


@op(compiles=True)
def meshgrid(*x: TensorLike, indexing: str = "xy") -> list[Any]:
    """The coordinates of the points of a grid, one tensor per vector.

    Args:
        *x: Vectors of coordinates.
        indexing: "ij" gives tensors of shape (sizes of the vectors); "xy" swaps the first two axes.
    """
    return list(jnp.meshgrid(*map(tensor, x), indexing=indexing))


@op
def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Tensor:
    """The matrix whose columns are powers of x (Vandermonde matrix).

    Args:
        x: Vector.
        N: Number of columns; None means the length of x.
        increasing: Whether the powers rise from 0; if not, they fall from N - 1.
    """
    return jnp.vander(tensor(x), N, increasing)


def bartlett(x: int) -> Tensor:
    """The triangular window.

    Args:
        x: Length of the window.
    """
    return _window(np.bartlett, x)


def blackman(x: int) -> Tensor:
    """The Blackman window: 0.42 - 0.5 cos(2 pi n / (x-1)) + 0.08 cos(4 pi n / (x-1)).

    Args:
        x: Length of the window.
    """
    return _window(np.blackman, x)


def hamming(x: int) -> Tensor:
    """The Hamming window: 0.54 - 0.46 cos(2 pi n / (x-1)).

    Args:
        x: Length of the window.
    """
    return _window(np.hamming, x)


def hanning(x: int) -> Tensor:
    """The Hann window: 0.5 - 0.5 cos(2 pi n / (x-1)).

    Args:
        x: Length of the window.
    """
    return _window(np.hanning, x)


@explains
def kaiser(x: int, beta: float) -> Tensor:
    """The Kaiser window.

    Args:
        x: Length of the window.
        beta: Shape of the window: 0 is a rectangle, larger ones are narrower.
    """
    return _window(np.kaiser, x, float(beta))


def _window(of, x, *args):
    x = int(x) if getattr(x, "ndim", None) == 0 and float(x).is_integer() else x  # an array of any type
    return jnp.asarray(of(whole(of.__name__, "x", x, 0, None, 16), *args), floatx())

"""Variables and their values, constants and random numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina import ops, random
from lamina.backend.keywords import taking
from lamina.core import replay
from lamina.core.typing import ArrayLike, DTypeLike, SeedLike, Shape, TensorLike
from lamina.core.variable import Variable, unwrap
from lamina.ops.arrays import sizes
from lamina.runtime.settings import floatx

__all__ = [
    "batch_get_value", "batch_set_value", "cast_to_floatx", "constant", "count_params", "dropout", "eval", "eye",
    "get_value", "get_variable_shape", "int_shape", "moving_average_update", "ones", "ones_like", "random_bernoulli",
    "random_binomial", "random_normal", "random_normal_variable", "random_uniform", "random_uniform_variable",
    "set_value", "truncated_normal", "update", "update_add", "update_sub", "variable", "zeros", "zeros_like",
]  # fmt: skip

eval = ops.convert_to_numpy
random_normal: Any = taking(random.normal, std="stddev")
random_uniform: Any = taking(random.uniform, low="minval", high="maxval")
truncated_normal: Any = taking(random.truncated_normal, std="stddev")
dropout: Any = taking(random.dropout, x="inputs", level="rate")


def _made(value, dtype, name):
    return replay.once(lambda: Variable(value, dtype=dtype or floatx(), name=name))


def variable(
    value: ArrayLike, dtype: DTypeLike | None = None, name: str | None = None, constraint: Any = None
) -> Variable:
    """`keras.Variable`.

    Args:
        value: Initial value: an array, a number or a nested list.
        dtype: Type of the variable; None means `keras.config.floatx()`.
        name: Name of the variable; None counts "variable", "variable_1", ...
        constraint: Function that an optimizer applies to the value after each step; None for none.
    """
    variable = _made(value, dtype, name)
    variable.constraint = constraint
    return variable


def constant(
    value: Any, dtype: DTypeLike | None = None, shape: Sequence[int] | None = None, name: str | None = None
) -> Any:
    """`ops.convert_to_tensor`, broadcast to `shape`.

    Args:
        value: Array, number or nested list.
        dtype: Type of the tensor; None means `keras.config.floatx()`.
        shape: Shape of the tensor, to which `value` is broadcast; None means that of `value`.
        name: Not used; accepted for old programs.
    """
    value = ops.convert_to_tensor(value, dtype or floatx())
    return value if shape is None else ops.broadcast_to(value, shape)


def eye(size: int, dtype: DTypeLike | None = None, name: str | None = None) -> Variable:
    """A variable with the identity matrix.

    Args:
        size: Number of rows, and of columns.
        dtype: Type of the variable; None means `keras.config.floatx()`.
        name: Name of the variable; None counts "variable", "variable_1", ...
    """
    return _made(np.eye(size), dtype, name)


def zeros(shape: Sequence[int], dtype: DTypeLike | None = None, name: str | None = None) -> Variable:
    """A variable of zeros.

    Args:
        shape: Shape of the variable.
        dtype: Type of the variable; None means `keras.config.floatx()`.
        name: Name of the variable; None counts "variable", "variable_1", ...
    """
    return _made(np.zeros(sizes(shape)), dtype, name)


def ones(shape: Sequence[int], dtype: DTypeLike | None = None, name: str | None = None) -> Variable:
    """A variable of ones.

    Args:
        shape: Shape of the variable.
        dtype: Type of the variable; None means `keras.config.floatx()`.
        name: Name of the variable; None counts "variable", "variable_1", ...
    """
    return _made(np.ones(sizes(shape)), dtype, name)


def ones_like(x: TensorLike, dtype: DTypeLike | None = None, name: str | None = None) -> Any:
    """`ops.ones_like`.

    Args:
        x: Tensor with the shape of the result.
        dtype: Type of the result; None means that of `x`.
        name: Not used; accepted for old programs.
    """
    return ops.ones_like(x, dtype)


def zeros_like(x: TensorLike, dtype: DTypeLike | None = None, name: str | None = None) -> Any:
    """`ops.zeros_like`.

    Args:
        x: Tensor with the shape of the result.
        dtype: Type of the result; None means that of `x`.
        name: Not used; accepted for old programs.
    """
    return ops.zeros_like(x, dtype)


def random_normal_variable(
    shape: Sequence[int],
    mean: float,
    scale: float,
    dtype: DTypeLike | None = None,
    name: str | None = None,
    seed: SeedLike = None,
) -> Variable:
    """A variable of normally distributed numbers.

    Args:
        shape: Shape of the variable.
        mean: Mean of the distribution.
        scale: Standard deviation of the distribution.
        dtype: Float type of the variable; None means `keras.config.floatx()`.
        name: Name of the variable; None counts "variable", "variable_1", ...
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
    """
    return Variable(random.normal(shape, mean, scale, dtype, seed), dtype=dtype or floatx(), name=name)


def random_uniform_variable(
    shape: Sequence[int],
    low: float,
    high: float,
    dtype: DTypeLike | None = None,
    name: str | None = None,
    seed: SeedLike = None,
) -> Variable:
    """A variable of uniformly distributed numbers.

    Args:
        shape: Shape of the variable.
        low: Lower bound.
        high: Upper bound, which is not included.
        dtype: Float type of the variable; None means `keras.config.floatx()`.
        name: Name of the variable; None counts "variable", "variable_1", ...
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
    """
    return Variable(random.uniform(shape, low, high, dtype, seed), dtype=dtype or floatx(), name=name)


def cast_to_floatx(x: TensorLike) -> Any:
    """`x` in the type `floatx()`; a NumPy array stays one.

    Args:
        x: Array, tensor, variable, number or nested list.
    """
    return np.asarray(x, floatx()) if isinstance(x, (np.ndarray, list, tuple, int, float)) else ops.cast(x, floatx())


def int_shape(x: Any) -> Shape:
    """`tuple(x.shape)`, with None for unknown sizes.

    Args:
        x: Tensor, variable or symbolic tensor.
    """
    return tuple(x.shape)


get_variable_shape = int_shape


def count_params(x: Any) -> int:
    """The number of elements of a variable.

    Args:
        x: Variable or tensor.
    """
    return math.prod(x.shape)


def batch_get_value(tensors: Sequence[TensorLike]) -> list[Any]:
    """The values of several variables.

    Args:
        tensors: Variables or tensors.
    """
    return [get_value(tensor) for tensor in tensors]


def get_value(x: Any) -> np.ndarray:
    """`ops.convert_to_numpy`.

    Args:
        x: Variable or tensor.
    """
    return replay.once(lambda: ops.convert_to_numpy(x))


def set_value(x: Any, value: Any) -> None:
    """`variable.assign(value)`.

    Args:
        x: Variable.
        value: New value, of the shape of the variable.
    """
    x.assign(value)


def batch_set_value(tuples: Any) -> None:
    """`assign` for pairs (variable, value).

    Args:
        tuples: Pairs (variable, new value).
    """
    for target, value in tuples:
        target.assign(value)


def update(x: Any, new_x: Any) -> Any:
    """`variable.assign(new_x)`.

    Args:
        x: Variable.
        new_x: New value, of the shape of the variable.
    """
    return replay.assigned(x, lambda: new_x)


def update_add(x: Any, increment: Any) -> Any:
    """`variable.assign_add(increment)`.

    Args:
        x: Variable.
        increment: Number or tensor to add, which broadcasts to the shape of the variable.
    """
    return replay.assigned(x, lambda: x.read() + ops.cast(increment, x.dtype))


def update_sub(x: Any, decrement: Any) -> Any:
    """`variable.assign_sub(decrement)`.

    Args:
        x: Variable.
        decrement: Number or tensor to subtract, which broadcasts to the shape of the variable.
    """
    return replay.assigned(x, lambda: x.read() - ops.cast(decrement, x.dtype))


def moving_average_update(x: Any, value: Any, momentum: float) -> Any:
    """`variable.assign(momentum * variable + (1 - momentum) * value)`.

    Args:
        x: Variable with the average.
        value: New value to average in, of the shape of the variable.
        momentum: Share of the old average that stays, from 0 to 1.
    """
    return replay.assigned(x, lambda: momentum * x.value + (1 - momentum) * unwrap(value))


def random_bernoulli(
    shape: Sequence[int], p: float = 0.0, dtype: DTypeLike | None = None, seed: SeedLike = None
) -> Any:
    """1 with probability `p`, else 0.

    Args:
        shape: Shape of the result.
        p: Probability of 1.
        dtype: Type of the result; None means `keras.config.floatx()`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
    """
    return ops.cast(random.uniform(shape, seed=seed) < p, dtype or floatx())


random_binomial = random_bernoulli

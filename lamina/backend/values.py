"""Variables and their values, random numbers, the learning phase, and functions of graphs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina import ops, random
from lamina.core import context
from lamina.core.typing import ArrayLike, DTypeLike, SeedLike, Shape, TensorLike
from lamina.core.variable import Variable, unwrap
from lamina.errors import ConfigError
from lamina.layers.input_layer import Input
from lamina.legacy import data_format_of, warn_renamed_method
from lamina.models import Model
from lamina.runtime.settings import floatx, image_data_format, set_image_data_format
from lamina.utils.session import is_keras_tensor

__all__ = [
    "batch_get_value", "batch_set_value", "cast_to_floatx", "constant", "count_params", "dropout", "eval", "eye",
    "function", "get_value", "image_dim_ordering", "in_test_phase", "in_train_phase", "int_shape", "learning_phase",
    "moving_average_update", "ones", "ones_like", "placeholder", "random_bernoulli", "random_binomial",
    "random_normal", "random_normal_variable", "random_uniform", "random_uniform_variable", "set_image_dim_ordering",
    "set_learning_phase", "set_value", "truncated_normal", "update", "update_add", "update_sub", "variable", "zeros",
    "zeros_like",
]  # fmt: skip

eval = ops.convert_to_numpy
get_value = ops.convert_to_numpy
random_normal = random.normal
random_uniform = random.uniform
truncated_normal = random.truncated_normal
dropout: Any = random.dropout


def variable(
    value: ArrayLike, dtype: DTypeLike | None = None, name: str | None = None, constraint: Any = None
) -> Variable:
    """`keras.Variable`."""
    made = Variable(value, dtype=dtype or floatx(), name=name)
    made.constraint = constraint
    return made


def constant(
    value: Any, dtype: DTypeLike | None = None, shape: Sequence[int] | None = None, name: str | None = None
) -> Any:
    """`ops.convert_to_tensor`, broadcast to `shape`."""
    value = ops.convert_to_tensor(value, dtype or floatx())
    return value if shape is None else ops.broadcast_to(value, shape)


def eye(size: int, dtype: DTypeLike | None = None, name: str | None = None) -> Variable:
    """A variable with the identity matrix."""
    return Variable(np.eye(size), dtype=dtype or floatx(), name=name)


def zeros(shape: Sequence[int], dtype: DTypeLike | None = None, name: str | None = None) -> Variable:
    """A variable of zeros."""
    return Variable(np.zeros(shape), dtype=dtype or floatx(), name=name)


def ones(shape: Sequence[int], dtype: DTypeLike | None = None, name: str | None = None) -> Variable:
    """A variable of ones."""
    return Variable(np.ones(shape), dtype=dtype or floatx(), name=name)


def ones_like(x: TensorLike, dtype: DTypeLike | None = None, name: str | None = None) -> Any:
    """`ops.ones_like`."""
    return ops.ones_like(x, dtype)


def zeros_like(x: TensorLike, dtype: DTypeLike | None = None, name: str | None = None) -> Any:
    """`ops.zeros_like`."""
    return ops.zeros_like(x, dtype)


def random_normal_variable(
    shape: Sequence[int],
    mean: float,
    scale: float,
    dtype: DTypeLike | None = None,
    name: str | None = None,
    seed: SeedLike = None,
) -> Variable:
    """A variable of normally distributed numbers."""
    return Variable(random.normal(shape, mean, scale, dtype, seed), dtype=dtype or floatx(), name=name)


def random_uniform_variable(
    shape: Sequence[int],
    low: float,
    high: float,
    dtype: DTypeLike | None = None,
    name: str | None = None,
    seed: SeedLike = None,
) -> Variable:
    """A variable of uniformly distributed numbers."""
    return Variable(random.uniform(shape, low, high, dtype, seed), dtype=dtype or floatx(), name=name)


def placeholder(
    shape: Sequence[int | None] | None = None,
    ndim: int | None = None,
    dtype: DTypeLike | None = None,
    sparse: bool = False,
    name: str | None = None,
) -> Any:
    """`keras.Input(batch_shape=shape)`."""
    if shape is None and ndim is None:
        raise ConfigError("A placeholder needs a shape or a number of axes.", fix="keras.Input(shape=(784,))")
    return Input(batch_shape=shape or (None,) * (ndim or 0), dtype=dtype, sparse=sparse, name=name)


def cast_to_floatx(x: TensorLike) -> Any:
    """`x` in the type `floatx()`; a NumPy array stays one."""
    return np.asarray(x, floatx()) if isinstance(x, (np.ndarray, list, tuple, int, float)) else ops.cast(x, floatx())


def int_shape(x: Any) -> Shape:
    """`tuple(x.shape)`, with None for unknown sizes."""
    return tuple(x.shape)


def count_params(x: Any) -> int:
    """The number of elements of a variable."""
    return math.prod(x.shape)


def batch_get_value(tensors: Sequence[TensorLike]) -> list[Any]:
    """The values of several variables."""
    return [get_value(tensor) for tensor in tensors]


def set_value(x: Any, value: Any) -> None:
    """`variable.assign(value)`."""
    x.assign(value)


def batch_set_value(tuples: Any) -> None:
    """`assign` for pairs (variable, value)."""
    for target, value in tuples:
        target.assign(value)


def update(x: Any, new_x: Any) -> Any:
    """`variable.assign(new_x)`."""
    return x.assign(new_x)


def update_add(x: Any, increment: Any) -> Any:
    """`variable.assign_add(increment)`."""
    return x.assign_add(increment)


def update_sub(x: Any, decrement: Any) -> Any:
    """`variable.assign_sub(decrement)`."""
    return x.assign_sub(decrement)


def moving_average_update(x: Any, value: Any, momentum: float) -> Any:
    """`variable.assign(momentum * variable + (1 - momentum) * value)`."""
    return x.assign(momentum * x.value + (1 - momentum) * unwrap(value))


def random_bernoulli(
    shape: Sequence[int], p: float = 0.0, dtype: DTypeLike | None = None, seed: SeedLike = None
) -> Any:
    """1 with probability `p`, else 0."""
    return ops.cast(random.uniform(shape, seed=seed) < p, dtype or floatx())


random_binomial = random_bernoulli


def learning_phase() -> int:
    """0: calls run in inference mode unless they pass `training=True`. As an input of `function` it is that flag."""
    return 0


def set_learning_phase(value: Any) -> None:
    """0 has no effect; in place of 1, pass `training=True` to calls."""
    if value:
        raise ConfigError("There is no global learning phase any more.", fix="Call the model with training=True.")


def in_train_phase(x: TensorLike, alt: Any, training: bool | None = None) -> Any:
    """`x` if the current call runs in training mode, else `alt`; each a tensor or a callable without arguments."""
    call = context.current_call()
    if training is None and call is not None:
        training = call.training
    chosen = x if training else alt
    return chosen() if callable(chosen) else chosen


def in_test_phase(x: TensorLike, alt: Any, training: bool | None = None) -> Any:
    """`alt` if the current call runs in training mode, else `x`."""
    return in_train_phase(alt, x, training)


def function(inputs: Any, outputs: Any, updates: Any = None, name: str | None = None) -> Callable[..., Any]:
    """A function from a list of arrays to a list of NumPy arrays: the graph between symbolic tensors.

    A last input `learning_phase()` stands for `training`.

    >>> import lamina as keras
    >>> x = keras.Input((2,))
    >>> function([x], [2 * x])([np.ones((1, 2))])[0].tolist()
    [[2.0, 2.0]]
    """
    starts = [tensor for tensor in inputs if is_keras_tensor(tensor)]
    model = Model(starts, list(outputs) if isinstance(outputs, (list, tuple)) else [outputs])

    def run(arrays):
        values, phase = list(arrays[: len(starts)]), arrays[len(starts) :]
        results = model(values, training=bool(phase[0]) if phase else None)
        return [np.array(result) for result in results]

    return run


def image_dim_ordering() -> str:
    """The name of Keras 1 for `image_data_format`: 'tf' for channels_last, 'th' for channels_first."""
    warn_renamed_method("backend", "image_dim_ordering")
    return "tf" if image_data_format() == "channels_last" else "th"


def set_image_dim_ordering(dim_ordering: str) -> None:
    """`set_image_data_format`, with the names of Keras 1."""
    warn_renamed_method("backend", "set_image_dim_ordering")
    set_image_data_format(data_format_of(dim_ordering))

"""Dtypes as strings: which dtypes are accepted, and the dtype of the result of an operation on two dtypes."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np

from lamina.errors import ConfigError
from lamina.runtime import settings

FLOATS = ("bfloat16", "float16", "float32", "float64", "float8_e4m3fn", "float8_e5m2")
INTEGERS = ("uint8", "uint16", "uint32", "uint64", "int4", "int8", "int16", "int32", "int64")
ALLOWED = frozenset((*FLOATS, *INTEGERS, "bool", "complex64", "complex128", "string"))
_PYTHON = {bool: "bool", int: "int32", float: "float32", str: "string", complex: "complex64"}


@functools.lru_cache(maxsize=256)
def _named(dtype):
    if isinstance(dtype, str) and dtype in ALLOWED:
        return dtype
    if isinstance(dtype, type) and dtype in _PYTHON:
        return settings.floatx() if dtype is float else _PYTHON[dtype]
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None)
    if name is None or name not in ALLOWED:
        try:
            name = np.dtype(dtype).name
        except TypeError:
            name = str(dtype).rpartition(".")[2]  # torch.float32, tf.float32
    if name.startswith("str"):
        name = "string"
    if name not in ALLOWED:
        raise ConfigError(f"Invalid dtype: {dtype!r}.", fix=f"One of {', '.join(sorted(ALLOWED))}.")
    return name


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype.

    Args:
        dtype: Name, or a dtype of NumPy, JAX, Python, PyTorch or TensorFlow. None means `keras.config.floatx()`.

    Raises:
        ConfigError: The dtype is unknown.

    >>> standardize_dtype(np.float16)
    'float16'
    """
    if dtype is None:
        return settings.floatx()
    if dtype is float:
        return settings.floatx()
    return _named(dtype)


def is_float(dtype: Any) -> bool:
    """Whether a dtype is floating point, including bfloat16 and float8.

    Args:
        dtype: Dtype.
    """
    return standardize_dtype(dtype) in FLOATS


def is_integer(dtype: Any) -> bool:
    """Whether a dtype is an integer dtype; bool is not.

    Args:
        dtype: Dtype.
    """
    return standardize_dtype(dtype) in INTEGERS


def result_type(*dtypes: Any) -> str:
    """The dtype of the result of an operation on values of several dtypes, by JAX's promotion rules.

    Args:
        *dtypes: Dtypes. Python's int, float, bool and complex are weak types.

    >>> result_type("int32", "float16")
    'float16'
    """
    weak = {int: 0, float: 0.0, bool: False, complex: 0j}
    values = [weak[d] if d in weak else jnp.zeros((), d) for d in dtypes] or [0.0]
    return jnp.result_type(*values).name


def dtype_of(value: Any) -> str:
    """The name of the dtype of an array, variable, symbolic tensor or number.

    Args:
        value: Array, variable, symbolic tensor or number.
    """
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        dtype = type(value) if isinstance(value, (bool, int, float, complex, str)) else np.asarray(value).dtype
    return standardize_dtype(dtype)


def numpy_dtype(dtype: Any) -> Any:
    """The NumPy dtype object of a dtype, including bfloat16 and float8.

    Args:
        dtype: Dtype.
    """
    name = standardize_dtype(dtype)
    return np.dtype(getattr(ml_dtypes, name, name))


def in_64_bits() -> Any:
    """A block in which JAX has types of 64 bits, in this thread alone."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax.experimental import enable_x64  # pyright: ignore[reportAttributeAccessIssue]  # of older releases

    return enable_x64(True)

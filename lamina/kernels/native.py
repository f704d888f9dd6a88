"""The optional package lamina-native, kernels of oneDNN for CPUs: whether and when it is used."""

from __future__ import annotations

import contextlib
import functools
import os
import warnings
from collections.abc import Iterator
from typing import Any

import jax

__all__ = [
    "cpu_kernels",
    "is_native",
    "is_portable",
    "kernels",
    "portable",
    "set_native",
    "switches",
    "take_rows",
    "without_native",
]

MINIMUM = "0.3"  # of lamina-native; the extra `native` of pyproject.toml has the same
_switch = {"on": os.environ.get("LAMINA_NATIVE", "1") != "0", "portable": False}


def set_native(on: bool) -> None:
    """Let programs that are compiled from now on use lamina-native, or not. It is on at first, unless the environment
    has LAMINA_NATIVE=0.

    Args:
        on: Whether lamina-native is used where it is installed.

    >>> import lamina as keras
    >>> keras.config.set_native(True)
    """
    _switch["on"] = bool(on)


def switches() -> tuple[bool, ...]:
    """Which kernels programs are compiled with."""
    return tuple(_switch.values())


def is_native() -> bool:
    """Whether lamina-native is installed and not switched off."""
    return _switch["on"] and _package() is not None


@contextlib.contextmanager
def without_native() -> Iterator[None]:
    """A context in which traced programs do not use lamina-native."""
    previous, _switch["on"] = _switch["on"], False
    try:
        yield
    finally:
        _switch["on"] = previous


@contextlib.contextmanager
def portable() -> Iterator[None]:
    """A context in which traced programs can run elsewhere: they do not use lamina-native, and take the operation that
    other formats have too where this machine would take a faster way."""
    previous, _switch["portable"] = _switch["portable"], True
    try:
        with without_native():
            yield
    finally:
        _switch["portable"] = previous


def is_portable() -> bool:
    """Whether the program that is being traced is to run elsewhere, see `portable`."""
    return _switch["portable"]


def kernels(*arrays: jax.Array) -> Any:
    """The package lamina_native, or None if it is not installed, switched off, or does not support the dtypes of these
    arrays. Programs for several devices do not use it because XLA cannot partition its calls."""
    package = _package() if _switch["on"] and jax.device_count() == 1 else None
    return package if package is not None and all(package.supported(array.dtype) for array in arrays) else None


@functools.cache
def _package():
    try:
        import lamina_native  # pyright: ignore[reportMissingImports]
    except (ImportError, OSError) as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "lamina_native":
            return None
        warnings.warn(f"lamina-native is installed and cannot be used: {error}. Lamina works without it.", stacklevel=2)
        return None
    found = lamina_native.__version__
    if _numbers(found) < _numbers(MINIMUM):
        warnings.warn(
            f"lamina-native {found} is older than {MINIMUM}, and is not used: pip install --upgrade lamina-native",
            stacklevel=2,
        )
        return None
    return lamina_native


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")[:2]]


def cpu_kernels(*arrays: jax.Array) -> Any:
    """`kernels` if the default device is a CPU, else None: for calls outside a primitive with a CPU lowering."""
    return kernels(*arrays) if jax.default_backend() == "cpu" else None


def take_rows(array: jax.Array, rows: jax.Array) -> jax.Array:
    """`array[rows]` along the first axis, for int32 row indices that are in range."""
    native = cpu_kernels()
    return array.at[rows].get(mode="clip") if native is None else native.take_rows(array, rows)

"""lamina-native, kernels of oneDNN for CPUs: used where that package is installed, and where it is not left out."""

import contextlib
import functools
import importlib.util
import os
import warnings

import jax

__all__ = ["is_native", "kernels", "set_native", "take_rows", "without_native"]

_switch = {"on": os.environ.get("LAMINA_NATIVE", "1") != "0"}


def set_native(on):
    """Let programs that are compiled from now on use lamina-native, or not. LAMINA_NATIVE=0 in the environment starts
    with it off.

    >>> import lamina as keras
    >>> keras.config.set_native(True)
    """
    _switch["on"] = bool(on)


def is_native():
    """Whether lamina-native is installed and not switched off."""
    return _switch["on"] and _package() is not None


@contextlib.contextmanager
def without_native():
    """Programs that are traced inside can run anywhere."""
    before, _switch["on"] = _switch["on"], False
    try:
        yield
    finally:
        _switch["on"] = before


def kernels(*arrays):
    """The package lamina_native, or None where it is absent, off, or not for the types of these arrays. Programs for
    several devices go without: XLA could not cut its calls into parts."""
    package = _package() if _switch["on"] and jax.device_count() == 1 else None
    return package if package is not None and all(package.supported(array.dtype) for array in arrays) else None


@functools.cache
def _package():
    if importlib.util.find_spec("lamina_native") is None:
        return None
    try:
        import lamina_native  # pyright: ignore[reportMissingImports]
    except (ImportError, OSError) as error:
        warnings.warn(f"lamina-native is installed and cannot be used: {error}. Lamina works without it.", stacklevel=2)
        return None
    return lamina_native


def take_rows(array, rows):
    """`array[rows]` along the first axis, for row numbers in int32 that are in range."""
    native = kernels() if jax.default_backend() == "cpu" else None
    return array.at[rows].get(mode="clip") if native is None else native.take_rows(array, rows)

"""lamina-native, kernels of oneDNN for CPUs: used where that package is installed, and where it is not left out."""

import contextlib
import functools
import importlib.util
import os
import warnings
from typing import Any, cast

import jax

__all__ = ["cpu_kernels", "differentiable", "is_native", "kernels", "set_native", "take_rows", "without_native"]

_custom_vjp = cast(Any, functools.partial(jax.custom_vjp, nondiff_argnums=(0,)))  # its type hides what it returns
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


def cpu_kernels(*arrays):
    """`kernels` where programs run on a CPU by default, for what no primitive stands for."""
    return kernels(*arrays) if jax.default_backend() == "cpu" else None


def take_rows(array, rows):
    """`array[rows]` along the first axis, for row numbers in int32 that are in range."""
    native = cpu_kernels()
    return array.at[rows].get(mode="clip") if native is None else native.take_rows(array, rows)


def differentiable(forward, gradient, plain):
    """A function (settings, arrays, constants) -> results by kernels; derivatives of higher order in reverse mode are
    those of `plain`. In forward mode (jax.jvp) there are none.

    Args:
        forward: (settings, arrays, constants, save) -> (results, what the gradient needs if `save`).
        gradient: (settings, arrays, constants, results, saved, cotangents of the results) -> those of the arrays.
        plain: (settings, arrays, constants) -> results, in operations of JAX.
    """

    def plain_gradient(settings, arrays, constants, cotangents):
        return jax.vjp(lambda arrays: plain(settings, arrays, constants), arrays)[1](cotangents)[0]

    @_custom_vjp
    def run(settings, arrays, constants):
        return forward(settings, arrays, constants, False)[0]

    @_custom_vjp
    def run_and_save(settings, arrays, constants):
        return forward(settings, arrays, constants, True)

    @_custom_vjp
    def pull(settings, arrays, constants, results, saved, cotangents):
        return gradient(settings, arrays, constants, results, saved, cotangents)

    def run_forward(settings, arrays, constants):
        results, saved = run_and_save(settings, arrays, constants)
        return results, (arrays, constants, results, saved)

    def run_backward(settings, residuals, cotangents):
        return pull(settings, *residuals, cotangents), None

    def save_forward(settings, arrays, constants):
        return run_and_save(settings, arrays, constants), (arrays, constants)

    def save_backward(settings, residuals, cotangents):
        arrays, constants = residuals
        return plain_gradient(settings, arrays, constants, cotangents[0]), None

    def pull_forward(settings, arrays, constants, results, saved, cotangents):
        gradients = pull(settings, arrays, constants, results, saved, cotangents)
        return gradients, (arrays, constants, cotangents)

    def pull_backward(settings, residuals, seconds):
        arrays, constants, cotangents = residuals

        def both(arrays, cotangents):
            return plain_gradient(settings, arrays, constants, cotangents)

        d_arrays, d_cotangents = jax.vjp(both, arrays, cotangents)[1](seconds)
        return d_arrays, None, None, None, d_cotangents

    run.defvjp(run_forward, run_backward)
    run_and_save.defvjp(save_forward, save_backward)
    pull.defvjp(pull_forward, pull_backward)
    return run

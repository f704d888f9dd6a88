"""Functions whose value and first derivative are native kernels, and higher derivatives those of a program of JAX."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

import jax

__all__ = ["differentiable"]

_custom_vjp = cast(Any, functools.partial(jax.custom_vjp, nondiff_argnums=(0,)))  # its declared type hides the result's


def differentiable(forward: Callable[..., Any], gradient: Callable[..., Any], plain: Callable[..., Any]) -> Any:
    """A function (settings, arrays, constants) -> results by kernels, with its first derivative by a kernel.

    Derivatives of higher order in reverse mode are those of `plain`. There is no forward mode (jax.jvp).

    Args:
        forward: (settings, arrays, constants, save) -> (results, residuals of the gradient if `save`).
        gradient: (settings, arrays, constants, results, residuals, cotangents of the results) -> cotangents of the
            arrays.
        plain: (settings, arrays, constants) -> results, in operations of JAX.
    """

    def plain_gradient(settings, cotangents, arrays, constants):
        return jax.vjp(lambda arrays: plain(settings, arrays, constants), arrays)[1](cotangents)[0]

    @_custom_vjp
    def run(settings, arrays, constants):
        return forward(settings, arrays, constants, False)[0]

    @_custom_vjp
    def run_and_save(settings, arrays, constants):
        return forward(settings, arrays, constants, True)

    @_custom_vjp
    def pull(settings, arrays, constants, results, residuals, cotangents):
        return gradient(settings, arrays, constants, results, residuals, cotangents)

    def run_forward(settings, arrays, constants):
        results, residuals = run_and_save(settings, arrays, constants)
        return results, (arrays, constants, results, residuals)

    def pull_forward(settings, arrays, constants, results, residuals, cotangents):
        gradients = pull(settings, arrays, constants, results, residuals, cotangents)
        return gradients, (arrays, constants, cotangents)

    def pull_backward(settings, saved, seconds):
        arrays, constants, cotangents = saved
        d_arrays, d_cotangents = jax.vjp(
            lambda arrays, cotangents: plain_gradient(settings, cotangents, arrays, constants), arrays, cotangents
        )[1](seconds)
        return d_arrays, None, None, None, d_cotangents

    run.defvjp(run_forward, lambda settings, saved, cotangents: (pull(settings, *saved, cotangents), None))
    run_and_save.defvjp(
        lambda settings, arrays, constants: (run_and_save(settings, arrays, constants), (arrays, constants)),
        lambda settings, saved, cotangents: (plain_gradient(settings, cotangents[0], *saved), None),
    )
    pull.defvjp(pull_forward, pull_backward)
    return run

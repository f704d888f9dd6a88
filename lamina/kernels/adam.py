"""Adam's update of many variables in one call of lamina-native: there is less to trace and to start than with one
update a variable. Derivatives of the update are those of the same formula in operations of JAX."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp

from lamina.kernels.native import cpu_kernels

__all__ = ["fused_update", "is_available"]


def is_available() -> bool:
    """Whether `fused_update` can run: with lamina-native, on a CPU."""
    return cpu_kernels() is not None


@functools.partial(jax.custom_jvp, nondiff_argnums=(5, 6, 7))
def fused_update(
    rate: jax.Array,
    values: Sequence[jax.Array],
    gradients: Sequence[jax.Array],
    momenta: Sequence[jax.Array],
    velocities: Sequence[jax.Array],
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> list[list[jax.Array]]:
    """Update variables, all of them float32, and their moments.

    Args:
        rate: The learning rate times the correction of the moments' bias.
        values, gradients, momenta, velocities: A list of arrays each, one for each variable.
        beta_1, beta_2: Decay rates of the first and of the second moment.
        epsilon: Added to the root of the second moment.

    Returns the lists of new values, momenta and velocities.
    """
    native = cpu_kernels()
    assert native is not None, "fused_update needs lamina-native: ask is_available()"
    return native.adam(rate, values, gradients, momenta, velocities, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)


@fused_update.defjvp
def _jvp(beta_1, beta_2, epsilon, primals, tangents):
    def update(rate, *lists):
        updates = [_update(beta_1, beta_2, epsilon, rate, *arrays) for arrays in zip(*lists, strict=True)]
        return [list(new) for new in zip(*updates, strict=True)]

    return jax.jvp(update, primals, tangents)


def _update(beta_1, beta_2, epsilon, rate, value, gradient, momentum, velocity):
    momentum = momentum + (1 - beta_1) * (gradient - momentum)
    velocity = velocity + (1 - beta_2) * (gradient**2 - velocity)
    return value - rate * momentum / (jnp.sqrt(velocity) + epsilon), momentum, velocity

"""Lamb."""

import jax.numpy as jnp

from lamina.optimizers.arguments import with_base_arguments
from lamina.optimizers.optimizer import Optimizer

__all__ = ["Lamb"]


class Lamb(Optimizer):
    """Adam's step, scaled for each variable by norm(variable) / norm(step): for large batches (You et al. 2019, arXiv
    1904.00962).

    >>> import lamina as keras
    >>> weight = keras.Variable([2.0])
    >>> _ = keras.optimizers.Lamb(0.1).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    1.8
    """

    @with_base_arguments
    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def slots(self, variable) -> tuple:
        return ({"momentum": 0, "velocity": 0},)

    def rule(self, value, gradient, slots, learning_rate, step):
        slots.momentum += (1 - self.beta_1) * (gradient - slots.momentum)
        slots.velocity += (1 - self.beta_2) * (gradient**2 - slots.velocity)
        momentum = slots.momentum / (1 - self.beta_1**step)
        change = momentum / (jnp.sqrt(slots.velocity / (1 - self.beta_2**step)) + self.epsilon)
        size, moved = jnp.linalg.norm(value.ravel()), jnp.linalg.norm(change.ravel())
        trust = jnp.where((size > 0) & (moved > 0), size / jnp.where(moved > 0, moved, 1), 1)
        return value - learning_rate * trust * change

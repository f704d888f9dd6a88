"""Adamax."""

import jax.numpy as jnp

from lamina.optimizers.arguments import with_base_arguments
from lamina.optimizers.optimizer import Optimizer

__all__ = ["Adamax"]


class Adamax(Optimizer):
    """Adam with the largest recent gradient in place of the root mean square (Kingma & Ba 2014, arXiv 1412.6980,
    section 7).

    >>> import lamina as keras
    >>> weight = keras.Variable([1.0])
    >>> _ = keras.optimizers.Adamax(0.1).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.9
    """

    @with_base_arguments
    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def slots(self, variable) -> tuple:
        return ({"momentum": 0, "norm": 0},)

    def rule(self, value, gradient, slots, learning_rate, step):
        slots.momentum += (1 - self.beta_1) * (gradient - slots.momentum)
        slots.norm = jnp.maximum(self.beta_2 * slots.norm, jnp.abs(gradient))
        return value - learning_rate / (1 - self.beta_1**step) * slots.momentum / (slots.norm + self.epsilon)

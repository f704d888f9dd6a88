"""Adagrad."""

import jax.numpy as jnp

from lamina.optimizers.arguments import with_base_arguments
from lamina.optimizers.optimizer import Optimizer

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """Gradients divided by the root of the sum of their squares so far (Duchi et al. 2011, JMLR 12:2121).

    >>> import lamina as keras
    >>> weight = keras.Variable([1.0])
    >>> _ = keras.optimizers.Adagrad(0.1, initial_accumulator_value=0.0).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.9
    """

    @with_base_arguments
    def __init__(self, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def slots(self, variable) -> tuple:
        return ({"accumulator": self.initial_accumulator_value},)

    def rule(self, value, gradient, slots, learning_rate, step):
        slots.accumulator += gradient**2
        return value - learning_rate * gradient / jnp.sqrt(slots.accumulator + self.epsilon)

"""Adadelta."""

import jax.numpy as jnp

from lamina.optimizers.arguments import with_base_arguments
from lamina.optimizers.optimizer import Optimizer

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """Gradients times the root of the mean square of the changes over that of the gradients (Zeiler 2012, arXiv
    1212.5701).

    learning_rate=1.0 is the paper's form.

    >>> import lamina as keras
    >>> weight = keras.Variable([1.0])
    >>> _ = keras.optimizers.Adadelta(1.0, rho=0.0, epsilon=0.01).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.9
    """

    @with_base_arguments
    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.rho, self.epsilon = rho, epsilon

    def slots(self, variable) -> tuple:
        return ({"accumulated_grad": 0, "accumulated_delta_var": 0},)

    def rule(self, value, gradient, slots, learning_rate, step):
        slots.accumulated_grad = self.rho * slots.accumulated_grad + (1 - self.rho) * gradient**2
        ratio = (slots.accumulated_delta_var + self.epsilon) / (slots.accumulated_grad + self.epsilon)
        change = jnp.sqrt(ratio) * gradient
        slots.accumulated_delta_var = self.rho * slots.accumulated_delta_var + (1 - self.rho) * change**2
        return value - learning_rate * change

"""RMSprop."""

import jax.numpy as jnp

from lamina.optimizers.arguments import with_base_arguments
from lamina.optimizers.optimizer import Optimizer

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """Gradients divided by the root of a moving average of their squares (Hinton 2012, lecture 6 of Neural Networks).

    `centered` takes the square of their mean off it (Graves 2013, arXiv 1308.0850); `momentum` gathers the steps.

    >>> import lamina as keras
    >>> weight = keras.Variable([1.0])
    >>> _ = keras.optimizers.RMSprop(0.1, rho=0.0).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.9
    """

    @with_base_arguments
    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    def slots(self, variable) -> tuple:
        momentum = {"momentum": 0} if self.momentum else {}
        average = {"average_gradient": 0} if self.centered else {}
        return {"velocity": 0}, momentum, average

    def rule(self, value, gradient, slots, learning_rate, step):
        slots.velocity = self.rho * slots.velocity + (1 - self.rho) * gradient**2
        variance = slots.velocity + self.epsilon
        if self.centered:
            slots.average_gradient = self.rho * slots.average_gradient + (1 - self.rho) * gradient
            variance -= slots.average_gradient**2
        change = learning_rate * gradient / jnp.sqrt(variance)
        if self.momentum:
            change = slots.momentum = self.momentum * slots.momentum + change
        return value - change

"""Nadam."""

import jax.numpy as jnp

from lamina.optimizers.arguments import with_base_arguments
from lamina.optimizers.optimizer import Optimizer

__all__ = ["Nadam"]


class Nadam(Optimizer):
    """Adam with Nesterov momentum, whose weight u(t) = beta_1 * (1 - 0.96**t / 2) grows with the step t
    (Dozat 2015, http://cs229.stanford.edu/proj2015/054_report.pdf).

    >>> import lamina as keras
    >>> weight = keras.Variable([1.0])
    >>> _ = keras.optimizers.Nadam(0.1).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.894
    """

    @with_base_arguments
    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def build(self, variables):
        super().build(variables)
        if not hasattr(self, "u_product"):  # u(1) * ... * u(t), one for all variables
            self.u_product = self._scalar("u_product", 1.0)

    def slots(self, variable) -> tuple:
        return ({"momentum": 0, "velocity": 0},)

    def _update_all(self, grads, variables, learning_rate):
        self.u_product.assign(self.u_product.read() * self._u(jnp.asarray(self.iterations) + 1))
        super()._update_all(grads, variables, learning_rate)

    def _u(self, step):
        return self.beta_1 * (1 - 0.5 * 0.96 ** jnp.asarray(step, "float32"))

    def rule(self, value, gradient, slots, learning_rate, step):
        beta_2 = jnp.asarray(self.beta_2, value.dtype)  # rounded once, so that its two uses below cancel
        slots.momentum += (1 - self.beta_1) * (gradient - slots.momentum)
        slots.velocity += (1 - beta_2) * (gradient**2 - slots.velocity)
        now, following, product = self._u(step), self._u(step + 1), self.u_product.read()
        momentum = following * slots.momentum / (1 - product * following) + (1 - now) * gradient / (1 - product)
        return value - learning_rate * momentum / (jnp.sqrt(slots.velocity / (1 - beta_2**step)) + self.epsilon)

"""Adam."""

import jax.numpy as jnp

from lamina.optimizers.arguments import with_base_arguments
from lamina.optimizers.optimizer import Optimizer

__all__ = ["Adam"]


class Adam(Optimizer):
    """Moving averages of the gradient and of its square, both freed of their bias to zero (Kingma & Ba 2014, arXiv
    1412.6980).

    `amsgrad` divides by the largest average of squares so far (Reddi et al. 2018, arXiv 1904.09237).

    >>> import lamina as keras
    >>> weight = keras.Variable([1.0])
    >>> _ = keras.optimizers.Adam(0.1).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.9
    """

    @with_base_arguments
    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad

    def slots(self, variable) -> tuple:
        return {"momentum": 0, "velocity": 0}, {"velocity_hat": 0} if self.amsgrad else {}

    def rule(self, value, gradient, slots, learning_rate, step):
        return value - learning_rate * adam_change(gradient, slots, step, self.beta_1, self.beta_2, self.epsilon)


def adam_change(gradient, slots, step, beta_1, beta_2, epsilon):
    """Adam's step in units of the learning rate. Divides by `velocity_hat` where there is such a slot."""
    slots.momentum += (1 - beta_1) * (gradient - slots.momentum)
    slots.velocity += (1 - beta_2) * (gradient**2 - slots.velocity)
    velocity = slots.velocity
    if hasattr(slots, "velocity_hat"):
        velocity = slots.velocity_hat = jnp.maximum(slots.velocity_hat, velocity)
    unbias = jnp.sqrt(1 - beta_2**step) / (1 - beta_1**step)
    return unbias * slots.momentum / (jnp.sqrt(velocity) + epsilon)

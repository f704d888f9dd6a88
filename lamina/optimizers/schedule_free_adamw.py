"""ScheduleFreeAdamW."""

import jax.numpy as jnp

from lamina.optimizers.arguments import with_base_arguments
from lamina.optimizers.optimizer import Optimizer

__all__ = ["ScheduleFreeAdamW"]


class ScheduleFreeAdamW(Optimizer):
    """Adam's steps go to a sequence z; its running mean is x, and gradients are taken at the variable
    y = beta_1 * x + (1 - beta_1) * z, so no schedule is needed (Defazio et al. 2024, arXiv 2405.15682).

    The slot of z is called momentum, as in Keras's files. The learning rate rises in a line for warmup_steps.

    >>> import lamina as keras
    >>> weight = keras.Variable([1.0])
    >>> _ = keras.optimizers.ScheduleFreeAdamW(0.1).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.9
    """

    @with_base_arguments
    def __init__(self, learning_rate=0.0025, beta_1=0.9, beta_2=0.999, epsilon=1e-8, warmup_steps=0, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon, self.warmup_steps = beta_1, beta_2, epsilon, warmup_steps

    def slots(self, variable) -> tuple:
        return ({"momentum": lambda variable: variable.numpy(), "velocity": 0},)

    def rule(self, value, gradient, slots, learning_rate, step):
        if self.warmup_steps:
            learning_rate *= jnp.minimum(1, step / self.warmup_steps)
        beta_2 = jnp.asarray(self.beta_2, value.dtype)  # rounded once, so that its two uses cancel
        slots.velocity += (1 - beta_2) * (gradient**2 - slots.velocity)
        change = gradient / (jnp.sqrt(slots.velocity / (1 - beta_2**step)) + self.epsilon)
        mean = (value - (1 - self.beta_1) * slots.momentum) / self.beta_1
        slots.momentum -= learning_rate * change
        mean += (slots.momentum - mean) / step
        return self.beta_1 * mean + (1 - self.beta_1) * slots.momentum

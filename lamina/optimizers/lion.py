"""Lion."""

import jax.numpy as jnp

from lamina.errors import ConfigError
from lamina.optimizers.arguments import with_base_arguments
from lamina.optimizers.optimizer import Optimizer

__all__ = ["Lion"]


class Lion(Optimizer):
    """The sign of a mix of momentum and gradient, so all steps are of one size (Chen et al. 2023, arXiv 2302.06675).

    Wants a learning rate 3 to 10 times smaller than Adam's and a weight decay that much larger.

    >>> import lamina as keras
    >>> weight = keras.Variable([1.0])
    >>> _ = keras.optimizers.Lion(0.1).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.9
    """

    @with_base_arguments
    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.99, **kwargs):
        super().__init__(learning_rate, **kwargs)
        if not 0 < beta_1 <= 1:
            raise ConfigError(
                f"beta_1 is above 0 and at most 1; got {beta_1!r}.", fix="RMSprop is a rule without momentum."
            )
        self.beta_1, self.beta_2 = beta_1, beta_2

    def slots(self, variable) -> tuple:
        return ({"momentum": 0},)

    def rule(self, value, gradient, slots, learning_rate, step):
        direction = jnp.sign(self.beta_1 * slots.momentum + (1 - self.beta_1) * gradient)
        slots.momentum = self.beta_2 * slots.momentum + (1 - self.beta_2) * gradient
        return value - learning_rate * direction

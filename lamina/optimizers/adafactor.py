"""Adafactor."""

import jax.numpy as jnp
import numpy as np

from lamina.optimizers.arguments import with_base_arguments
from lamina.optimizers.optimizer import Optimizer

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Adam's mean squares of a matrix from their means over rows and over columns alone (Shazeer & Stern 2018, arXiv
    1804.04235).

    The learning rate is at most 1 / sqrt(step), as in Keras whatever `relative_step` says; it is in units of the
    variable's root mean square (at least epsilon_2). clip_threshold limits the root mean square of a step.

    >>> import lamina as keras
    >>> weight = keras.Variable([1.0])
    >>> _ = keras.optimizers.Adafactor(0.1).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.9
    """

    @with_base_arguments
    def __init__(
        self,
        learning_rate=0.001,
        beta_2_decay=-0.8,
        epsilon_1=1e-30,
        epsilon_2=1e-3,
        clip_threshold=1.0,
        relative_step=True,
        **kwargs,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_2_decay, self.epsilon_1, self.epsilon_2 = beta_2_decay, epsilon_1, epsilon_2
        self.clip_threshold, self.relative_step = clip_threshold, relative_step

    def slots(self, variable) -> tuple:
        """A vector has two unused numbers, and a matrix its mean squares in full too: so Keras's files have it."""
        if variable.ndim < 2:
            rows = columns = np.zeros((), "int32")
        else:
            rows = np.zeros(variable.shape[:-1], "float32")
            columns = np.zeros((*variable.shape[:-2], variable.shape[-1]), "float32")
        return ({"rows": lambda _: rows, "columns": lambda _: columns, "velocity": 0},)

    def rule(self, value, gradient, slots, learning_rate, step):
        square = gradient**2 + self.epsilon_1
        beta_2 = 1 - step**self.beta_2_decay
        if value.ndim < 2:
            slots.velocity = beta_2 * slots.velocity + (1 - beta_2) * square
        else:
            slots.rows = beta_2 * slots.rows + (1 - beta_2) * square.mean(-1)
            slots.columns = beta_2 * slots.columns + (1 - beta_2) * square.mean(-2)
            share = slots.rows / slots.rows.mean(-1, keepdims=True)
            slots.velocity = share[..., None] * slots.columns[..., None, :]
        change = gradient / jnp.sqrt(slots.velocity)
        change /= jnp.maximum(1, _root_mean_square(change) / self.clip_threshold)
        learning_rate = jnp.minimum(learning_rate, 1 / jnp.sqrt(step))  # in Keras without `relative_step` too
        return value - learning_rate * jnp.maximum(self.epsilon_2, _root_mean_square(value)) * change


def _root_mean_square(array):
    return jnp.sqrt(jnp.mean(jnp.square(array)))

"""Adafactor."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina.core.typing import Tensor
from lamina.core.variable import Variable
from lamina.optimizers.optimizer import LearningRateLike, Optimizer, Slots

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Adam's mean squares of a matrix from their means over rows and over columns alone (Shazeer & Stern 2018, arXiv
    1804.04235).

    The learning rate is at most 1 / sqrt(step), as in Keras whatever `relative_step` says; it is in units of the
    variable's root mean square (at least epsilon_2). clip_threshold limits the root mean square of a step.

    Args:
        learning_rate: Size of the steps: a number, a schedule, or a callable without arguments.
        beta_2_decay: Exponent of the step number in the decay of the second moment.
        epsilon_1: Small number added to squared gradients.
        epsilon_2: Smallest root mean square of a variable that scales its steps.
        clip_threshold: Largest root mean square of an update.
        relative_step: Accepted for compatibility; the learning rate is at most `1 / sqrt(step)` in either case,
            as in Keras.
        weight_decay: Each step first subtracts `learning_rate * weight_decay` times the variable. None turns it
            off.
        clipnorm: Largest norm of the gradient of one variable; larger gradients are scaled down to it.
        clipvalue: Largest absolute value of an element of a gradient; others are clipped to it.
        global_clipnorm: Largest norm of all gradients together. Only one of the three limits may be set.
        use_ema: Whether to keep an exponential moving average of each variable, which replaces it after
            training.
        ema_momentum: Share of the old average that each step keeps.
        ema_overwrite_frequency: Number of steps after which averages replace the variables; None waits for the
            end of training.
        loss_scale_factor: The loss is multiplied by it and the gradients are divided by it. None leaves both as
            they are.
        gradient_accumulation_steps: Number of steps whose mean gradient makes one update. None updates in each
            step.
        name: Name of the optimizer. None makes one from the class name.
        **kwargs: Arguments of earlier versions of Keras, such as `decay` and `lr`.

    >>> import lamina as keras
    >>> weight = keras.Variable([1.0])
    >>> _ = keras.optimizers.Adafactor(0.1).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.9
    """

    def __init__(
        self,
        learning_rate: LearningRateLike = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 0.001,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def slots(self, variable: Variable) -> Slots:
        """A vector has two unused numbers, and a matrix its mean squares in full too: so Keras's files have it."""
        if variable.ndim < 2:
            rows = columns = np.zeros((), "int32")
        else:
            rows = np.zeros(variable.shape[:-1], "float32")
            columns = np.zeros((*variable.shape[:-2], variable.shape[-1]), "float32")
        return ({"rows": lambda _: rows, "columns": lambda _: columns, "velocity": 0},)

    def rule(self, value: Tensor, gradient: Tensor, slots: Any, learning_rate: Tensor, step: Tensor) -> Tensor:
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

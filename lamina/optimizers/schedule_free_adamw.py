"""ScheduleFreeAdamW."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from lamina.core.typing import Tensor
from lamina.core.variable import Variable
from lamina.optimizers.misuse import check_shares
from lamina.optimizers.optimizer import LearningRateLike, Optimizer, Slots, epsilon_of

__all__ = ["ScheduleFreeAdamW"]


class ScheduleFreeAdamW(Optimizer):
    """Adam's steps go to a sequence z; its running mean is x, and gradients are taken at the variable
    y = beta_1 * x + (1 - beta_1) * z, so no schedule is needed (Defazio et al. 2024, arXiv 2405.15682).

    The slot of z is called momentum, as in Keras's files. The learning rate rises in a line for warmup_steps.

    Args:
        learning_rate: Size of the steps: a number, a schedule, or a callable without arguments.
        beta_1: Decay of the moving average of gradients (first moment).
        beta_2: Decay of the moving average of squared gradients (second moment).
        epsilon: Small number added to the divisor against division by zero. None means
            `keras.config.epsilon()`.
        warmup_steps: Number of steps over which the learning rate rises linearly from 0.
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
    >>> _ = keras.optimizers.ScheduleFreeAdamW(0.1).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.9
    """

    def __init__(
        self,
        learning_rate: LearningRateLike = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-08,
        warmup_steps: int = 0,
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
        check_shares(beta_1=beta_1, beta_2=beta_2)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon: float = epsilon_of(epsilon)
        self.warmup_steps = warmup_steps

    def slots(self, variable: Variable) -> Slots:
        return ({"momentum": lambda variable: variable.numpy(), "velocity": 0},)

    def rule(self, value: Tensor, gradient: Tensor, slots: Any, learning_rate: Tensor, step: Tensor) -> Tensor:
        if self.warmup_steps:
            learning_rate *= jnp.minimum(1, step / self.warmup_steps)
        beta_2 = jnp.asarray(self.beta_2, value.dtype)  # rounded once, so that its two uses cancel
        slots.velocity += (1 - beta_2) * (gradient**2 - slots.velocity)
        change = gradient / (jnp.sqrt(slots.velocity / (1 - beta_2**step)) + self.epsilon)
        mean = (value - (1 - self.beta_1) * slots.momentum) / self.beta_1
        slots.momentum -= learning_rate * change
        mean += (slots.momentum - mean) / step
        return self.beta_1 * mean + (1 - self.beta_1) * slots.momentum

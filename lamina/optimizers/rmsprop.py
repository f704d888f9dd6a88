"""RMSprop."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from lamina.core.typing import Tensor
from lamina.core.variable import Variable
from lamina.legacy import make_callable
from lamina.optimizers.misuse import check_shares
from lamina.optimizers.optimizer import LearningRateLike, Optimizer, Slots, epsilon_of

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """Gradients divided by the root of a moving average of their squares (Hinton 2012, lecture 6 of Neural Networks).

    `centered` takes the square of their mean off it (Graves 2013, arXiv 1308.0850); `momentum` gathers the steps.

    Args:
        learning_rate: Size of the steps: a number, a schedule, or a callable without arguments.
        rho: Decay of the moving average of squared gradients.
        momentum: Share of the last step that is added to the next one.
        epsilon: Small number added to the divisor against division by zero. None means
            `keras.config.epsilon()`.
        centered: Whether to divide by an estimate of the variance instead of the uncentered second moment.
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
    >>> _ = keras.optimizers.RMSprop(0.1, rho=0.0).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.9
    """

    momentum_name = "momentum"

    def __init__(
        self,
        learning_rate: LearningRateLike = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float | None = 1e-07,
        centered: bool = False,
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
        check_shares(rho=rho, momentum=momentum)
        self.rho = rho
        self.momentum = momentum
        self.epsilon: float = epsilon_of(epsilon)
        self.centered = centered

    def slots(self, variable: Variable) -> Slots:
        momentum = {"momentum": 0} if self.momentum else {}
        average = {"average_gradient": 0} if self.centered else {}
        return {"velocity": 0}, momentum, average

    def rule(self, value: Tensor, gradient: Tensor, slots: Any, learning_rate: Tensor, step: Tensor) -> Tensor:
        slots.velocity = self.rho * slots.velocity + (1 - self.rho) * gradient**2
        variance = slots.velocity + self.epsilon
        if self.centered:
            slots.average_gradient = self.rho * slots.average_gradient + (1 - self.rho) * gradient
            variance -= slots.average_gradient**2
        change = learning_rate * gradient / jnp.sqrt(variance)
        if hasattr(slots, "momentum"):
            change = slots.momentum = self.momentum * slots.momentum + change
        return value - change


make_callable(__name__)

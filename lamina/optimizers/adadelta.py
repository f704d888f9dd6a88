"""Adadelta."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from lamina.core.typing import Tensor
from lamina.core.variable import Variable
from lamina.legacy import make_callable
from lamina.optimizers.misuse import check_shares
from lamina.optimizers.optimizer import LearningRateLike, Optimizer, Slots, epsilon_of

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """Gradients times the root of the mean square of the changes over that of the gradients (Zeiler 2012, arXiv
    1212.5701).

    learning_rate=1.0 is the paper's form.

    Args:
        learning_rate: Size of the steps: a number, a schedule, or a callable without arguments.
        rho: Decay of the moving average of squared gradients.
        epsilon: Small number added to the divisor against division by zero. None means
            `keras.config.epsilon()`.
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
    >>> _ = keras.optimizers.Adadelta(1.0, rho=0.0, epsilon=0.01).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.9
    """

    def __init__(
        self,
        learning_rate: LearningRateLike = 0.001,
        rho: float = 0.95,
        epsilon: float | None = 1e-07,
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
        check_shares(rho=rho)
        self.rho = rho
        self.epsilon: float = epsilon_of(epsilon)

    def slots(self, variable: Variable) -> Slots:
        return ({"accumulated_grad": 0, "accumulated_delta_var": 0},)

    def rule(self, value: Tensor, gradient: Tensor, slots: Any, learning_rate: Tensor, step: Tensor) -> Tensor:
        slots.accumulated_grad = self.rho * slots.accumulated_grad + (1 - self.rho) * gradient**2
        ratio = (slots.accumulated_delta_var + self.epsilon) / (slots.accumulated_grad + self.epsilon)
        change = jnp.sqrt(ratio) * gradient
        slots.accumulated_delta_var = self.rho * slots.accumulated_delta_var + (1 - self.rho) * change**2
        return value - learning_rate * change


make_callable(__name__)

"""Lion."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from lamina.core.typing import Tensor
from lamina.core.variable import Variable
from lamina.errors import ConfigError
from lamina.optimizers.misuse import check_shares
from lamina.optimizers.optimizer import LearningRateLike, Optimizer, Slots

__all__ = ["Lion"]


class Lion(Optimizer):
    """The sign of a mix of momentum and gradient, so all steps are of one size (Chen et al. 2023, arXiv 2302.06675).

    Wants a learning rate 3 to 10 times smaller than Adam's and a weight decay that much larger.

    Args:
        learning_rate: Size of the steps: a number, a schedule, or a callable without arguments.
        beta_1: Decay of the moving average of gradients (first moment).
        beta_2: Decay of the moving average of squared gradients (second moment).
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
    >>> _ = keras.optimizers.Lion(0.1).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.9
    """

    momentum_name = "beta_1"

    def __init__(
        self,
        learning_rate: LearningRateLike = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        if not 0 < beta_1 <= 1:
            raise ConfigError(
                f"beta_1 is above 0 and at most 1; got {beta_1!r}.", fix="RMSprop is a rule without momentum."
            )
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def slots(self, variable: Variable) -> Slots:
        return ({"momentum": 0},)

    def rule(self, value: Tensor, gradient: Tensor, slots: Any, learning_rate: Tensor, step: Tensor) -> Tensor:
        direction = jnp.sign(self.beta_1 * slots.momentum + (1 - self.beta_1) * gradient)
        slots.momentum = self.beta_2 * slots.momentum + (1 - self.beta_2) * gradient
        return value - learning_rate * direction

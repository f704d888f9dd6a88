"""Nadam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from lamina.core.typing import Tensor
from lamina.core.variable import Variable
from lamina.legacy import make_callable
from lamina.optimizers.misuse import check_shares
from lamina.optimizers.optimizer import LearningRateLike, Optimizer, Slots, epsilon_of

__all__ = ["Nadam"]


class Nadam(Optimizer):
    """Adam with Nesterov momentum, whose weight u(t) = beta_1 * (1 - 0.96**t / 2) grows with the step t
    (Dozat 2015, http://cs229.stanford.edu/proj2015/054_report.pdf).

    Args:
        learning_rate: Size of the steps: a number, a schedule, or a callable without arguments.
        beta_1: Decay of the moving average of gradients (first moment).
        beta_2: Decay of the moving average of squared gradients (second moment).
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
    >>> _ = keras.optimizers.Nadam(0.1).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.894
    """

    momentum_name = "beta_1"

    def __init__(
        self,
        learning_rate: LearningRateLike = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
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
        check_shares(beta_1=beta_1, beta_2=beta_2)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon: float = epsilon_of(epsilon)

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        if not hasattr(self, "u_product"):  # u(1) * ... * u(t), one for all variables
            self.u_product: Any = self._scalar("u_product", 1.0)

    def slots(self, variable: Variable) -> Slots:
        return ({"momentum": 0, "velocity": 0},)

    def _update_all(self, grads, variables, learning_rate):
        self.u_product.assign(self.u_product.read() * self._u(jnp.asarray(self.iterations) + 1))
        super()._update_all(grads, variables, learning_rate)

    def _u(self, step):
        return self.beta_1 * (1 - 0.5 * 0.96 ** jnp.asarray(step, "float32"))

    def rule(self, value: Tensor, gradient: Tensor, slots: Any, learning_rate: Tensor, step: Tensor) -> Tensor:
        beta_2 = jnp.asarray(self.beta_2, value.dtype)  # rounded once, so that its two uses below cancel
        slots.momentum += (1 - self.beta_1) * (gradient - slots.momentum)
        slots.velocity += (1 - beta_2) * (gradient**2 - slots.velocity)
        now, following, product = self._u(step), self._u(step + 1), self.u_product.read()
        momentum = following * slots.momentum / (1 - product * following) + (1 - now) * gradient / (1 - product)
        return value - learning_rate * momentum / (jnp.sqrt(slots.velocity / (1 - beta_2**step)) + self.epsilon)


make_callable(__name__)

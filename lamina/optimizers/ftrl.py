"""Ftrl."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from lamina.core.typing import Tensor
from lamina.core.variable import Variable
from lamina.errors import ConfigError
from lamina.optimizers.optimizer import LearningRateLike, Optimizer, Slots

__all__ = ["Ftrl"]


class Ftrl(Optimizer):
    """Follow the regularized leader: sparse linear models from a stream (McMahan et al. 2013, doi
    10.1145/2487575.2488200).

    `l2_shrinkage_regularization_strength` is a penalty on the size of the weights in the gradient alone.

    Args:
        learning_rate: Size of the steps: a number, a schedule, or a callable without arguments.
        learning_rate_power: Exponent of the accumulated squared gradients, 0 or less; 0 gives a fixed learning
            rate.
        initial_accumulator_value: First value of the accumulated squared gradients.
        l1_regularization_strength: Strength of the L1 penalty, 0 or more.
        l2_regularization_strength: Strength of the L2 penalty, 0 or more.
        l2_shrinkage_regularization_strength: Strength of an L2 penalty on the size of the weights in the
            gradient alone.
        beta: The beta of the paper, added to the root of the accumulated squared gradients.
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
    >>> weight = keras.Variable([0.0])
    >>> _ = keras.optimizers.Ftrl(0.1, initial_accumulator_value=0.0).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    -0.1
    """

    def __init__(
        self,
        learning_rate: LearningRateLike = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        self.learning_rate_power = learning_rate_power
        self.beta = beta
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        if learning_rate_power > 0:
            raise ConfigError(
                f"learning_rate_power is 0 or less; got {learning_rate_power!r}.", fix="learning_rate_power=-0.5"
            )
        for name, value in vars(self).items():
            if (name == "initial_accumulator_value" or name.endswith("strength")) and value < 0:
                raise ConfigError(f"{name} is 0 or more; got {value!r}.", fix=f"{name}=0.0")

    def slots(self, variable: Variable) -> Slots:
        return ({"accumulator": self.initial_accumulator_value, "linear": 0},)

    def rule(self, value: Tensor, gradient: Tensor, slots: Any, learning_rate: Tensor, step: Tensor) -> Tensor:
        power = -self.learning_rate_power
        before = slots.accumulator**power
        slots.accumulator += gradient**2
        root = slots.accumulator**power
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * value
        slots.linear += shrunk - (root - before) / learning_rate * value
        quadratic = (root + self.beta) / learning_rate + 2 * self.l2_regularization_strength
        l1 = self.l1_regularization_strength
        return (jnp.clip(slots.linear, -l1, l1) - slots.linear) / quadratic

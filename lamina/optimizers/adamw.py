"""AdamW."""

from __future__ import annotations

from typing import Any

from lamina.errors import ConfigError
from lamina.optimizers.adam import Adam
from lamina.optimizers.optimizer import LearningRateLike

__all__ = ["AdamW"]


class AdamW(Adam):
    """Adam with weight decay, which is taken off the variables and not mixed into the gradients
    (Loshchilov & Hutter 2017, arXiv 1711.05101).

    Args:
        learning_rate: Size of the steps: a number, a schedule, or a callable without arguments.
        weight_decay: Each step first subtracts `learning_rate * weight_decay` times the variable. None turns it
            off.
        beta_1: Decay of the moving average of gradients (first moment).
        beta_2: Decay of the moving average of squared gradients (second moment).
        epsilon: Small number added to the divisor against division by zero. None means
            `keras.config.epsilon()`.
        amsgrad: Whether to divide by the largest second moment so far (Reddi et al. 2018, arXiv 1904.09237).
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
    >>> _ = keras.optimizers.AdamW(0.1, weight_decay=0.5).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.85
    """

    def __init__(
        self,
        learning_rate: LearningRateLike = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-07,
        amsgrad: bool = False,
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
        if weight_decay is None:
            raise ConfigError("AdamW needs a weight_decay.", fix="Adam is the one without.")
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
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

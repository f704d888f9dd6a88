"""SGD."""

from __future__ import annotations

from typing import Any

from lamina.core.typing import Tensor
from lamina.core.variable import Variable
from lamina.legacy import make_callable
from lamina.optimizers.misuse import check_shares
from lamina.optimizers.optimizer import LearningRateLike, Optimizer, Slots

__all__ = ["SGD"]


class SGD(Optimizer):
    """Gradient descent: w -= learning_rate * g; with momentum m = momentum * m - learning_rate * g, w += m.

    Nesterov looks ahead: w += momentum * m - learning_rate * g (Sutskever et al. 2013, PMLR 28:1139).

    Args:
        learning_rate: Size of the steps: a number, a schedule, or a callable without arguments.
        momentum: Share of the last step that is added to the next one.
        nesterov: Whether to use Nesterov momentum.
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
    >>> _ = keras.optimizers.SGD(0.1).apply([[5.0]], [weight])
    >>> weight.numpy().tolist()
    [0.5]
    """

    momentum_name = "momentum"

    def __init__(
        self,
        learning_rate: LearningRateLike = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        check_shares(momentum=momentum)
        self.momentum = momentum
        self.nesterov = nesterov

    def slots(self, variable: Variable) -> Slots:
        return ({"momentum": 0},) if self.momentum else ()

    def rule(self, value: Tensor, gradient: Tensor, slots: Any, learning_rate: Tensor, step: Tensor) -> Tensor:
        if not hasattr(slots, "momentum"):
            return value - learning_rate * gradient
        slots.momentum = self.momentum * slots.momentum - learning_rate * gradient
        if self.nesterov:
            return value + self.momentum * slots.momentum - learning_rate * gradient
        return value + slots.momentum


make_callable(__name__)

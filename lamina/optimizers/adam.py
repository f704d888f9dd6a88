"""Adam."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from lamina.core.typing import Tensor
from lamina.core.variable import Variable, unwrap
from lamina.kernels.adam import fused_update, is_available
from lamina.legacy import make_callable
from lamina.optimizers.misuse import check_shares
from lamina.optimizers.optimizer import LearningRateLike, Optimizer, Slots, epsilon_of

__all__ = ["Adam"]

LARGE = 2**16  # a variable of so many numbers is updated as soon as its gradient is computed, by a call of its own


class Adam(Optimizer):
    """Bias-corrected first and second moments of the gradient (Kingma & Ba 2014, arXiv 1412.6980).

    `amsgrad` divides by the largest average of squares so far (Reddi et al. 2018, arXiv 1904.09237).

    Args:
        learning_rate: Size of the steps: a number, a schedule, or a callable without arguments.
        beta_1: Decay of the moving average of gradients (first moment).
        beta_2: Decay of the moving average of squared gradients (second moment).
        epsilon: Small number added to the divisor against division by zero. None means
            `keras.config.epsilon()`.
        amsgrad: Whether to divide by the largest second moment so far (Reddi et al. 2018, arXiv 1904.09237).
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
    >>> _ = keras.optimizers.Adam(0.1).apply([[5.0]], [weight])
    >>> round(float(weight[0]), 3)
    0.9
    """

    momentum_name = "beta_1"

    def __init__(
        self,
        learning_rate: LearningRateLike = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-07,
        amsgrad: bool = False,
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
        self.amsgrad = amsgrad

    def slots(self, variable: Variable) -> Slots:
        return {"momentum": 0, "velocity": 0}, {"velocity_hat": 0} if self.amsgrad else {}

    def rule(self, value: Tensor, gradient: Tensor, slots: Any, learning_rate: Tensor, step: Tensor) -> Tensor:
        return value - learning_rate * adam_step(gradient, slots, step, self.beta_1, self.beta_2, self.epsilon)

    def _update_all(self, grads, variables, learning_rate):
        """Update float32 variables by the fused kernel where it is available, and all others by `rule`."""
        unchanged = type(self).rule is Adam.rule and type(self).update_step is Optimizer.update_step
        fused, small = unchanged and not self.amsgrad and is_available() and not isinstance(self.beta_1, jax.Array), []
        for gradient, variable in zip(grads, variables, strict=True):
            arrays = gradient, *(ref.read() for ref in (variable, *self._slots[variable].values()))
            if not fused or any(array.dtype != "float32" for array in arrays):
                self.update_step(gradient, variable, learning_rate)
            elif variable.size < LARGE:
                small.append((gradient, variable))
            else:
                self._fused_update([(gradient, variable)], learning_rate)
        if small:
            self._fused_update(small, learning_rate)

    def _fused_update(self, pairs, learning_rate):
        slots = [self._slots[variable] for _, variable in pairs]
        refs = [variable for _, variable in pairs], [s["momentum"] for s in slots], [s["velocity"] for s in slots]
        values, momenta, velocities = ([ref.read() for ref in some] for some in refs)
        step = (unwrap(self.iterations) + 1).astype("float32")
        rate = jnp.asarray(learning_rate, "float32") * _bias_correction(step, self.beta_1, self.beta_2)
        settings = self.beta_1, self.beta_2, self.epsilon
        results = fused_update(rate, values, [gradient for gradient, _ in pairs], momenta, velocities, *settings)
        for some, new in zip(refs, results, strict=True):
            for ref, value in zip(some, new, strict=True):
                ref.assign(value)


def adam_step(gradient: Tensor, slots: Any, step: Tensor, beta_1: float, beta_2: float, epsilon: float) -> Tensor:
    """Adam's step in units of the learning rate; moves the slots. A slot `velocity_hat` makes it AMSGrad's."""
    slots.momentum += (1 - beta_1) * (gradient - slots.momentum)
    slots.velocity += (1 - beta_2) * (gradient**2 - slots.velocity)
    velocity = slots.velocity
    if hasattr(slots, "velocity_hat"):
        velocity = slots.velocity_hat = jnp.maximum(slots.velocity_hat, velocity)
    return _bias_correction(step, beta_1, beta_2) * slots.momentum / (jnp.sqrt(velocity) + epsilon)


def _bias_correction(step, beta_1, beta_2):
    """The moments start at zero; this factor corrects the first over the root of the second for it."""
    return jnp.sqrt(1 - beta_2**step) / (1 - beta_1**step)


make_callable(__name__)

"""Muon."""

from __future__ import annotations

import re
from typing import Any

import jax.numpy as jnp

from lamina.core.typing import Tensor
from lamina.core.variable import Variable
from lamina.errors import ShapeError
from lamina.optimizers.adam import adam_step
from lamina.optimizers.misuse import check_shares
from lamina.optimizers.optimizer import LearningRateLike, Optimizer, Slots, epsilon_of

__all__ = ["Muon"]


class Muon(Optimizer):
    """Momentum made orthogonal: each matrix moves by the nearest matrix with all singular values 1 (Jordan et al. 2024,
    https://kellerjordan.github.io/posts/muon; Liu et al. 2025, arXiv 2502.16982).

    Variables that are no matrix, embeddings, and those whose path has one of `exclude_layers` in it follow AdamW.

    Args:
        learning_rate: Size of the steps: a number, a schedule, or a callable without arguments.
        adam_beta_1: `beta_1` of AdamW, which updates what Muon does not.
        adam_beta_2: `beta_2` of AdamW.
        adam_weight_decay: Weight decay of the variables that follow AdamW.
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
        exclude_layers: Regular expressions; variables whose path contains a match follow AdamW, such as the
            last layer.
        exclude_embeddings: Whether variables with "embedding" in their path follow AdamW.
        muon_a: First coefficient of a Newton-Schulz step.
        muon_b: Second coefficient of a Newton-Schulz step.
        muon_c: Third coefficient of a Newton-Schulz step.
        adam_lr_ratio: Learning rate of AdamW as a multiple of `learning_rate`.
        momentum: Share of the last step that is added to the next one.
        ns_steps: Number of Newton-Schulz steps.
        nesterov: Whether to use Nesterov momentum.
        rms_rate: Scales steps to the size of Adam's, `sqrt(max(rows, columns)) * rms_rate`. None does not
            scale.
        **kwargs: Arguments of earlier versions of Keras, such as `decay` and `lr`.

    >>> import lamina as keras
    >>> weight = keras.Variable([[1.0, 0.0], [0.0, 1.0]])
    >>> _ = keras.optimizers.Muon(0.1, weight_decay=None).apply([[[5.0, 0.0], [0.0, 5.0]]], [weight])
    >>> round(float(weight[0][0]), 3)
    0.969
    """

    momentum_name = "momentum"

    def __init__(
        self,
        learning_rate: LearningRateLike = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float | None = 1e-07,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: list[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
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
        check_shares(adam_beta_1=adam_beta_1, adam_beta_2=adam_beta_2, momentum=momentum)
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon: float = epsilon_of(epsilon)
        self.adam_lr_ratio = adam_lr_ratio
        self.exclude_layers: list[str] = exclude_layers or []
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.ns_steps = ns_steps
        self.momentum = momentum
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def slots(self, variable: Variable) -> Slots:
        return ({"momentum": 0, "velocity": 0} if self._follows_adam(variable) else {"momentum": 0},)

    def _follows_adam(self, variable):
        if variable.ndim != 2 or (self.exclude_embeddings and "embedding" in variable.path.lower()):
            return True
        return any(re.search(pattern, variable.path) for pattern in self.exclude_layers)

    def _weight_decay_of(self, variable):
        return self.adam_weight_decay if self._follows_adam(variable) else self.weight_decay

    def rule(self, value: Tensor, gradient: Tensor, slots: Any, learning_rate: Tensor, step: Tensor) -> Tensor:
        if hasattr(slots, "velocity"):
            change = adam_step(gradient, slots, step, self.adam_beta_1, self.adam_beta_2, self.epsilon)
            return value - learning_rate * self.adam_lr_ratio * change
        slots.momentum = self.momentum * slots.momentum + gradient
        ahead = gradient + self.momentum * slots.momentum if self.nesterov else slots.momentum
        return value - learning_rate * self.lr_adjust(self.zeropower_via_newtonschulz5(ahead, self.ns_steps))

    def lr_adjust(self, x: Tensor) -> Tensor:
        """`x` scaled to the size of Adam's steps."""
        return x if self.rms_rate is None else x * max(x.shape) ** 0.5 * self.rms_rate

    def transpose_last_axis(self, X: Tensor) -> Tensor:
        """`X` with its last two axes exchanged."""
        return jnp.swapaxes(X, -1, -2)

    def zeropower_via_newtonschulz5(self, x: Tensor, steps: int) -> Tensor:
        """About U @ V.T of the singular value decomposition of `x`: each step is x = a x + (b x xT + c (x xT)^2) x."""
        if x.ndim < 2:
            raise ShapeError(
                f"Muon makes matrices orthogonal; got shape {tuple(x.shape)}.",
                fix="Exclude them: Muon(exclude_layers=[name]).",
            )
        if x.shape[-2] > x.shape[-1]:
            return self.transpose_last_axis(self.zeropower_via_newtonschulz5(self.transpose_last_axis(x), steps))
        x = x / (jnp.linalg.norm(x, axis=(-2, -1), keepdims=True) + 1e-7)
        for _ in range(steps):
            square = x @ self.transpose_last_axis(x)
            x = self.muon_a * x + (self.muon_b * square + self.muon_c * square @ square) @ x
        return x

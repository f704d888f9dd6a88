"""Muon."""

import re

import jax.numpy as jnp

from lamina.errors import ShapeError
from lamina.optimizers.adam import adam_step
from lamina.optimizers.arguments import with_base_arguments
from lamina.optimizers.optimizer import Optimizer

__all__ = ["Muon"]


class Muon(Optimizer):
    """Momentum made orthogonal: each matrix moves by the nearest matrix with all singular values 1 (Jordan et al. 2024,
    https://kellerjordan.github.io/posts/muon; Liu et al. 2025, arXiv 2502.16982).

    Variables that are no matrix, embeddings, and those whose path has one of `exclude_layers` in it follow AdamW.

    Args:
        exclude_layers: regular expressions, e.g. the name of the last layer.
        muon_a, muon_b, muon_c, ns_steps: coefficients and number of the Newton-Schulz steps.
        rms_rate: scales steps to the size of Adam's, sqrt(max(rows, columns)) * rms_rate; None scales nothing.

    >>> import lamina as keras
    >>> weight = keras.Variable([[1.0, 0.0], [0.0, 1.0]])
    >>> _ = keras.optimizers.Muon(0.1, weight_decay=None).apply([[[5.0, 0.0], [0.0, 5.0]]], [weight])
    >>> round(float(weight[0][0]), 3)
    0.969
    """

    @with_base_arguments
    def __init__(
        self,
        learning_rate=0.001,
        adam_beta_1=0.9,
        adam_beta_2=0.999,
        adam_weight_decay=0.004,
        epsilon=1e-7,
        weight_decay=0.004,
        *,
        exclude_layers=None,
        exclude_embeddings=True,
        muon_a=3.4445,
        muon_b=-4.775,
        muon_c=2.0315,
        adam_lr_ratio=1,
        momentum=0.95,
        ns_steps=5,
        nesterov=True,
        rms_rate=0.2,
        **kwargs,
    ):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self.adam_beta_1, self.adam_beta_2, self.adam_weight_decay = adam_beta_1, adam_beta_2, adam_weight_decay
        self.epsilon, self.adam_lr_ratio = epsilon, adam_lr_ratio
        self.exclude_layers, self.exclude_embeddings = exclude_layers or [], exclude_embeddings
        self.muon_a, self.muon_b, self.muon_c, self.ns_steps = muon_a, muon_b, muon_c, ns_steps
        self.momentum, self.nesterov, self.rms_rate = momentum, nesterov, rms_rate

    def slots(self, variable) -> tuple:
        return ({"momentum": 0, "velocity": 0} if self._follows_adam(variable) else {"momentum": 0},)

    def _follows_adam(self, variable):
        if variable.ndim != 2 or (self.exclude_embeddings and "embedding" in variable.path.lower()):
            return True
        return any(re.search(pattern, variable.path) for pattern in self.exclude_layers)

    def _weight_decay_of(self, variable):
        return self.adam_weight_decay if self._follows_adam(variable) else self.weight_decay

    def rule(self, value, gradient, slots, learning_rate, step):
        if hasattr(slots, "velocity"):
            change = adam_step(gradient, slots, step, self.adam_beta_1, self.adam_beta_2, self.epsilon)
            return value - learning_rate * self.adam_lr_ratio * change
        slots.momentum = self.momentum * slots.momentum + gradient
        ahead = gradient + self.momentum * slots.momentum if self.nesterov else slots.momentum
        return value - learning_rate * self.lr_adjust(self.zeropower_via_newtonschulz5(ahead, self.ns_steps))

    def lr_adjust(self, x):
        """`x` scaled to the size of Adam's steps."""
        return x if self.rms_rate is None else x * max(x.shape) ** 0.5 * self.rms_rate

    def transpose_last_axis(self, X):
        """`X` with its last two axes exchanged."""
        return jnp.swapaxes(X, -1, -2)

    def zeropower_via_newtonschulz5(self, x, steps):
        """About U @ V.T of the singular value decomposition of `x`: each step is x = a x + (b x xT + c (x xT)^2) x."""
        if x.ndim < 2:
            raise ShapeError(f"Muon makes matrices orthogonal; got shape {tuple(x.shape)}.")
        if x.shape[-2] > x.shape[-1]:
            return self.transpose_last_axis(self.zeropower_via_newtonschulz5(self.transpose_last_axis(x), steps))
        x = x / (jnp.linalg.norm(x, axis=(-2, -1), keepdims=True) + 1e-7)
        for _ in range(steps):
            square = x @ self.transpose_last_axis(x)
            x = self.muon_a * x + (self.muon_b * square + self.muon_c * square @ square) @ x
        return x

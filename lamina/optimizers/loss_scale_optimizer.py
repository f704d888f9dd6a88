"""LossScaleOptimizer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import jax.numpy as jnp

from lamina.core.typing import Tensor
from lamina.core.variable import Variable, unwrap
from lamina.errors import ConfigError
from lamina.optimizers.optimizer import BASE_ARGUMENTS, LearningRateLike, Optimizer
from lamina.optimizers.update import only_if
from lamina.spelling.arguments import unknown_arguments

__all__ = ["LossScaleOptimizer"]


class LossScaleOptimizer(Optimizer):
    """Multiplies the loss by a scale so that float16 gradients do not vanish, and divides the gradients by it before
    `inner_optimizer` uses them (Micikevicius et al. 2017, arXiv 1710.03740).

    A gradient that is not finite halves the scale and skips the step; `dynamic_growth_steps` finite steps double it.

    Args:
        inner_optimizer: The optimizer that updates the variables.
        initial_scale: First scale of the loss.
        dynamic_growth_steps: Number of finite steps after which the scale doubles.
        name: Name of the optimizer. None makes one from the class name.
        **kwargs: Accepted for compatibility: only `dynamic=True` and default values of base arguments.

    >>> import lamina as keras
    >>> optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=8.0)
    >>> weight = keras.Variable([1.0])
    >>> _ = optimizer.apply([[40.0]], [weight])
    >>> _ = optimizer.apply([[float("inf")]], [weight])
    >>> weight.numpy().tolist(), float(optimizer.dynamic_scale)
    ([0.5], 4.0)
    """

    _config_skips = BASE_ARGUMENTS - {"name"}

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(inner_optimizer, Optimizer) or isinstance(inner_optimizer, LossScaleOptimizer):
            raise ConfigError(
                f"inner_optimizer is an Optimizer that does not scale the loss; got {inner_optimizer!r}.",
                fix="LossScaleOptimizer(keras.optimizers.Adam())",
            )
        unused = {argument: value for argument, value in kwargs.items() if value not in (None, False)}
        if unused.get("ema_momentum") == 0.99:  # in configs of earlier versions of Keras
            del unused["ema_momentum"]
        if not kwargs.get("dynamic", True):
            raise ConfigError("LossScaleOptimizer has no `dynamic=False`: the scale moves.", fix="Leave dynamic out.")
        unused.pop("dynamic", None)
        if unused.keys() & BASE_ARGUMENTS:
            raise ConfigError(f"LossScaleOptimizer does not take {unused}.", fix="Give them to the inner optimizer.")
        if unused:
            raise unknown_arguments(self, unused)
        super().__init__(0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None

    def build(self, variables: Sequence[Variable]) -> None:
        if not hasattr(self, "dynamic_scale"):
            self.step_counter: Any = self._counter("step_counter")
            self.dynamic_scale: Any = self._scalar("dynamic_scale", self.initial_scale)
        self.inner_optimizer.ensure_built(variables)
        super().build(variables)

    @property
    def variables(self) -> list[Variable]:
        return [*super().variables, *self.inner_optimizer.variables]

    @property
    def iterations(self) -> Any:
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: LearningRateLike) -> None:
        self.inner_optimizer.learning_rate = learning_rate

    def scale_loss(self, loss: Any) -> Any:
        """`loss * dynamic_scale`."""
        return loss * (self.dynamic_scale.read() if self.built else self.initial_scale)

    def check_finite(self, grads: Sequence[Any]) -> Tensor:
        """Whether all numbers of all gradients are finite."""
        present = [unwrap(gradient) for gradient in grads if gradient is not None]
        return jnp.all(jnp.stack([jnp.all(jnp.isfinite(gradient)) for gradient in present]))

    def update(self, grads: Sequence[Any], variables: Sequence[Variable]) -> None:
        scale, counter = self.dynamic_scale.read(), self.step_counter.read()
        finite = self.check_finite(grads)
        unscaled = [g if v.overwrite_with_gradient else g / scale for g, v in zip(grads, variables, strict=True)]
        moved = [*self.inner_optimizer.variables, *variables]
        only_if(finite, moved, lambda: self.inner_optimizer.update(unscaled, variables))
        grown = counter + 1 == self.dynamic_growth_steps
        self.dynamic_scale.assign(scale * jnp.where(finite, jnp.where(grown, 2.0, 1.0), 0.5))
        self.step_counter.assign(jnp.where(finite & ~grown, counter + 1, 0))

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

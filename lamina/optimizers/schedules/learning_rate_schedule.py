"""LearningRateSchedule: a function of the step that gives the learning rate."""

from __future__ import annotations

from typing import Any

from lamina.core import registry
from lamina.core.configurable import Configurable
from lamina.core.typing import ArrayLike, Tensor
from lamina.core.variable import to_array, unwrap
from lamina.errors import MissingMethodError
from lamina.legacy import moved_from

__all__ = ["LearningRateSchedule"]


class LearningRateSchedule(Configurable):
    """Base of the schedules: `schedule(step) -> learning rate`, where step counts the batches from 0.

    >>> import lamina as keras
    >>> class Halving(keras.optimizers.schedules.LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.5**step
    >>> keras.optimizers.SGD(Halving()).learning_rate
    Array(1., dtype=float32, weak_type=True)
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if registry.is_builtin(cls):
            cls._keras_module = "keras.optimizers.schedules"
        super().__init_subclass__(**kwargs)

    def __call__(self, step: ArrayLike) -> Tensor:
        raise MissingMethodError(
            f"{type(self).__name__} needs a method that gives the learning rate.",
            fix="def __call__(self, step): return 0.01 * 0.99**step",
        )

    def momentum(self, step: ArrayLike) -> Tensor | None:
        """The momentum of this step, for schedules that change it beside the learning rate. None leaves it alone.

        It takes the place of `momentum` (SGD, RMSprop, Muon) or `beta_1` (Adam and its kin), and of the attribute that
        an optimizer of your own names in its class: `momentum_name = "momentum"`.
        """
        return None


def as_float(step: ArrayLike) -> Tensor:
    """The step as a float array."""
    return to_array(unwrap(step), "float32")


__getattr__: Any = moved_from(__name__)

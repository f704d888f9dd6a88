"""The schedules: learning rates that fall as training goes on."""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp

from lamina.core.typing import ArrayLike, Tensor
from lamina.errors import ConfigError
from lamina.optimizers.schedules.learning_rate_schedule import LearningRateSchedule, as_float

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
]


def _check_steps(**steps):
    for name, value in steps.items():
        if value <= 0:
            raise ConfigError(f"{name} is a number above 0; got {value!r}.", fix=f"{name}=1000")


class ExponentialDecay(LearningRateSchedule):
    """initial_learning_rate * decay_rate ** (step / decay_steps), the exponent cut to a whole number by `staircase`.

    Args:
        initial_learning_rate: Learning rate at step 0.
        decay_steps: Number of steps of one decay.
        decay_rate: Factor of one decay.
        staircase: Whether the rate falls in steps of `decay_steps` and not continuously.
        name: Name of the schedule.

    >>> import lamina as keras
    >>> float(keras.optimizers.schedules.ExponentialDecay(1.0, decay_steps=10, decay_rate=0.5)(20))
    0.25
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        _check_steps(decay_steps=decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: ArrayLike) -> Tensor:
        periods = as_float(step) / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (jnp.floor(periods) if self.staircase else periods)


class InverseTimeDecay(LearningRateSchedule):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps), the fraction cut to a whole number by `staircase`.

    Args:
        initial_learning_rate: Learning rate at step 0.
        decay_steps: Number of steps of one decay.
        decay_rate: Factor of one decay.
        staircase: Whether the rate falls in steps of `decay_steps` and not continuously.
        name: Name of the schedule.

    >>> import lamina as keras
    >>> float(keras.optimizers.schedules.InverseTimeDecay(1.0, decay_steps=10, decay_rate=0.5)(20))
    0.5
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        _check_steps(decay_steps=decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: ArrayLike) -> Tensor:
        periods = as_float(step) / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * (jnp.floor(periods) if self.staircase else periods))


class PolynomialDecay(LearningRateSchedule):
    """(initial - end) * (1 - step / decay_steps) ** power + end, then `end`; `cycle` lengthens decay_steps instead.

    Args:
        initial_learning_rate: Learning rate at step 0.
        decay_steps: Number of steps of one decay.
        end_learning_rate: Learning rate after `decay_steps`.
        power: Exponent of the polynomial.
        cycle: Whether `decay_steps` is lengthened to a multiple of itself so that the rate falls again.
        name: Name of the schedule.

    >>> import lamina as keras
    >>> float(keras.optimizers.schedules.PolynomialDecay(1.0, decay_steps=10, end_learning_rate=0.0)(5))
    0.5
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        _check_steps(decay_steps=decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: ArrayLike) -> Tensor:
        step, end = as_float(step), self.end_learning_rate
        if self.cycle:
            total = self.decay_steps * jnp.maximum(1.0, jnp.ceil(step / self.decay_steps))
        else:
            total = self.decay_steps
        left = 1 - jnp.minimum(step / total, 1)
        return (self.initial_learning_rate - end) * left**self.power + end


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[i] for boundaries[i - 1] < step <= boundaries[i]. There is one value more than boundaries.

    Args:
        boundaries: Steps at which the rate changes, in increasing order.
        values: Learning rates between the boundaries, one more than there are boundaries.
        name: Name of the schedule.

    >>> import lamina as keras
    >>> schedule = keras.optimizers.schedules.PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.25])
    >>> [float(schedule(step)) for step in (10, 11, 21)]
    [1.0, 0.5, 0.25]
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise ConfigError(
                f"There is one value more than boundaries; got {len(boundaries)} boundaries and {len(values)} values.",
                fix="PiecewiseConstantDecay(boundaries=[100], values=[0.1, 0.01])",
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: ArrayLike) -> Tensor:
        return jnp.asarray(self.values, "float32")[jnp.searchsorted(jnp.asarray(self.boundaries), as_float(step))]


class CosineDecay(LearningRateSchedule):
    """A half cosine from initial_learning_rate to `alpha` of it in decay_steps (Loshchilov & Hutter 2016, arXiv
    1608.03983).

    With `warmup_target` the rate first goes from initial_learning_rate up to it, in a line of warmup_steps.

    Args:
        initial_learning_rate: Learning rate at step 0.
        decay_steps: Number of steps of one decay.
        alpha: Lowest learning rate, as a share of the initial one.
        name: Name of the schedule.
        warmup_target: Learning rate at the end of the warm-up. None means no warm-up.
        warmup_steps: Number of steps over which the rate rises linearly to `warmup_target`.

    >>> import lamina as keras
    >>> float(keras.optimizers.schedules.CosineDecay(1.0, decay_steps=10, alpha=0.25)(10))
    0.25
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        _check_steps(decay_steps=decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: ArrayLike) -> Tensor:
        step, initial, target = as_float(step), self.initial_learning_rate, self.warmup_target
        if target is None:
            return initial * self._decayed(step)
        warming = initial + (target - initial) * step / max(self.warmup_steps, 1)
        return jnp.where(step < self.warmup_steps, warming, target * self._decayed(step - self.warmup_steps))

    def _decayed(self, step):
        return _half_cosine(jnp.clip(step / self.decay_steps, 0, 1), self.alpha, 1.0)


def _half_cosine(fraction, alpha, height):
    return (1 - alpha) * height * (1 + jnp.cos(jnp.pi * fraction)) / 2 + alpha


class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines, each `t_mul` times as long as and `m_mul` times as high as the one before; the first takes
    first_decay_steps (SGDR, Loshchilov & Hutter 2016, arXiv 1608.03983).

    Args:
        initial_learning_rate: Learning rate at step 0.
        first_decay_steps: Number of steps of the first half cosine.
        t_mul: Length of each half cosine as a multiple of the one before.
        m_mul: Height of each half cosine as a multiple of the one before.
        alpha: Lowest learning rate, as a share of the initial one.
        name: Name of the schedule.

    >>> import lamina as keras
    >>> schedule = keras.optimizers.schedules.CosineDecayRestarts(1.0, first_decay_steps=10)
    >>> [round(float(schedule(step)), 3) for step in (0, 5, 10, 20)]
    [1.0, 0.5, 1.0, 0.5]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        _check_steps(first_decay_steps=first_decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: ArrayLike) -> Tensor:
        passed = as_float(step) / self.first_decay_steps  # in lengths of the first half cosine
        if self.t_mul == 1.0:
            restarts, fraction = jnp.floor(passed), passed - jnp.floor(passed)
        else:  # n restarts take 1 + t + ... + t**(n - 1) = (1 - t**n) / (1 - t) of them
            restarts = jnp.floor(jnp.log(1 - passed * (1 - self.t_mul)) / jnp.log(self.t_mul))
            length = self.t_mul**restarts
            fraction = (passed - (1 - length) / (1 - self.t_mul)) / length
        return self.initial_learning_rate * _half_cosine(fraction, self.alpha, self.m_mul**restarts)

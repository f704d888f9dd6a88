"""OneCycle: a learning rate that rises to its largest value and falls far below its first, and momentum against it."""

from __future__ import annotations

import jax.numpy as jnp

from lamina.core.typing import ArrayLike, Tensor
from lamina.errors import ConfigError
from lamina.optimizers.schedules.learning_rate_schedule import LearningRateSchedule, as_float

__all__ = ["OneCycle"]


class OneCycle(LearningRateSchedule):
    """Half a cosine from `max_learning_rate / initial_divisor` up to `max_learning_rate`, then half a cosine down to
    `max_learning_rate / final_divisor`.

    With `p = step / total_steps`, `w = warmup_fraction` and `cos(a, b, t) = b + (a - b) * (1 + cos(pi * t)) / 2`, the
    rate is `cos(initial, max, p / w)` for p < w, and `cos(max, final, (p - w) / (1 - w))` from there on. After
    `total_steps` it stays at the last value.

    Momentum runs against it, along the same cosines: it falls from the larger number of `momentum_range` to the smaller
    one while the rate rises, and rises again while the rate falls. It replaces `momentum` of SGD, RMSprop and Muon,
    where that is above 0, and `beta_1` of Adam, AdamW, Adamax, Nadam, Lamb and Lion, which correct their bias by the
    `beta_1` of the step. Other optimizers keep their settings.

    Args:
        max_learning_rate: Largest learning rate, such as the `suggestion` of `keras.utils.find_learning_rate`.
        total_steps: Number of steps of the whole training: epochs times batches of an epoch.
        warmup_fraction: Share of the steps in which the rate rises.
        initial_divisor: The first rate is the largest one divided by this.
        final_divisor: The last rate is the largest one divided by this.
        momentum_range: Smallest and largest momentum. None leaves the optimizer's own momentum as it is.
        name: Name of the schedule.

    Raises:
        ConfigError: For numbers that are not above 0, a `warmup_fraction` outside 0 to 1, or a `momentum_range` that
            is no pair of rising numbers from 0 to below 1.

    Source: Smith and Topin, "Super-Convergence", 2019 (arXiv 1708.07120); Smith, "A disciplined approach", 2018 (arXiv
    1803.09820) for momentum; with the cosines and the defaults of fastai.

    >>> import lamina as keras
    >>> rate = keras.optimizers.schedules.OneCycle(0.1, total_steps=100)
    >>> [round(float(rate(step)), 6) for step in (0, 25, 100)]
    [0.004, 0.1, 1e-06]
    >>> [round(float(rate.momentum(step)), 6) for step in (0, 25, 100)]
    [0.95, 0.85, 0.95]
    """

    def __init__(
        self,
        max_learning_rate: float,
        total_steps: int,
        warmup_fraction: float = 0.25,
        initial_divisor: float = 25.0,
        final_divisor: float = 1e5,
        momentum_range: tuple[float, float] | None = (0.85, 0.95),
        name: str = "OneCycle",
    ) -> None:
        numbers = {
            "max_learning_rate": max_learning_rate, "total_steps": total_steps, "initial_divisor": initial_divisor,
            "final_divisor": final_divisor,
        }  # fmt: skip
        wrong = next((key for key, value in numbers.items() if not value > 0), None)
        if wrong is not None:
            raise ConfigError(
                f"{wrong} of OneCycle is a number above 0; got {numbers[wrong]!r}.",
                fix="keras.optimizers.schedules.OneCycle(0.01, total_steps=1000)",
            )
        if not 0 < warmup_fraction < 1:
            raise ConfigError(
                f"warmup_fraction is a number between 0 and 1; got {warmup_fraction!r}.", fix="warmup_fraction=0.25"
            )
        if momentum_range is not None and not (
            len(momentum_range) == 2 and 0 <= momentum_range[0] <= momentum_range[1] < 1
        ):
            raise ConfigError(
                f"momentum_range is the smallest and the largest momentum, from 0 to below 1; got {momentum_range!r}.",
                fix="momentum_range=(0.85, 0.95)",
            )
        self.max_learning_rate = max_learning_rate
        self.total_steps = total_steps
        self.warmup_fraction = warmup_fraction
        self.initial_divisor = initial_divisor
        self.final_divisor = final_divisor
        self.momentum_range = momentum_range
        self.name = name

    def __call__(self, step: ArrayLike) -> Tensor:
        largest = self.max_learning_rate
        return self._cycle(step, largest / self.initial_divisor, largest, largest / self.final_divisor)

    def momentum(self, step: ArrayLike) -> Tensor | None:
        """The momentum of this step; None without a `momentum_range`."""
        if self.momentum_range is None:
            return None
        smallest, largest = self.momentum_range
        return self._cycle(step, largest, smallest, largest)

    def _cycle(self, step, first, middle, last):
        warmup, share = self.warmup_fraction, jnp.clip(as_float(step) / self.total_steps, 0, 1)
        rising, falling = _cosine(first, middle, share / warmup), _cosine(middle, last, (share - warmup) / (1 - warmup))
        return jnp.where(share < warmup, rising, falling)


def _cosine(first, last, share):
    return last + (first - last) * (1 + jnp.cos(jnp.pi * share)) / 2

"""OneCycle: a learning rate that rises to its largest value and falls far below its first."""

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

    Args:
        max_learning_rate: Largest learning rate, such as the `suggestion` of `keras.utils.find_learning_rate`.
        total_steps: Number of steps of the whole training: epochs times batches of an epoch.
        warmup_fraction: Share of the steps in which the rate rises.
        initial_divisor: The first rate is the largest one divided by this.
        final_divisor: The last rate is the largest one divided by this.
        name: Name of the schedule.

    Raises:
        ConfigError: For numbers that are not above 0, or a `warmup_fraction` outside 0 to 1.

    Source: Smith and Topin, "Super-Convergence", 2019 (arXiv 1708.07120), with the cosines and the defaults of fastai.

    >>> import lamina as keras
    >>> rate = keras.optimizers.schedules.OneCycle(0.1, total_steps=100)
    >>> [round(float(rate(step)), 6) for step in (0, 25, 100)]
    [0.004, 0.1, 1e-06]
    """

    def __init__(
        self,
        max_learning_rate: float,
        total_steps: int,
        warmup_fraction: float = 0.25,
        initial_divisor: float = 25.0,
        final_divisor: float = 1e5,
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
        self.max_learning_rate = max_learning_rate
        self.total_steps = total_steps
        self.warmup_fraction = warmup_fraction
        self.initial_divisor = initial_divisor
        self.final_divisor = final_divisor
        self.name = name

    def __call__(self, step: ArrayLike) -> Tensor:
        largest, warmup = self.max_learning_rate, self.warmup_fraction
        share = jnp.clip(as_float(step) / self.total_steps, 0, 1)
        rising = _cosine(largest / self.initial_divisor, largest, share / warmup)
        falling = _cosine(largest, largest / self.final_divisor, (share - warmup) / (1 - warmup))
        return jnp.where(share < warmup, rising, falling)


def _cosine(first, last, share):
    return last + (first - last) * (1 + jnp.cos(jnp.pi * share)) / 2

"""Rows or files in a random order, as a part for training and one for validation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lamina.core.arguments import choice, real
from lamina.errors import ConfigError, DataError

__all__ = ["parts_of"]


def parts_of(
    count: int, validation_split: float | None, subset: str | None, shuffle: bool, seed: int | None, unit: str
) -> Iterator[tuple[str, Any, bool, int]]:
    """(name, numbers of its samples, whether each pass shuffles them anew, seed) of each part that `subset` names.

    The order is Keras's for the same seed. Of both parts, only the first is shuffled anew.

    Args:
        count: Number of samples.
        validation_split: Share of the samples for validation, or None.
        subset: "training", "validation", "both", or None for all samples.
        shuffle: Whether to shuffle the samples.
        seed: Seed of the shuffling; None draws one.
        unit: What a sample is, for errors: "file".

    Raises:
        ConfigError: The arguments do not fit each other.
        DataError: A part is empty.
    """
    held_out = _validation_count(count, validation_split, subset, shuffle, seed, unit)
    seed = np.random.randint(1_000_000) if seed is None else seed
    order = np.arange(count)
    if shuffle:
        np.random.RandomState(seed).shuffle(order)
    parts = {"training": order[: count - held_out], "validation": order[count - held_out :]}
    for name in parts if subset == "both" else [subset or "training"]:
        if not len(parts[name]):
            raise DataError(
                f"No {unit} is left for {name}: there are {count}, with validation_split={validation_split}.",
                fix="validation_split=0.5",
            )
        yield name, parts[name], shuffle and not (subset == "both" and name == "validation"), seed


def _validation_count(count, validation_split, subset, shuffle, seed, unit):
    if (validation_split is None) != (subset is None):
        raise ConfigError("validation_split and subset belong together.", fix="validation_split=0.2, subset='training'")
    if validation_split is None:
        return 0
    real("dataset", "validation_split", validation_split, 0, 1, 0.2, "()")
    choice("dataset", "subset", subset, ("training", "validation", "both"))
    if shuffle and seed is None:
        raise ConfigError(f"A split of shuffled {unit}s needs a seed, the same for both parts.", fix="seed=0")
    return int(validation_split * count)

"""The plan of a training: its callbacks, schedule, samples and steps."""

from __future__ import annotations

import inspect
import math
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from lamina.check.subject import Subject
from lamina.core import tree

__all__ = [
    "callbacks_of", "first_rates", "has_learned", "is_fresh_model", "is_from_scratch", "optimizer_of", "rate_of",
    "samples_of", "schedule_of", "steps_of",
]  # fmt: skip

_PLAIN = {"min", "max", "pow", "abs", "float", "int", "round", *dir(math), *dir(np)}


def optimizer_of(subject: Subject) -> Any:
    """The optimizer that computes the updates: the one inside where another scales the loss.

    Args:
        subject: What is checked.
    """
    optimizer = subject.model.optimizer
    return getattr(optimizer, "inner_optimizer", optimizer)


def schedule_of(optimizer: Any) -> Any:
    """The schedule of the learning rate; None where the rate is a number.

    Args:
        optimizer: Optimizer.
    """
    given = getattr(optimizer, "_learning_rate", None)
    return given if hasattr(given, "get_config") and callable(given) else None


def rate_of(optimizer: Any) -> float | None:
    """The learning rate; None where a schedule gives it, or there is none.

    Args:
        optimizer: Optimizer, or None.
    """
    rate = getattr(optimizer, "learning_rate", None)
    return None if rate is None or schedule_of(optimizer) is not None else float(np.asarray(rate))


def callbacks_of(subject: Subject) -> list[Any]:
    """The callbacks that are passed to fit.

    Args:
        subject: What is checked.
    """
    return [one for one in tree.flatten(subject.settings.get("callbacks")) if one is not None]


def samples_of(subject: Subject) -> int | None:
    """How many samples fit trains on; None where this is not known.

    Args:
        subject: What is checked.
    """
    known = subject.settings.get("samples")
    leaves = [leaf for leaf in tree.flatten(subject.x) if leaf is not None] if subject.x is not None else []
    return known or (len(leaves[0]) if leaves and getattr(leaves[0], "ndim", 0) else None)


def steps_of(subject: Subject) -> int | None:
    """How many steps fit makes; None where this is not known.

    Args:
        subject: What is checked.
    """
    settings = subject.settings
    batches, epochs, samples = settings.get("steps_per_epoch"), settings.get("epochs"), samples_of(subject)
    if not batches and samples:
        held_out = settings.get("validation_split") or 0
        size = settings.get("batch_size") or 32
        batches = -(-int(samples * (1 - held_out)) // size) if not settings.get("samples") else -(-samples // size)
    return batches * epochs if batches and epochs else None


def is_fresh_model(model: Any) -> bool:
    """Whether a compiled model has made no step.

    Args:
        model: Model.
    """
    return model.optimizer is not None and not int(np.asarray(model.optimizer.iterations))


def is_from_scratch(subject: Subject) -> bool:
    """Whether what is trained is new: all layers are, from the first step on, or those that are not frozen.

    Args:
        subject: What is checked.
    """
    weighted = [fact for fact in subject.facts if not fact.inner and fact.is_affine and fact.count]
    begun = subject.model.optimizer is not None and int(np.asarray(subject.model.optimizer.iterations))
    trained = [fact for fact in weighted if fact.trainable_count]
    frozen = [fact for fact in weighted if not fact.trainable_count]
    new = all(map(_is_as_drawn, trained)) and not any(map(_is_as_drawn, frozen))
    return not begun and bool(trained) and (not frozen or new)


def _is_as_drawn(fact):
    """Whether the biases of a layer are the zeros that they began as; not where it has none."""
    bias = getattr(fact.layer, "bias", None)
    zeros = type(getattr(fact.layer, "bias_initializer", None)).__name__ == "Zeros"
    return bias is not None and zeros and not np.any(bias.numpy())


def has_learned(model: Any) -> bool:
    """Whether weights are not those that a model began with: it was fitted, or most biases that begin as zeros are
    others.

    Args:
        model: Model.
    """
    zeros = [
        layer for layer in model._flatten_layers() if type(getattr(layer, "bias_initializer", None)).__name__ == "Zeros"
    ]
    biases = [layer.bias for layer in zeros if getattr(layer, "bias", None) is not None]
    moved = sum(bool(np.any(bias.numpy())) for bias in biases)
    return getattr(model, "history", None) is not None or moved * 2 > len(biases)


def first_rates(schedule: Any, start: float, count: int) -> list[float]:
    """The learning rates of the first epochs by a function of LearningRateScheduler; none where it may do more than
    compute a rate, since it is called here.

    Args:
        schedule: Function of epoch, or of epoch and rate.
        start: Rate before the first epoch.
        count: Number of epochs.
    """
    if not isinstance(schedule, FunctionType) or not _only_computes(schedule):
        return []
    several, rates = len(inspect.signature(schedule).parameters) > 1, [start]
    try:
        for epoch in range(count):
            rates.append(float(schedule(epoch, rates[-1]) if several else schedule(epoch)))
    except Exception:  # of the user's function: fit will say so
        return []
    return rates[1:]


def _only_computes(function):
    """Whether all that a function takes from outside is numbers, functions of math and NumPy, and a few of Python's."""
    outside = [cell.cell_contents for cell in function.__closure__ or ()]
    for name in set(function.__code__.co_names) - _PLAIN:
        outside.append(function.__globals__.get(name))
    return all(isinstance(value, (int, float, ModuleType)) for value in outside)

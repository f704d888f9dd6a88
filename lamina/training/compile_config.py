"""The arguments of `compile` that a config holds: each is of the kind that its place takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from lamina import losses, metrics
from lamina.core import registry, tree
from lamina.core.read_limits import check_size
from lamina.errors import ConfigError
from lamina.training.compile import AMBIGUOUS

__all__ = ["check_compile_config"]

_FAMILIES = {
    "loss": (losses.get, losses.Loss, "a loss, its name or None"),
    "metrics": (metrics.get, (metrics.Metric, losses.Loss), "a metric, its name or None"),
    "weighted_metrics": (metrics.get, (metrics.Metric, losses.Loss), "a metric, its name or None"),
}


def check_compile_config(config: Mapping[str, Any]) -> None:
    """Refuse settings with which no step could be computed, before they are used.

    Args:
        config: Arguments of `compile` by name, with objects in place of their descriptions.

    Raises:
        ConfigError: A loss or metric is of another kind or unknown, or a number is none or out of range.

    >>> check_compile_config({"loss": [1]})
    Traceback (most recent call last):
    lamina.errors.ConfigError: loss in the compile settings is 1; it is a loss, its name or None.
    """
    for name, (get, family, kind) in _FAMILIES.items():
        for one in tree.flatten(config.get(name)):
            if not _is_of(one, get, family):
                raise _wrong(name, one, kind)
    for weight in tree.flatten(config.get("loss_weights")):
        if not (weight is None or (isinstance(weight, Real) and math.isfinite(weight))):
            raise _wrong("loss_weights", weight, "a finite number or None")
    steps = config.get("steps_per_execution")
    if steps is not None and (not isinstance(steps, Integral) or steps < 1):
        raise _wrong("steps_per_execution", steps, "a whole number from 1")
    check_size(int(steps or 1), "steps_per_execution")
    for name, words in (("run_eagerly", ()), ("auto_scale_loss", ()), ("jit_compile", ("auto",))):
        value = config.get(name)
        if not (value is None or value in (0, 1) or (isinstance(value, str) and value in words)):
            raise _wrong(name, value, " or ".join(["True or False", *map(repr, words)]))


def _is_of(one, get, family):
    """Whether it is of the family or of the program. An unknown name raises the error that tells the known ones."""
    if isinstance(one, str):
        one = None if one.lower() in AMBIGUOUS else get(one)
    kind = one if isinstance(one, type) else type(one)
    return one is None or issubclass(kind, family) or (callable(one) and not registry.is_builtin(kind))


def _wrong(name, value, kind):
    text = repr(value)
    text = text if len(text) <= 60 else f"{text[:57]}..."
    return ConfigError(f"{name} in the compile settings is {text}; it is {kind}.")

"""Arguments of optimizers as other libraries take them: errors that show the code that was meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from lamina.errors import CallError, ConfigError, warn
from lamina.spelling.nearest import nearest

__all__ = ["check_pairs", "check_rate", "check_shares", "warn_of_slip"]


def check_rate(optimizer: Any, learning_rate: Any) -> None:
    """Raise an error for a learning rate that is a text, or the variables of a model.

    Args:
        optimizer: Optimizer that is made.
        learning_rate: What it got.
    """
    if isinstance(learning_rate, (list, tuple)) and any(hasattr(one, "trainable") for one in learning_rate):
        name = type(optimizer).__name__
        message = f"{name} takes no variables: `fit` and `apply_gradients` hand them over."
        raise ConfigError(message, fix=f"keras.optimizers.{name}(learning_rate=0.001)")
    if isinstance(learning_rate, (list, tuple)) and learning_rate:
        message = f"learning_rate is one number or a schedule; got {learning_rate!r}."
        raise ConfigError(message, fix=f"learning_rate={learning_rate[0]!r}")
    if isinstance(learning_rate, str):
        message = f"learning_rate is a number or a schedule; got {learning_rate!r}."
        raise ConfigError(message, fix="learning_rate=0.001")


def warn_of_slip(optimizer: Any, name: str, value: Any) -> None:
    """Warn of an assignment to a name that is nearly `learning_rate`, and changes nothing.

    Args:
        optimizer: Optimizer.
        name: Name of the attribute.
        value: What it gets.
    """
    is_near = name[:1] == "l" and not hasattr(type(optimizer), name)
    for meant in nearest(name, ["learning_rate"], strict=True) if is_near else []:
        message = f"{type(optimizer).__name__} has no attribute {name!r}, so this changes nothing."
        warn(f"{message}\noptimizer.{meant} = {value!r}")


_USUAL = {"beta_1": 0.9, "beta_2": 0.999, "rho": 0.9, "momentum": 0.9, "adam_beta_1": 0.9, "adam_beta_2": 0.999}


def check_shares(**shares: Any) -> None:
    """Raise an error for a momentum or a decay that is no number between 0 and 1.

    Args:
        **shares: Values of arguments by their names. Arrays and variables, which may be traced, are taken as they are.
    """
    for name, value in shares.items():
        number = isinstance(value, (int, float, np.number))
        if value is None or isinstance(value, (str, list, tuple)) or (number and not 0 <= float(value) <= 1):  # pyright: ignore
            raise ConfigError(f"{name} is a number between 0 and 1; got {value!r}.", fix=f"{name}={_USUAL[name]}")


def check_pairs(grads_and_vars: Iterable[Any]) -> list[Any]:
    """The pairs (gradient, variable) as a list.

    Args:
        grads_and_vars: Pairs.

    Raises:
        CallError: Something is no pair.
    """
    pairs = list(grads_and_vars)
    if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs):
        raise CallError(
            "apply_gradients takes pairs (gradient, variable).",
            fix="optimizer.apply_gradients(zip(gradients, model.trainable_variables))",
        )
    return pairs

"""Arguments of optimizers as other libraries take them: errors that show the code that was meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lamina.errors import CallError, ConfigError

__all__ = ["check_pairs", "check_rate", "check_share"]


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
    if isinstance(learning_rate, str):
        message = f"learning_rate is a number or a schedule; got {learning_rate!r}."
        raise ConfigError(message, fix="learning_rate=0.001")


def check_share(name: str, value: Any, usual: float) -> None:
    """Raise an error for a momentum that is no number between 0 and 1.

    Args:
        name: Name of the argument.
        value: What it got.
        usual: A usual value.
    """
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ConfigError(f"{name} is a number between 0 and 1; got {value!r}.", fix=f"{name}={usual}")


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

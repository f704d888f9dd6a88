"""`keras.backend` for graphs and sessions of TensorFlow 1: settings are told and left aside, the rest raises."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import jax

from lamina.errors import CallError
from lamina.legacy import warn_renamed
from lamina.utils.session import clear_session

__all__ = [
    "get_session", "is_placeholder", "is_sparse", "learning_phase_scope", "manual_variable_initialization",
    "print_tensor", "reset_uids", "set_session", "to_dense",
]  # fmt: skip


def set_session(session: Any) -> None:
    """Nothing: there are no sessions. JAX takes its settings from environment variables, such as
    XLA_PYTHON_CLIENT_PREALLOCATE=false in place of allow_growth.

    Args:
        session: Not used.
    """
    warn_renamed(
        "set_session has no effect: there are no sessions since Keras 2.4. In place of allow_growth, set the"
        " environment variable XLA_PYTHON_CLIENT_PREALLOCATE=false."
    )


def get_session(*_: Any, **__: Any) -> Any:
    """An error: there are no sessions.

    Args:
        *_: Not used.
        **__: Not used.

    Raises:
        CallError: Always; it says what to write.
    """
    raise CallError(
        "There is no session to get: lamina computes at once, as Keras does since 2.4.",
        fix="outputs = model.predict(x); value = keras.backend.get_value(variable)",
    )


def manual_variable_initialization(value: bool) -> None:
    """Nothing: variables have their values from the start.

    Args:
        value: Not used.
    """
    warn_renamed("manual_variable_initialization has no effect: variables have values at once since Keras 3.")


def reset_uids() -> None:
    """`keras.utils.clear_session()` without the rest: names are counted from the start again."""
    warn_renamed("reset_uids is keras.utils.clear_session() since Keras 3.")
    clear_session()


@contextlib.contextmanager
def learning_phase_scope(value: Any) -> Iterator[None]:
    """Nothing; pass `training=True` to calls.

    Args:
        value: 0 or 1; 1 is an error.

    Raises:
        CallError: For 1.
    """
    if value:
        raise CallError("There is no global learning phase any more.", fix="model(x, training=True)")
    yield


def print_tensor(x: Any, message: str = "") -> Any:
    """`jax.debug.print`: prints a tensor each time it is computed, and returns it.

    Args:
        x: Tensor.
        message: Text before it.
    """
    jax.debug.print(message.replace("{", "{{").replace("}", "}}") + "{x}", x=getattr(x, "value", x))
    return x


def is_placeholder(x: Any) -> bool:
    """Whether x is a `keras.Input`.

    Args:
        x: Tensor.
    """
    return type(getattr(getattr(x, "_keras_history", None), "operation", None)).__name__ == "InputLayer"


def is_sparse(tensor: Any) -> bool:
    """Whether a tensor is marked as sparse; values are dense.

    Args:
        tensor: Tensor.
    """
    return bool(getattr(tensor, "sparse", False))


def to_dense(tensor: Any) -> Any:
    """The tensor: values are dense.

    Args:
        tensor: Tensor.
    """
    return tensor.toarray() if hasattr(tensor, "toarray") else tensor

"""Functions of a program as they are traced. In programs for TensorFlow, `if` and loops on tensors are rewritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["rewrite_with", "rewritten"]

_rewrite: Callable[[Any], Any] | None = None


def rewrite_with(function: Callable[[Any], Any]) -> None:
    """Let `rewritten` return what a function makes of each function, in this process.

    Args:
        function: Function of a function.
    """
    global _rewrite
    _rewrite = function


def rewritten(function: Any) -> Any:
    """A function of the program, or what runs in its place.

    Args:
        function: Method `call` of a layer, `train_step` of a model, loss, metric or schedule.
    """
    return function if _rewrite is None else _rewrite(function)

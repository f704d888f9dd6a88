"""Steps of programs for TensorFlow whose shapes depend on values: op by op, as a tf.function that has them runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamina.core.recording import NEEDS_VALUES
from lamina.errors import warn

__all__ = ["allow", "is_allowed", "or_op_by_op"]

_allowed = False


def allow() -> None:
    """Let steps run op by op where they cannot be compiled, from now on in this process."""
    global _allowed
    _allowed = True


def is_allowed() -> bool:
    """Whether steps may run op by op."""
    return _allowed


def or_op_by_op(runner: Any, kind: str, name: str, compiled: Any) -> Any:
    """A compiled step that, after `allow`, runs op by op from its first call on if it asks for values of tensors.

    Args:
        runner: Runner of a model.
        kind: "train", "test" or "predict".
        name: Name of the program.
        compiled: The compiled step, which has not run yet.
    """
    if not _allowed or runner.model.run_eagerly:
        return compiled
    return _OrOpByOp(f"The {kind} step of {runner.model.name}", compiled, lambda: runner.build_step(kind, None, name))


class _OrOpByOp:
    """See `or_op_by_op`."""

    def __init__(self, name: str, compiled: Any, make: Callable[[], Any]) -> None:
        self._name, self._step, self._make = name, compiled, make

    def __call__(self, *args: Any) -> Any:
        try:
            return self._step(*args)
        except NEEDS_VALUES as error:
            if self._make is None:
                raise
            step = self._make()
            results = step(*args)
            self._step, self._make = step, None
            reason = str(error).split("\n")[0]
            warn(
                f"{self._name} runs op by op, as with compile(run_eagerly=True), not as one compiled program: {reason}"
            )
            return results

    def __getattr__(self, name: str) -> Any:
        return getattr(self._step, name)

"""Steps of programs for TensorFlow whose shapes depend on values: op by op, as a tf.function that has them runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamina.core import registry, tree
from lamina.core.recording import NEEDS_VALUES
from lamina.errors import warn

__all__ = ["allow", "has_texts", "host_step_of", "is_allowed", "or_op_by_op"]

_allowed = False


def allow() -> None:
    """Let steps run op by op where they cannot be compiled, from now on in this process."""
    global _allowed
    _allowed = True


def is_allowed() -> bool:
    """Whether steps may run op by op."""
    return _allowed


def has_texts(values: Any) -> bool:
    """Whether a structure of arrays, or of their specs, has texts.

    Args:
        values: Nested arrays.
    """
    dtypes = [getattr(leaf, "dtype", None) for leaf in tree.flatten(values)]
    return any(str(dtype) == "string" or getattr(dtype, "kind", "f") in "OUS" for dtype in dtypes)


def host_step_of(model: Any, x: Any) -> Callable[[Any], Any] | None:
    """What makes the inputs of a step of texts: the host step of the model or, after `allow`, none for a model whose
    own code reads them. None where the inputs are no texts.

    Args:
        model: Model.
        x: What `fit` was given.
    """
    step, kind = model._host_step(), type(model)
    if step is not None or not _allowed or getattr(model, "_graph", None):
        return step
    if registry.is_builtin(kind.call) and registry.is_builtin(kind.train_step):
        return None
    spec = getattr(x, "element_spec", None)
    inputs = spec[0] if isinstance(spec, tuple) else spec
    return (lambda given: given) if has_texts(x if spec is None else inputs) else None


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


class TextInStep(Exception):
    """A step gets texts, which no compiled program takes."""


class _OrOpByOp:
    """See `or_op_by_op`."""

    def __init__(self, name: str, compiled: Any, make: Callable[[], Any]) -> None:
        self._name, self._step, self._make, self._is_first = name, compiled, make, True

    def __call__(self, *args: Any) -> Any:
        try:
            if self._is_first:
                self._is_first = False
                if has_texts(args[-1]):
                    raise TextInStep("it reads texts")
            return self._step(*args)
        except (*NEEDS_VALUES, TextInStep) as error:
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

"""Tape: what ran inside a block, and gradients through it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.context import open_tapes, recording_on
from lamina.core.recording import Record, is_real, recorded, recording, zeros_like
from lamina.core.variable import Variable
from lamina.errors import LaminaError, warn

__all__ = ["FunctionTape", "Tape", "TapeError"]


class TapeError(LaminaError, RuntimeError):
    """A tape is asked for what it cannot know."""


class Tape:
    """What ran inside `with tape:`, and gradients through it.

    Args:
        persistent: Whether `gradient` may be called more than once.
        watch_accessed_variables: Whether the gradients of trainable variables are known without `watch`.
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self.records: list[Record] = []
        self._persistent, self._watches_variables = persistent, watch_accessed_variables
        self._watched: dict[int, Any] = {}
        self._variables: dict[Variable, Any] = {}
        self._read: dict[Variable, Any] = {}
        self._replaced: dict[Variable, list[Any]] = {}  # values that variables had while the tape was open
        self._is_used, self._tokens = False, []

    def __enter__(self) -> Self:
        self._tokens.append(open_tapes.set((*open_tapes.get(), self)))
        return self

    def __exit__(self, *_: Any) -> None:
        open_tapes.reset(self._tokens.pop())

    def watch(self, tensor: Any) -> None:
        """Let gradients with respect to arrays or variables be asked for.

        Args:
            tensor: Array, variable, or nested lists and dicts of them.
        """
        for leaf in _leaves(tensor):
            if isinstance(leaf, Variable):
                self._variables[leaf] = None
            elif not isinstance(leaf, jax.Array) or not is_real(leaf):
                found = getattr(leaf, "dtype", type(leaf).__name__)
                warn(f"A tape watches tensors of floating-point numbers; got {found}, which has no gradient.")
            else:
                self._watched[id(leaf)] = leaf

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables that `watch` was called with and, where it watches them by itself, those that were read."""
        return tuple({**self._variables, **{v: None for v in self._read if self._knows(v)}})

    def reads(self, variable: Variable) -> None:
        """Note that a variable is read.

        Args:
            variable: Variable.
        """
        self._read[variable] = None

    def assigned(self, variable: Variable, value: Any) -> Any:
        """Note that a variable gets a new value, which does not depend on what was recorded.

        Args:
            variable: Variable.
            value: Its new value.

        Returns:
            The value, as an array of its own.
        """
        self._replaced.setdefault(variable, []).append(variable.read())
        return jnp.array(value)

    def _values(self, source):
        """The arrays whose gradients are those of a source."""
        return [_value(source), *self._replaced.get(source, ())] if isinstance(source, Variable) else [source]

    def stop_recording(self) -> AbstractContextManager[Any]:
        """Let what runs in the block be left out."""
        return recording_on(*(tape for tape in open_tapes.get() if tape is not self))

    def reset(self) -> None:
        """Forget what was recorded."""
        self.records.clear()
        self._watched.clear()
        self._variables.clear()
        self._read.clear()
        self._is_used = False

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: Any = "none"
    ) -> Any:
        """The gradients of the sum of the targets.

        Args:
            target: Array, or nested arrays.
            sources: Variables and arrays that were watched, or nested lists and dicts of them.
            output_gradients: Cotangents of the targets; None means ones.
            unconnected_gradients: "none" gives None for sources that the targets do not depend on, "zero" zeros.

        Returns:
            For each source a gradient of its shape, in the structure of the sources.

        Raises:
            TapeError: (a RuntimeError) The tape is not persistent and was used already.
        """
        if self._is_used and not self._persistent:
            raise TapeError(
                "A tape that is not persistent gives gradients once.", fix="tf.GradientTape(persistent=True)"
            )
        self._is_used = True
        with self.stop_recording():
            cotangents = self._pulled_back(_leaves(target), _leaves(sources), _leaves(output_gradients))
        if not self._persistent:
            self.records = []
        zero = getattr(unconnected_gradients, "value", unconnected_gradients) == "zero"

        def of(source):
            value = _value(source)
            found = None
            for array in self._values(source) if self._knows(source) else ():
                if (part := cotangents.get(id(array))) is not None:
                    found = part if found is None else recorded(jnp.add, (found, part), {})
            return zeros_like(value) if found is None and zero else found

        return jax.tree_util.tree_map(of, sources, is_leaf=_is_leaf)

    def _knows(self, source):
        if isinstance(source, Variable):
            return source in self._variables or (self._watches_variables and source.trainable)
        return True

    def _pulled_back(self, targets, sources, output_gradients):
        """id of an array -> its cotangent, for what lies between sources and targets."""
        known = {*self._watched, *(id(array) for record in self.records for array in record.outputs)}
        reached = {
            id(array) for source in sources if self._knows(source) for array in self._values(source)
            if isinstance(source, Variable) or id(array) in known
        }  # fmt: skip
        path = []
        for record in self.records:
            if any(id(array) in reached for array in record.inputs):
                reached.update(map(id, record.outputs))
                path.append(record)
        cotangents: dict[int, Any] = {}
        for place, target in enumerate(map(_value, targets)):
            given = output_gradients[place] if place < len(output_gradients) else None
            ones = jnp.ones(target.shape, target.dtype) if given is None else jnp.asarray(given, target.dtype)
            if id(target) in reached:
                _add(cotangents, target, ones)
        for record in reversed(path):
            given = [cotangents.get(id(array)) for array in record.outputs]
            if any(cotangent is not None for cotangent in given):
                for array, cotangent in zip(record.inputs, record.pull(given), strict=True):
                    if cotangent is not None and id(array) in reached:
                        _add(cotangents, array, cotangent)
        return cotangents

    def jacobian(
        self, target: Any, sources: Any, unconnected_gradients: Any = "none", parallel_iterations: Any = None,
        experimental_use_pfor: Any = True,
    ) -> Any:  # fmt: skip
        """The derivatives of each element of a target: the shape of the target, then that of the source.

        Args:
            target: Array.
            sources: As for `gradient`.
            unconnected_gradients: As for `gradient`.
            parallel_iterations: Ignored.
            experimental_use_pfor: Ignored.
        """
        target = _value(target)
        rows = self._rows(target, sources, np.eye(target.size).reshape(-1, *target.shape), unconnected_gradients)
        return jax.tree_util.tree_map(lambda part: part.reshape(*target.shape, *part.shape[1:]), rows)

    def batch_jacobian(self, target: Any, source: Any, unconnected_gradients: Any = "none", **_: Any) -> Any:
        """The Jacobian of each sample, which depends on that sample alone: (batch, ...target, ...source).

        Args:
            target: Array of shape (batch, ...).
            source: Array of shape (batch, ...).
            unconnected_gradients: As for `gradient`.
        """
        target, shape = _value(target), _value(source).shape
        ones = np.eye(target[0].size).reshape(-1, 1, *target.shape[1:]) * np.ones(
            (1, shape[0], *(1,) * (target.ndim - 1))
        )
        rows = self._rows(target, source, ones, unconnected_gradients)
        return None if rows is None else jnp.moveaxis(rows, 0, 1).reshape(shape[0], *target.shape[1:], *shape[1:])

    def _rows(self, target, sources, output_gradients, unconnected_gradients):
        """The gradients for each of several cotangents of a target, stacked; together unless another tape records."""
        persistent, self._persistent = self._persistent, True
        cotangents = jnp.asarray(output_gradients, target.dtype)

        def of(cotangent):
            return self.gradient(target, sources, cotangent, unconnected_gradients)

        try:
            with self.stop_recording():
                if not recording():
                    return jax.vmap(of)(cotangents)
            return jax.tree_util.tree_map(lambda *parts: jnp.stack(parts), *map(of, cotangents))
        finally:
            self._persistent = persistent
            self._is_used = True


def _is_leaf(value):
    return value is None or isinstance(value, Variable)


def _leaves(value: Any) -> list[Any]:
    return [] if value is None else jax.tree_util.tree_leaves(value, is_leaf=_is_leaf)


def _value(source):
    return source.read() if isinstance(source, Variable) else source


def _add(cotangents, array, cotangent):
    known = cotangents.get(id(array))
    cotangents[id(array)] = cotangent if known is None else recorded(jnp.add, (known, cotangent), {})


class FunctionTape(Tape):
    """Records a function, or a graph of symbolic tensors, in which gradients of values are asked for."""

    def __init__(self) -> None:
        super().__init__(persistent=True)

    def _pulled_back(self, targets: Any, sources: Any, output_gradients: Any) -> Any:
        self.watch([source for source in sources if isinstance(source, jax.Array)])
        return super()._pulled_back(targets, sources, output_gradients)

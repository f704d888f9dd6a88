"""Tape: what ran inside a block, and gradients through it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.recording import Record, is_real, open_tapes, recorded, zeros_like
from lamina.core.variable import Variable
from lamina.errors import CallError, ConfigError

__all__ = ["Tape"]


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
                raise ConfigError(
                    f"A tape watches tensors of floating-point numbers; got {getattr(leaf, 'dtype', type(leaf))}.",
                    fix="tape.watch(tf.cast(x, 'float32')), and use the result of the cast",
                )
            else:
                self._watched[id(leaf)] = leaf

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables that `watch` was called with."""
        return tuple(self._variables)

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Let what runs in the block be left out."""
        token = open_tapes.set(tuple(tape for tape in open_tapes.get() if tape is not self))
        try:
            yield
        finally:
            open_tapes.reset(token)

    def reset(self) -> None:
        """Forget what was recorded."""
        self.records.clear()
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
            CallError: The tape is not persistent and was used already.
        """
        if self._is_used and not self._persistent:
            raise CallError(
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
            found = cotangents.get(id(value)) if self._knows(source) else None
            return zeros_like(value) if found is None and zero else found

        return jax.tree_util.tree_map(of, sources, is_leaf=_is_leaf)

    def _knows(self, source):
        if isinstance(source, Variable):
            return source in self._variables or (self._watches_variables and source.trainable)
        return True

    def _pulled_back(self, targets, sources, output_gradients):
        """id of an array -> its cotangent, for what lies between sources and targets."""
        reached = {id(_value(source)) for source in sources if self._knows(source)}
        reached &= {*self._watched, *(id(a) for r in self.records for a in r.outputs), *(
            id(_value(source)) for source in sources if isinstance(source, Variable))}  # fmt: skip
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
        rows, persistent = [], self._persistent
        self._persistent, target = True, _value(target)
        for index in np.ndindex(*target.shape):
            one = jnp.zeros(target.shape, target.dtype).at[index].set(1)
            rows.append(self.gradient(target, sources, one, unconnected_gradients))
        self._persistent = persistent

        def stacked(*parts):
            return None if parts[0] is None else jnp.stack(parts).reshape(*target.shape, *parts[0].shape)

        return jax.tree_util.tree_map(stacked, *rows, is_leaf=lambda leaf: leaf is None)

    def batch_jacobian(self, target: Any, source: Any, unconnected_gradients: Any = "none", **_: Any) -> Any:
        """The Jacobian of each sample, which depends on that sample alone: (batch, ...target, ...source).

        Args:
            target: Array of shape (batch, ...).
            source: Array of shape (batch, ...).
            unconnected_gradients: As for `gradient`.
        """
        rows, persistent = [], self._persistent
        self._persistent, target = True, _value(target)
        for index in np.ndindex(*target.shape[1:]):
            one = jnp.zeros(target.shape, target.dtype).at[(slice(None), *index)].set(1)
            rows.append(self.gradient(target, source, one, unconnected_gradients))
        self._persistent = persistent
        shape = _value(source).shape
        return None if rows[0] is None else jnp.stack(rows, 1).reshape(shape[0], *target.shape[1:], *shape[1:])


def _is_leaf(value):
    return value is None or isinstance(value, Variable)


def _leaves(value: Any) -> list[Any]:
    return [] if value is None else jax.tree_util.tree_leaves(value, is_leaf=_is_leaf)


def _value(source):
    return source.read() if isinstance(source, Variable) else source


def _add(cotangents, array, cotangent):
    known = cotangents.get(id(array))
    cotangents[id(array)] = cotangent if known is None else recorded(jnp.add, (known, cotangent), {})

"""Tapes: the functions that run inside a block, written down so that gradients can be pulled back through them.

Ops, losses and layers call `recorded` while a tape is open; so do the operators of arrays and variables in programs for
TensorFlow. A record is a function of arrays, which `jax.vjp` differentiates when a gradient is asked for.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.core import context
from lamina.core.registry import is_builtin
from lamina.core.variable import Variable, unwrap
from lamina.errors import CallError, ConfigError

__all__ = ["Tape", "is_recorded_whole", "recorded", "recorded_layer", "recording"]

_open: ContextVar[tuple[Tape, ...]] = ContextVar("tapes", default=())
MAX_CACHED = 1024  # compiled functions of records


def recording() -> bool:
    """Whether a tape is open here."""
    return bool(_open.get())


@contextmanager
def _paused() -> Iterator[None]:
    token = _open.set(())
    try:
        yield
    finally:
        _open.reset(token)


class Record:
    """One function that ran.

    Args:
        function: Function of the arrays that gives a flat list of arrays.
        inputs: The arrays.
        outputs: Its results.
        key: What makes two functions the same, for compiled gradients; None does not compile.
    """

    __slots__ = ("function", "inputs", "key", "outputs")

    def __init__(self, function: Any, inputs: Sequence[Any], outputs: Sequence[Any], key: Any) -> None:
        self.function, self.inputs, self.outputs, self.key = function, inputs, outputs, key

    def pull(self, cotangents: Sequence[Any]) -> list[Any]:
        """Cotangents of the inputs, None for those that are not real numbers, from cotangents of the outputs."""
        places = [place for place, array in enumerate(self.inputs) if _is_real(array)]
        taken = [place for place, array in enumerate(self.outputs) if _is_real(array)]
        is_traced = any(isinstance(array, Tracer) for array in self.inputs)  # what is around it is compiled
        pull = _pull_of(self.function, tuple(places), tuple(taken), None if is_traced else self.key)
        given = [_zeros(self.outputs[place]) if cotangents[place] is None else cotangents[place] for place in taken]
        count = len(self.inputs)
        if recording():
            key = None if self.key is None else (self.key, "pull", tuple(places), tuple(taken))
            flat = recorded(pull, (self.inputs, given), {}, key)
        else:
            flat = pull(self.inputs, given)
        found: list[Any] = [None] * count
        for place, cotangent in zip(places, flat, strict=True):
            found[place] = cotangent
        return found


def _is_real(array):
    return jnp.issubdtype(array.dtype, jnp.inexact)


def _zeros(array):
    return jnp.zeros(array.shape, array.dtype)


_compiled: dict[Any, Any] = {}


def _pull_of(function, places, taken, key):
    """(inputs, cotangents of some outputs) -> cotangents of some inputs, compiled once for equal keys."""
    known = None if key is None else _compiled.get((key, places, taken))
    if known is not None:
        return known

    def pull(inputs, cotangents):
        inputs = list(inputs)

        def of_real(*arrays):
            for place, array in zip(places, arrays, strict=True):
                inputs[place] = array
            outputs = function(*inputs)
            return [outputs[place] for place in taken]

        with _paused():
            return list(jax.vjp(of_real, *(inputs[place] for place in places))[1](list(cotangents)))

    if key is not None:
        while len(_compiled) >= MAX_CACHED:
            _compiled.pop(next(iter(_compiled)))
        pull = _compiled[key, places, taken] = jax.jit(pull)
    return pull


def recorded(function: Callable[..., Any], args: Any, kwargs: Any, key: Any = None, keeps: bool = False) -> Any:
    """`function(*args, **kwargs)`, written onto the open tapes.

    Args:
        function: Function; arrays anywhere in its arguments and results are differentiated.
        args: Positional arguments.
        kwargs: Keyword arguments.
        key: What makes two functions the same; None takes the function itself.
        keeps: Whether results that are inputs are left out of the record; else they are copied.
    """
    tapes = _open.get()
    leaves, structure = jax.tree_util.tree_flatten((args, kwargs), is_leaf=lambda leaf: isinstance(leaf, Variable))
    leaves = [_as_array(leaf) for leaf in leaves]
    places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, jax.Array)]
    made: dict[str, Any] = {}

    def flat(*arrays):
        given = list(leaves)
        for place, array in zip(places, arrays, strict=True):
            given[place] = array
        args, kwargs = jax.tree_util.tree_unflatten(structure, given)
        results, made["structure"] = jax.tree_util.tree_flatten(function(*args, **kwargs))
        return results

    inputs = [leaves[place] for place in places]
    for place in places:
        leaves[place] = None  # a compiled gradient keeps the function, and not these arrays
    with _paused():
        results = flat(*inputs)
    if any(isinstance(result, jax.Array) for result in results):
        given = set(map(id, inputs))
        if not keeps:  # what is an input too would be one value with two gradients
            results = [jnp.array(result) if id(result) in given else result for result in results]
        arrays = [p for p, result in enumerate(results) if isinstance(result, jax.Array) and id(result) not in given]
        constants = tuple(leaf for place, leaf in enumerate(leaves) if place not in places)
        whole = _hashable((key or function, structure, tuple(places), constants))

        def of_arrays(*given):
            made_now = flat(*given)
            return [made_now[place] for place in arrays]

        kept = Record(of_arrays, inputs, [results[place] for place in arrays], whole)
        for tape in tapes:
            tape.records.append(kept)
    return jax.tree_util.tree_unflatten(made["structure"], results)


def _as_array(leaf):
    """Variables and NumPy's numbers as JAX arrays; the rest as it is."""
    if isinstance(leaf, Variable):
        return unwrap(leaf)
    return jnp.asarray(leaf) if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biufc" else leaf


def _hashable(key):
    try:
        hash(key)
    except TypeError:
        return None
    return key


def recorded_layer(layer: Any, run: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """A layer of lamina called as one function of its variables and inputs, which it may assign.

    Args:
        layer: Layer that is built, with all its parts from lamina.
        run: What computes: (layer, *args, **kwargs) -> outputs.
        args: Positional arguments.
        kwargs: Keyword arguments.
    """
    refs = [*layer.variables, *(part._losses_ref for part in layer._flatten_layers()), *context.global_refs()]

    def pure(values, *args, **kwargs):
        with context.bind(refs, values) as slots:
            outputs = run(layer, *args, **kwargs)
            return outputs, [slots[ref] for ref in refs]

    key = _ByIdentity(layer), context.structure_version()
    outputs, values = recorded(pure, ([ref.read() for ref in refs], *args), kwargs, key, keeps=True)
    for ref, value in zip(refs, values, strict=True):
        if value is not ref.read():
            ref.write(value)
    return outputs


def is_recorded_whole(layer: Any) -> bool:
    """Whether a layer and all of its parts are of lamina: what they compute does not change from call to call.

    Args:
        layer: Layer.
    """
    return all(is_builtin(type(part)) for part in layer._flatten_layers())


class _ByIdentity:
    """A layer as part of a key that does not keep it."""

    def __init__(self, layer):
        self.layer, self.number = weakref.ref(layer), id(layer)

    def __hash__(self):
        return self.number

    def __eq__(self, other):
        return isinstance(other, _ByIdentity) and self.layer() is not None and self.layer() is other.layer()


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
        self._tokens.append(_open.set((*_open.get(), self)))
        return self

    def __exit__(self, *_: Any) -> None:
        _open.reset(self._tokens.pop())

    def watch(self, tensor: Any) -> None:
        """Let gradients with respect to arrays or variables be asked for.

        Args:
            tensor: Array, variable, or nested lists and dicts of them.
        """
        for leaf in _leaves(tensor):
            if isinstance(leaf, Variable):
                self._variables[leaf] = None
            elif not isinstance(leaf, jax.Array) or not _is_real(leaf):
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
        token = _open.set(tuple(tape for tape in _open.get() if tape is not self))
        try:
            yield
        finally:
            _open.reset(token)

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
            return _zeros(value) if found is None and zero else found

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

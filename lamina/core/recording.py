"""Records of the functions that run while a tape is open, so that gradients can be pulled back through them.

Ops, losses and layers call `recorded` while a tape is open; so do the operators of arrays and variables in programs for
TensorFlow. A record is a function of arrays, which `jax.vjp` differentiates when a gradient is asked for.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.core import context
from lamina.core.context import open_tapes
from lamina.core.registry import is_builtin
from lamina.core.variable import Variable, unwrap
from lamina.errors import CallError, TracingError

__all__ = [
    "NEEDS_VALUES",
    "NeedsTape",
    "Record",
    "is_real",
    "is_recorded_whole",
    "recorded",
    "recorded_layer",
    "recording",
    "zeros_like",
]

MAX_CACHED = 1024  # compiled functions of records
NEEDS_VALUES = (TracingError, jax.errors.JAXTypeError, jax.errors.JAXIndexError)  # a function cannot be compiled
MAX_SIZES = 8  # numbers of a shape


class NeedsTape(CallError, RuntimeError):
    """Gradients of values were asked for where nothing was recorded."""


def recording() -> bool:
    """Whether a tape is open here."""
    return bool(open_tapes.get())


class Record:
    """One function that ran.

    Args:
        function: Function of the arrays that gives a flat list of arrays.
        inputs: The arrays.
        outputs: Its results.
        key: What makes two functions the same, for compiled gradients; None does not compile.
    """

    function: Any
    inputs: Any
    key: Any
    outputs: Any

    __slots__ = ("function", "inputs", "key", "outputs")

    def __init__(self, function: Any, inputs: Sequence[Any], outputs: Sequence[Any], key: Any) -> None:
        self.function, self.inputs, self.outputs, self.key = function, inputs, outputs, key

    def pull(self, cotangents: Sequence[Any]) -> list[Any]:
        """Cotangents of the inputs, None for those that are not real numbers, from cotangents of the outputs."""
        places = [place for place, array in enumerate(self.inputs) if is_real(array)]
        taken = [place for place, array in enumerate(self.outputs) if is_real(array)]
        is_traced = any(isinstance(array, Tracer) for array in self.inputs)  # what is around it is compiled
        pull = _pull_of(self.function, tuple(places), tuple(taken), None if is_traced else self.key)
        given = [zeros_like(self.outputs[place]) if cotangents[place] is None else cotangents[place] for place in taken]
        if recording():
            key = None if self.key is None else (self.key, "pull", tuple(places), tuple(taken))
            flat = recorded(pull, (self.inputs, given), {}, key)
        else:
            flat = pull(self.inputs, given)
        found: list[Any] = [None] * len(self.inputs)
        for place, cotangent in zip(places, flat, strict=True):
            found[place] = cotangent
        return found


def is_real(array: Any) -> Any:
    """Whether an array holds numbers that have gradients."""
    return jnp.issubdtype(array.dtype, jnp.inexact)


def zeros_like(array: Any) -> Any:
    """Zeros of the shape and dtype of an array."""
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

        # what the function assigns was assigned when it ran: here it stays in slots of its own
        with context.recording_on(), context.with_slots(context.copied_slots()):
            return list(jax.vjp(of_real, *(inputs[place] for place in places))[1](list(cotangents)))

    if key is not None:
        while len(_compiled) >= MAX_CACHED:
            _compiled.pop(next(iter(_compiled)))
        pull = _compiled[key, places, taken] = _compiled_where_possible(pull)
    return pull


def _compiled_where_possible(pull):
    """A function compiled; or as it is, once it has asked for values that a compiled one has not, such as sizes."""
    best = jax.jit(pull)

    def run(inputs, cotangents):
        nonlocal best
        try:
            return best(inputs, cotangents)
        except NEEDS_VALUES:
            best = pull
            return pull(inputs, cotangents)

    return run


def recorded(function: Callable[..., Any], args: Any, kwargs: Any, key: Any = None, keeps: bool = False) -> Any:
    """`function(*args, **kwargs)`, written onto the open tapes.

    Args:
        function: Function; arrays anywhere in its arguments and results are differentiated.
        args: Positional arguments.
        kwargs: Keyword arguments.
        key: What makes two functions the same; None takes the function itself.
        keeps: Whether results that are inputs are left out of the record; else they are copied.
    """
    tapes = open_tapes.get()
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
    with context.recording_on():
        results = flat(*inputs)
    if any(isinstance(result, jax.Array) for result in results):
        given = set(map(id, inputs))
        if not keeps:  # what is an input too would be one value with two gradients
            results = [jnp.array(result) if id(result) in given else result for result in results]
        arrays = [p for p, result in enumerate(results) if isinstance(result, jax.Array) and id(result) not in given]
        constants = tuple(_by_value(leaf) for place, leaf in enumerate(leaves) if place not in places)
        whole = _hashable((key or function, structure, tuple(places), constants))

        def of_arrays(*given):
            made_now = flat(*given)
            return [made_now[place] for place in arrays]

        kept = Record(of_arrays, inputs, [results[place] for place in arrays], whole)
        for tape in tapes:
            tape.records.append(kept)
    return jax.tree_util.tree_unflatten(made["structure"], results)


def _as_array(leaf):
    """Variables and NumPy's numbers as JAX arrays. The rest as it is, and so sizes as `tf.shape` gives them, whose
    values reshaping needs while a gradient is compiled; arrays of plain NumPy are data."""
    if isinstance(leaf, Variable):
        return unwrap(leaf)
    if not isinstance(leaf, np.ndarray) or (kind := leaf.dtype.kind) not in "biufc":
        return leaf
    is_sizes = type(leaf) is not np.ndarray and kind in "iu" and leaf.ndim < 2 and leaf.size <= MAX_SIZES
    return leaf if is_sizes else jnp.asarray(leaf)


def _by_value(constant):
    """A constant as part of a key."""
    if isinstance(constant, np.ndarray) and constant.dtype.kind in "iu":
        return constant.dtype.str, constant.shape, constant.tobytes()
    return constant


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

    for tape in open_tapes.get():
        for variable in layer.variables:
            tape.reads(variable)
    key = _ByIdentity(layer), context.structure_version()
    outputs, values = recorded(pure, ([ref.read() for ref in refs], *args), kwargs, key, keeps=True)
    for ref, value in zip(refs, values, strict=True):
        if value is not ref.read():
            ref.write(value)
    return outputs


def is_recorded_whole(layer: Any) -> bool:
    """Whether a layer and all of its parts are of lamina: what they compute does not change from call to call. Models
    that give tensors inside them are not, since other outputs have gradients with respect to these; nor are layers
    whose `call` a program has replaced, to keep what it computes.

    Args:
        layer: Layer.
    """
    graph = vars(layer).get("_graph")
    return not (graph and graph.has_inner_outputs) and all(
        is_builtin(type(part)) and type(part).__name__ != "Lambda" and "call" not in vars(part)
        for part in layer._flatten_layers()
    )


class _ByIdentity:
    """A layer as part of a key that does not keep it."""

    def __init__(self, layer):
        self.layer, self.number = weakref.ref(layer), id(layer)

    def __hash__(self):
        return self.number

    def __eq__(self, other):
        return isinstance(other, _ByIdentity) and self.layer() is not None and self.layer() is other.layer()

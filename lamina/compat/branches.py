"""`if` of rewritten functions: Python's, or one program of JAX with both branches."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.compat.lifting import is_static, lift, run_lifted
from lamina.core.variable import Variable, unwrap
from lamina.errors import LaminaError

__all__ = ["ControlFlowError", "Range", "Undefined", "if_stmt", "is_traced"]


class ControlFlowError(LaminaError, TypeError, ValueError):
    """A statement on tensors that cannot be one program."""


class Undefined:
    """A variable that has no value yet, or only on one way through a statement on tensors."""

    def __init__(self, name: str, why: str = "") -> None:
        self.name: str = name
        self.why: str = why

    def _use(self, *_: Any, **__: Any) -> Any:
        why = self.why or "it has no value here"
        raise ControlFlowError(
            f"The variable {self.name!r} is used, but {why}.", fix=f"{self.name} = ...  # give it a value before"
        )

    def __bool__(self) -> bool:
        return self._use()

    def __getattr__(self, name: str) -> Any:
        return self._use() if not name.startswith("__") else object.__getattribute__(self, name)


_USES = "call iter len float int index getitem add radd sub rsub mul rmul truediv lt gt neg jax_array array"
for _name in _USES.split():
    setattr(Undefined, f"__{_name}__", Undefined._use)


class Range:
    """`tf.range` in the head of a loop of a function that is traced."""

    def __init__(self, start: Any, limit: Any, delta: Any = 1, dtype: Any = None) -> None:
        self.bounds: list[Any] = [unwrap(value) for value in (start, limit, delta)]
        self.dtype: Any = dtype or jnp.result_type(*self.bounds)

    def count(self) -> Any:
        """How many numbers there are: an int, or a tensor."""
        start, limit, delta = self.bounds
        if is_traced(*self.bounds):
            return jnp.maximum(-((start - limit) // delta), 0).astype("int32")
        return max(0, int(np.ceil((np.asarray(limit) - np.asarray(start)) / np.asarray(delta))))

    def item(self, place: Any) -> Any:
        """The number at a place."""
        return (self.bounds[0] + place * self.bounds[2]).astype(self.dtype)


def is_traced(*values: Any) -> bool:
    """Whether any value is a tensor whose numbers are not known."""
    return any(isinstance(value.value if isinstance(value, Variable) else value, Tracer) for value in values)


def if_stmt(test: Any, body: Any, orelse: Any, get: Any, put: Any, names: Any, line: int) -> None:
    """`if`: the branch that is taken, or a `jax.lax.cond` of both."""
    test = unwrap(test)
    if not is_traced(test):
        _ = body() if test else orelse()
        return
    before = get()

    def branch(function):
        def run():
            put(before)
            function()
            after = get()
            put(before)
            return after

        return lift(run)

    ways = branch(body), branch(orelse)
    outputs, plain = _together(names, ways[0].outputs, ways[1].outputs, line)
    put(tuple(_cond(test, ways, outputs, plain)))


def _together(names, first, second, line):
    """For each name the structure and the types of its value after either branch, or (None) its one Python value."""
    wanted, plain = [], []
    for name, one, other in zip(names, first, second, strict=True):
        missing = [isinstance(value, Undefined) for value in (one, other)]
        if any(missing) and not all(missing) and name == "retval_":  # never read where it is missing
            one, other = (other, other) if missing[0] else (one, one)
        elif any(missing):
            why = f"line {line} gives it a value on one branch of its `if` only"
            wanted.append(None)
            plain.append(Undefined(name, why))
            continue
        if is_static(one) and is_static(other) and _same(one, other):
            wanted.append(None)
            plain.append(one)
            continue
        try:
            wanted.append(jax.tree_util.tree_map(_common, one, other))
        except (ValueError, TypeError) as error:
            shown = "the result" if name == "retval_" else repr(name)
            raise ControlFlowError(
                f"Line {line}: the branches of an `if` on a tensor give {shown} values of different kinds: "
                f"{_kinds(one)} and {_kinds(other)}.",
                fix="Let both branches give tensors of one shape and dtype, for example by tf.cast.",
            ) from error
        plain.append(None)
    return wanted, plain


def _kinds(value):
    parts = jax.tree_util.tree_leaves(value, is_leaf=lambda leaf: leaf is None)
    return ", ".join(f"{one.dtype}{tuple(one.shape)}" if hasattr(one, "dtype") else repr(one)[:40] for one in parts)


def _same(one, other):
    try:
        return one is other or (type(one) is type(other) and bool(one == other))
    except (TypeError, ValueError):
        return False


def _common(one, other):
    """The type of a tensor that either value can be."""
    one, other = (value if hasattr(value, "dtype") else np.asarray(value) for value in (one, other))
    if one.dtype.kind in "OUS" or tuple(one.shape) != tuple(other.shape):
        raise ValueError
    dtype = one.dtype if one.dtype == other.dtype else jnp.promote_types(one.dtype, other.dtype)
    return jax.ShapeDtypeStruct(one.shape, jax.dtypes.canonicalize_dtype(dtype))


def _cond(test, ways, wanted, plain):
    refs = list(dict.fromkeys(ref for way in ways for ref in way.refs))
    structures = [None if one is None else jax.tree_util.tree_structure(one) for one in wanted]
    kinds = [kind for one in wanted if one is not None for kind in jax.tree_util.tree_leaves(one)]

    def flat(way, results, now):
        values, new = way.unflatten(results)
        leaves = [
            leaf for kind, value in zip(wanted, values, strict=True) if kind is not None
            for leaf in (jax.tree_util.tree_leaves(value) if not isinstance(value, Undefined)
                         else [jnp.zeros(one.shape, one.dtype) for one in jax.tree_util.tree_leaves(kind)])
        ]  # fmt: skip
        made = [jnp.asarray(leaf).astype(kind.dtype) for leaf, kind in zip(leaves, kinds, strict=True)]
        return made, [new.get(ref, current) for ref, current in zip(refs, now, strict=True)]

    def compute(test, consts, now):
        branches = [
            lambda consts, now, way=way, place=place: flat(way, way.run(consts[place]), now)
            for place, way in enumerate(ways)
        ]
        return jax.lax.cond(jnp.asarray(test).reshape(()).astype(bool), *branches, consts, now)

    leaves, new = run_lifted(compute, test, [way.consts for way in ways], [ref.read() for ref in refs])
    _write(refs, new)
    return _unflatten(structures, leaves, plain)


def _unflatten(structures, leaves, plain):
    leaves = list(leaves)
    for structure, value in zip(structures, plain, strict=True):
        if structure is None:
            yield value
        else:
            count = structure.num_leaves
            yield structure.unflatten(leaves[:count])
            leaves = leaves[count:]


def _write(refs, values):
    for ref, value in zip(refs, values, strict=True):
        _ = ref.assign(value) if isinstance(ref, Variable) else ref.write(value)

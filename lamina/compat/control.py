"""What rewritten functions call: Python's own meaning on Python's values, programs of JAX on tensors being traced."""

from __future__ import annotations

import operator
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.compat.lifting import NeedsEager, inside, is_static, lift, run_lifted
from lamina.core.variable import Variable, unwrap
from lamina.errors import LaminaError

__all__ = ["BUILTINS", "ControlFlowError", "Range", "Undefined"]


class ControlFlowError(LaminaError, TypeError, ValueError):
    """A statement on tensors that cannot be one program."""


class Undefined:
    """A variable that has no value yet, or only on one way through a statement on tensors."""

    def __init__(self, name: str, why: str = "") -> None:
        self.name, self.why = name, why

    def _use(self, *_: Any, **__: Any) -> Any:
        why = self.why or "it has no value here"
        raise ControlFlowError(f"The variable {self.name!r} is used, but {why}.", fix=f"{self.name} = tf.zeros(())")

    __bool__ = __call__ = __iter__ = __len__ = __float__ = __int__ = __index__ = __getitem__ = _use
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __lt__ = __gt__ = __neg__ = _use
    __jax_array__ = __array__ = _use

    def __getattr__(self, name: str) -> Any:
        return self._use() if not name.startswith("__") else object.__getattribute__(self, name)


class Range:
    """`tf.range` in the head of a loop of a function that is traced."""

    def __init__(self, start: Any, limit: Any, delta: Any = 1, dtype: Any = None) -> None:
        self.bounds = [unwrap(value) for value in (start, limit, delta)]
        self.dtype = dtype or jnp.result_type(*self.bounds)

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


def callee(function: Any) -> Any:
    """What a rewritten function calls in place of a function: see `autograph.callee`."""
    return sys.modules["lamina.compat.autograph"].callee(function)


def range_of(function: Any, *args: Any, **kwargs: Any) -> Any:
    """`range(...)` or `tf.range(...)` in the head of a loop."""
    kwargs.pop("name", None)
    if function is range and not is_traced(*args):
        return range(*(operator.index(unwrap(arg)) for arg in args))
    names = ("start", "limit", "delta", "dtype")
    if (function is not range and getattr(function, "__name__", "") != "range_") or not (is_traced(*args) or inside()):
        return function(*args, **kwargs)
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    if "limit" not in given:
        given = {**given, "start": 0, "limit": given["start"]}
    return Range(**given)


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
    outputs, plain = _together(names, *(way.outputs for way in ways), line)
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
                fix="Let both branches give tensors of one shape and dtype.",
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


def while_stmt(test: Any, body: Any, get: Any, put: Any, names: Any, line: int) -> None:
    """`while`: Python's as long as the test is a Python value, then a `jax.lax.while_loop`."""
    while not is_traced(now := unwrap(test())):
        if not now:
            return
        body()
    staged(test, lambda place: body(), None, get, put, names, line)


def for_stmt(items: Any, test: Any, body: Any, get: Any, put: Any, names: Any, line: int) -> None:
    """`for`: Python's over Python's values, `jax.lax.scan` or a while loop over tensors and ranges of tensors."""
    items = unwrap(items)
    if isinstance(items, jax.Array) and (is_traced(items) or (inside() and items.size)):
        items = _Rows(items)
    if isinstance(items, (Range, _Rows)):
        staged(test, lambda place: body(items.item(place)), items.count(), get, put, names, line)
        return
    if inside() and (hasattr(items, "element_spec")):
        raise NeedsEager("a loop over a data set")
    for item in items:
        going_on = test()
        if is_traced(going_on):
            if_stmt(going_on, lambda item=item: body(item), lambda: None, get, put, names, line)
        elif not going_on:
            return
        else:
            body(item)


class _Rows:
    """The rows of a tensor."""

    def __init__(self, array):
        self.array = array

    def count(self):
        return self.array.shape[0]

    def item(self, place):
        return self.array[place]


def staged(test: Any, body: Any, count: Any, get: Any, put: Any, names: Any, line: int) -> None:
    """A loop as one program: a scan for a known number of steps (it has gradients), else a while loop."""
    before = get()
    unpacked = [
        place for place, value in enumerate(before) if hasattr(type(value), "is_unpacked") and value.is_unpacked
    ]
    carried = [
        place for place, value in enumerate(before)
        if place not in unpacked and (not is_static(value) or _is_number(value))
    ]  # fmt: skip
    state = [jax.tree_util.tree_map(_as_tensor, unwrap(before[place])) for place in carried]
    refs: list[Any] = []
    for _ in range(5):

        def step(place, values, kept, refs=refs, carried=carried):
            current = list(before)
            for at, value in zip(carried, values, strict=True):
                current[at] = value
            put(tuple(current))
            _write(refs, kept)
            going_on = unwrap(test())
            if count is not None and is_traced(going_on):
                if_stmt(going_on, lambda: body(place), lambda: None, get, put, names, line)
            else:
                body(place)
            after = get()
            put(before)
            return after

        kept = [ref.read() for ref in refs]
        way = lift(step, jnp.zeros((), "int32"), state, kept)
        changed = [ref for ref in way.refs if ref not in refs]
        refs = [*refs, *changed]
        for place in [place for place in unpacked if way.outputs[place] is not before[place]]:
            unpacked.remove(place)  # an array of tensors whose shape is known now
            carried, state = [*carried, place], [*state, before[place].packed_as(way.outputs[place])]
            changed = [None]
        if changed:
            continue
        new = _settled(names, carried, state, way.outputs, before, line)
        if new is None:
            break
        state = new
    plain = _after(names, carried, before, way.outputs, line)
    values, kept = _run_loop(way, test, put, before, carried, state, refs, count)
    _write(refs, kept)
    found, values = list(plain), list(values)
    for place, value in zip(carried, values, strict=True):
        found[place] = value
    put(tuple(found))


def _run_loop(way, test, put, before, carried, state, refs, count):
    kept = [ref.read() for ref in refs]

    def going(values, kept):
        current = list(before)
        for at, value in zip(carried, values, strict=True):
            current[at] = value
        put(tuple(current))
        _write(refs, kept)
        found = unwrap(test())
        put(before)
        return jnp.asarray(found).reshape(()).astype(bool)

    goes = lift(going, state, kept) if count is None else None

    def advance(consts, place, values, kept):
        results, new = way.unflatten(way.run(consts, place, values, kept))
        after = [jax.tree_util.tree_map(lambda a, b: jnp.asarray(a).astype(b.dtype), results[at], value)
                 for at, value in zip(carried, values, strict=True)]  # fmt: skip
        return after, [new.get(ref, current) for ref, current in zip(refs, kept, strict=True)]

    def compute(consts, state, kept, limit):
        if isinstance(count, int):
            steps = jnp.arange(count, dtype="int32")
            return jax.lax.scan(lambda c, place: (advance(consts[0], place, *c), None), (state, kept), steps)[0]

        def test_of(carry):
            place, values, kept = carry
            return place < limit if goes is None else goes.unflatten(goes.run(consts[1], values, kept))[0]

        def next_of(carry):
            return (carry[0] + 1, *advance(consts[0], *carry))

        return jax.lax.while_loop(test_of, next_of, (jnp.zeros((), "int32"), state, kept))[1:]

    consts = [way.consts, goes.consts if goes is not None else []]
    return run_lifted(compute, consts, state, kept, count)


def _is_number(value):
    return isinstance(value, (bool, int, float, np.number))


def _as_tensor(value):
    return value if isinstance(value, jax.Array) else jnp.asarray(value)


def _settled(names, carried, state, after, before, line):
    """None where a step leaves the types of the state, else the state with the types that a step gives."""
    made, changes = [], False
    for place, value in zip(carried, state, strict=True):
        new, name = after[place], names[place]
        kinds = [jax.tree_util.tree_structure(one) for one in (value, new)]
        leaves = list(zip(*map(jax.tree_util.tree_leaves, (value, new)), strict=False))
        fits = kinds[0] == kinds[1] and all(np.shape(a) == np.shape(b) for a, b in leaves)
        types = [(a.dtype, b.dtype if hasattr(b, "dtype") else a.dtype) for a, b in leaves] if fits else []
        same = all(a == b for a, b in types)
        if not fits or (not same and not _is_number(before[place])):
            raise ControlFlowError(
                f"Line {line}: {name!r} is {_kinds(value)} before the loop on tensors, and {_kinds(new)} after a step.",
                fix="Let a step keep the shape and dtype of what it changes; write into a tf.TensorArray.",
            )
        changes = changes or not same
        made.append(value if same else value.astype(jnp.promote_types(*types[0])))
    return made if changes else None


def _after(names, carried, before, after, line):
    """What the loop leaves in the names that it does not carry."""
    found = []
    for place, (name, was, now) in enumerate(zip(names, before, after, strict=True)):
        if place in carried:
            found.append(None)
        elif now is was:
            found.append(was)
        elif isinstance(was, Undefined):
            found.append(Undefined(name, f"the loop on tensors of line {line} gives it its first value"))
        elif is_static(now) and _same(was, now):
            found.append(was)
        else:
            raise ControlFlowError(
                f"Line {line}: the loop on tensors changes {name!r}, which is no tensor: {_kinds(was)}.",
                fix=f"{name} = tf.constant(...) before the loop; a tf.TensorArray in place of a list",
            )
    return found


def and_(*values: Any) -> Any:
    """`and`, of functions without arguments."""
    found = unwrap(values[0]())
    for value in values[1:]:
        if is_traced(found):
            found = jnp.logical_and(found, unwrap(value()))
        elif not found:
            return found
        else:
            found = unwrap(value())
    return found


def or_(*values: Any) -> Any:
    """`or`, of functions without arguments."""
    found = unwrap(values[0]())
    for value in values[1:]:
        if is_traced(found):
            found = jnp.logical_or(found, unwrap(value()))
        elif found:
            return found
        else:
            found = unwrap(value())
    return found


def not_(value: Any) -> Any:
    """`not`."""
    value = unwrap(value)
    return jnp.logical_not(value) if is_traced(value) else not value


def if_exp(test: Any, body: Any, orelse: Any, line: int) -> Any:
    """`body if test else orelse`."""
    found: list[Any] = [Undefined("retval_")]

    def take(value):
        found[0] = value()

    def put(values):
        found[:] = values

    if_stmt(test, lambda: take(body), lambda: take(orelse), lambda: tuple(found), put, ("retval_",), line)
    return found[0]


def assert_stmt(test: Any, message: Any) -> None:
    """`assert`; of a tensor being traced, `tf.debugging.Assert`."""
    test = unwrap(test)
    if is_traced(test):
        from_debug = sys.modules["lamina.compat.flow"]
        from_debug.assert_(test, [message()])
    elif not test:
        raise AssertionError(message() or "")


def _cast(dtype, python):
    def cast(value=0, *args):
        value = unwrap(value)
        return value.astype(dtype) if is_traced(value) else python(value, *args)

    return cast


def _range(*args):
    return range(*args) if not is_traced(*map(unwrap, args)) else range_of(range, *args)


BUILTINS: dict[Any, Any] = {int: _cast("int32", int), float: _cast("float32", float), bool: _cast("bool", bool)}
"""Python's functions that mean something else on tensors being traced."""

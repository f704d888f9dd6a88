"""`while` and `for` of rewritten functions: Python's, or one program of JAX."""

from __future__ import annotations

from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from lamina.compat.branches import ControlFlowError, Range, Undefined, _kinds, _same, _write, if_stmt, is_traced
from lamina.compat.lifting import inside, is_static, lift, run_lifted
from lamina.core.variable import unwrap

__all__ = ["for_stmt", "staged", "while_stmt"]


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
    loop, way = _Loop(test, body, count, get, put, names, line), cast(Any, None)
    for _ in range(5):
        way = lift(loop.step, jnp.zeros((), "int32"), loop.state, [ref.read() for ref in loop.refs])
        if loop.grows(way):
            continue
        new = _settled(names, loop.carried, loop.state, way.outputs, loop.before, line)
        if new is None:
            break
        loop.state = new
    found = _after(names, loop.carried, loop.before, way.outputs, line)
    kept = [ref.read() for ref in loop.refs]
    goes = lift(loop.goes, loop.state, kept) if count is None else None
    values, kept = _run_loop(way, goes, loop.carried, loop.state, loop.refs, kept, count)
    _write(loop.refs, kept)
    for place, value in zip(loop.carried, values, strict=True):
        found[place] = value
    put(tuple(found))


class _Loop:
    """A step and a test as functions of the state that the loop carries."""

    def __init__(self, test, body, count, get, put, names, line):
        self.test, self.body, self.count, self.frame = test, body, count, (get, put, names, line)
        self.before = get()
        self.unpacked = [p for p, v in enumerate(self.before) if hasattr(type(v), "is_unpacked") and v.is_unpacked]
        self.carried = [
            p for p, value in enumerate(self.before)
            if p not in self.unpacked and (not is_static(value) or _is_number(value))
        ]  # fmt: skip
        self.state = [jax.tree_util.tree_map(_as_tensor, unwrap(self.before[place])) for place in self.carried]
        self.refs: list[Any] = []

    def enter(self, values, kept):
        current = list(self.before)
        for place, value in zip(self.carried, values, strict=True):
            current[place] = value
        self.frame[1](tuple(current))
        _write(self.refs, kept)

    def step(self, place, values, kept):
        self.enter(values, kept)
        going_on = unwrap(self.test())
        if self.count is not None and is_traced(going_on):
            if_stmt(going_on, lambda: self.body(place), lambda: None, *self.frame)
        else:
            self.body(place)
        after = self.frame[0]()
        self.frame[1](self.before)
        return after

    def goes(self, values, kept):
        self.enter(values, kept)
        found = unwrap(self.test())
        self.frame[1](self.before)
        return jnp.asarray(found).reshape(()).astype(bool)

    def grows(self, way):
        """Carry what the step turned out to write: variables, and arrays of tensors whose shape is known now."""
        written = [ref for ref in way.refs if ref not in self.refs]
        packed = [place for place in self.unpacked if way.outputs[place] is not self.before[place]]
        self.refs += written
        self.unpacked = [place for place in self.unpacked if place not in packed]
        self.carried += packed
        self.state += [self.before[place].packed_as(way.outputs[place]) for place in packed]
        return bool(written or packed)


def _run_loop(way, goes, carried, state, refs, kept, count):
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
                f"Line {line}: {name!r} is {_kinds(value)} before the loop on tensors, and {_kinds(new)} after "
                f"a step. A step keeps the shape and dtype of what it changes.",
                fix="Begin with a value of the later shape and dtype, or collect in a tf.TensorArray.",
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
                fix=f"{name} = tf.TensorArray(tf.float32, size=0, dynamic_size=True)",
            )
    return found

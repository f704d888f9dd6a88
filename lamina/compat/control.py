"""What rewritten functions call: Python's own meaning on Python's values, programs of JAX on tensors being traced."""

from __future__ import annotations

import operator
import sys
from typing import Any

import jax.numpy as jnp

from lamina.compat.branches import ControlFlowError, Range, Undefined, if_stmt, is_traced
from lamina.compat.control_loops import for_stmt, while_stmt
from lamina.compat.lifting import inside
from lamina.core.variable import unwrap

__all__ = [
    "BUILTINS", "ControlFlowError", "Range", "Undefined", "for_stmt", "if_stmt", "is_traced", "while_stmt",
]  # fmt: skip


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

"""Loops, branches and derivatives that stay one compiled program."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

from lamina.core.op import op
from lamina.core.typing import ArrayLike, PyTree, TensorLike
from lamina.core.variable import unwrap
from lamina.ops.arrays import tensor

__all__ = [
    "associative_scan", "cond", "custom_gradient", "fori_loop", "map", "scan", "switch", "vectorized_map", "while_loop",
]  # fmt: skip

CACHE_SIZE = 64
_programs = OrderedDict()


def loop(program: Callable[..., Any]) -> Callable[..., Any]:
    """`program`, a loop over operands, such that each of its programs is compiled once.

    A loop outside of a compiled function reads the current values of variables, so it is traced at every call. JAX
    knows a loop by the identity of its functions, which are new at every call, and would compile it every time. Here
    the compiled programs are kept by their text; arrays that the functions read are arguments.
    """

    @functools.wraps(program)
    def run(operands):
        leaves, structure = jax.tree_util.tree_flatten(operands)
        if any(isinstance(leaf, Tracer) for leaf in leaves):
            return program(operands)
        traced, shapes = jax.make_jaxpr(lambda *leaves: program(structure.unflatten(leaves)), return_shape=True)(
            *leaves
        )
        arguments = (traced.consts, leaves)
        if any(isinstance(constant, Tracer) for constant in traced.consts):
            return program(operands)
        results = _compiled(traced.jaxpr, arguments)(*arguments)
        return jax.tree_util.tree_structure(shapes).unflatten(results)

    return run


def _compiled(jaxpr, arguments):
    """The compiled program of `jaxpr`, from the cache or new."""
    # Imported here because the import takes a tenth of the time of JAX's own.
    from jax.extend.core import ClosedJaxpr, jaxpr_as_fun  # pyright: ignore[reportPrivateImportUsage]

    compute = jax.jit(lambda constants, leaves: jaxpr_as_fun(ClosedJaxpr(jaxpr, constants))(*leaves))
    lowered = compute.lower(*arguments)
    shardings = tuple(getattr(leaf, "sharding", None) for leaf in jax.tree_util.tree_leaves(arguments))
    key = lowered.as_text(), str(lowered.in_tree), shardings
    if key not in _programs:
        _programs[key] = lowered.compile()
        if len(_programs) > CACHE_SIZE:
            _programs.popitem(last=False)
    _programs.move_to_end(key)
    return _programs[key]


@op(settings=("true_fn", "false_fn"))
def cond(pred: TensorLike, true_fn: Callable[..., Any], false_fn: Callable[..., Any]) -> Any:
    """`true_fn()` if `pred` else `false_fn()`. Only one of them runs; in a compiled function both are compiled.

    Args:
        pred: Boolean scalar.
        true_fn: Callable without arguments, called if `pred` is true.
        false_fn: Callable without arguments, called if `pred` is false; its result has the same structure.

    >>> import lamina as keras
    >>> keras.ops.cond(True, lambda: 1, lambda: 2)
    1
    """
    pred = tensor(pred).astype(bool).reshape(())
    if not isinstance(pred, Tracer):
        return unwrap(true_fn() if pred else false_fn())
    return jax.lax.cond(pred, lambda: unwrap(true_fn()), lambda: unwrap(false_fn()))


@op(settings=("branches",))
def switch(index: TensorLike, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """`branches[index](*operands)`.

    Args:
        index: Integer scalar, limited to the branches there are.
        branches: Callables whose results have the same structure.
        *operands: Arguments of the branch.
    """
    return jax.lax.switch(index, branches, *operands)


@op(settings=("cond", "body"))
def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: PyTree, maximum_iterations: int | None = None
) -> Any:
    """`loop_vars = body(*loop_vars)` while `cond(*loop_vars)`.

    Args:
        cond: Callable of the loop variables; the loop ends when it gives False.
        body: Callable of the loop variables that gives their next values.
        loop_vars: Loop variables: a tuple or list of them, or one.
        maximum_iterations: Largest number of iterations; None means no limit.

    >>> import lamina as keras
    >>> keras.ops.while_loop(lambda i: i < 10, lambda i: (i * 2,), (3,))
    (Array(12, dtype=int32, weak_type=True),)
    """
    several = isinstance(loop_vars, (tuple, list))
    state = tuple(loop_vars) if several else (loop_vars,)

    def continues(carry):
        count, values = carry
        running = jnp.asarray(cond(*values), bool)
        return running if maximum_iterations is None else running & (count < maximum_iterations)

    def step(carry):
        count, values = carry
        values = unwrap(body(*values))
        return count + 1, tuple(values) if isinstance(values, (tuple, list)) else (values,)

    result = loop(lambda state: jax.lax.while_loop(continues, step, (0, state))[1])(state)
    return result if several else result[0]


@op(settings=("lower", "upper", "body_fun"))
def fori_loop(lower: int | ArrayLike, upper: int | ArrayLike, body_fun: Callable[..., Any], init_val: PyTree) -> Any:
    """`value = body_fun(i, value)` for i from `lower` to `upper - 1`.

    Args:
        lower: First index.
        upper: Index after the last.
        body_fun: Callable of (index, value) that gives the next value.
        init_val: First value.

    >>> import lamina as keras
    >>> keras.ops.fori_loop(0, 4, lambda i, total: total + i, 0)
    Array(6, dtype=int32, weak_type=True)
    """

    def body(i, value):
        return unwrap(body_fun(i, value))

    return loop(lambda value: jax.lax.fori_loop(lower, upper, body, value))(init_val)


@op(settings=("f",))
def scan(
    f: Callable[..., Any],
    init: PyTree,
    xs: PyTree = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> Any:
    """`carry, y = f(carry, x)` for each x along the first axis of `xs`. Returns (last carry, stacked ys).

    Args:
        f: Callable of (carry, x) that gives (carry, y).
        init: First carry.
        xs: Arrays whose slices along the first axis are the x; None means None for each.
        length: Number of steps; needed if `xs` is None.
        reverse: Whether the steps run from the last slice to the first.
        unroll: Number of steps in one iteration of the compiled loop; True means all.

    >>> import lamina as keras
    >>> keras.ops.scan(lambda total, x: (total + x, total), 0, keras.ops.array([1, 2, 3]))
    (Array(6, dtype=int32), Array([0, 1, 3], dtype=int32, weak_type=True))
    """

    def step(carry, x):
        return unwrap(f(carry, x))

    def run(operands):
        return jax.lax.scan(step, operands[0], operands[1], length, reverse, unroll)

    return loop(run)((init, xs))


@op(settings=("f",))
def associative_scan(f: Callable[..., Any], elems: PyTree, reverse: bool = False, axis: int = 0) -> Any:
    """The results of `f` over all elements up to each one, in log(n) steps.

    Args:
        f: Associative callable of two slices: f(f(a, b), c) equals f(a, f(b, c)).
        elems: Arrays to scan.
        reverse: Whether the scan runs from the end.
        axis: Axis to scan along.

    >>> import lamina as keras
    >>> keras.ops.associative_scan(lambda a, b: a + b, keras.ops.array([1, 2, 3]))
    Array([1, 3, 6], dtype=int32)
    """
    leaves = jax.tree_util.tree_leaves(elems)
    axis %= max(leaf.ndim for leaf in leaves)
    if all(isinstance(leaf.shape[axis], int) for leaf in leaves):
        return jax.lax.associative_scan(f, elems, reverse, axis)
    return _one_by_one(f, elems, reverse, axis)


def _one_by_one(f, elems, reverse, axis):
    """`associative_scan` along an axis whose size is open, as it is while a model is exported."""
    each = jax.tree_util.tree_map
    rows = each(lambda x: jnp.expand_dims(jnp.moveaxis(x, axis, 0), axis + 1), elems)
    first, rest = each(lambda x: x[-1 if reverse else 0], rows), each(lambda x: x[:-1] if reverse else x[1:], rows)

    def step(total, row):
        total = f(total, row)
        return total, total

    _, made = jax.lax.scan(step, first, rest, reverse=reverse)

    def joined(one, others):
        parts = [others, one[None]] if reverse else [one[None], others]
        return jnp.moveaxis(jnp.concatenate(parts).squeeze(axis + 1), 0, axis)

    return each(joined, first, made)


@op(settings=("f",))
def map(f: Callable[..., Any], xs: PyTree) -> Any:
    """The stacked results of `f` for each slice along the first axis, one after the other.

    Args:
        f: Callable of one slice.
        xs: Arrays whose slices along the first axis are its arguments.
    """
    return loop(lambda xs: jax.lax.map(lambda x: unwrap(f(x)), xs))(jax.tree_util.tree_map(tensor, xs))


@op(settings=("function",))
def vectorized_map(function: Callable[..., Any], elements: PyTree) -> Any:
    """The stacked results of `function` for all slices along the first axis at once.

    Args:
        function: Callable of one slice.
        elements: Arrays whose slices along the first axis are its arguments.
    """
    return jax.vmap(lambda x: unwrap(function(x)))(jax.tree_util.tree_map(tensor, elements))


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator for a function that defines its own gradient.

    Args:
        f: Callable that gives (value, gradient function of the upstream gradient).

    >>> import lamina as keras
    >>> @keras.ops.custom_gradient
    ... def twice(x):
    ...     return 2 * x, lambda upstream: 3 * upstream
    >>> import jax; float(jax.grad(twice)(1.0))
    3.0
    """
    compute = jax.custom_gradient(f)
    return functools.wraps(f)(lambda *args: compute(*unwrap(args)))

"""Loops, branches and derivatives that stay one compiled program."""

import functools
from collections import OrderedDict

import jax
import jax.numpy as jnp
from jax.core import Tracer

from lamina.core.op import op
from lamina.core.variable import unwrap
from lamina.ops.arrays import tensor

__all__ = [
    "associative_scan", "cond", "custom_gradient", "fori_loop", "map", "scan", "switch", "vectorized_map", "while_loop",
]  # fmt: skip

KEPT_PROGRAMS = 64
_programs = OrderedDict()


def loop(program):
    """A function of operands that runs a loop, such that each of its programs is compiled once.

    A loop outside of a compiled function reads variables as they are now, so it is traced at every call; JAX would
    compile it at every call, too, for it knows a loop by its functions, and those are new. What was compiled is kept
    here by the text of the program. Arrays that the functions read are arguments of it.
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
    """The program that computes `jaxpr`, out of those kept or new."""
    # A tenth of the time that JAX itself takes to be read.
    from jax.extend.core import ClosedJaxpr, jaxpr_as_fun  # pyright: ignore[reportPrivateImportUsage]

    compute = jax.jit(lambda constants, leaves: jaxpr_as_fun(ClosedJaxpr(jaxpr, constants))(*leaves))
    lowered = compute.lower(*arguments)
    places = tuple(getattr(leaf, "sharding", None) for leaf in jax.tree_util.tree_leaves(arguments))
    key = lowered.as_text(), str(lowered.in_tree), places
    if key not in _programs:
        _programs[key] = lowered.compile()
        if len(_programs) > KEPT_PROGRAMS:
            _programs.popitem(last=False)
    _programs.move_to_end(key)
    return _programs[key]


@op(settings=("true_fn", "false_fn"))
def cond(pred, true_fn, false_fn):
    """true_fn() if pred else false_fn(); both give the same structure, and only one runs. A value that is known now
    decides now; in a compiled function both are compiled.

    >>> import lamina as keras
    >>> keras.ops.cond(True, lambda: 1, lambda: 2)
    1
    """
    pred = tensor(pred).astype(bool).reshape(())
    if not isinstance(pred, Tracer):
        return unwrap(true_fn() if pred else false_fn())
    return jax.lax.cond(pred, lambda: unwrap(true_fn()), lambda: unwrap(false_fn()))


@op(settings=("branches",))
def switch(index, branches, *operands):
    """branches[index](*operands), the index limited to the branches there are."""
    return jax.lax.switch(index, branches, *operands)


@op(settings=("cond", "body"))
def while_loop(cond, body, loop_vars, maximum_iterations=None):
    """loop_vars = body(*loop_vars) as long as cond(*loop_vars), at most `maximum_iterations` times.

    >>> import lamina as keras
    >>> keras.ops.while_loop(lambda i: i < 10, lambda i: (i * 2,), (3,))
    (Array(12, dtype=int32, weak_type=True),)
    """
    several = isinstance(loop_vars, (tuple, list))
    state = tuple(loop_vars) if several else (loop_vars,)

    def goes_on(carry):
        count, values = carry
        running = jnp.asarray(cond(*values), bool)
        return running if maximum_iterations is None else running & (count < maximum_iterations)

    def step(carry):
        count, values = carry
        values = unwrap(body(*values))
        return count + 1, tuple(values) if isinstance(values, (tuple, list)) else (values,)

    result = loop(lambda state: jax.lax.while_loop(goes_on, step, (0, state))[1])(state)
    return result if several else result[0]


@op(settings=("lower", "upper", "body_fun"))
def fori_loop(lower, upper, body_fun, init_val):
    """value = body_fun(i, value) for i from lower to below upper.

    >>> import lamina as keras
    >>> keras.ops.fori_loop(0, 4, lambda i, total: total + i, 0)
    Array(6, dtype=int32, weak_type=True)
    """

    def body(i, value):
        return unwrap(body_fun(i, value))

    return loop(lambda value: jax.lax.fori_loop(lower, upper, body, value))(init_val)


@op(settings=("f",))
def scan(f, init, xs=None, length=None, reverse=False, unroll=1):
    """carry, y = f(carry, x) for each x along the first axis of xs; gives (last carry, the y's stacked).

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
def associative_scan(f, elems, reverse=False, axis=0):
    """The results of f over all elements up to each one, in log(n) steps; f must be associative: f(f(a, b), c) = f(a,
    f(b, c)).

    >>> import lamina as keras
    >>> keras.ops.associative_scan(lambda a, b: a + b, keras.ops.array([1, 2, 3]))
    Array([1, 3, 6], dtype=int32)
    """
    return jax.lax.associative_scan(f, elems, reverse, axis)


@op(settings=("f",))
def map(f, xs):
    """f of each slice along the first axis, one after the other, the results stacked."""
    return loop(lambda xs: jax.lax.map(lambda x: unwrap(f(x)), xs))(jax.tree_util.tree_map(tensor, xs))


@op(settings=("function",))
def vectorized_map(function, elements):
    """function of each slice along the first axis, all at once, the results stacked."""
    return jax.vmap(lambda x: unwrap(function(x)))(jax.tree_util.tree_map(tensor, elements))


def custom_gradient(f):
    """A decorator: f(*args) gives (value, grad), and grad(upstream) is used as its gradient.

    >>> import lamina as keras
    >>> @keras.ops.custom_gradient
    ... def twice(x):
    ...     return 2 * x, lambda upstream: 3 * upstream
    >>> import jax; float(jax.grad(twice)(1.0))
    3.0
    """
    compute = jax.custom_gradient(f)
    return functools.wraps(f)(lambda *args: compute(*unwrap(args)))

"""tf.cond, tf.while_loop, tf.TensorArray, tf.print, tf.py_function and tf.debugging, eagerly and in a tf.function."""

from __future__ import annotations

import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.compat import control
from lamina.compat.functions import constant
from lamina.compat.host import as_printed, as_text, is_text, on_host
from lamina.compat.lifting import NeedsEager, inside, tracing
from lamina.compat.tensor_array import InvalidArgumentError, TensorArray
from lamina.core import context
from lamina.core.variable import Variable, unwrap
from lamina.errors import CallTypeError

__all__ = ["DEBUGGING", "FLOW", "InvalidArgumentError"]


_PLAIN = (bool, int, float, str, bytes, list)


def _line():
    frame = sys._getframe(2)
    while frame.f_back is not None and "lamina/" in frame.f_code.co_filename.replace("\\", "/"):
        frame = frame.f_back
    return frame.f_lineno


def cond(pred: Any, true_fn: Any = None, false_fn: Any = None, name: Any = None) -> Any:
    """`true_fn()` if `pred` else `false_fn()`."""
    return control.if_exp(pred, true_fn, false_fn, _line())


def switch_case(branch_index: Any, branch_fns: Any, default: Any = None, name: Any = None) -> Any:
    """The result of the function at an index; outside of the indices that of the default, or of the last one."""
    functions = dict(branch_fns.items() if isinstance(branch_fns, dict) else enumerate(branch_fns))
    functions = dict(pair if isinstance(pair, tuple) else (place, pair) for place, pair in functions.items())
    last = default or functions[max(functions)]
    return case([(_equal(branch_index, key), function) for key, function in functions.items()], last)


def _equal(index, key):
    return jnp.equal(unwrap(index), key) if control.is_traced(index) else int(unwrap(index)) == key


def case(pred_fn_pairs: Any, default: Any = None, exclusive: Any = False, strict: Any = False, name: Any = None) -> Any:
    """The result of the first function whose condition holds."""
    (pred, function), *rest = pred_fn_pairs
    if not rest and default is None:
        return function()
    return cond(pred, function, lambda: case(rest, default) if rest else default())


def while_loop(
    cond: Any, body: Any, loop_vars: Any, shape_invariants: Any = None, parallel_iterations: Any = 10,
    back_prop: Any = True, swap_memory: Any = False, maximum_iterations: Any = None, name: Any = None,
) -> Any:  # fmt: skip
    """`loop_vars = body(*loop_vars)` while `cond(*loop_vars)`."""
    several = isinstance(loop_vars, (list, tuple))
    state = [tuple(loop_vars) if several else (loop_vars,), 0]

    def test():
        going_on = cond(*state[0])
        return going_on if maximum_iterations is None else control.and_(
            lambda: going_on, lambda: state[1] < maximum_iterations)  # fmt: skip

    def step():
        found = body(*state[0])
        state[:] = (
            tuple(found) if isinstance(found, (list, tuple)) and (several or len(found) == 1) else (found,),
            state[1] + 1,
        )

    def put(values):
        state[:] = values[:-1], values[-1]

    names = (*(f"loop_vars[{place}]" for place in range(len(state[0]))), "the number of steps")
    control.while_stmt(test, step, lambda: (*state[0], state[1]), put, names, _line())
    return type(loop_vars)(state[0]) if isinstance(loop_vars, list) else state[0] if several else state[0][0]


def print_(
    *inputs: Any, output_stream: Any = None, summarize: Any = 3, sep: str = " ", end: str = "\n", name: Any = None
) -> None:
    """Print values, also from inside a compiled function; to stdout unless told otherwise."""
    flat, trace = jax.tree_util.tree_leaves(unwrap(list(inputs))), tracing.get()
    if trace is None and not control.is_traced(*flat):
        return _show(inputs, output_stream, summarize, sep, end)
    structure = jax.tree_util.tree_structure(unwrap(list(inputs)))
    places = [place for place, leaf in enumerate(flat) if isinstance(leaf, jax.Array)]
    statics = [None if isinstance(leaf, jax.Array) else leaf for leaf in flat]

    def show(*arrays):
        leaves = list(statics)
        for place, array in zip(places, arrays, strict=True):
            leaves[place] = np.asarray(array)
        _show(structure.unflatten(leaves), output_stream, summarize, sep, end)

    if trace is not None:
        trace.has_checks = True  # the texts are there when the call returns
    jax.debug.callback(show, *(flat[place] for place in places), ordered=trace is not None)


def _show(values, stream, summarize, sep, end):
    alone, target = len(values) == 1, sys.stdout if stream is None or str(stream) in ("-", "<stdout>") else stream
    shown = [
        as_text(value)  # texts are in quotes in structures and beside other values
        if isinstance(value, (str, bytes)) or (alone and is_text(value) and not np.ndim(value))
        else as_printed(value, 3 if summarize is None else summarize)
        for value in unwrap(list(values))
    ]
    print(*shown, sep=sep, end=end, file=target if hasattr(target, "write") else sys.stdout)


def py_function(func: Any = None, inp: Any = (), Tout: Any = None, name: Any = None, **_: Any) -> Any:
    """Call a Python function on tensors that have numbers; without one, a decorator."""
    if func is None:
        return lambda decorated: lambda *args: py_function(decorated, args, Tout)
    if inside():
        raise NeedsEager("tf.py_function calls Python each time, and gives tensors of unknown shape")
    return _as(func(*(constant(one) if isinstance(one, _PLAIN) else one for one in inp)), Tout)


def numpy_function(func: Any = None, inp: Any = (), Tout: Any = None, stateful: Any = True, name: Any = None) -> Any:
    """Call a function of NumPy's arrays; without one, a decorator."""
    if func is None:
        return lambda decorated: lambda *args: numpy_function(decorated, args, Tout)
    return py_function(lambda *args: func(*map(np.asarray, unwrap(args))), inp, Tout)


def _as(found, kinds):
    if kinds is None or found is None:
        return None
    if isinstance(kinds, (list, tuple)):
        found = found if isinstance(found, (list, tuple)) else [found]
        made = [_as(one, kind) for one, kind in zip(found, kinds, strict=True)]
        return made
    kind = getattr(kinds, "dtype", kinds)
    is_text = str(kind) in ("string", "object")
    return on_host(np.asarray(found, object)) if is_text else jnp.asarray(unwrap(found), kind)


def assert_(condition: Any, data: Any = (), summarize: Any = None, name: Any = None) -> None:
    """An InvalidArgumentError unless the condition holds, in a compiled function when it runs."""
    condition = unwrap(condition)

    trace = tracing.get()

    def check(holds, *data):
        if not np.all(holds):
            parts = [one if isinstance(one, str) else as_printed(one) for one in data]
            message = " ".join(["Assertion failed:", *parts])
            error = InvalidArgumentError(message, fix=_CHECKED)
            if trace is None:
                raise error
            trace.failures.append(error)  # raised when the program has run

    data = unwrap(list(data) if isinstance(data, (list, tuple)) else [data])
    if control.is_traced(condition):
        texts = [one if isinstance(one, str) else None for one in data]
        arrays = [one for one in data if not isinstance(one, str)]

        def late(holds, *arrays):
            values = iter(arrays)
            check(holds, *(next(values) if text is None else text for text in texts))

        if trace is not None:
            trace.has_checks = True
        jax.debug.callback(late, condition, *arrays)
    else:
        trace = None
        check(condition, *data)


def _comparison(name, holds, says):
    def run(x, y, message=None, summarize=None, name=None):
        x, y = (value if isinstance(value, jax.Array) else np.asarray(value) for value in (unwrap(x), unwrap(y)))
        assert_(jnp.all(holds(x, y)), [message or f"Expected x {says} y.", x, y])

    run.__name__ = run.__qualname__ = name
    return run


def _near(x, y, rtol=None, atol=None, message=None, summarize=None, name=None):
    close = jnp.allclose(unwrap(x), unwrap(y), 1e-6 if rtol is None else rtol, 1e-6 if atol is None else atol)
    assert_(close, [message or "Expected x near y.", unwrap(x), unwrap(y)])


def _signed(holds, says):
    def run(x, message=None, summarize=None, name=None):
        assert_(jnp.all(holds(jnp.asarray(unwrap(x)))), [message or f"Expected x {says}.", unwrap(x)])

    return run


def check_numerics(tensor: Any, message: Any, name: Any = None) -> Any:
    """The tensor; an error where it has NaN or infinite numbers."""
    assert_(jnp.all(jnp.isfinite(unwrap(tensor))), [message, ": Tensor had NaN or Inf values"])
    return tensor


_CHECKED = "The program checks this value: change the value, or the assertion."


def assert_shapes(shapes: Any, data: Any = None, summarize: Any = None, message: Any = None, name: Any = None) -> None:
    """An error unless tensors have shapes with the same sizes for the same letters."""
    sizes: dict[Any, int] = {}
    for tensor, shape in shapes.items() if isinstance(shapes, dict) else shapes:
        found = tuple(unwrap(tensor).shape)
        fits = len(found) == len(tuple(shape)) and all(
            wanted in (None, "_", "*", ".")
            or size == (sizes.setdefault(wanted, size) if isinstance(wanted, str) else wanted)
            for wanted, size in zip(shape, found, strict=True)
        )
        if not fits:
            what = f"A tensor has shape {found}; {tuple(shape)} was expected."
            raise InvalidArgumentError(message or what, fix=_CHECKED)


def _rank_check(holds, says):
    def check(x, rank=None, message=None, data=None, summarize=None, name=None, ranks=None):
        rank = rank if ranks is None else ranks
        if not holds(np.ndim(unwrap(x)), rank):
            what = f"A tensor has rank {np.ndim(unwrap(x))}; {says}{rank} was expected."
            raise InvalidArgumentError(message or what, fix=_CHECKED)

    return check


_rank = _rank_check(lambda found, rank: found == int(rank), "")


def _type(tensor, tf_type, message=None, name=None):
    found = (tensor if hasattr(tensor, "dtype") else constant(tensor)).dtype
    if not (jnp.issubdtype(found, tf_type) if tf_type is np.integer else str(found) == str(np.dtype(tf_type))):
        what = f"A tensor has dtype {found}; {getattr(tf_type, '__name__', tf_type)} was expected."
        raise CallTypeError(message or what, fix=_CHECKED)


DEBUGGING: dict[str, Any] = {
    **{f"assert_{name}": _comparison(f"assert_{name}", getattr(jnp, name), says) for name, says in {
        "equal": "== y", "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">="}.items()},
    "assert_none_equal": _comparison("assert_none_equal", jnp.not_equal, "!="), "assert_near": _near,
    "assert_positive": _signed(lambda x: x > 0, "> 0"), "assert_negative": _signed(lambda x: x < 0, "< 0"),
    "assert_non_negative": _signed(lambda x: x >= 0, ">= 0"), "assert_non_positive": _signed(lambda x: x <= 0, "<= 0"),
    "assert_all_finite": lambda x, message, name=None: check_numerics(x, message), "check_numerics": check_numerics,
    "assert_shapes": assert_shapes, "assert_rank": _rank, "assert_type": _type, "Assert": assert_,
    "assert_scalar": lambda tensor, message=None, name=None: _rank(tensor, 0, message),
    "assert_integer": lambda x, message=None, name=None: _type(x, np.integer, message),
    "assert_rank_at_least": _rank_check(lambda found, rank: found >= int(rank), "at least "),
    "assert_rank_in": _rank_check(lambda found, ranks: found in tuple(ranks), "one of "),
    "set_log_device_placement": lambda *_: None,
    "enable_check_numerics": lambda **_: jax.config.update("jax_debug_nans", True),
    "disable_check_numerics": lambda: jax.config.update("jax_debug_nans", False),
    "is_numeric_tensor": lambda tensor: isinstance(tensor, (jax.Array, Variable)),
}  # fmt: skip
"""Names of `tensorflow.debugging`."""
FLOW: dict[str, Any] = {
    "Assert": assert_, "TensorArray": TensorArray, "case": case, "cond": cond, "numpy_function": numpy_function,
    "print": print_, "py_function": py_function, "switch_case": switch_case, "while_loop": while_loop,
    "assert_equal": DEBUGGING["assert_equal"], "assert_less": DEBUGGING["assert_less"],
    "assert_greater": DEBUGGING["assert_greater"], "assert_rank": _rank, "init_scope": context.concrete,
    "ensure_shape": lambda x, shape, name=None: (unwrap(x).set_shape(shape), unwrap(x))[1],
}  # fmt: skip
"""Names of `tensorflow`."""

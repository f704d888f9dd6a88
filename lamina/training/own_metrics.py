"""Metrics and losses of the user's own: arithmetic that takes each row with all rows, and losses without a gradient."""

from __future__ import annotations

import contextlib
import weakref
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.core.crossing_rows import crossing_rows, words_of
from lamina.core.keras_tensor import bind_symbolic
from lamina.core.registry import is_builtin
from lamina.core.variable import unwrap
from lamina.errors import warn

__all__ = ["tell_of_crossing", "tell_of_no_slope"]

_seen: weakref.WeakSet[Any] = weakref.WeakSet()  # metrics that were looked at: a step is traced more than once


def tell_of_crossing(metric: Any, y_true: Any, y_pred: Any) -> None:
    """Warn of targets `(N,)` that meet outputs `(N, 1)` in what a metric computes, while a step is compiled. A loss
    brings both to one shape; metrics get them as they are, as in Keras.

    Args:
        metric: Metric.
        y_true: Its targets.
        y_pred: Its outputs.
    """
    own = not (is_builtin(type(metric)) and is_builtin(getattr(metric, "fn", type(metric))))
    if not own or not isinstance(y_pred, Tracer) or metric in _seen:
        return
    if len(getattr(y_true, "shape", ())) >= len(y_pred.shape):
        return
    _seen.add(metric)

    def update(y_true, y_pred):
        with bind_symbolic():
            metric.update_state(y_true, y_pred)

    found = crossing_rows(lambda: jax.eval_shape(update, y_true, y_pred), y_pred.shape[0])
    if found:
        warn(
            f"{words_of(found[0])} meet in the metric {metric.name}: each of N rows is taken with all N. Bring both "
            "to one shape first: y_true = ops.reshape(y_true, ops.shape(y_pred))."
        )


def tell_of_no_slope(loss: Any, y_true: Any, y_pred: Any) -> None:
    """Warn of a loss that goes by rounded or compared outputs, and so has no gradient, while a step is compiled.

    Args:
        loss: Loss.
        y_true: Its targets.
        y_pred: Its outputs.
    """
    own = not (is_builtin(type(loss)) and is_builtin(getattr(loss, "fn", type(loss))))
    if not own or not isinstance(y_pred, Tracer) or not jnp.issubdtype(y_pred.dtype, jnp.floating) or loss in _seen:
        return
    _seen.add(loss)

    def mean(y_pred, y_true):
        with bind_symbolic():
            return jnp.mean(unwrap(loss(y_true, y_pred)))

    given = jax.tree_util.tree_map(lambda one: jax.ShapeDtypeStruct(one.shape, one.dtype), (y_pred, y_true))
    with contextlib.suppress(Exception):  # of the loss, which the step itself will raise
        value, slope = jax.make_jaxpr(mean)(*given).jaxpr, jax.make_jaxpr(jax.grad(mean))(*given)
        if _is_reached(value) and _is_zero(slope):
            warn(
                f"The loss {loss.name} has no gradient: it goes by steps, as round, argmax, sign and comparisons of "
                "y_pred do, so that no weight changes. Take y_pred as it is, and make a metric of this function: "
                "compile(loss='mse', metrics=[...])."
            )


def _is_reached(jaxpr):
    """Whether the result of a program depends on its first argument."""
    reached = {jaxpr.invars[0]}
    for equation in jaxpr.eqns:
        if any(not hasattr(one, "val") and one in reached for one in equation.invars):  # a literal has a `val`
            reached.update(equation.outvars)
    return not hasattr(jaxpr.outvars[0], "val") and jaxpr.outvars[0] in reached


def _is_zero(program):
    """Whether the result of a program is an array of zeros that is made of no other array."""
    result = program.jaxpr.outvars[0]
    for equation in program.jaxpr.eqns:
        if result in equation.outvars:
            result = equation.invars[0] if equation.primitive.name == "broadcast_in_dim" else None
            break
    if result is None or hasattr(result, "val"):
        return result is not None and not np.any(result.val)
    constants = dict(zip(program.jaxpr.constvars, program.consts, strict=True))
    return result in constants and not np.any(constants[result])

"""Metrics of the user's own, whose arithmetic may take each row with all rows without a word."""

from __future__ import annotations

import weakref
from typing import Any

import jax
from jax.core import Tracer

from lamina.core.crossing_rows import crossing_rows, words_of
from lamina.core.keras_tensor import bind_symbolic
from lamina.core.registry import is_builtin
from lamina.errors import warn

__all__ = ["tell_of_crossing"]

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

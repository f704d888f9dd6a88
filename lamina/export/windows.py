"""Windows of every kind, and further choices, as functions of slices: one slice for each place in a window."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np

__all__ = ["CHOICES"]


def approx_top_k(x: jax.Array, *, k: int, reduction_dimension: int, is_max_k: bool, **_: Any) -> list[jax.Array]:
    """The k largest or smallest, exactly."""
    x = jnp.moveaxis(x, reduction_dimension, -1)
    values, places = jax.lax.top_k(x if is_max_k else -x, k)
    return [jnp.moveaxis(part, -1, reduction_dimension) for part in (values if is_max_k else -values, places)]


def nextafter(x: jax.Array, y: jax.Array) -> jax.Array:
    """The neighbour of x in the order of bits, which for a sign is that of the numbers."""
    bits = jax.lax.bitcast_convert_type(x, jnp.int32)
    away = (y > x) == (x > 0)
    near = jax.lax.bitcast_convert_type(jnp.where(away, bits + 1, bits - 1), jnp.float32)
    tiny = jnp.sign(y) * np.finfo(np.float32).smallest_subnormal
    return jnp.where(jnp.isnan(x) | jnp.isnan(y), jnp.nan, jnp.where(x == y, y, jnp.where(x == 0, tiny, near)))


def _slices(x, fill, settings):
    """[(place in the window, the elements at that place of all windows)], and the shape of x with its padding."""
    window, strides = settings["window_dimensions"], settings["window_strides"]
    ones = (1,) * len(window)
    gaps, rates = settings.get("base_dilation") or ones, settings.get("window_dilation") or ones
    x = jax.lax.pad(x, fill, [(*pair, gap - 1) for pair, gap in zip(settings["padding"], gaps, strict=True)])
    counts = [
        (size - (width - 1) * rate - 1) // step + 1
        for size, width, rate, step in zip(x.shape, window, rates, strides, strict=True)
    ]
    slices = []
    for place in itertools.product(*map(range, window)):
        starts = [number * rate for number, rate in zip(place, rates, strict=True)]
        ends = [s + (count - 1) * step + 1 for s, count, step in zip(starts, counts, strides, strict=True)]
        slices.append((starts, jax.lax.slice(x, starts, ends, strides)))
    return slices, x.shape


def _lowest(dtype):
    return jnp.asarray(-jnp.inf if jnp.issubdtype(dtype, jnp.inexact) else jnp.iinfo(dtype).min, dtype)


def _highest(dtype):
    return jnp.asarray(jnp.inf if jnp.issubdtype(dtype, jnp.inexact) else jnp.iinfo(dtype).max, dtype)


def _reduced(combine, fill):
    def reduce(x: jax.Array, **settings: Any) -> jax.Array:
        return functools.reduce(combine, [part for _, part in _slices(x, fill(x.dtype), settings)[0]])

    return reduce


def reduce_window(*operands: jax.Array, jaxpr: Any, consts: Any, **settings: Any) -> list[jax.Array]:
    """Windows of several arrays at once, combined by a function of two scalars for each."""
    count = len(operands) // 2
    arrays, fills = operands[:count], operands[count:]
    parts = zip(*(_slices(x, fill, settings)[0] for x, fill in zip(arrays, fills, strict=True)), strict=True)
    total = list(fills)
    for each in parts:
        total = jax.core.eval_jaxpr(jaxpr, consts, *total, *(part for _, part in each))
    return total


def _chosen(x, select, settings):
    """[(place, elements, whether the window's extreme is there and at none before)], and the padded shape."""
    is_max = str(select) in ("ge", "gt")
    slices, shape = _slices(x, (_lowest if is_max else _highest)(x.dtype), settings)
    best = functools.reduce(jnp.maximum if is_max else jnp.minimum, [part for _, part in slices])
    chosen, taken = [], jnp.zeros_like(best, bool)
    for starts, part in slices:
        chosen.append((starts, (part == best) & ~taken))
        taken = taken | (part == best)
    return chosen, shape


def select_and_scatter_add(source: jax.Array, x: jax.Array, *, select_prim: Any, **settings: Any) -> jax.Array:
    """The gradient of pooling: what belongs to a window goes to the first of its largest elements."""
    chosen, shape = _chosen(x, select_prim, settings)
    strides, total = settings["window_strides"], jnp.zeros((), source.dtype)
    for starts, is_here in chosen:
        ends = [size - s - (count - 1) * step - 1 for size, s, count, step in zip(
            shape, starts, source.shape, strides, strict=True)]  # fmt: skip
        config = [(start, end, step - 1) for start, end, step in zip(starts, ends, strides, strict=True)]
        zero = jnp.zeros((), source.dtype)
        total = total + jax.lax.pad(jnp.where(is_here, source, zero), zero, config)
    before = [pair[0] for pair in settings["padding"]]
    return jax.lax.slice(total, before, [start + size for start, size in zip(before, x.shape, strict=True)])


def select_and_gather_add(tangents: jax.Array, x: jax.Array, *, select_prim: Any, **settings: Any) -> jax.Array:
    """The tangents of the elements that pooling chooses."""
    chosen, _ = _chosen(x, select_prim, settings)
    parts, _ = _slices(tangents, jnp.zeros((), tangents.dtype), settings)
    return sum(
        (jnp.where(is_here, part, 0) for (_, is_here), (_, part) in zip(chosen, parts, strict=True)),
        jnp.zeros((), tangents.dtype),
    )


CHOICES: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in (
        approx_top_k, nextafter, reduce_window, select_and_gather_add, select_and_scatter_add)},
    "reduce_window_max": _reduced(jnp.maximum, _lowest), "reduce_window_min": _reduced(jnp.minimum, _highest),
    "reduce_window_sum": _reduced(jnp.add, lambda dtype: jnp.zeros((), dtype)),
}  # fmt: skip

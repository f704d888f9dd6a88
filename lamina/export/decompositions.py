"""Primitives that formats have no operator for, as functions of others: factorizations of matrices, special functions.

Rows and columns are chosen by comparing their numbers, so that the number of a step may be unknown and loops stay
loops. Factors with a free sign (of `eigh` and `svd`) may have another one than LAPACK gives them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.interpreters import mlir

from lamina.export.special_functions import SPECIAL
from lamina.export.windows import CHOICES

__all__ = ["DECOMPOSITIONS", "MAX_ROTATED", "WITHOUT_LAPACK"]

MAX_ROTATED = 64  # columns of a matrix that is diagonalized by rotating pairs of them
SWEEPS = 10  # over all pairs, after which float32 has converged for matrices of that size


def cholesky(x: jax.Array, **_: Any) -> list[jax.Array]:
    """Column by column, each taken from the rest as an outer product."""
    size = x.shape[-1]
    numbers = jnp.arange(size)

    def step(n, state):
        rest, factor = state
        column = _column(rest, n)
        column = jnp.where(numbers >= n, column / jnp.sqrt(_at(column, n))[..., None], 0)
        return rest - column[..., :, None] * column[..., None, :], jnp.where(numbers == n, column[..., None], factor)

    _, factor = jax.lax.fori_loop(0, size, step, (x, jnp.zeros_like(x)))
    return [jnp.where(jnp.isnan(factor).any((-2, -1), keepdims=True), jnp.nan, factor)]


def lu(x: jax.Array, **_: Any) -> list[jax.Array]:
    """(lu, pivots, permutation): the largest element of each column becomes its pivot."""
    height, width = x.shape[-2:]
    count = min(height, width)
    rows, columns = jnp.arange(height), jnp.arange(width)
    order = jnp.broadcast_to(rows.astype(jnp.int32), x.shape[:-1])

    def step(n, state):
        x, order, pivots = state
        best = jnp.argmax(jnp.where(rows >= n, jnp.abs(_column(x, n)), -1), -1).astype(jnp.int32)
        pivots = jnp.where(jnp.arange(count) == n, best[..., None], pivots)
        is_first, is_best = rows == n, rows == best[..., None]
        x = _exchanged(x, is_first[..., None], is_best[..., None])
        order = _exchanged(order[..., None], is_first[..., None], is_best[..., None])[..., 0]
        column, row = _column(x, n), _row(x, n)
        pivot = _at(row, n)[..., None]
        factors = jnp.where(rows > n, column / jnp.where(pivot == 0, 1, pivot), 0)
        column = jnp.where(rows > n, factors, column)
        x = x - factors[..., :, None] * jnp.where(columns > n, row, 0)[..., None, :]
        return jnp.where(columns == n, column[..., None], x), order, pivots

    start = (x, order, jnp.zeros((*x.shape[:-2], count), jnp.int32))
    x, order, pivots = jax.lax.fori_loop(0, count, step, start)
    return [x, pivots, order]


def triangular_solve(
    a: jax.Array, b: jax.Array, *, left_side: bool, lower: bool, transpose_a: bool, unit_diagonal: bool, **_: Any
) -> list[jax.Array]:
    """Row by row. Without `left_side` x a = b, which is a' x' = b'."""
    if transpose_a == left_side:  # exactly one of the two transposes
        a, lower = jnp.swapaxes(a, -1, -2), not lower
    b = b if left_side else jnp.swapaxes(b, -1, -2)
    size = a.shape[-1]
    rows = jnp.arange(size)

    def step(n, x):
        n = n if lower else size - 1 - n
        row = _row(a, n)
        solved = _row(b, n) - jnp.einsum("...k,...km->...m", row, x)
        solved = solved if unit_diagonal else solved / _at(row, n)[..., None]
        return jnp.where((rows == n)[:, None], solved[..., None, :], x)

    x = jax.lax.fori_loop(0, size, step, jnp.zeros_like(b))
    return [x if left_side else jnp.swapaxes(x, -1, -2)]


def qr(x: jax.Array, *, full_matrices: bool, pivoting: bool = False, **_: Any) -> list[jax.Array]:
    """By Householder's reflections with the signs of LAPACK."""
    if pivoting:
        raise NotImplementedError
    height, width = x.shape[-2:]
    rows, columns = jnp.arange(height), jnp.arange(width)
    count = min(height, width)

    def step(n, state):
        x, q = state
        column = jnp.where(rows >= n, _column(x, n), 0)
        first = _at(column, n)
        others = jnp.sum(jnp.where(rows > n, column**2, 0), -1)
        length = -jnp.where(first < 0, -1, 1) * jnp.sqrt(first**2 + others)
        is_done = others == 0
        vector = jnp.where(rows == n, (first - length)[..., None], column)
        scale = jnp.where(is_done, 0, 2 / jnp.where(is_done, 1, jnp.sum(vector**2, -1)))
        scaled = scale[..., None] * vector
        x = x - scaled[..., :, None] * jnp.einsum("...i,...ij->...j", vector, x)[..., None, :]
        return x, q - jnp.einsum("...ij,...j->...i", q, vector)[..., :, None] * scaled[..., None, :]

    start = jnp.broadcast_to(jnp.eye(height, dtype=x.dtype), (*x.shape[:-1], height))
    x, q = jax.lax.fori_loop(0, count, step, (x, start))
    r = jnp.where(rows[:, None] <= columns, x, 0)
    return [q, r] if full_matrices else [q[..., :count], r[..., :count, :]]


def eigh(x: jax.Array, *, lower: bool, subset_by_index: Any = None, **_: Any) -> list[jax.Array]:
    """(vectors, values) by Jacobi's rotations, in ascending order."""
    size = x.shape[-1]
    if size > MAX_ROTATED or subset_by_index is not None:
        raise NotImplementedError
    half = jnp.tril(x) if lower else jnp.triu(x)
    x = half + jnp.swapaxes(half, -1, -2) - x * jnp.eye(size, dtype=x.dtype)

    def step(pair, state):
        x, vectors = state
        columns = [_column(x, n) for n in pair]
        turn = _rotation(pair, size, _at(columns[0], pair[0]), _at(columns[1], pair[1]), _at(columns[0], pair[1]))
        return jnp.swapaxes(turn, -1, -2) @ x @ turn, vectors @ turn

    x, vectors = _rotated(step, (x, jnp.broadcast_to(jnp.eye(size, dtype=x.dtype), x.shape)), size)
    values = jnp.diagonal(x, axis1=-2, axis2=-1)
    order = jnp.argsort(values, -1)
    return [_columns(vectors, order), jnp.take_along_axis(values, order, -1)]


def svd(x: jax.Array, *, full_matrices: bool, compute_uv: bool, subset_by_index: Any = None, **_: Any) -> Any:
    """(values, u, v') by rotating pairs of columns until all are orthogonal (Hestenes), in descending order."""
    height, width = x.shape[-2:]
    if height < width:
        parts = svd(jnp.swapaxes(x, -1, -2), full_matrices=full_matrices, compute_uv=compute_uv)
        return parts if not compute_uv else [parts[0], *(jnp.swapaxes(part, -1, -2) for part in parts[:0:-1])]
    if width > MAX_ROTATED or subset_by_index is not None or (compute_uv and full_matrices and height > width):
        raise NotImplementedError

    def step(pair, state):
        x, vectors = state
        left, right = (_column(x, n) for n in pair)
        turn = _rotation(pair, width, (left**2).sum(-1), (right**2).sum(-1), (left * right).sum(-1))
        return x @ turn, vectors @ turn

    start = jnp.broadcast_to(jnp.eye(width, dtype=x.dtype), (*x.shape[:-2], width, width))
    x, vectors = _rotated(step, (x, start), width)
    values = jnp.sqrt((x**2).sum(-2))
    order = jnp.argsort(-values, -1)
    values = jnp.take_along_axis(values, order, -1)
    if not compute_uv:
        return [values]
    u = _columns(x, order) / jnp.where(values == 0, 1, values)[..., None, :]
    return [values, u, jnp.swapaxes(_columns(vectors, order), -1, -2)]


def erf_inv(x: jax.Array, **_: Any) -> list[jax.Array]:
    """Giles, "Approximating the erfinv function" (2012), in single precision."""
    near = (2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
            -0.00417768164, 0.246640727, 1.50140941)  # fmt: skip
    far = (-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613,
           0.00943887047, 1.00167406, 2.83297682)  # fmt: skip
    w = -jnp.log1p(-x * x)
    small = w < 5
    w = jnp.where(small, w - 2.5, jnp.sqrt(jnp.maximum(w, 0)) - 3)
    total = jnp.where(small, *(jnp.polyval(jnp.asarray(part, x.dtype), w) for part in (near, far)))
    return [jnp.where(jnp.abs(x) == 1, x * jnp.inf, total * x)]


def bessel_i0e(x: jax.Array, **_: Any) -> list[jax.Array]:
    """Abramowitz and Stegun, 9.8.1 and 9.8.2, in single precision."""
    near = (0.0045813, 0.0360768, 0.2659732, 1.2067492, 3.0899424, 3.5156229, 1.0)
    far = (0.00392377, -0.01647633, 0.02635537, -0.02057706, 0.00916281, -0.00157565, 0.00225319, 0.01328592,
           0.39894228)  # fmt: skip
    size = jnp.abs(x)
    small, large = jnp.minimum(size, 3.75), jnp.maximum(size, 3.75)
    inside = jnp.polyval(jnp.asarray(near, x.dtype), (small / 3.75) ** 2) * jnp.exp(-small)
    outside = jnp.polyval(jnp.asarray(far, x.dtype), 3.75 / large) / jnp.sqrt(large)
    return [jnp.where(size < 3.75, inside, outside)]


def empty(*, shape: Any, dtype: Any, **_: Any) -> list[jax.Array]:
    """What `jnp.empty` gives before values are written into it: zeros."""
    return [jnp.zeros(shape, dtype)]


def unstack(x: jax.Array, *, axis: int) -> list[jax.Array]:
    """The parts of an array along an axis."""
    return [jnp.squeeze(jax.lax.slice_in_dim(x, n, n + 1, axis=axis), axis) for n in range(x.shape[axis])]


def log2(x: jax.Array, **_: Any) -> list[jax.Array]:
    """The logarithm to base 2."""
    return [jnp.log(x) * (1 / np.log(2))]


def one_minus_square(x: jax.Array, **_: Any) -> list[jax.Array]:
    """1 - x**2 as a product, which is exact near 1."""
    return [(1 + x) * (1 - x)]


def polynomial(x: jax.Array, *coefficients: jax.Array, **_: Any) -> list[jax.Array]:
    """By Horner's rule; the constant term comes first."""
    return [functools.reduce(lambda total, coefficient: total * x + coefficient, coefficients[::-1])]


def _running(combine, start):
    """Running results along an axis, which may have any size."""

    def run(x, *, axis, reverse, **_):
        first = jnp.full(x.shape[:axis] + x.shape[axis + 1 :], start(x.dtype), x.dtype)

        def step(total, row):
            total = combine(total, row)
            return total, total

        return [jnp.moveaxis(jax.lax.scan(step, first, jnp.moveaxis(x, axis, 0), reverse=reverse)[1], 0, axis)]

    return run


def _least(dtype):
    return -np.inf if jnp.issubdtype(dtype, jnp.floating) else jnp.iinfo(dtype).min


def _most(dtype):
    return np.inf if jnp.issubdtype(dtype, jnp.floating) else jnp.iinfo(dtype).max


def _column(x, n):
    return jnp.sum(jnp.where(jnp.arange(x.shape[-1]) == n, x, 0), -1)


_at = _column  # of a vector


def _row(x, n):
    return jnp.sum(jnp.where((jnp.arange(x.shape[-2]) == n)[:, None], x, 0), -2)


def _exchanged(x, is_first, is_best):
    first, best = (jnp.sum(jnp.where(chosen, x, 0), -2, keepdims=True) for chosen in (is_first, is_best))
    return jnp.where(is_first, best, jnp.where(is_best, first, x)).astype(x.dtype)


def _columns(x, order):
    return jnp.take_along_axis(x, jnp.broadcast_to(order[..., None, :], x.shape), -1)


def _rotated(step, state, size):
    """`state` after `step` for each pair of columns, several times over."""
    pairs = np.asarray([(p, q) for p in range(size) for q in range(p + 1, size)], np.int32).reshape(-1, 2)
    if not len(pairs):
        return state
    return jax.lax.scan(lambda state, pair: (step(pair, state), None), state, jnp.asarray(np.tile(pairs, (SWEEPS, 1))))[
        0
    ]


def _rotation(pair, size, first, second, both):
    """The rotation of two axes that makes the symmetric matrix [[first, both], [both, second]] diagonal."""
    is_zero = both == 0
    ratio = (second - first) / (2 * jnp.where(is_zero, 1, both))
    tangent = jnp.where(ratio < 0, -1, 1) / (jnp.abs(ratio) + jnp.sqrt(ratio**2 + 1))
    tangent = jnp.where(is_zero, 0, tangent)
    cosine = 1 / jnp.sqrt(tangent**2 + 1)
    cosine, sine = cosine[..., None, None], (tangent * cosine)[..., None, None]
    numbers = jnp.arange(size)
    p, q = (numbers == n for n in pair)
    on = (p[:, None] & p) | (q[:, None] & q)
    turned = jnp.where(p[:, None] & q, sine, jnp.where(q[:, None] & p, -sine, 0))
    return jnp.where(on, cosine, jnp.eye(size, dtype=first.dtype)) + turned


DECOMPOSITIONS: dict[str, Callable[..., Any]] = {
    "cumlogsumexp": _running(jnp.logaddexp, _least), "cummax": _running(jnp.maximum, _least),
    "cummin": _running(jnp.minimum, _most), "cumprod": _running(jnp.multiply, lambda dtype: 1),
    **{f.__name__: f for f in (bessel_i0e, cholesky, eigh, empty, erf_inv, log2, lu)},
    **{f.__name__: f for f in (one_minus_square, polynomial, qr, svd, triangular_solve, unstack)},
    **SPECIAL, **CHOICES,
}  # fmt: skip
WITHOUT_LAPACK: Any = tuple(  # rules of lowering for what JAX leaves to LAPACK, which TensorFlow lacks
    (getattr(jax.lax.linalg, f"{name}_p"), mlir.lower_fun(DECOMPOSITIONS[name], multiple_results=True))
    for name in ("cholesky", "eigh", "lu", "qr", "svd", "triangular_solve")
)

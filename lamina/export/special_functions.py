"""Special functions and bits of numbers, which no format has operators for, as functions of others."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["SPECIAL"]

LANCZOS = (0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
           12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7)  # fmt: skip
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730)  # B2, B4, ...
SHIFTS = 8  # steps by which an argument is raised before an asymptotic series holds
TERMS = 80  # of series and continued fractions, in single precision
TINY = 1e-30
POWERS = (64, 32, 16, 8, 4, 2, 1)


def _in_float32(function):
    """A function of floats whose numbers of 16 bits are computed in 32."""

    @functools.wraps(function)
    def run(*operands, **_):
        dtype = operands[0].dtype
        return [function(*(x.astype(jnp.promote_types(dtype, jnp.float32)) for x in operands)).astype(dtype)]

    return run


@_in_float32
def lgamma(x: jax.Array) -> jax.Array:
    """Lanczos's series; below 1/2 by the reflection of Gamma."""
    is_low = x < 0.5
    size = jnp.where(is_low, 1 - x, x) - 1
    total = sum((value / (size + n) for n, value in enumerate(LANCZOS[1:], 1)), jnp.full_like(x, LANCZOS[0]))
    t = size + 7.5
    above = 0.5 * np.log(2 * np.pi) + (size + 0.5) * (jnp.log(t) - 1) + jnp.log(total) - 7
    part = jnp.abs(x - jnp.floor(x))
    sine = jnp.sin(np.pi * jnp.minimum(part, 1 - part))
    below = np.log(np.pi) - jnp.log(sine) - above
    return jnp.where(jnp.isinf(x), jnp.inf, jnp.where(is_low, below, above))


@_in_float32
def digamma(x: jax.Array) -> jax.Array:
    """The asymptotic series of a raised argument; below 1/2 by reflection."""
    is_low = x < 0.5
    size = jnp.where(is_low, 1 - x, x)
    steps = sum((1 / (size + n) for n in range(SHIFTS)), jnp.zeros_like(x))
    y = size + SHIFTS
    series = sum((b / (2 * n * y ** (2 * n)) for n, b in enumerate(BERNOULLI[:4], 1)), jnp.zeros_like(x))
    above = jnp.log(y) - 0.5 / y - series - steps
    part = x - jnp.round(x)
    below = above - np.pi * jnp.cos(np.pi * part) / jnp.sin(np.pi * part)
    return jnp.where(is_low, jnp.where((part == 0) & (x <= 0), jnp.where(x == 0, -jnp.inf, jnp.nan), below), above)


@_in_float32
def zeta(x: jax.Array, q: jax.Array) -> jax.Array:
    """Hurwitz's: the first terms, and Euler's and Maclaurin's formula for the rest."""
    total = sum(((q + n) ** -x for n in range(SHIFTS)), jnp.zeros_like(q))
    y = q + SHIFTS
    total = total + y ** (1 - x) / (x - 1) + y**-x / 2
    factor = x * y ** (-x - 1)
    for n, b in enumerate(BERNOULLI, 1):
        total = total + b / float(np.prod(np.arange(1, 2 * n + 1))) * factor
        factor = factor * (x + 2 * n - 1) * (x + 2 * n) / (y * y)
    return jnp.where(x > 1, total, jnp.where(x == 1, jnp.inf, jnp.nan))


@_in_float32
def polygamma(m: jax.Array, x: jax.Array) -> jax.Array:
    """Derivatives of digamma, by Hurwitz's zeta function."""
    sign = jnp.where(m - 2 * jnp.floor(m / 2) == 0, -1.0, 1.0)
    raised = jnp.maximum(m, 1)
    others = sign * jnp.exp(lgamma(raised + 1)[0]) * zeta(raised + 1, x)[0]
    return jnp.where(m == 0, digamma(x)[0], others)


@_in_float32
def igamma(a: jax.Array, x: jax.Array) -> jax.Array:
    """The lower incomplete Gamma function, of Gamma."""
    return _of_gamma(a, x)


@_in_float32
def igammac(a: jax.Array, x: jax.Array) -> jax.Array:
    """The upper incomplete Gamma function, of Gamma."""
    return 1 - _of_gamma(a, x)


def _of_gamma(a, x):
    """The series up to a + 1, beyond it the continued fraction of the rest."""
    positive = jnp.maximum(x, TINY)
    front = jnp.exp(a * jnp.log(positive) - positive - lgamma(a)[0])

    def step(n, state):
        term, total, c, d, rest = state
        number = n.astype(x.dtype)
        term = term * positive / (a + number)
        odd = -number * (number - a)
        even = positive + 2 * number + 1 - a
        d = 1 / _not_zero(odd * d + even)
        c = _not_zero(even + odd / c)
        return term, total + term, c, d, rest * d * c

    first = _not_zero(positive + 1 - a)
    start = 1 / a, 1 / a, jnp.full_like(x, 1 / TINY), 1 / first, 1 / first
    _, total, _, _, rest = jax.lax.fori_loop(1, TERMS, step, start)
    lower = jnp.where(positive < a + 1, front * total, 1 - front * rest)
    return jnp.where(x <= 0, jnp.where(x == 0, 0.0, jnp.nan), jnp.where(jnp.isinf(x), 1.0, lower))


@_in_float32
def regularized_incomplete_beta(a: jax.Array, b: jax.Array, x: jax.Array) -> jax.Array:
    """Lentz's way through the continued fraction, on the side where it converges."""
    turned = x > (a + 1) / (a + b + 2)
    a, b, x = jnp.where(turned, b, a), jnp.where(turned, a, b), jnp.where(turned, 1 - x, x)
    front = lgamma(a + b)[0] - lgamma(a)[0] - lgamma(b)[0] + a * jnp.log(x) + b * jnp.log1p(-x)

    def step(n, state):
        m = n.astype(x.dtype)
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        c, d, total = state
        for factor in (even, odd):
            d, c = 1 / _not_zero(1 + factor * d), _not_zero(1 + factor / c)
            total = total * d * c
        return c, d, total

    first = 1 / _not_zero(1 - (a + b) * x / (a + 1))
    *_, total = jax.lax.fori_loop(1, TERMS, step, (jnp.ones_like(x), first, first))
    lower = jnp.exp(front) / a * total
    return jnp.where(turned, 1 - lower, lower)


def _not_zero(x):
    return jnp.where(jnp.abs(x) < TINY, TINY, x)


@_in_float32
def bessel_i1e(x: jax.Array) -> jax.Array:
    """Abramowitz and Stegun, 9.8.3 and 9.8.4, in single precision."""
    near = (0.00032411, 0.00301532, 0.02658733, 0.15084934, 0.51498869, 0.87890594, 0.5)
    far = (-0.00420059, 0.01787654, -0.02895312, 0.02282967, -0.01031555, 0.00163801, -0.00362018, -0.03988024,
           0.39894228)  # fmt: skip
    size = jnp.abs(x)
    small, large = jnp.minimum(size, 3.75), jnp.maximum(size, 3.75)
    inside = small * jnp.polyval(jnp.asarray(near, x.dtype), (small / 3.75) ** 2) * jnp.exp(-small)
    outside = jnp.polyval(jnp.asarray(far, x.dtype), 3.75 / large) / jnp.sqrt(large)
    return jnp.where(x < 0, -1.0, 1.0) * jnp.where(size < 3.75, inside, outside)


def population_count(x: jax.Array, **_: Any) -> list[jax.Array]:
    """The sum of all bits."""
    ones = jnp.asarray(1, x.dtype)
    return [jnp.sum(jnp.bitwise_and(_moved(x), ones).astype(jnp.int32), 0).astype(x.dtype)]


def clz(x: jax.Array, **_: Any) -> list[jax.Array]:
    """How many of the numbers moved to the right are zero."""
    return [jnp.sum((_moved(x) == 0).astype(jnp.int32), 0).astype(x.dtype)]


def _moved(x):
    """A number moved to the right by each count of places."""
    return jnp.stack([jax.lax.shift_right_logical(x, jnp.asarray(n, x.dtype)) for n in range(8 * x.dtype.itemsize)])


def bitcast_convert_type(x: jax.Array, *, new_dtype: Any, **_: Any) -> list[jax.Array]:
    """Between numbers of 32 bits: the exponent is found by scaling with powers of two, which is exact."""
    if not {str(x.dtype), str(np.dtype(new_dtype))} <= {"float32", "int32", "uint32"}:
        raise NotImplementedError
    if x.dtype == jnp.float32:
        return [_bits(x).astype(new_dtype)]
    if new_dtype == jnp.float32:
        return [_from_bits(x.astype(jnp.int32))]
    return [x.astype(new_dtype)]


def _bits(x):
    """The number as an int32. Numbers below the smallest normal one become 0."""
    size, exponent = jnp.abs(x), jnp.full(x.shape, 127, jnp.int32)
    for power in POWERS:
        is_large = size >= np.float32(2.0**power)
        size, exponent = jnp.where(is_large, size * 2.0**-power, size), jnp.where(is_large, exponent + power, exponent)
    for power in POWERS:
        is_small = size < np.float32(2.0 ** (1 - power))
        size, exponent = jnp.where(is_small, size * 2.0**power, size), jnp.where(is_small, exponent - power, exponent)
    bits = exponent * 2**23 + ((size - 1) * 2.0**23).astype(jnp.int32)
    bits = jnp.where(jnp.abs(x) < np.finfo(np.float32).tiny, 0, bits)
    bits = jnp.where(jnp.isinf(x), 255 * 2**23, jnp.where(jnp.isnan(x), 511 * 2**22, bits))
    is_negative = (x < 0) | ((x == 0) & (1 / x < 0))
    return jnp.where(is_negative, bits + np.int32(-(2**31)), bits)


def _from_bits(bits):
    """The number that an int32 stands for."""
    rest = jnp.where(bits < 0, bits - np.int32(-(2**31)), bits)
    exponent = rest // 2**23
    mantissa = (rest - exponent * 2**23).astype(jnp.float32) * 2.0**-23
    size, left = 1 + mantissa, exponent - 127
    for power in POWERS:
        is_large, is_small = left >= power, left <= -power
        size = jnp.where(is_large, size * 2.0**power, jnp.where(is_small, size * 2.0**-power, size))
        left = jnp.where(is_large, left - power, jnp.where(is_small, left + power, left))
    size = jnp.where(exponent == 0, 0, jnp.where(exponent == 255, jnp.where(mantissa == 0, jnp.inf, jnp.nan), size))
    return jnp.where(bits < 0, -size, size)


SPECIAL: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        bessel_i1e, bitcast_convert_type, clz, digamma, igamma, igammac, lgamma, polygamma, population_count,
        regularized_incomplete_beta, zeta,
    )
}  # fmt: skip

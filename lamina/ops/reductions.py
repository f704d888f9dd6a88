"""Functions that take axes away, or run along one: sums, means, extremes, quantiles, orders, counts."""

import builtins

import jax
import jax.numpy as jnp
from jax.core import Tracer

from lamina.core.op import op
from lamina.core.read_limits import reserve_steps
from lamina.errors import ShapeError
from lamina.ops.arrays import canonical, floating, tensor

__all__ = [
    "all", "allclose", "amax", "amin", "any", "argmax", "argmin", "argpartition", "argsort", "average", "bincount",
    "corrcoef", "correlate", "count_nonzero", "cumprod", "cumsum", "diff", "digitize", "histogram", "isin", "max",
    "mean", "median", "min", "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian",
    "nanmin", "nanpercentile", "nanprod", "nanquantile", "nanstd", "nansum", "nanvar", "percentile", "prod", "ptp",
    "quantile", "searchsorted", "sort", "std", "sum", "trapezoid", "unique", "var",
]  # fmt: skip


def reduction(function, doc, name, floats=False):
    """The op `name(x, axis=None, keepdims=False)` of a jax.numpy reduction. floats: whether integers are made floats
    first."""
    prepare = floating if floats else tensor

    def compute(x, axis=None, keepdims=False):
        return function(prepare(x), axis=_axes(axis), keepdims=keepdims)

    compute.__name__ = compute.__qualname__ = name
    compute.__module__ = __name__
    compute.__doc__ = doc + " axis: an axis, several, or None for all; keepdims: leave them with size 1."
    return op(compute, name=name)


def _axes(axis):
    return tuple(axis) if isinstance(axis, list) else axis


sum = reduction(jnp.sum, "The sum.", "sum")
mean = reduction(jnp.mean, "The mean.", "mean", floats=True)
var = reduction(jnp.var, "The mean of the squared differences from the mean.", "var", floats=True)
std = reduction(jnp.std, "The square root of the variance.", "std", floats=True)
all = reduction(jnp.all, "Whether all are true (not zero).", "all")
any = reduction(jnp.any, "Whether one or more are true (not zero).", "any")
amax = reduction(jnp.max, "The largest.", "amax")
amin = reduction(jnp.min, "The smallest.", "amin")
ptp = reduction(jnp.ptp, "The largest minus the smallest.", "ptp")
median = reduction(jnp.median, "The median.", "median", floats=True)
argmax = reduction(jnp.argmax, "The index of the first largest, as int32.", "argmax")
argmin = reduction(jnp.argmin, "The index of the first smallest, as int32.", "argmin")
nanargmax = reduction(jnp.nanargmax, "The index of the first largest that is not NaN; -1 if all are.", "nanargmax")
nanargmin = reduction(jnp.nanargmin, "The index of the first smallest that is not NaN; -1 if all are.", "nanargmin")
nanmax = reduction(jnp.nanmax, "The largest that is not NaN.", "nanmax")
nanmin = reduction(jnp.nanmin, "The smallest that is not NaN.", "nanmin")
nansum = reduction(jnp.nansum, "The sum, NaN counted as 0.", "nansum")
nanprod = reduction(jnp.nanprod, "The product, NaN counted as 1.", "nanprod")
nanmean = reduction(jnp.nanmean, "The mean without NaN.", "nanmean", floats=True)
nanmedian = reduction(jnp.nanmedian, "The median without NaN.", "nanmedian", floats=True)
nanvar = reduction(jnp.nanvar, "The variance without NaN.", "nanvar", floats=True)
nanstd = reduction(jnp.nanstd, "The standard deviation without NaN.", "nanstd", floats=True)


@op
def max(x, axis=None, keepdims=False, initial=None):
    """The largest; never less than `initial` where that is given."""
    return jnp.max(tensor(x), axis=_axes(axis), keepdims=keepdims, initial=initial)


@op
def min(x, axis=None, keepdims=False, initial=None):
    """The smallest; never more than `initial` where that is given."""
    return jnp.min(tensor(x), axis=_axes(axis), keepdims=keepdims, initial=initial)


@op
def prod(x, axis=None, keepdims=False, dtype=None):
    """The product."""
    return jnp.prod(tensor(x), axis=_axes(axis), keepdims=keepdims, dtype=_or_own(dtype))


def _or_own(dtype):
    return None if dtype is None else canonical(dtype)


@op
def average(x, axis=None, weights=None):
    """sum(weights * x) / sum(weights); the mean without weights."""
    return jnp.average(floating(x), axis=_axes(axis), weights=None if weights is None else floating(weights))


@op
def count_nonzero(x, axis=None):
    """How many elements are not zero, as int32."""
    return jnp.count_nonzero(tensor(x), axis=_axes(axis)).astype("int32")


@op
def allclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether |x1 - x2| <= atol + rtol * |x2| everywhere."""
    return jnp.allclose(tensor(x1), tensor(x2), rtol, atol, equal_nan)


# Quantiles


@op
def quantile(x, q, axis=None, method="linear", keepdims=False):
    """The value below which a part q of the elements lies. method: 'linear', 'lower', 'higher', 'midpoint' or
    'nearest'."""
    return jnp.quantile(floating(x), floating(q), axis=_axes(axis), method=method, keepdims=keepdims)


@op
def percentile(x, q, axis=None, method="linear", keepdims=False):
    """The value below which q percent of the elements lie."""
    return jnp.percentile(floating(x), floating(q), axis=_axes(axis), method=method, keepdims=keepdims)


@op
def nanquantile(x, q, axis=None, method="linear", keepdims=False):
    """`quantile` without NaN."""
    return jnp.nanquantile(floating(x), floating(q), axis=_axes(axis), method=method, keepdims=keepdims)


@op
def nanpercentile(x, q, axis=None, method="linear", keepdims=False):
    """`percentile` without NaN."""
    return jnp.nanpercentile(floating(x), floating(q), axis=_axes(axis), method=method, keepdims=keepdims)


# Along one axis


@op
def cumsum(x, axis=None, dtype=None):
    """The sums of all elements up to each one; of the flat array if axis is None."""
    return jnp.cumsum(tensor(x), axis=axis, dtype=_or_own(dtype))


@op
def cumprod(x, axis=None, dtype=None):
    """The products of all elements up to each one; of the flat array if axis is None."""
    return jnp.cumprod(tensor(x), axis=axis, dtype=_or_own(dtype))


@op
def nancumsum(x, axis=None, dtype=None):
    """`cumsum`, NaN counted as 0."""
    return jnp.nancumsum(tensor(x), axis=axis, dtype=_or_own(dtype))


@op
def nancumprod(x, axis=None, dtype=None):
    """`cumprod`, NaN counted as 1."""
    return jnp.nancumprod(tensor(x), axis=axis, dtype=_or_own(dtype))


@op
def diff(a, n=1, axis=-1):
    """Each element minus the one before it, n times over."""
    reserve_steps(5 * n, "diff")
    return jnp.diff(tensor(a), n=n, axis=axis)


@op
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """The integral of y over x (or steps of dx) by the trapezoid rule."""
    return jnp.trapezoid(floating(y), None if x is None else floating(x), dx, axis)


# Orders and counts


@op
def sort(x, axis=-1):
    """The elements in rising order."""
    return jnp.sort(tensor(x), axis=axis)


@op
def argsort(x, axis=-1):
    """The indices that put the elements in rising order; equal ones stay in order. Of the flat array if axis is
    None."""
    x = tensor(x)
    return jnp.argsort(x, axis=axis if x.ndim else None)


@op(settings=("kth",))
def argpartition(x, kth, axis=-1):
    """Indices that put the smallest `kth` elements first, element `kth` in its sorted place and the rest after it."""
    return jnp.argpartition(tensor(x), kth, axis).astype("int32")


@op
def searchsorted(sorted_sequence, values, side="left"):
    """Where each value goes in so that the sequence stays sorted, as int32; 'right': after equal ones."""
    return jnp.searchsorted(tensor(sorted_sequence), tensor(values), side=side)


@op
def digitize(x, bins):
    """The index of the bin each element falls in: i for bins[i-1] <= x < bins[i]."""
    return jnp.digitize(tensor(x), tensor(bins))


@op
def bincount(x, weights=None, minlength=0, sparse=False):
    """How often (or with how much weight) each of 0, 1, 2, ... occurs in the last axis.

    Shapes: (n,) -> (k,), (batch, n) -> (batch, k) with k = max(max(x) + 1, minlength); inside a compiled function k =
    minlength.

    >>> import lamina as keras
    >>> keras.ops.bincount([1, 3, 1])
    Array([0, 2, 0, 1], dtype=int32)
    """
    x = tensor(x)
    weights = jnp.ones(x.shape, "int32") if weights is None else tensor(weights)
    length = _bincount_length(x, minlength)
    if x.ndim == 1:
        return jnp.bincount(x, weights, length=length)
    return jax.vmap(lambda row, row_weights: jnp.bincount(row, row_weights, length=length))(x, weights)


def _bincount_length(x, minlength):
    """Known values decide the length; under a trace only `minlength` can."""
    if isinstance(x, Tracer):
        if not minlength:
            raise ShapeError(
                "bincount inside a model or a compiled function cannot know its length.", fix="minlength=..."
            )
        return minlength
    return builtins.max(int(jnp.max(x)) + 1 if x.size else 0, minlength)


@op
def histogram(x, bins=10, range=None):
    """(counts, edges) of `bins` equal bins over `range` (all of x if None). bins may be the edges themselves."""
    return jnp.histogram(tensor(x), bins=bins, range=range)


@op
def isin(x1, x2, assume_unique=False, invert=False):
    """For each element of x1, whether x2 has it (invert: has it not)."""
    return jnp.isin(tensor(x1), tensor(x2), assume_unique, invert)


@op
def unique(
    x, sorted=True, return_index=False, return_inverse=False, return_counts=False, axis=None, size=None, fill_value=None
):
    """The distinct elements (or slices along `axis`), in rising order.

    return_index: also where each is first; return_inverse: also which one each element is; return_counts: also how
    often.
    size: the length of the result, filled up with `fill_value` (needed inside a compiled function).

    >>> import lamina as keras
    >>> keras.ops.unique([3, 1, 3])
    Array([1, 3], dtype=int32)
    """
    x = tensor(x)
    if size is None and isinstance(x, Tracer):
        raise ShapeError("How many distinct elements there are is known only with values.", fix="size=...")
    return jnp.unique(
        x, return_index, return_inverse, return_counts, axis, size=size, fill_value=fill_value, sorted=sorted
    )


# Statistics of pairs


@op
def corrcoef(x):
    """Pearson's correlation of each row with each row. Shapes: (rows, n) -> (rows, rows)."""
    return jnp.corrcoef(floating(x))


@op
def correlate(x1, x2, mode="valid"):
    """The sums over k of x1[n + k] * x2[k]. mode: 'valid', 'same' or 'full'."""
    return jnp.correlate(tensor(x1), tensor(x2), mode=mode)

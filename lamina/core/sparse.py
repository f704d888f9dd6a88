"""Sparse arrays, `jax.experimental.sparse.BCOO`, in ops: one rule for all.

1. The rules of SPARSE know more of their op than the stored values.
2. An op that works on each element alone and makes 0 of 0 is computed on the stored values.
3. `jax.experimental.sparse.sparsify` computes what has a sparse form: sums, products, slices, other shapes.
4. Where none of these applies, the arrays are made dense.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

__all__ = [
    "as_sparse",
    "compute_sparse",
    "has_sparse",
    "is_sparse",
    "is_sparse_leaf",
    "make_sparse",
    "to_dense",
    "with_values",
    "without_sparse",
]

_MODULE = "jax.experimental.sparse"  # imported only when someone has made a sparse array
# Ops of each element alone. Those that make something else of 0 (a clip to 1 and more) are found by trying 0.
_ELEMENTWISE = frozenset(
    "absolute angle arcsin arcsinh arctan arctanh cast cbrt ceil celu clip conjugate copy deg2rad digitize elu erf "
    "erfinv expm1 floor gelu hard_shrink hard_silu hard_tanh imag isinf isnan leaky_relu log1p nan_to_num negative "
    "power rad2deg real relu relu6 round saturate_cast selu sign signbit silu sin sinc sinh soft_shrink softsign "
    "sparse_plus sqrt square stop_gradient tan tanh tanh_shrink threshold trunc".split()
)


# class -> whether its objects are sparse arrays; a class made in a function goes when its user is done with it
_known: weakref.WeakKeyDictionary[type, bool] = weakref.WeakKeyDictionary()


def is_sparse(value: Any) -> bool:
    """Whether a value is a sparse array of JAX or a sparse matrix or array of SciPy.

    Args:
        value: Anything.
    """
    kind = type(value)
    known = _known.get(kind)
    if known is None:
        names = {base.__name__ for base in kind.__mro__ if base.__module__.partition(".")[0] in ("jax", "scipy")}
        known = _known[kind] = not names.isdisjoint(("JAXSparse", "sparray", "spmatrix"))
    return known


def is_sparse_leaf(value: Any) -> bool:
    """`is_sparse`, which asks no value while nobody has imported a library of sparse arrays.

    Args:
        value: Anything; lists and tuples are not looked into.
    """
    return (_MODULE in sys.modules or "scipy.sparse" in sys.modules) and is_sparse(value)


def has_sparse(arguments: Any) -> bool:
    """Whether a sparse array is among values, or in lists or tuples of them.

    Args:
        arguments: Values.
    """
    if _MODULE not in sys.modules and "scipy.sparse" not in sys.modules:
        return False  # no sparse array can exist: what every op asks costs next to nothing
    return any(
        has_sparse(value) if type(value) is tuple or type(value) is list else is_sparse(value) for value in arguments
    )


def as_sparse(value: Any) -> Any:
    """A sparse array of JAX or SciPy, in whichever format, as a BCOO.

    Args:
        value: Sparse array.
    """
    from jax.experimental import sparse

    if isinstance(value, sparse.BCOO):
        return value
    if isinstance(value, sparse.BCSR):
        return value.to_bcoo()
    if isinstance(value, sparse.JAXSparse):
        return sparse.BCOO.fromdense(value.todense())
    coo = value.tocoo()
    dtype = jax.dtypes.canonicalize_dtype(coo.dtype)
    places = np.stack(getattr(coo, "coords", (coo.row, coo.col)), axis=-1).astype(np.int32)
    return sparse.BCOO((jnp.asarray(coo.data.astype(dtype)), jnp.asarray(places)), shape=coo.shape)


def make_sparse(array: Any, nse: int | None = None) -> Any:
    """An array as a BCOO.

    Args:
        array: Array.
        nse: Room for values; None means for those that are not 0, and for all while the array is traced.
    """
    from jax.experimental import sparse

    return sparse.BCOO.fromdense(array, nse=array.size if nse is None and isinstance(array, Tracer) else nse)


def to_dense(value: Any) -> Any:
    """A sparse array, also within lists and tuples, as a dense one. Everything else is unchanged.

    Args:
        value: Anything.
    """
    if type(value) is tuple or type(value) is list:
        return type(value)(map(to_dense, value))
    return _dense(as_sparse(value)) if is_sparse(value) else value


def _dense(array):
    if array.dtype == bool:  # JAX adds what it scatters, and cannot add booleans
        return with_values(array, array.data.astype("int8")).todense().astype(bool)
    return array.todense()


def without_sparse(structure: Any) -> tuple[list[bool], Any]:
    """(whether each leaf is sparse, the structure with dense leaves).

    Args:
        structure: Nested structure; None is a leaf.
    """
    leaves, form = jax.tree_util.tree_flatten(structure, is_leaf=lambda leaf: leaf is None or is_sparse(leaf))
    return [*map(is_sparse, leaves)], jax.tree_util.tree_unflatten(form, [*map(to_dense, leaves)])


def compute_sparse(name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of an op of which some arguments are sparse: sparse where it can be.

    Args:
        name: Name of the op.
        function: What it computes on dense arrays.
        args, kwargs: Its arguments.
    """
    from jax.experimental import sparse

    leaves, form = jax.tree_util.tree_flatten((args, kwargs), is_leaf=lambda leaf: leaf is None or is_sparse(leaf))
    places = [index for index, leaf in enumerate(leaves) if is_sparse(leaf)]
    arrays = [as_sparse(leaves[index]) for index in places]

    def on(*given):
        filled = list(leaves)
        for index, value in zip(places, given, strict=True):
            filled[index] = value
        now_args, now_kwargs = jax.tree_util.tree_unflatten(form, filled)
        return function(*now_args, **now_kwargs)

    others = [leaf for index, leaf in enumerate(leaves) if index not in places]
    try:
        for rule in (SPARSE.get(name), _on_each if name in _ELEMENTWISE else None):
            found = rule(on, arrays, places, others) if rule else NotImplemented
            if found is not NotImplemented:
                return found
        return sparse.sparsify(on)(*arrays)
    except (NotImplementedError, TypeError, ValueError):  # what has no sparse form; what is wrong is wrong below too
        return on(*map(_dense, arrays))


def _on_each(on, arrays, places, others):
    """The op on the stored values of its first argument, where it makes 0 of 0."""
    if places != [0] or any(isinstance(one, (jax.Array, np.ndarray)) and one.ndim > 1 for one in others):
        return NotImplemented
    (x,) = map(_summed, arrays)
    with jax.ensure_compile_time_eval():
        of_zero = on(jnp.zeros((), x.dtype))
    if isinstance(of_zero, Tracer) or np.any(np.asarray(of_zero)):
        return NotImplemented
    return with_values(x, on(x.data))


def with_values(x: Any, data: Any) -> Any:
    """A BCOO with other values at the same places.

    Args:
        x: BCOO.
        data: The values, as many as `x` stores.
    """
    kept = {"shape": x.shape, "indices_sorted": x.indices_sorted, "unique_indices": x.unique_indices}
    return type(x)((data, x.indices), **kept)


def _summed(x):
    """A BCOO that stores each place once; places that occur twice are summed."""
    if x.unique_indices:
        return x
    return x.sum_duplicates(nse=x.nse if isinstance(x.data, Tracer) else None, remove_zeros=False)


def _places_of_both(x1, x2):
    """Two BCOOs of one shape that store the same places, in the same order."""
    if x1.indices is not x2.indices:
        zeros1, zeros2 = jnp.zeros_like(x1.data, x2.dtype), jnp.zeros_like(x2.data, x1.dtype)
        x1, x2 = x1 + with_values(x2, zeros2), with_values(x1, zeros1) + x2
    return _summed(x1), _summed(x2)


def _on_both(on, arrays, places, others):
    """The op on the values that either of two BCOOs stores."""
    if len(arrays) != 2 or arrays[0].shape != arrays[1].shape:
        return NotImplemented
    x1, x2 = _places_of_both(*arrays)
    return with_values(x1, on(x1.data, x2.data))


def _of_stored(on, arrays, places, others):
    return make_sparse(to_dense(on(*(array.data for array in arrays))))


def _divided(on, arrays, places, others):
    """A BCOO divided by a dense array: what is not stored is 0, but for 0 / 0 and 0 / NaN, which are NaN."""
    if places != [0]:
        return NotImplemented
    from jax.experimental import sparse

    (x,), divisor = arrays, jnp.asarray(others[0])
    if divisor.ndim and not isinstance(divisor, Tracer):
        undefined = jnp.broadcast_to((divisor == 0) | jnp.isnan(divisor), x.shape)
        added = sparse.BCOO.fromdense(undefined, n_batch=x.n_batch, n_dense=x.n_dense, index_dtype=x.indices.dtype)
        x, _ = _places_of_both(x, added)
    return sparse.sparsify(on)(x)


SPARSE: dict[str, Callable[..., Any]] = {
    "bincount": _of_stored, "maximum": _on_both, "minimum": _on_both, "divide": _divided, "true_divide": _divided,
}  # fmt: skip

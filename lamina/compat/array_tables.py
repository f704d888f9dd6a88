"""TensorFlow functions of arrays by namespace, those that fit in a line written here."""

from __future__ import annotations

import functools
import time
import warnings
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import scipy as jsp

from lamina import ops
from lamina.compat import arrays as a
from lamina.compat.arrays import array, on_texts
from lamina.compat.counting import band_part, bincount, edit_distance, segments, set_operation, svd
from lamina.compat.functions import constant
from lamina.compat.host import on_host
from lamina.compat.lifting import NeedsEager, inside
from lamina.compat.random_numbers import RANDOM
from lamina.compat.table import functions_of
from lamina.core.keras_tensor import is_symbolic
from lamina.core.variable import unwrap
from lamina.training.data.elements import spec_of

__all__ = ["BITWISE", "LINALG", "MORE_MATH", "MORE_ROOT", "NUMPY", "SETS", "of"]


def of(function):
    """A function of arrays as one of TensorFlow's: `name` is left out, the first arguments become arrays."""

    def run(*args, **kwargs):
        kwargs.pop("name", None)
        args = (*args, *(kwargs.pop(key) for key in _TENSORS if key in kwargs))
        return function(*map(array, args), **{key: array(value) for key, value in kwargs.items()})

    return run


_TENSORS = "input tensor matrix value a b x y q x1 x2".split()
"""TensorFlow's names of the arguments that are tensors, in the order of its functions."""


def timestamp(name: Any = None) -> Any:
    """`tf.timestamp`: the seconds since 1970, of 64 bits."""
    if inside():
        raise NeedsEager("it reads the clock in each call")
    return on_host(np.asarray(time.time()))


def sobol_sample(dim: Any, num_results: Any, skip: Any = 0, dtype: Any = "float32", name: Any = None) -> Any:
    """`tf.math.sobol_sample`: points of Sobol's sequence, which begins behind the origin."""
    from scipy.stats.qmc import Sobol

    sequence = Sobol(int(dim), scramble=False).fast_forward(int(skip) + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # SciPy's, on counts that are no power of two
        return jnp.asarray(sequence.random(int(num_results)), dtype)


_CAST = functions_of("cast: cast @x dtype", "tf")["cast"]
_COUNTED = {"segment_": False, "unsorted_segment_": True}


MORE_MATH: dict[str, Any] = {
    **{f"{name}{kind}": segments(kind, unsorted) for name, unsorted in _COUNTED.items() for kind in (
        "max", "mean", "min", "prod", "sum", *(["sqrt_n"] if unsorted else []))},
    **{name: of(getattr(jsp.special, name)) for name in (
        "betainc erfc i0 i0e i1 i1e ndtri xlog1py xlogy zeta erfinv".split())},
    "bessel_i0": of(jsp.special.i0), "bessel_i0e": of(jsp.special.i0e), "bessel_i1": of(jsp.special.i1),
    "bessel_i1e": of(jsp.special.i1e), "igamma": of(jsp.special.gammainc), "igammac": of(jsp.special.gammaincc),
    "erfcinv": of(lambda x: -jsp.special.ndtri(x / 2) / np.sqrt(2)), "nextafter": of(jnp.nextafter),
    "lbeta": of(lambda x: jsp.special.gammaln(x).sum(-1) - jsp.special.gammaln(x.sum(-1))),
    "bincount": bincount, "sobol_sample": sobol_sample,
    "polygamma": lambda a, x, name=None: jsp.special.polygamma(array(a, "int32"), array(x)),
    "cumsum": a.cumulative(jnp.cumsum, 0), "cumprod": a.cumulative(jnp.cumprod, 1),
    "cumulative_logsumexp": a.cumulative(jax.lax.cumlogsumexp, -np.inf), "equal": a.equal,
    "not_equal": lambda x, y, name=None: ~a.equal(x, y), "global_norm": a.global_norm,
    "invert_permutation": of(jnp.argsort), "is_non_decreasing": of(lambda x: (jnp.diff(x.ravel()) >= 0).all()),
    "is_strictly_increasing": of(lambda x: (jnp.diff(x.ravel()) > 0).all()),
    "multiply_no_nan": of(lambda x, y: jnp.where(y == 0, 0, x * jnp.where(y == 0, 0, y))),
    "xdivy": of(lambda x, y: jnp.where(x == 0, 0, x / jnp.where(x == 0, 1, y))),
    "polyval": lambda coeffs, x, name=None: functools.reduce(lambda total, one: total * array(x) + one, coeffs),
    "scalar_mul": lambda scalar, x, name=None: scalar * array(x),
    "zero_fraction": of(lambda value: (value == 0).mean()),
    "log_softmax": lambda logits, axis=-1, name=None: jax.nn.log_softmax(array(logits), axis),
    "softmax": lambda logits, axis=-1, name=None: jax.nn.softmax(array(logits), axis),
    "accumulate_n": lambda inputs, **_: sum(map(array, inputs)),
}  # fmt: skip


def _of_numpy(function):
    """A function of jax.numpy that takes lists too."""

    @functools.wraps(function)
    def run(*args, **kwargs):
        return function(*map(_listed, args), **kwargs)

    return run


def _listed(arg):
    if not isinstance(arg, (list, tuple)) or all(isinstance(one, int) for one in arg):  # an axis, or a shape
        return jnp.asarray(arg) if isinstance(arg, list) else unwrap(arg)
    sizes = {np.shape(one) for one in arg}
    return array(list(arg)) if len(sizes) == 1 else [array(one) for one in arg]


NUMPY: dict[str, Any] = {
    name: _of_numpy(value) if callable(value) and not isinstance(value, type) else value
    for name, value in vars(jnp).items() if not name.startswith("_")
}  # fmt: skip
NUMPY |= {
    "experimental_enable_numpy_behavior": lambda *_, **__: None,
    "random": SimpleNamespace(
        rand=lambda *size: RANDOM["uniform"](size), randn=lambda *size: RANDOM["normal"](size),
        normal=lambda loc=0.0, scale=1.0, size=(): RANDOM["normal"](a.dims(size), loc, scale),
        uniform=lambda low=0.0, high=1.0, size=(): RANDOM["uniform"](a.dims(size), low, high),
        randint=lambda low, high=None, size=(), dtype="int32": RANDOM["uniform"](
            a.dims(size), *((0, low) if high is None else (low, high)), dtype=dtype),
        poisson=lambda lam=1.0, size=(): RANDOM["poisson"](a.dims(size), lam),
        random=lambda size=(): RANDOM["uniform"](a.dims(size)), seed=RANDOM["set_seed"],
    ),
}  # fmt: skip
MORE_ROOT: dict[str, Any] = {
    **{name: MORE_MATH[name] for name in ("cumsum", "equal", "not_equal", "scalar_mul")},
    "argsort": a.argsort, "boolean_mask": a.boolean_mask, "clip_by_global_norm": a.clip_by_global_norm,
    "concat": a.concat, "dynamic_stitch": a.dynamic_stitch, "edit_distance": edit_distance,

    "foldl": a.foldl, "foldr": functools.partial(a.foldl, reverse=True), "gather": a.gather, "gather_nd": a.gather_nd,
    "histogram_fixed_width_bins": a.histogram_bins, "map_fn": a.map_fn, "reverse_sequence": a.reverse_sequence,
    "scan": a.scan,
    "histogram_fixed_width": lambda values, value_range, nbins=100, dtype="int32", name=None: jnp.bincount(
        a.histogram_bins(values, value_range, nbins).ravel(), length=nbins).astype(dtype),
    "sequence_mask": a.sequence_mask, "slice": a.slice_, "sort": a.sort, "stack": a.stack,
    "strided_slice": a.strided_slice,
    "unique_with_counts": a.unique_with_counts,
    "unique": lambda x, out_idx=None, name=None: a.Unique(*a.unique_with_counts(x)[:2]),
    **{f"tensor_scatter_nd_{name}": a.scattered(kind) for name, kind in (
        ("add", "add"), ("sub", "sub"), ("max", "max"), ("min", "min"), ("update", "set"))},
    "scatter_nd": lambda indices, updates, shape, name=None: a.scattered("add")(
        jnp.zeros(tuple(map(int, np.ravel(shape))), array(updates).dtype), indices, updates),
    "bitcast": lambda input, type, name=None: jax.lax.bitcast_convert_type(array(input), np.dtype(type)),
    "broadcast_static_shape": lambda shape_x, shape_y: np.broadcast_shapes(tuple(shape_x), tuple(shape_y)),
    "broadcast_dynamic_shape": lambda shape_x, shape_y: jnp.asarray(
        np.broadcast_shapes(tuple(np.asarray(shape_x)), tuple(np.asarray(shape_y)))),
    "complex": lambda real, imag, name=None: jax.lax.complex(array(real), array(imag)),
    "dynamic_partition": lambda data, partitions, num_partitions, name=None: [
        a.boolean_mask(data, np.asarray(unwrap(partitions)) == part) for part in range(num_partitions)],
    "cast": on_texts(lambda text, dtype: text, lambda x, *args, **kwargs: _CAST(x, *args, **kwargs)),
    "expand_dims": on_texts(np.expand_dims, lambda input, axis, name=None: ops.expand_dims(constant(input), axis)),
    "fill": lambda dims, value, name=None: on_texts(np.broadcast_to, lambda one, shape: jnp.broadcast_to(
        constant(one), shape))(constant(value), a.dims(dims)),
    "eye": lambda num_rows, num_columns=None, batch_shape=None, dtype="float32", name=None: jnp.broadcast_to(
        jnp.eye(num_rows, num_columns, dtype=dtype), (*(batch_shape or ()), num_rows, num_columns or num_rows)),
    "get_static_value": lambda tensor, partial=False: np.asarray(unwrap(tensor)),
    "grad_pass_through": lambda f: lambda *args: f(*args), "group": lambda *inputs, **_: None,
    "identity_n": lambda input, name=None: [array(one) for one in input], "no_op": lambda name=None: None,
    "linspace": lambda start, stop, num, name=None, axis=0: jnp.linspace(array(start), array(stop), int(num),
                                                                        axis=axis),
    "realdiv": of(jnp.divide), "repeat": on_texts(np.repeat, lambda input, repeats, axis=None, name=None: jnp.repeat(
        array(input), np.asarray(unwrap(repeats)), axis)),
    "reshape": on_texts(lambda text, shape: text.reshape(a.dims(shape)), lambda tensor, shape, name=None:
        ops.reshape(constant(tensor), a.dims(shape))),
    "reverse": on_texts(lambda text, axis: np.flip(text, a.axes_of(axis)),
                         lambda tensor, axis, name=None: jnp.flip(array(tensor), a.axes_of(axis))),
    "saturate_cast": lambda value, dtype, name=None: jnp.clip(array(value), *(
        (np.iinfo(dtype).min, np.iinfo(dtype).max) if np.dtype(dtype).kind in "iu" else (-np.inf,
        np.inf))).astype(dtype),
    "searchsorted": lambda sorted_sequence, values, side="left", out_type="int32", name=None: (
        jnp.vectorize(lambda row, v: jnp.searchsorted(row, v, side=side), signature="(n),(m)->(m)")(
            array(sorted_sequence), array(values)).astype("int32")),
    "shape": lambda input, out_type="int32", name=None: a.shape_of(input),
    "shape_n": lambda input, out_type="int32", name=None: [a.shape_of(one) for one in input],
    "size": lambda input, out_type="int32", name=None: ops.size(input) if is_symbolic(input) or not all(
        isinstance(size, int) for size in a.sizes_of(input)) else on_host(
        np.asarray(np.prod(a.sizes_of(input)), "int32")),
    "rank": lambda input, name=None: on_host(np.asarray(len(a.sizes_of(input)), "int32")),
    "squeeze": on_texts(lambda text, axis=None: np.squeeze(text, a.axes_of(axis)), lambda input, axis=None, name=None:
        jnp.squeeze(array(input), a.axes_of(axis))),
    "tile": on_texts(np.tile, lambda input, multiples, name=None: jnp.tile(array(input), a.dims(multiples))),
    "timestamp": timestamp, "truncatediv": of(jax.lax.div), "truncatemod": of(jax.lax.rem),
    "transpose": on_texts(np.transpose, lambda a, perm=None, conjugate=False, name=None: jnp.transpose(
        array(a).conj() if conjugate else array(a), None if perm is None else tuple(map(int, np.ravel(perm))))),
    "tuple": lambda tensors, **_: list(tensors), "unravel_index": lambda indices, dims, name=None: jnp.stack(
        jnp.unravel_index(array(indices), tuple(map(int, np.ravel(dims))))),
    "type_spec_from_value": spec_of,
}  # fmt: skip
LINALG: dict[str, Any] = {
    **{name: of(getattr(jnp.linalg, name)) for name in "det inv slogdet cholesky".split()},
    "adjoint": of(lambda matrix: jnp.swapaxes(matrix, -1, -2).conj()), "band_part": band_part,
    "matrix_transpose": lambda a, conjugate=False, name=None: jnp.swapaxes(array(a).conj() if conjugate else array(a),
                                                                          -1, -2),
    "cholesky_solve": lambda chol, rhs, name=None: jsp.linalg.cho_solve((array(chol), True), array(rhs)),
    "cross": of(jnp.cross), "diag": lambda diagonal, name=None, k=0, **_: jnp.vectorize(
        lambda row: jnp.diag(row, k), signature="(n)->(m,m)")(array(diagonal)),
    "diag_part": lambda input, name=None, k=0, **_: jnp.diagonal(array(input), k, -2, -1),
    "eig": lambda tensor, name=None: tuple(map(jnp.asarray, np.linalg.eig(np.asarray(array(tensor))))),
    "eigh": lambda tensor, name=None: tuple(jnp.linalg.eigh(array(tensor))), "eigvalsh": of(jnp.linalg.eigvalsh),
    "expm": of(jsp.linalg.expm), "global_norm": a.global_norm,
    "logdet": of(lambda matrix: jnp.linalg.slogdet(matrix)[1]),
    "lstsq": lambda matrix, rhs, l2_regularizer=0.0, fast=True, name=None: jnp.linalg.solve(
        jnp.swapaxes(array(matrix), -1, -2) @ array(matrix) + l2_regularizer * jnp.eye(np.shape(matrix)[-1]),
        jnp.swapaxes(array(matrix), -1, -2) @ array(rhs)),
    "lu": lambda input, **_: jax.lax.linalg.lu(array(input))[::2], "matrix_rank": lambda a, tol=None, **_:
        jnp.linalg.matrix_rank(array(a), tol), "pinv": lambda a, rcond=None, **_: jnp.linalg.pinv(array(a), rcond),
    "matvec": lambda a, b, transpose_a=False, adjoint_a=False, *_, **__: jnp.einsum(
        "...ji,...j->...i" if transpose_a or adjoint_a else "...ij,...j->...i", array(a), array(b)),
    "qr": lambda input, full_matrices=False, name=None: tuple(jnp.linalg.qr(
        array(input), "complete" if full_matrices else "reduced")),
    "set_diag": lambda input, diagonal, *_, **__: jnp.vectorize(lambda matrix, row: matrix.at[
        jnp.arange(len(row)), jnp.arange(len(row))].set(row), signature="(n,m),(k)->(n,m)")(
            array(input), array(diagonal)),
    "solve": lambda matrix, rhs, adjoint=False, name=None: jnp.linalg.solve(
        jnp.swapaxes(array(matrix), -1, -2).conj() if adjoint else array(matrix), array(rhs)),
    "sqrtm": of(lambda x: jsp.linalg.sqrtm(x) if x.dtype.kind == "c" else jsp.linalg.sqrtm(x).real), "svd": svd,
    "tensor_diag": lambda diagonal, name=None: jnp.diag(
        array(diagonal).ravel()).reshape(array(diagonal).shape * 2),
    "tensor_diag_part": lambda input, name=None: jnp.diagonal(array(input)),
    "tensordot": lambda a, b, axes, name=None: jnp.tensordot(array(a), array(b), axes),
    "trace": lambda x, name=None: jnp.trace(array(x), axis1=-2, axis2=-1),
    "triangular_solve": lambda matrix, rhs, lower=True, adjoint=False, name=None: jsp.linalg.solve_triangular(
        array(matrix), array(rhs), trans=2 if adjoint else 0, lower=lower),
}  # fmt: skip
BITWISE: dict[str, Any] = {
    "bitwise_and": of(jnp.bitwise_and), "bitwise_or": of(jnp.bitwise_or), "bitwise_xor": of(jnp.bitwise_xor),
    "invert": of(jnp.invert), "left_shift": of(jnp.left_shift), "right_shift": of(jnp.right_shift),
}  # fmt: skip
SETS: dict[str, Any] = {
    "difference": set_operation(set.difference), "intersection": set_operation(set.intersection),
    "union": set_operation(set.union), "size": lambda a, validate_indices=True: jnp.bincount(
        a.indices[:, 0], length=a.shape[0]),
}  # fmt: skip

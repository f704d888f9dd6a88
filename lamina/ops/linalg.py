"""keras.ops.linalg: factors, inverses and norms of matrices, which lie on the last two axes."""

import jax
import jax.numpy as jnp
from jax.core import Tracer

from lamina.core.op import op
from lamina.errors import DataError, ShapeError
from lamina.ops.arrays import floating

__all__ = [
    "cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv", "jvp", "lstsq", "lu_factor", "matrix_rank", "norm",
    "pinv", "qr", "solve", "solve_triangular", "svd",
]  # fmt: skip


def matrix(x, square=False):
    """`x` as floats, checked to be a matrix or a stack of them."""
    x = floating(x)
    if x.ndim < 2 or (square and x.shape[-1] != x.shape[-2]):
        raise ShapeError(f"Expected {'square ' if square else ''}matrices (..., n, m); got shape {tuple(x.shape)}.")
    return x


@op
def cholesky(x, upper=False):
    """The triangular L with x = L L^T (upper: U with x = U^T U). Raises DataError if x is not positive definite."""
    factor = jnp.linalg.cholesky(matrix(x, square=True), upper=upper)
    if not isinstance(factor, Tracer) and jnp.isnan(factor).any():
        raise DataError("cholesky: the matrix is not positive definite.", fix="Add a small multiple of eye(n) to it.")
    return factor


@op
def cholesky_inverse(x, upper=False):
    """The inverse of A from its Cholesky factor x."""
    x = matrix(x, square=True)
    identity = jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape)
    inverse = jax.scipy.linalg.solve_triangular(x, identity, lower=not upper)
    other = jnp.swapaxes(inverse, -1, -2)
    return inverse @ other if upper else other @ inverse


@op
def det(x):
    """The determinant. Shapes: (..., n, n) -> (...)."""
    return jnp.linalg.det(matrix(x, square=True))


@op
def slogdet(x):
    """(sign, log |det x|), which neither overflows nor underflows."""
    return tuple(jnp.linalg.slogdet(matrix(x, square=True)))


@op
def logdet(x):
    """log(det x) of positive definite matrices."""
    return jnp.linalg.slogdet(matrix(x, square=True))[1]


@op
def eig(x):
    """(eigenvalues, eigenvectors as columns), complex. On CPUs only."""
    return tuple(jnp.linalg.eig(matrix(x, square=True)))


@op
def eigh(x):
    """(eigenvalues in rising order, eigenvectors as columns) of symmetric matrices."""
    return tuple(jnp.linalg.eigh(matrix(x, square=True)))


@op
def inv(x):
    """The inverse."""
    return jnp.linalg.inv(matrix(x, square=True))


@op
def lstsq(a, b, rcond=None):
    """The x with the smallest |a x - b|. Singular values below rcond times the largest count as zero.

    Shapes: a (n, k), b (n,) or (n, m) -> (k,) or (k, m).
    """
    return jnp.linalg.lstsq(floating(a), floating(b), rcond)[0]


@op
def lu_factor(x):
    """(lu, pivots): L (with ones on its diagonal, not stored) below and U above the diagonal of one matrix; rows
    exchanged."""
    return tuple(jax.lax.linalg.lu(matrix(x))[:2])


@op
def matrix_rank(x, tol=None):
    """The number of singular values above tol times the largest."""
    return jnp.linalg.matrix_rank(matrix(x), tol)


@op
def norm(x, ord=None, axis=None, keepdims=False):
    """The norm of vectors (axis an integer) or matrices (two axes); Euclidean, or 'fro', 'nuc', inf, -inf, 0, 1, -1,
    2, -2, p.

    >>> import lamina as keras
    >>> keras.ops.norm([3.0, 4.0])
    Array(5., dtype=float32)
    """
    axis = tuple(axis) if isinstance(axis, list) else axis
    return jnp.linalg.norm(floating(x), ord, axis, keepdims)


@op
def pinv(x, rcond=None):
    """The Moore-Penrose inverse. Singular values below rcond times the largest count as zero."""
    return jnp.linalg.pinv(matrix(x), rtol=rcond)


@op
def qr(x, mode="reduced"):
    """(q, r) with x = q r, q orthogonal and r triangular. mode: 'reduced' or 'complete'."""
    return tuple(jnp.linalg.qr(matrix(x), mode))


@op
def solve(a, b):
    """The x with a x = b. Shapes: a (..., n, n), b (..., n) or (..., n, m)."""
    a, b = matrix(a, square=True), floating(b)
    return jnp.linalg.solve(a, b[..., None])[..., 0] if b.ndim == a.ndim - 1 else jnp.linalg.solve(a, b)


@op
def solve_triangular(a, b, lower=False):
    """The x with a x = b for a triangular a, the other half of which is not read."""
    a, b = matrix(a, square=True), floating(b)
    if b.ndim == a.ndim - 1:
        return jax.scipy.linalg.solve_triangular(a, b[..., None], lower=lower)[..., 0]
    return jax.scipy.linalg.solve_triangular(a, b, lower=lower)


@op
def svd(x, full_matrices=True, compute_uv=True):
    """(u, s, v) with x = u diag(s) v, or s alone."""
    parts = jnp.linalg.svd(matrix(x), full_matrices, compute_uv)
    return tuple(parts) if compute_uv else parts


@op(settings=("fun",))
def jvp(fun, primals, tangents, has_aux=False):
    """(fun(*primals), its derivative in the direction of the tangents), and what else fun gives if has_aux.

    >>> import lamina as keras
    >>> keras.ops.jvp(lambda x: x * x, (3.0,), (1.0,))
    (Array(9., dtype=float32, weak_type=True), Array(6., dtype=float32, weak_type=True))
    """
    return jax.jvp(fun, tuple(map(floating, primals)), tuple(map(floating, tangents)), has_aux=has_aux)

"""keras.ops.linalg: factorizations, inverses and norms of matrices, which are the last two axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

from lamina.core.op import op
from lamina.core.typing import Axes, Tensor, TensorLike
from lamina.errors import DataError, ShapeError
from lamina.ops.arrays import floating

__all__ = [
    "cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv", "jvp", "lstsq", "lu_factor", "matrix_rank", "norm",
    "pinv", "qr", "solve", "solve_triangular", "svd",
]  # fmt: skip


def matrix(x: TensorLike, square: bool = False) -> Tensor:
    """`x` as floats, checked to be a matrix or a stack of matrices."""
    x = floating(x)
    if x.ndim < 2 or (square and x.shape[-1] != x.shape[-2]):
        fix = "keras.ops.pinv(x) inverts, and keras.ops.lstsq(a, b) solves with, a matrix that is not square."
        if x.ndim < 2:
            fix = "keras.ops.diag(x)" if square and x.ndim else "keras.ops.reshape(x, (1, -1))"
        message = f"Expected {'square ' if square else ''}matrices (..., n, m); got shape {tuple(x.shape)}."
        raise ShapeError(message, fix=fix)
    return x


@op
def cholesky(x: TensorLike, upper: bool = False) -> Tensor:
    """The lower triangular L with x = L L^T.

    Raises DataError if `x` is not positive definite.

    Args:
        x: Symmetric positive definite matrices (..., n, n).
        upper: Whether U with x = U^T U is returned.
    """
    x = matrix(x, square=True)
    factor = jnp.linalg.cholesky(x, upper=upper)
    if not isinstance(factor, Tracer) and jnp.isnan(factor).any():
        raise DataError(
            "cholesky: the matrix is not positive definite.",
            fix=f"keras.ops.cholesky(x + 1e-3 * keras.ops.eye({x.shape[-1]})), if it nearly is.",
        )
    return factor


@op
def cholesky_inverse(x: TensorLike, upper: bool = False) -> Tensor:
    """The inverse of A from its Cholesky factor `x`.

    Args:
        x: Cholesky factors of shape (..., n, n).
        upper: Whether the factors are upper triangular.
    """
    x = matrix(x, square=True)
    identity = jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape)
    inverse = jax.scipy.linalg.solve_triangular(x, identity, lower=not upper)
    other = jnp.swapaxes(inverse, -1, -2)
    return inverse @ other if upper else other @ inverse


@op
def det(x: TensorLike) -> Tensor:
    """The determinant. Shapes: (..., n, n) -> (...).

    Args:
        x: Square matrices (..., n, n).
    """
    return jnp.linalg.det(matrix(x, square=True))


@op
def slogdet(x: TensorLike) -> tuple[Any, Any]:
    """(sign, log |det x|), without overflow and underflow.

    Args:
        x: Square matrices (..., n, n).
    """
    return tuple(jnp.linalg.slogdet(matrix(x, square=True)))


@op
def logdet(x: TensorLike) -> Tensor:
    """log(det x) of positive definite matrices. Shapes: (..., n, n) -> (...).

    Args:
        x: Positive definite matrices (..., n, n).
    """
    return jnp.linalg.slogdet(matrix(x, square=True))[1]


@op
def eig(x: TensorLike) -> tuple[Any, Any]:
    """(eigenvalues, eigenvectors as columns), complex. JAX computes them on CPUs only.

    Args:
        x: Square matrices (..., n, n).
    """
    values, vectors = jnp.linalg.eig(matrix(x, square=True))
    return values, vectors


@op
def eigh(x: TensorLike) -> tuple[Any, Any]:
    """(eigenvalues in ascending order, eigenvectors as columns) of symmetric matrices.

    Args:
        x: Symmetric matrices (..., n, n).
    """
    return tuple(jnp.linalg.eigh(matrix(x, square=True)))


@op
def inv(x: TensorLike) -> Tensor:
    """The inverse of matrices.

    Args:
        x: Square matrices (..., n, n).
    """
    return jnp.linalg.inv(matrix(x, square=True))


@op
def lstsq(a: TensorLike, b: TensorLike, rcond: float | None = None) -> Any:
    """The x with the smallest |a x - b|.

    Shapes: a (n, k), b (n,) or (n, m) -> (k,) or (k, m).

    Args:
        a: Matrix (n, k).
        b: Vector (n,) or matrix (n, m).
        rcond: Singular values below `rcond` times the largest count as zero; None means machine precision times max(n,
            k).
    """
    return jnp.linalg.lstsq(floating(a), floating(b), rcond)[0]


@op
def lu_factor(x: TensorLike) -> tuple[Any, Any]:
    """(lu, pivots) of a matrix with exchanged rows: U on and above the diagonal, L below it, whose diagonal of ones is
    not stored.

    Args:
        x: Matrix (n, m).
    """
    lu, pivots, _ = jax.lax.linalg.lu(matrix(x))
    return lu, pivots


@op
def matrix_rank(x: TensorLike, tol: float | None = None) -> Tensor:
    """The rank: the number of singular values above `tol` times the largest.

    Args:
        x: Matrices (..., n, m).
        tol: Singular values below `tol` times the largest count as zero; None means machine precision times max(n, m).
    """
    return jnp.linalg.matrix_rank(matrix(x), tol)


@op
def norm(x: TensorLike, ord: int | float | str | None = None, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The norm of vectors or matrices.

    Args:
        x: Tensor.
        ord: 2 for the Euclidean norm, p, inf, -inf, 0; of matrices "fro", "nuc", inf, -inf, 1, -1, 2, -2. None means
            Euclidean and "fro".
        axis: Axis of vectors or the two axes of matrices; None means the whole tensor.
        keepdims: Whether reduced axes are kept with size 1.

    >>> import lamina as keras
    >>> keras.ops.norm([3.0, 4.0])
    Array(5., dtype=float32)
    """
    axis = tuple(axis) if isinstance(axis, list) else axis
    return jnp.linalg.norm(floating(x), ord, axis, keepdims)


@op
def pinv(x: TensorLike, rcond: float | None = None) -> Tensor:
    """The Moore-Penrose pseudoinverse.

    Args:
        x: Matrices (..., n, m).
        rcond: Singular values below `rcond` times the largest count as zero; None means machine precision times 10
            max(n, m).
    """
    return jnp.linalg.pinv(matrix(x), rtol=rcond)


@op
def qr(x: TensorLike, mode: str = "reduced") -> tuple[Any, ...]:
    """(q, r) with x = q r, where q is orthogonal and r upper triangular.

    Args:
        x: Matrices (..., n, m).
        mode: "reduced" for q of shape (..., n, min(n, m)), or "complete" for a square q.
    """
    return tuple(jnp.linalg.qr(matrix(x), mode))


@op
def solve(a: TensorLike, b: TensorLike) -> Any:
    """The x with a x = b.

    Args:
        a: Square matrices (..., n, n).
        b: Vectors (..., n) or matrices (..., n, m).
    """
    a, b = matrix(a, square=True), floating(b)
    return jnp.linalg.solve(a, b[..., None])[..., 0] if b.ndim == a.ndim - 1 else jnp.linalg.solve(a, b)


@op
def solve_triangular(a: TensorLike, b: TensorLike, lower: bool = False) -> Any:
    """The x with a x = b for a triangular a.

    Args:
        a: Triangular matrices (..., n, n); the other triangle is not read.
        b: Vectors (..., n) or matrices (..., n, m).
        lower: Whether the lower triangle of `a` is used instead of the upper.
    """
    a, b = matrix(a, square=True), floating(b)
    if b.ndim == a.ndim - 1:
        return jax.scipy.linalg.solve_triangular(a, b[..., None], lower=lower)[..., 0]
    return jax.scipy.linalg.solve_triangular(a, b, lower=lower)


@op
def svd(x: TensorLike, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """The singular value decomposition (u, s, v) with x = u diag(s) v, or only s.

    Args:
        x: Matrices (..., n, m).
        full_matrices: Whether u and v are square.
        compute_uv: Whether u and v are computed.
    """
    parts = jnp.linalg.svd(matrix(x), full_matrices, compute_uv)
    return tuple(parts) if compute_uv else parts


@op(settings=("fun",))
def jvp(
    fun: Callable[..., Any], primals: Sequence[TensorLike], tangents: Sequence[TensorLike], has_aux: bool = False
) -> Any:
    """(fun(*primals), its derivative in the direction of the tangents), and the auxiliary value if `has_aux`.

    Args:
        fun: Function of tensors.
        primals: Its arguments.
        tangents: A direction for each argument.
        has_aux: Whether `fun` gives (output, auxiliary value).

    >>> import lamina as keras
    >>> keras.ops.jvp(lambda x: x * x, (3.0,), (1.0,))
    (Array(9., dtype=float32, weak_type=True), Array(6., dtype=float32, weak_type=True))
    """
    return jax.jvp(fun, tuple(map(floating, primals)), tuple(map(floating, tangents)), has_aux=has_aux)

"""tf.linalg.LinearOperator*: matrices by what they are made of. Each holds the matrix itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.compat.array_tables import LINALG
from lamina.compat.arrays import array
from lamina.core.recording import recorded, recording

__all__ = ["OPERATORS", "LinearOperator"]


def _run(function, *args, **settings):
    """A function of arrays, written onto the open tapes."""
    made = any(isinstance(leaf, LinearOperator) for leaf in jax.tree_util.tree_leaves((args, settings)))
    return recorded(function, args, settings) if recording() and not made else function(*args, **settings)


class LinearOperator:
    """A matrix with the methods of `tf.linalg.LinearOperator`.

    Args:
        matrix: The matrix, or matrices along the last two axes.
        name: Name.
    """

    def __init__(self, matrix: Any, name: str = "LinearOperator") -> None:
        self._matrix = matrix
        self.name: str = name

    @property
    def shape(self) -> Any:
        """Its shape."""
        return self._matrix.shape

    @property
    def dtype(self) -> Any:
        """dtype of its elements."""
        return self._matrix.dtype

    def to_dense(self, name: Any = None) -> Any:
        """The matrix."""
        return self._matrix

    def _right(self, x, adjoint, adjoint_arg=False):
        x = x if isinstance(x, jax.Array) else array(x, self.dtype)
        pairs = (self._matrix, adjoint), (x, adjoint_arg)
        return [_run(LINALG["adjoint"], one) if turned else one for one, turned in pairs]

    def matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: Any = None) -> Any:
        """The product with a matrix, or the composition with an operator."""
        if isinstance(x, LinearOperator):
            return LinearOperator(self.matmul(x.to_dense(), adjoint, adjoint_arg))
        return _run(jnp.matmul, *self._right(x, adjoint, adjoint_arg))

    __matmul__ = matmul

    def matvec(self, x: Any, adjoint: bool = False, name: Any = None) -> Any:
        """The product with a vector."""
        return self.matmul(array(x, self.dtype)[..., None], adjoint)[..., 0]

    def solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: Any = None) -> Any:
        """The matrix whose product with this one is `rhs`."""
        return _run(jnp.linalg.solve, *self._right(rhs, adjoint, adjoint_arg))

    def solvevec(self, rhs: Any, adjoint: bool = False, name: Any = None) -> Any:
        """The vector whose product with this matrix is `rhs`."""
        return self.solve(array(rhs, self.dtype)[..., None], adjoint)[..., 0]

    def add_to_tensor(self, x: Any, name: Any = None) -> Any:
        """The sum with a matrix."""
        return self._matrix + array(x, self.dtype)


def _method(function, is_operator=False):
    def run(self, name="LinearOperator"):
        found = _run(function, self.to_dense())
        return LinearOperator(found) if is_operator else found

    return run


for _name, _function in {
    "determinant": LINALG["det"], "log_abs_determinant": LINALG["logdet"], "trace": LINALG["trace"],
    "diag_part": LINALG["diag_part"], "eigvals": LINALG["eigvalsh"], "tensor_rank": lambda m: m.ndim,
    "domain_dimension": lambda m: m.shape[-1], "range_dimension": lambda m: m.shape[-2],
    "shape_tensor": lambda m: np.asarray(m.shape), "cond": jnp.linalg.cond,
}.items():  # fmt: skip
    setattr(LinearOperator, _name, _method(_function))
for _name in ("adjoint", "inverse", "cholesky"):
    setattr(LinearOperator, _name, _method(LINALG[{"inverse": "inv"}.get(_name, _name)], is_operator=True))
setattr(LinearOperator, "H", property(lambda self: self.adjoint()))  # noqa: B010


def _folded(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def make(operators):
        first, *rest = (operator.to_dense() for operator in operators)
        for one in rest:
            first = _run(function, first, one)
        return first

    return make


def _toeplitz(col, row):
    col, row = array(col), array(row)
    place = jnp.arange(len(col))[:, None] - jnp.arange(len(row))
    return jnp.where(place >= 0, col[jnp.maximum(place, 0)], row[jnp.maximum(-place, 0)])


def _kind(name, make):
    def operator(*args, name=name, **settings):
        settings = {key: value for key, value in settings.items() if not key.startswith("is_")}  # hints
        return LinearOperator(_run(make, *args, **settings), name)

    operator.__name__ = operator.__qualname__ = name
    return operator


def _eye(num_rows, batch_shape=None, dtype="float32", **_):
    return jnp.broadcast_to(jnp.eye(int(num_rows), dtype=dtype), (*(batch_shape or ()), num_rows, num_rows))


OPERATORS: dict[str, Any] = {"LinearOperator": LinearOperator, **{f"LinearOperator{name}": _kind(
    f"LinearOperator{name}", make) for name, make in {
    "FullMatrix": array, "Diag": LINALG["diag"], "LowerTriangular": lambda tril: jnp.tril(array(tril)),
    "Identity": _eye, "ScaledIdentity": lambda num_rows, multiplier, **_: _eye(num_rows) * array(multiplier)[
        ..., None, None],
    "Zeros": lambda num_rows, num_columns=None, dtype="float32", **_: jnp.zeros(
        (num_rows, num_columns or num_rows), dtype),
    "Composition": _folded(jnp.matmul), "Kronecker": _folded(jnp.kron), "BlockDiag": _folded(
        lambda a, b: jax.scipy.linalg.block_diag(a, b)), "Toeplitz": _toeplitz,
    "Adjoint": lambda operator: operator.adjoint().to_dense(), "Inversion": lambda operator: operator.inverse(
        ).to_dense(), "Householder": lambda axis: jnp.eye(len(array(axis))) - 2 * jnp.outer(array(axis), array(axis))
    / jnp.sum(jnp.square(array(axis))), "LowRankUpdate": lambda base_operator, u, diag_update=None, v=None: (
        base_operator.to_dense() + (array(u) if diag_update is None else array(u) * array(diag_update)) @ LINALG[
            "adjoint"](u if v is None else v)),
    }.items()}}  # fmt: skip
"""Names of `tensorflow.linalg`."""

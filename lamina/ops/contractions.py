"""Products of vectors, matrices and tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina.core.op import op
from lamina.errors import ShapeError
from lamina.ops.arrays import tensor

if TYPE_CHECKING:
    from lamina.core.typing import Axis, Tensor, TensorLike

__all__ = ["cross", "dot", "einsum", "inner", "kron", "matmul", "outer", "tensordot", "vdot"]


@op(compiles=True)
def matmul(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The matrix product over the last two axes; the other axes broadcast. The product of int8 with int8 is int32.

    Shapes: (..., n, k), (..., k, m) -> (..., n, m).

    Args:
        x1: Matrices, or a vector.
        x2: Matrices, or a vector.

    >>> import lamina as keras
    >>> keras.ops.matmul([[1, 2]], [[3], [4]])
    Array([[11]], dtype=int32)
    """
    x1, x2 = tensor(x1), tensor(x2)
    exact = jnp.int32 if x1.dtype == x2.dtype == jnp.int8 else None
    return jnp.matmul(x1, x2, preferred_element_type=exact)


@op(compiles=True)
def dot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The sum of products over the last axis of x1 and the last but one (of a vector: the only one) of x2.

    Args:
        x1, x2: Tensors.
    """
    return jnp.dot(tensor(x1), tensor(x2))


@op(compiles=True)
def vdot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The sum of products of all elements.

    Args:
        x1: Tensor; complex numbers are conjugated.
        x2: Tensor with as many elements.
    """
    return jnp.vdot(tensor(x1), tensor(x2))


@op(compiles=True)
def inner(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The sum of products over the last axes.

    Args:
        x1, x2: Tensors whose last axes have the same size.
    """
    return jnp.inner(tensor(x1), tensor(x2))


@op(compiles=True)
def outer(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Every element of x1 times every element of x2. Shapes: n elements, m elements -> (n, m).

    Args:
        x1, x2: Tensors, which are flattened.
    """
    return jnp.outer(tensor(x1), tensor(x2))


@op(compiles=True)
def kron(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The Kronecker product: a block tensor whose blocks are the elements of x1 times x2.

    Args:
        x1, x2: Tensors.
    """
    return jnp.kron(tensor(x1), tensor(x2))


@op(compiles=True)
def cross(
    x1: TensorLike, x2: TensorLike, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Axis = None
) -> Tensor:
    """The cross product of vectors of 3 (or 2) elements.

    Args:
        x1, x2: Tensors of vectors.
        axisa: Axis of the vectors of x1.
        axisb: Axis of the vectors of x2.
        axisc: Axis of the vectors of the result.
        axis: Axis of all vectors, instead of the three above.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = jnp.moveaxis(tensor(x1), axisa, -1), jnp.moveaxis(tensor(x2), axisb, -1)
    sizes = a.shape[-1], b.shape[-1]
    if not set(sizes) <= {2, 3}:
        message = f"A cross product is of vectors of 3 (or 2) elements; got {sizes}."
        raise ShapeError(
            message, fix="keras.ops.cross(x1[..., :3], x2[..., :3])" if min(sizes) > 1 else "keras.ops.outer(x1, x2)"
        )
    if sizes == (2, 2):  # only the third element is not 0
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    a, b = (v if v.shape[-1] == 3 else jnp.concatenate([v, jnp.zeros_like(v[..., :1])], -1) for v in (a, b))
    return jnp.cross(a, b, axisc=axisc)


@op(compiles=True)
def tensordot(x1: TensorLike, x2: TensorLike, axes: int | Sequence[Any] = 2) -> Tensor:
    """The sum of products over some axes of x1 and x2.

    Args:
        x1, x2: Tensors.
        axes: A number n, for the last n axes of x1 and the first n of x2, or (axes of x1, axes of x2).
    """
    return jnp.tensordot(tensor(x1), tensor(x2), axes)


@op(compiles=True, settings=("subscripts",))
def einsum(subscripts: str, *operands: TensorLike, **kwargs: Any) -> Any:
    """The sum of products in Einstein's notation: "ij,jk->ik" is the matrix product.

    Args:
        subscripts: Letters of the axes of each operand and of the result.
        *operands: Tensors.
        **kwargs: Further arguments of `jax.numpy.einsum`.

    >>> import lamina as keras
    >>> keras.ops.einsum("ij->j", [[1, 2], [3, 4]])
    Array([4, 6], dtype=int32)
    """
    arrays = [tensor(x) for x in operands]
    exact = jnp.int32 if {x.dtype.name for x in arrays} == {"int8"} else None
    return jnp.einsum(subscripts, *arrays, preferred_element_type=exact, **kwargs)

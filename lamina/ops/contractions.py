"""Products of vectors, matrices and tensors."""

import jax.numpy as jnp

from lamina.core.op import op
from lamina.errors import ShapeError
from lamina.ops.arrays import tensor

__all__ = ["cross", "dot", "einsum", "inner", "kron", "matmul", "outer", "tensordot", "vdot"]


@op
def matmul(x1, x2):
    """The matrix product over the last two axes, the others broadcast. int8 times int8 adds up in int32.

    Shapes: (..., n, k), (..., k, m) -> (..., n, m).
    """
    x1, x2 = tensor(x1), tensor(x2)
    exact = jnp.int32 if x1.dtype == x2.dtype == jnp.int8 else None
    return jnp.matmul(x1, x2, preferred_element_type=exact)


@op
def dot(x1, x2):
    """The sum of products over the last axis of x1 and the last but one (vector: the only one) of x2."""
    return jnp.dot(tensor(x1), tensor(x2))


@op
def vdot(x1, x2):
    """The sum of products of all elements; a complex x1 is conjugated."""
    return jnp.vdot(tensor(x1), tensor(x2))


@op
def inner(x1, x2):
    """The sum of products over the last axes."""
    return jnp.inner(tensor(x1), tensor(x2))


@op
def outer(x1, x2):
    """Every element of x1 times every element of x2. Shapes: n elements, m elements -> (n, m)."""
    return jnp.outer(tensor(x1), tensor(x2))


@op
def kron(x1, x2):
    """The Kronecker product: every element of x1 times the whole of x2, in its place."""
    return jnp.kron(tensor(x1), tensor(x2))


@op
def cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """The cross product of vectors of 3 (or 2) elements along the given axes."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = jnp.moveaxis(tensor(x1), axisa, -1), jnp.moveaxis(tensor(x2), axisb, -1)
    sizes = a.shape[-1], b.shape[-1]
    if not set(sizes) <= {2, 3}:
        raise ShapeError(f"A cross product is of vectors of 3 (or 2) elements; got {sizes}.")
    if sizes == (2, 2):  # the third element alone, those of the vectors being 0
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    a, b = (v if v.shape[-1] == 3 else jnp.concatenate([v, jnp.zeros_like(v[..., :1])], -1) for v in (a, b))
    return jnp.cross(a, b, axisc=axisc)


@op
def tensordot(x1, x2, axes=2):
    """The sum of products over `axes`: the last of x1 with the first of x2 (a number), or (axes of x1, axes of x2)."""
    return jnp.tensordot(tensor(x1), tensor(x2), axes)


@op(settings=("subscripts",))
def einsum(subscripts, *operands, **kwargs):
    """The sum of products that the subscripts say: "ij,jk->ik" is the matrix product.

    >>> import lamina as keras
    >>> keras.ops.einsum("ij->j", [[1, 2], [3, 4]])
    Array([4, 6], dtype=int32)
    """
    operands = [tensor(x) for x in operands]
    exact = jnp.int32 if {x.dtype.name for x in operands} == {"int8"} else None
    return jnp.einsum(subscripts, *operands, preferred_element_type=exact, **kwargs)

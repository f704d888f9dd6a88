"""Elements by their indices, by conditions and by diagonals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina.core.keras_tensor import KerasTensor
from lamina.core.op import explains, op
from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError
from lamina.ops.arrays import tensor

if TYPE_CHECKING:
    from lamina.core.typing import Axis, Tensor, TensorLike

__all__ = [
    "diag", "diagflat", "diagonal", "get_item", "nonzero", "select", "take", "take_along_axis", "trace", "tril",
    "triu", "unravel_index", "vectorize", "where",
]  # fmt: skip


@op(settings=("key",))
def get_item(x: TensorLike, key: Any) -> Tensor:
    """x[key].

    Args:
        x: Tensor.
        key: Integers, slices, None, Ellipsis and index arrays, or a tuple of them.
    """
    return tensor(x)[tuple(_index(part) for part in key) if isinstance(key, tuple) else _index(key)]


def _index(part):
    return jnp.asarray(part) if isinstance(part, list) else part


@op
def take(x: TensorLike, indices: TensorLike, axis: Axis = None) -> Tensor:
    """The elements (with an axis: the slices) at the given indices.

    Args:
        x: Tensor.
        indices: Tensor of integers; negative ones count from the end. One outside of x gives NaN, or the extreme number
            of an integer type.
        axis: Axis of the slices; None means the flattened tensor.

    >>> import lamina as keras
    >>> keras.ops.take([10, 20, 30], [2, -1, 0])
    Array([30, 30, 10], dtype=int32)
    """
    return jnp.take(tensor(x), tensor(indices), axis)


@op
def take_along_axis(x: TensorLike, indices: TensorLike, axis: Axis = None) -> Tensor:
    """For each vector along `axis` the elements at indices of its own, as `argsort` returns them.

    Args:
        x: Tensor.
        indices: Tensor of integers that broadcasts with x on the other axes.
        axis: Axis of the vectors; None means the flattened tensor.
    """
    return jnp.take_along_axis(tensor(x), tensor(indices), axis)


def where(condition: TensorLike, x1: TensorLike | None = None, x2: TensorLike | None = None) -> Any:
    """x1 where the condition is true and x2 elsewhere; with only a condition, the indices where it is true.

    Args:
        condition: Tensor of booleans.
        x1: Tensor that broadcasts with the condition; None, together with x2, returns indices.
        x2: Tensor that broadcasts with the condition.
    """
    if (x1 is None) != (x2 is None):
        other = "x2=0" if x2 is None else "x1=0"
        raise ConfigError("where takes only the condition, or the condition with both x1 and x2.", fix=other)
    return nonzero(condition) if x1 is None else _where(condition, x1, x2)


@op(name="where")
def _where(condition, x1=None, x2=None):
    if x1 is None:
        return nonzero(condition)
    x1, x2 = (x if isinstance(x, (bool, int, float)) else tensor(x) for x in (x1, x2))
    return jnp.where(tensor(condition), x1, x2)


@explains
def nonzero(x: TensorLike) -> tuple[Tensor, ...]:
    """The indices of the elements that are not zero: a tuple of one vector per axis.

    Args:
        x: Tensor with values, not a symbolic one.
    """
    if isinstance(x, KerasTensor):
        raise ShapeError(
            "The number of elements that are not zero is known only with values.",
            fix="keras.ops.where(condition, x1, x2)",
        )
    return jnp.nonzero(tensor(unwrap(x)))


@op(compiles=True)
def select(condlist: Sequence[TensorLike], choicelist: Sequence[TensorLike], default: float = 0) -> Any:
    """For each element the choice of the first condition that is true.

    Args:
        condlist: Tensors of booleans.
        choicelist: One tensor per condition.
        default: Value where no condition is true.
    """
    return jnp.select([tensor(c) for c in condlist], [tensor(c) for c in choicelist], default)


@op(compiles=True, settings=("shape",))
def unravel_index(indices: TensorLike, shape: Sequence[int]) -> tuple[Tensor, ...]:
    """Indices of a flattened tensor as a tuple of one index tensor per axis.

    Args:
        indices: Indices of the flattened tensor.
        shape: Shape of the tensor.
    """
    return jnp.unravel_index(tensor(indices), shape)


@op
def diag(x: TensorLike, k: int = 0) -> Tensor:
    """The k-th diagonal of a matrix, or a matrix with a vector on its k-th diagonal.

    Args:
        x: Matrix, or vector.
        k: Number of the diagonal: 0 is the main one, positive ones are above it.
    """
    return jnp.diag(tensor(x), k)


@op
def diagflat(x: TensorLike, k: int = 0) -> Tensor:
    """A matrix with all elements of x on its k-th diagonal.

    Args:
        x: Tensor.
        k: Number of the diagonal: 0 is the main one, positive ones are above it.
    """
    return jnp.diagflat(tensor(x), k)


@op
def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonal over two axes, as a new last axis.

    Args:
        x: Tensor.
        offset: Number of the diagonal: 0 is the main one, positive ones are above it.
        axis1, axis2: The two axes.
    """
    return jnp.diagonal(tensor(x), offset, axis1, axis2)


@op
def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of the diagonal over two axes.

    Args:
        x: Tensor.
        offset: Number of the diagonal: 0 is the main one, positive ones are above it.
        axis1, axis2: The two axes.
    """
    return jnp.trace(tensor(x), offset, axis1, axis2)


@op
def tril(x: TensorLike, k: int = 0) -> Tensor:
    """The elements on and below the k-th diagonal of the last two axes, zero above it.

    Args:
        x: Tensor.
        k: Number of the diagonal: 0 is the main one, positive ones are above it.
    """
    return jnp.tril(tensor(x), k)


@op
def triu(x: TensorLike, k: int = 0) -> Tensor:
    """The elements on and above the k-th diagonal of the last two axes, zero below it.

    Args:
        x: Tensor.
        k: Number of the diagonal: 0 is the main one, positive ones are above it.
    """
    return jnp.triu(tensor(x), k)


def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Iterable[int | str] | None = None, signature: str | None = None
) -> Callable[..., Any]:
    """A function of single elements as a function of tensors that broadcast.

    Args:
        pyfunc: Function of single elements.
        excluded: Positions and names of arguments that are passed on as they are; None means none.
        signature: Shapes that the function works on, such as "(n),(n)->()"; None means single elements.
    """
    return jnp.vectorize(pyfunc, excluded=frozenset(excluded or ()), signature=signature)

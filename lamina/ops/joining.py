"""Joining, splitting and repeating tensors."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.op import op
from lamina.core.read_limits import reserve_steps
from lamina.ops.arrays import sizes, tensor

if TYPE_CHECKING:
    from lamina.core.typing import Axis, Size, Tensor, TensorLike

__all__ = [
    "append", "array_split", "concatenate", "dsplit", "dstack", "hsplit", "hstack", "repeat", "split", "stack",
    "tile", "vsplit", "vstack",
]  # fmt: skip


@op(compiles=True)
def concatenate(xs: Sequence[TensorLike], axis: Axis = 0) -> Any:
    """Tensors joined along an existing axis.

    Args:
        xs: Tensors whose shapes differ at most on `axis`.
        axis: Axis to join along; None flattens the tensors first.

    >>> import lamina as keras
    >>> keras.ops.concatenate([[1, 2], [3]])
    Array([1, 2, 3], dtype=int32)
    """
    return jnp.concatenate([tensor(x) for x in xs], axis)


@op(compiles=True)
def stack(x: Sequence[TensorLike], axis: int = 0) -> Any:
    """Tensors of one shape joined along a new axis.

    Args:
        x: Tensors of one shape.
        axis: Place of the new axis in the result.
    """
    known = all(item.__class__ is int for item in x)  # sizes: they have values while a function is compiled, too
    with jax.ensure_compile_time_eval() if known else contextlib.nullcontext():
        return jnp.stack([tensor(item) for item in x], axis)


@op(compiles=True)
def append(x1: TensorLike, x2: TensorLike, axis: Axis = None) -> Tensor:
    """x2 after x1.

    Args:
        x1: Tensor that comes first.
        x2: Tensor that comes second.
        axis: Axis to join along; None flattens both first.
    """
    return jnp.append(tensor(x1), tensor(x2), axis)


@op(compiles=True)
def hstack(xs: Sequence[TensorLike]) -> Any:
    """Tensors joined along axis 1, vectors along axis 0.

    Args:
        xs: Tensors whose shapes differ at most on that axis.
    """
    return jnp.hstack([tensor(x) for x in xs])


@op(compiles=True)
def vstack(xs: Sequence[TensorLike]) -> Any:
    """Tensors joined along axis 0, vectors as rows.

    Args:
        xs: Tensors whose shapes differ at most on that axis.
    """
    return jnp.vstack([tensor(x) for x in xs])


@op(compiles=True)
def dstack(xs: Sequence[TensorLike]) -> Any:
    """Tensors joined along axis 2.

    Args:
        xs: Tensors whose shapes differ at most on that axis.
    """
    return jnp.dstack([tensor(x) for x in xs])


@op(compiles=True, settings=("indices_or_sections",))
def split(x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """A list of parts along one axis.

    Args:
        x: Tensor.
        indices_or_sections: Number of equal parts, or the indices at which to cut.
        axis: Axis to split.

    >>> import lamina as keras
    >>> [part.shape for part in keras.ops.split(keras.Input((6,)), 2, axis=1)]
    [(None, 3), (None, 3)]
    """
    reserve_steps(_parts(indices_or_sections), "split")
    return jnp.split(tensor(x), _cuts(indices_or_sections), axis)


def _parts(indices_or_sections):
    return operator.index(indices_or_sections) if np.ndim(indices_or_sections) == 0 else len(indices_or_sections)


def _cuts(indices_or_sections):
    """Indices as a plain list, and a number as an int: arrays would be traced."""
    if np.ndim(indices_or_sections) == 0:
        return operator.index(indices_or_sections)
    return [int(index) for index in indices_or_sections]


@op(compiles=True, settings=("indices_or_sections",))
def array_split(x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """A list of parts along one axis, whose sizes differ by at most 1.

    Args:
        x: Tensor.
        indices_or_sections: Number of parts, or the indices at which to cut.
        axis: Axis to split.
    """
    reserve_steps(_parts(indices_or_sections), "array_split")
    return jnp.array_split(tensor(x), _cuts(indices_or_sections), axis)


@op(compiles=True, settings=("indices_or_sections",))
def hsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> list[Any]:
    """A list of parts along axis 1, of vectors along axis 0.

    Args:
        x: Tensor.
        indices_or_sections: Number of equal parts, or the indices at which to cut.
    """
    array = tensor(x)
    return split(array, indices_or_sections, 1 if array.ndim > 1 else 0)


@op(compiles=True, settings=("indices_or_sections",))
def vsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> list[Any]:
    """A list of parts along axis 0.

    Args:
        x: Tensor.
        indices_or_sections: Number of equal parts, or the indices at which to cut.
    """
    return split(tensor(x), indices_or_sections, 0)


@op(compiles=True, settings=("indices_or_sections",))
def dsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> list[Any]:
    """A list of parts along axis 2.

    Args:
        x: Tensor.
        indices_or_sections: Number of equal parts, or the indices at which to cut.
    """
    return split(tensor(x), indices_or_sections, 2)


@op(compiles=True, settings=("repeats",))
def repeat(x: TensorLike, repeats: Size, axis: Axis = None) -> Tensor:
    """Each element repeated several times in a row.

    Args:
        x: Tensor.
        repeats: Number of repetitions, or one per element along `axis`.
        axis: Axis to repeat along; None means the flattened tensor.
    """
    counts: Any = np.asarray(repeats) if isinstance(repeats, (list, tuple)) else repeats
    return jnp.repeat(tensor(x), counts, axis)


@op(compiles=True, settings=("repeats",))
def tile(x: TensorLike, repeats: Size) -> Tensor:
    """The whole tensor repeated along its axes.

    Args:
        x: Tensor.
        repeats: Number of repetitions along each axis, or along the last.
    """
    return jnp.tile(tensor(x), sizes(repeats))

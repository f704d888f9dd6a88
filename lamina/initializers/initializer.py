"""Initializer: what gives the first value of a weight. Values are made by NumPy, so no shape costs a compilation.

Random numbers are drawn in blocks, one after the other: a weight has the same bits on one device and on many, and in
memory are only the parts of the devices of this process and one block.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Self, TypeAlias

import jax
import numpy as np

from lamina.core import dtypes
from lamina.core.configurable import Configurable
from lamina.core.placement import Parts, place_parts, placement_of, sizes_of_box
from lamina.core.typing import ArrayLike, Config, DTypeLike, ShapeLike, Tensor
from lamina.errors import MissingMethodError

__all__ = [
    "Initializer", "InitializerLike", "fill_normal", "fill_truncated_normal", "fill_uniform", "made", "numpy_type",
    "parts_of", "sizes_of",
]  # fmt: skip

_BLOCK = 2**16  # numbers that are drawn at once

InitializerLike: TypeAlias = "str | Config | Callable[..., Any] | Initializer | ArrayLike | None"
"""An initializer by its name, its config, a function (shape, dtype), an object, or the value itself."""


class Initializer(Configurable):
    """Base of all initializers: `initializer(shape, dtype)` returns the first value of a weight.

    Subclasses write `__call__(self, shape, dtype=None)`.

    >>> import lamina as keras
    >>> keras.initializers.Constant(2.0)((2,))
    Array([2., 2.], dtype=float32)
    """

    def __call__(self, shape: ShapeLike, dtype: DTypeLike | None = None) -> Tensor:
        raise MissingMethodError(
            f"{type(self).__name__} needs a method that gives the values.",
            fix="def __call__(self, shape, dtype=None): return keras.ops.zeros(shape, dtype)",
        )

    def clone(self) -> Self:
        """An initializer of the same config."""
        return self.from_config(self.get_config())


def made(shape: ShapeLike, dtype: DTypeLike | None, part: Callable[[tuple[slice, ...]], Any]) -> Tensor:
    """A JAX array whose values are known at every place, so that each device gets its part alone.

    Args:
        shape: Shape.
        dtype: Type; the cast is NumPy's, since JAX's would compile for each shape.
        part: Function that takes the slices of a part, one for each dimension, and returns its values.
    """
    shape = sizes_of(shape)
    return place_parts(shape, numpy_type(dtype), placement_of(shape), part)


def parts_of(shape: tuple[int, ...], dtype: DTypeLike | None) -> Parts:
    """The parts of an initial value, for `Parts.rounds` to fill.

    Args:
        shape: Shape.
        dtype: Type.
    """
    return Parts(shape, numpy_type(dtype), placement_of(shape))


def fill_normal(generator: np.random.Generator, parts: Parts, real: Any, mean: float, stddev: float) -> None:
    """Fill the parts of a weight with normal values.

    Args:
        generator: Generator, at the beginning of the weight.
        parts: The parts.
        real: NumPy's float32 or float64, in which the values are drawn.
        mean: Mean of the values.
        stddev: Standard deviation of the values.
    """
    for box in parts.blocks(_BLOCK):
        values = generator.standard_normal(sizes_of_box(box), real)
        parts.put(box, values * real(stddev) + real(mean))


def fill_truncated_normal(generator: np.random.Generator, parts: Parts, real: Any, mean: float, stddev: float) -> None:
    """Fill the parts of a weight with normal values, of which those outside of two standard deviations are drawn anew
    until none is left.

    Args:
        generator, parts, real, mean: As for `fill_normal`.
        stddev: Standard deviation of the values before truncation.
    """
    left = []  # for each block: how many values are drawn anew; of each part: which of them go to which of its places
    for box in parts.blocks(_BLOCK):
        values = generator.standard_normal(sizes_of_box(box), real)
        parts.put(box, values * real(stddev) + real(mean))
        outside = np.flatnonzero(np.abs(values) > 2)
        own = [(room, which.astype("uint16"), places.astype("uint32" if room.size < 2**32 else "uint64"))
               for room, which, places in parts.places(box, outside)]  # fmt: skip
        left.append((outside.size, own))
    while left:
        before, left = left, []
        for size, own in before:
            values = generator.standard_normal(size, real)
            is_outside = np.abs(values) > 2
            number, new = np.cumsum(is_outside, dtype="uint32") - 1, []
            for room, which, places in own:
                room[places] = values[which] * real(stddev) + real(mean)
                again = is_outside[which]
                new.append((room, number[which[again]], places[again]))
            if is_outside.any():
                left.append((int(is_outside.sum()), new))


def fill_uniform(generator: np.random.Generator, parts: Parts, real: Any, minval: float, maxval: float) -> None:
    """Fill the parts of a weight with uniform values. What is of other processes is skipped.

    Args:
        generator, parts, real: As for `fill_normal`.
        minval: Lower bound, included.
        maxval: Upper bound, excluded.
    """
    for box in parts.blocks(_BLOCK):
        if parts.needs(box):
            parts.put(box, generator.random(sizes_of_box(box), real) * real(maxval - minval) + real(minval))
        else:
            _skip(generator, math.prod(sizes_of_box(box)), real)


def _skip(generator, count, real):
    """Go on as if so many numbers had been drawn. 64 bits of the generator give two numbers of 32."""
    bits, halves = generator.bit_generator, 2 if real is np.float32 else 1
    if halves == 2 and bits.state["has_uint32"]:
        generator.random(1, real)
        count -= 1
    bits.advance(count // halves)
    generator.random(count % halves, real)


def numpy_type(dtype: DTypeLike | None) -> Any:
    """The NumPy type in which values of `dtype` are made."""
    return jax.dtypes.canonicalize_dtype(dtypes.numpy_dtype(dtype))


def sizes_of(shape: Any) -> tuple[int, ...]:
    """A shape as a tuple of Python integers."""
    return (int(shape),) if np.ndim(shape) == 0 else tuple(int(size) for size in shape)

"""The window of a convolution, and what the CPU algorithms share: offsets, zero padding, samples in chunks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp

__all__ = ["Window", "in_chunks", "offsets", "pad", "to_float32", "window_size", "window_slices", "without_padding"]

UNROLL = {False: 10, True: 2}  # chunks in one pass of a loop, whose results are concatenated or added


@dataclass(frozen=True)
class Window:
    """How the window of a kernel moves over the inputs.

    Args:
        strides: A step for each spatial axis.
        padding: A pair (zeros before, zeros after) for each spatial axis; negative numbers cut the inputs.
        dilation: The distance between elements of the window along each spatial axis.
        groups: Number of groups of channels, each with filters of its own.
    """

    strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    groups: int = 1

    def settings(self) -> dict[str, Any]:
        """The fields as keyword arguments."""
        return dict(vars(self))

    def spans(self, kernel_shape: Sequence[int]) -> list[int]:
        """The lengths that the dilated window covers."""
        return [(size - 1) * rate + 1 for size, rate in zip(kernel_shape, self.dilation, strict=False)]

    def without_cuts(self) -> tuple[Window, tuple[tuple[int, int], ...]]:
        """The window without negative padding, and the negative padding: XLA on CPUs reads beyond the inputs there."""
        cut = tuple((min(before, 0), min(after, 0)) for before, after in self.padding)
        padding = tuple((max(before, 0), max(after, 0)) for before, after in self.padding)
        return replace(self, padding=padding), cut

    def output_space(self, space: Sequence[int], kernel_shape: Sequence[int]) -> tuple[int, ...]:
        """The spatial sizes of the outputs."""
        return tuple(
            (size + sum(padding) - span) // stride + 1
            for size, padding, span, stride in zip(
                space, self.padding, self.spans(kernel_shape), self.strides, strict=True
            )
        )


def window_size(kernel_shape: Sequence[int]) -> int:
    """The number of elements of the window."""
    return math.prod(kernel_shape[:-2])


def offsets(kernel_shape: Sequence[int], window: Window) -> Iterable[tuple[int, ...]]:
    """The offset of each element of the window, in the order of the kernel's elements."""
    return itertools.product(
        *(range(0, size * rate, rate) for size, rate in zip(kernel_shape[:-2], window.dilation, strict=True))
    )


def window_slices(inputs: jax.Array, kernel_shape: Sequence[int], window: Window) -> list[jax.Array]:
    """For each element of the window the inputs (batch, *space, channels) that it is multiplied with, a strided slice
    (batch, *new_space, channels)."""
    space = window.output_space(inputs.shape[1:-1], kernel_shape)
    padded = pad(inputs, window.padding)
    ends = [(size - 1) * stride + 1 for size, stride in zip(space, window.strides, strict=True)]
    return [
        jax.lax.slice(
            padded,
            (0, *offset, 0),
            (padded.shape[0], *map(sum, zip(offset, ends, strict=True)), padded.shape[-1]),
            (1, *window.strides, 1),
        )
        for offset in offsets(kernel_shape, window)
    ]


def to_float32(array: jax.Array) -> jax.Array:
    """16-bit numbers as float32, for sums of them; others unchanged."""
    return array.astype(jnp.promote_types(array.dtype, jnp.float32))


def pad(inputs: jax.Array, padding: Sequence[tuple[int, int]], interior: Sequence[int] | None = None) -> jax.Array:
    """Zeros around and between the elements along the spatial axes; negative numbers cut off."""
    interior = interior or [0] * len(padding)
    config = [(0, 0, 0), *((*pair, between) for pair, between in zip(padding, interior, strict=True)), (0, 0, 0)]
    return jax.lax.pad(inputs, jnp.zeros((), inputs.dtype), config)


def without_padding(inputs: jax.Array, window: Window) -> tuple[jax.Array, Window]:
    """The padded inputs, and the window without padding."""
    return pad(inputs, window.padding), replace(window, padding=((0, 0),) * len(window.strides))


def in_chunks(
    function: Callable[..., jax.Array], arrays: Sequence[jax.Array], chunks: float, add: bool = False
) -> jax.Array:
    """`function(*arrays)`, computed on about so many chunks of the samples, so that what one needs stays in the cache.

    Several chunks are unrolled, for XLA's threads to work on, and a loop runs over these groups if there are more.

    Args:
        function: A function of arrays whose first axis is the samples.
        arrays: Its arguments.
        chunks: Number of chunks to aim at; the samples of a chunk are a divisor of their number.
        add: Whether the results are added; else they are concatenated along the first axis.
    """
    batch = arrays[0].shape[0]
    size = _nearest_divisor(batch, batch / chunks) if batch else batch
    if size == batch:
        return function(*arrays)
    count = batch // size
    unroll = max(number for number in range(1, UNROLL[add] + 1) if count % number == 0)
    groups = [array.reshape(-1, unroll, size, *array.shape[1:]) for array in arrays]

    def results_of(group):
        return [function(*(array[i] for array in group)) for i in range(unroll)]

    if add:
        result = jax.eval_shape(function, *(group[0, 0] for group in groups))
        zeros = jnp.zeros(result.shape, result.dtype)
        return jax.lax.scan(lambda total, group: (sum(results_of(group), total), None), zeros, groups)[0]
    if unroll == count:
        return jnp.concatenate(results_of([group[0] for group in groups]))
    results = jax.lax.map(lambda group: jnp.stack(results_of(group)), groups)
    return results.reshape(batch, *results.shape[3:])


def _nearest_divisor(number, target):
    """The divisor of a number that is nearest to the target, in ratio.

    >>> _nearest_divisor(12, 5)
    6
    """
    divisors = [divisor for divisor in range(1, number + 1) if number % divisor == 0]
    return min(divisors, key=lambda divisor: abs(math.log(divisor / target)))

"""What the ways to compute a convolution on CPUs share: where taps lie, zeros around inputs, some samples at a time."""

import itertools
import math

import jax
import jax.numpy as jnp

__all__ = ["offsets", "pad", "some_samples", "wide"]

BESIDE = {False: 10, True: 2}  # parts of samples in a program, to be put together or added


def offsets(kernel_shape, window):
    """Where the taps lie, in the order of the kernel's elements."""
    return itertools.product(
        *(range(0, size * rate, rate) for size, rate in zip(kernel_shape[:-2], window.dilation, strict=True))
    )


def wide(array):
    """16-bit numbers as float32, to add them up."""
    return array.astype(jnp.promote_types(array.dtype, jnp.float32))


def pad(inputs, padding, interior=None):
    """Zeros around and between the elements along the spatial axes; negative numbers cut off."""
    interior = interior or [0] * len(padding)
    config = [(0, 0, 0), *((*pair, between) for pair, between in zip(padding, interior, strict=True)), (0, 0, 0)]
    return jax.lax.pad(inputs, jnp.zeros((), inputs.dtype), config)


def some_samples(function, arrays, parts, add=False):
    """`function(*arrays)` with samples along the first axes, in about so many parts, whose results are put together or
    `add`ed: what a part needs stays in the cache. Several are in the program one after the other, for the threads of
    XLA to work on, and a loop over those where there are more."""
    batch = arrays[0].shape[0]
    size = _divisor(batch, batch / parts) if batch else batch
    if size == batch:
        return function(*arrays)
    count = batch // size
    beside = max(number for number in range(1, BESIDE[add] + 1) if count % number == 0)
    chunks = [array.reshape(-1, beside, size, *array.shape[1:]) for array in arrays]

    def of_each(some):
        return [function(*(array[i] for array in some)) for i in range(beside)]

    if add:
        result = jax.eval_shape(function, *(chunk[0, 0] for chunk in chunks))
        zeros = jnp.zeros(result.shape, result.dtype)
        return jax.lax.scan(lambda total, some: (sum(of_each(some), total), None), zeros, chunks)[0]
    if beside == count:
        return jnp.concatenate(of_each([chunk[0] for chunk in chunks]))
    results = jax.lax.map(lambda some: jnp.stack(of_each(some)), chunks)
    return results.reshape(batch, *results.shape[3:])


def _divisor(number, wanted):
    """The divisor of a number that is nearest to what is wanted, in ratio.

    >>> _divisor(12, 5)
    6
    """
    divisors = [divisor for divisor in range(1, number + 1) if number % divisor == 0]
    return min(divisors, key=lambda divisor: abs(math.log(divisor / wanted)))

"""What the ways to compute a convolution by its taps share: where they lie, and in which type they are added up."""

import itertools

import jax.numpy as jnp

__all__ = ["offsets", "wide"]


def offsets(kernel_shape, window):
    """Where the taps lie, in the order of the kernel's elements."""
    return itertools.product(
        *(range(0, size * rate, rate) for size, rate in zip(kernel_shape[:-2], window.dilation, strict=True))
    )


def wide(array):
    """16-bit numbers as float32, to add them up."""
    return array.astype(jnp.promote_types(array.dtype, jnp.float32))

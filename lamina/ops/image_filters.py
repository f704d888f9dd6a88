"""Patches of images, blur, edges and structural similarity."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.op import op
from lamina.core.read_limits import reserve_array, reserve_steps
from lamina.core.typing import DataFormat, Size, Tensor, TensorLike
from lamina.ops.arrays import floating
from lamina.ops.convolution import per_axis
from lamina.ops.image_batch import batched
from lamina.runtime.settings import standardize_data_format

__all__ = ["extract_patches", "extract_patches_3d", "gaussian_blur", "sobel_edges", "ssim"]


@op(settings=("size",))
def extract_patches(
    images: TensorLike,
    size: Size,
    strides: Size | None = None,
    dilation_rate: Size = 1,
    padding: str = "valid",
    data_format: DataFormat = None,
) -> Tensor:
    """Patches of images or volumes, each as one vector.

    Shapes: ([batch], *space, channels) -> ([batch], *patches, prod(size) * channels).

    Args:
        images: Images of shape ([batch], height, width, channels), or volumes if `size` has three numbers.
        size: Size of a patch, one number or one for each spatial axis.
        strides: Step between patches, one number or one for each spatial axis; None means `size`.
        dilation_rate: Distance between pixels of a patch, one number or one for each spatial axis.
        padding: "valid" for none, or "same" for zeros around the images.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
    space = 3 if not isinstance(size, int) and len(size) == 3 else 2
    return _patches(images, size, strides, dilation_rate, padding, data_format, space)


@op(settings=("size",))
def extract_patches_3d(
    volumes: TensorLike,
    size: Size,
    strides: Size | None = None,
    dilation_rate: Size = 1,
    padding: str = "valid",
    data_format: DataFormat = None,
) -> Any:
    """Patches of volumes, each as one vector.

    Shapes: ([batch], *space, channels) -> ([batch], *patches, prod(size) * channels).

    Args:
        volumes: Volumes of shape ([batch], depth, height, width, channels).
        size: Size of a patch, one number or one for each spatial axis.
        strides: Step between patches, one number or one for each spatial axis; None means `size`.
        dilation_rate: Distance between pixels of a patch, one number or one for each spatial axis.
        padding: "valid" for none, or "same" for zeros around the images.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
    return _patches(volumes, size, strides, dilation_rate, padding, data_format, 3)


def _patches(images, size, strides, dilation_rate, padding, data_format, space):
    size = per_axis(size, space, "size")
    strides = size if strides is None else per_axis(strides, space, "strides")
    dilation = per_axis(dilation_rate, space, "dilation_rate")

    def windows(batch):
        parts = jax.lax.conv_general_dilated_patches(
            jnp.moveaxis(batch, -1, 1), size, strides, padding.upper(), rhs_dilation=dilation
        )
        parts = parts.reshape(batch.shape[0], batch.shape[-1], int(np.prod(size)), *parts.shape[2:])
        parts = jnp.moveaxis(parts, (1, 2), (-1, -2))
        return parts.reshape(*parts.shape[:-2], -1)

    return batched(windows, floating(images), data_format, space)


@op
def gaussian_blur(
    images: TensorLike,
    kernel_size: Sequence[int] = (3, 3),
    sigma: Sequence[float] = (1.0, 1.0),
    data_format: DataFormat = None,
) -> Tensor:
    """Images convolved with a Gaussian kernel, with zeros around them.

    Args:
        images: Images of shape ([batch], height, width, channels).
        kernel_size: (width, height) of the kernel in pixels, in the order that Keras has.
        sigma: Standard deviations along the width and the height.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
    across, down = (_gaussian(*pair) for pair in zip(kernel_size, sigma, strict=True))
    return batched(functools.partial(filtered, down=down, across=across), floating(images), data_format)


def _gaussian(size, sigma):
    reserve_array((size,), 8, "A kernel")
    x = np.arange(size) - (size - 1) / 2
    curve = jnp.exp(-0.5 * (x / sigma) ** 2)
    return curve / curve.sum()


def filtered(batch: Any, down: Any, across: Any, padding: str = "same") -> Any:
    """Each channel of (batch, height, width, channels) convolved with the separable kernel `down` (along columns) times
    `across` (along rows). Sums of shifted images are many times faster on CPUs than XLA's depthwise convolution.
    """
    for axis, weights in ((1, down), (2, across)):
        size = len(weights)
        reserve_steps(size, f"A kernel of {size} pixels")
        before = (size - 1) // 2 if padding == "same" else 0
        margin = [(before, size - 1 - before) if padding == "same" and i == axis else (0, 0) for i in range(4)]
        padded = jnp.pad(batch, margin)
        count = padded.shape[axis] - size + 1
        shifted = (jax.lax.slice_in_dim(padded, i, i + count, axis=axis) for i in range(size))
        weighted = [part * jnp.asarray(weight, batch.dtype) for part, weight in zip(shifted, weights, strict=True)]
        batch = functools.reduce(jnp.add, weighted)
    return batch


@op
def sobel_edges(images: TensorLike, data_format: DataFormat = None) -> Tensor:
    """Sobel's estimates [dy, dx] of the gradient at each pixel, with zeros around the images.

    Shapes: (batch, height, width, channels) -> (batch, height, width, channels, 2).

    Args:
        images: Images of shape (batch, height, width, channels).
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.

    Source: I. Sobel, G. Feldman, "A 3x3 Isotropic Gradient Operator for Image Processing", 1968.
    """
    images = floating(images)
    difference, smooth = [-1, 0, 1], [1, 2, 1]
    first = standardize_data_format(data_format) == "channels_first"
    batch = jnp.moveaxis(images, 1, -1) if first else images
    edges = jnp.stack([filtered(batch, difference, smooth), filtered(batch, smooth, difference)], axis=-1)
    return jnp.moveaxis(edges, 3, 1) if first else edges


@op
def ssim(
    image1: TensorLike,
    image2: TensorLike,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: DataFormat = None,
) -> Any:
    """The structural similarity of images, 1 for equal ones.

    Shapes: ([batch], height, width, channels) -> ([batch]).

    Args:
        image1: First images, of shape ([batch], height, width, channels).
        image2: Second images, of the same shape.
        max_val: Largest possible value.
        filter_size: Size of the Gaussian window in pixels.
        filter_sigma: Standard deviation of the Gaussian window.
        k1: Stabilizes the term of the means.
        k2: Stabilizes the term of the variances.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.

    Source: Z. Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity", 2004.
    """
    image1, image2 = floating(image1), floating(image2)
    weights = _gaussian(filter_size, filter_sigma)
    smooth = functools.partial(filtered, down=weights, across=weights, padding="valid")
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    channels = image1.shape[-1 if standardize_data_format(data_format) == "channels_last" else -3]

    def similarity(pair):
        x, y = pair[..., :channels], pair[..., channels:]
        mean_x, mean_y = smooth(x), smooth(y)
        var_x, var_y = smooth(x * x) - mean_x**2, smooth(y * y) - mean_y**2
        covariance = smooth(x * y) - mean_x * mean_y
        luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
        return luminance * (2 * covariance + c2) / (var_x + var_y + c2)

    axis = -1 if standardize_data_format(data_format) == "channels_last" else -3
    return jnp.mean(batched(similarity, jnp.concatenate([image1, image2], axis), data_format), axis=(-3, -2, -1))

"""Resizing of images in NumPy, for threads that read files of many sizes: in JAX each size would be compiled."""

from __future__ import annotations

import functools

import numpy as np

from lamina.core.arguments import choice

__all__ = ["INTERPOLATIONS", "crop_to_ratio", "pad_to_ratio", "resample"]


def _cubic(b, c):
    """A cubic filter of Mitchell and Netravali, "Reconstruction filters in computer graphics" (1988)."""

    def kernel(x):
        near = ((12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + 6 - 2 * b) / 6
        far = ((-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x + 8 * b + 24 * c) / 6
        return np.where(x < 1, near, np.where(x < 2, far, 0))

    return kernel


def _lanczos(radius):
    return lambda x: np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0)


_KERNELS = {
    "bilinear": lambda x: np.maximum(0, 1 - x),
    "bicubic": _cubic(0, 0.5),
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
    "gaussian": lambda x: np.where(x < 1.5, np.exp(-2 * x**2), 0),
    "mitchellcubic": _cubic(1 / 3, 1 / 3),
}
INTERPOLATIONS = ("nearest", "area", *_KERNELS)


def resample(image: np.ndarray, size: tuple[int, int], interpolation: str = "bilinear") -> np.ndarray:
    """An image of another size: each new row is a weighted sum of a few old ones, and then each new column.

    Shapes: (height, width, channels) -> (*size, channels), float32.

    Args:
        image: Image with the channels last, of floats or bytes.
        size: (height, width) of the result.
        interpolation: One of `INTERPOLATIONS`.

    >>> resample(np.array([[[0.0], [4.0]]]), (1, 4)).ravel().tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    image = image if image.dtype in (np.uint8, np.float32) else image.astype("float32")
    for axis, new in enumerate(size):
        places, weights = _taps(image.shape[axis], new, interpolation)
        shape = (-1, 1, 1) if axis == 0 else (-1, 1)
        taps = (image.take(place, axis) * weight.reshape(shape) for place, weight in zip(places, weights, strict=True))
        total = next(taps)
        for tap in taps:
            total += tap
        image = total
    return image


@functools.lru_cache(maxsize=256)
def _taps(old, new, interpolation):
    """(places, weights) of shape (taps, new): the old rows that are in each new row."""
    weights = _weights(old, new, interpolation)
    count = max(int((weights != 0).sum(axis=1).max()), 1)
    places = np.argsort(weights == 0, axis=1, kind="stable")[:, :count]
    return places.T, np.take_along_axis(weights, places, 1).T


def _weights(old, new, interpolation):
    """A (new, old) matrix of weights: row i says how much of each old row is in new row i. Rows sum to one."""
    choice("resample", "interpolation", interpolation, INTERPOLATIONS)
    middles = (np.arange(new)[:, None] + 0.5) * (old / new)
    places = np.arange(old)
    if interpolation == "nearest":
        weights = np.floor(middles) == places
    elif interpolation == "area":
        half = old / new / 2
        weights = np.minimum(middles + half, places + 1) - np.maximum(middles - half, places)
        weights = np.maximum(weights, 0)
    else:
        weights = _KERNELS[interpolation](np.abs(middles - 0.5 - places))
    return (weights / weights.sum(axis=1, keepdims=True)).astype("float32")


def crop_to_ratio(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The largest part around the center of an image that has the aspect ratio of `size`.

    Args:
        image: Image with the channels last.
        size: (height, width) with the aspect ratio.
    """
    (height, width), (high, wide) = image.shape[:2], size
    rows, columns = min(height, int(width * high / wide)), min(width, int(height * wide / high))
    top, left = int((height - rows) / 2), int((width - columns) / 2)
    return image[top : top + rows, left : left + columns]


def pad_to_ratio(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The image, padded with zeros on all sides to the aspect ratio of `size`.

    Args:
        image: Image with the channels last.
        size: (height, width) with the aspect ratio.
    """
    (height, width), (high, wide) = image.shape[:2], size
    rows, columns = max(height, int(width * high / wide)), max(width, int(height * wide / high))
    top, left = int((rows - height) / 2), int((columns - width) / 2)
    return np.pad(image, ((top, top), (left, left), (0, 0)))

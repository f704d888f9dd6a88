"""Images of another size in NumPy: for threads that read files of many sizes, as each would compile anew."""

import functools

import numpy as np

from lamina.errors import ConfigError

__all__ = ["INTERPOLATIONS", "resample"]


def _cubic(b, c):
    """The family of Mitchell and Netravali, "Reconstruction filters in computer graphics" (1988)."""

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


def resample(image, size, interpolation="bilinear"):
    """`rows @ image @ columns` for each channel, where row i of `rows` says what of the old rows the new row i takes.

    Shapes: (height, width, channels) -> (*size, channels).

    >>> resample(np.array([[[0.0], [4.0]]]), (1, 4)).ravel().tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    rows, columns = (_weights(old, new, interpolation) for old, new in zip(image.shape, size, strict=False))
    return np.einsum("ij,jwc,vw->ivc", rows, image, columns, optimize=True)


@functools.lru_cache(maxsize=256)
def _weights(old, new, interpolation):
    """A (new, old) matrix whose rows sum to one."""
    if interpolation not in INTERPOLATIONS:
        raise ConfigError(f"interpolation is one of {', '.join(INTERPOLATIONS)}; got {interpolation!r}.")
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


def cut_to_ratio(image, size):
    """The largest middle part with the ratio of `size`."""
    (height, width), (high, wide) = image.shape[:2], size
    rows, columns = min(height, int(width * high / wide)), min(width, int(height * wide / high))
    top, left = int((height - rows) / 2), int((width - columns) / 2)
    return image[top : top + rows, left : left + columns]


def fill_to_ratio(image, size):
    """The image in the middle of zeros, together with the ratio of `size`."""
    (height, width), (high, wide) = image.shape[:2], size
    rows, columns = max(height, int(width * high / wide)), max(width, int(height * wide / high))
    top, left = int((rows - height) / 2), int((columns - width) / 2)
    return np.pad(image, ((top, top), (left, left), (0, 0)))

"""What ImageDataGenerator does to images: random changes, and numbers brought to one scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.errors import ShapeError, warn
from lamina.preprocessing.image_advice import shift_in_pixels
from lamina.preprocessing.image_changes import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    flip_axis,
)  # fmt: skip

__all__ = ["Changes"]


class Changes:
    """Base of ImageDataGenerator; its attributes are the arguments of that class."""

    brightness_range: Any
    channel_axis: int
    channel_shift_range: Any
    col_axis: int
    cval: float
    dtype: Any
    featurewise_center: bool
    featurewise_std_normalization: bool
    fill_mode: str
    height_shift_range: Any
    horizontal_flip: bool
    interpolation_order: int
    mean: Any
    preprocessing_function: Any
    rescale: Any
    rotation_range: Any
    row_axis: int
    samplewise_center: bool
    samplewise_std_normalization: bool
    shear_range: Any
    std: Any
    vertical_flip: bool
    width_shift_range: Any
    zca_epsilon: float
    zca_whitening: bool
    zca_whitening_matrix: Any
    zoom_range: Any

    def standardize(self, x: Any) -> Any:
        """An image after `preprocessing_function`, `rescale` and the normalizations.

        Args:
            x: Image of rank 3, or a batch.
        """
        x = np.asarray(self.preprocessing_function(x) if self.preprocessing_function else x)
        x = x.astype(x.dtype if x.dtype.kind == "f" else self.dtype)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + 1e-6
        if self.featurewise_center and self._is_fit("featurewise_center", self.mean):
            x -= self.mean
        if self.featurewise_std_normalization and self._is_fit("featurewise_std_normalization", self.std):
            x /= self.std + 1e-6
        if self.zca_whitening and self._is_fit("zca_whitening", self.zca_whitening_matrix):
            x = (x.reshape(-1, math.prod(x.shape[-3:])) @ self.zca_whitening_matrix).reshape(x.shape)
        return x

    def _is_fit(self, name, value):
        if value is None:
            warn(f"{name} has no effect before ImageDataGenerator.fit(images) was called.")
        return value is not None

    def get_random_transform(self, img_shape: Sequence[int], seed: int | None = None) -> dict[str, Any]:
        """The numbers of a random change, for `apply_transform`.

        Args:
            img_shape: Shape of the image.
            seed: Seed for `np.random`, or None.
        """
        if seed is not None:
            np.random.seed(seed)
        uniform, low, high = np.random.uniform, *self.zoom_range
        theta = uniform(-self.rotation_range, self.rotation_range) if self.rotation_range else 0
        tx = shift_in_pixels(self.height_shift_range, img_shape[self.row_axis - 1])
        ty = shift_in_pixels(self.width_shift_range, img_shape[self.col_axis - 1])
        shear = uniform(-self.shear_range, self.shear_range) if self.shear_range else 0
        zx, zy = (1, 1) if low == high == 1 else uniform(low, high, 2)
        flips = [(np.random.random() < 0.5) * bool(flip) for flip in (self.horizontal_flip, self.vertical_flip)]
        channel = uniform(-self.channel_shift_range, self.channel_shift_range) if self.channel_shift_range else None
        brightness = None if self.brightness_range is None else uniform(*self.brightness_range)
        return {
            "theta": theta, "tx": tx, "ty": ty, "shear": shear, "zx": zx, "zy": zy, "flip_horizontal": flips[0],
            "flip_vertical": flips[1], "channel_shift_intensity": channel, "brightness": brightness,
        }  # fmt: skip

    def apply_transform(self, x: np.ndarray, transform_parameters: dict[str, Any]) -> np.ndarray:
        """An image after a change.

        Args:
            x: Image of rank 3.
            transform_parameters: Dict with some of the keys that `get_random_transform` returns.
        """
        rows, columns, channels = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        given = transform_parameters.get
        moves = {name: given(name, 1 if name[0] == "z" else 0) for name in ("theta", "tx", "ty", "shear", "zx", "zy")}
        x = apply_affine_transform(
            x, **moves, row_axis=rows, col_axis=columns, channel_axis=channels, fill_mode=self.fill_mode,
            cval=self.cval, order=self.interpolation_order,
        )  # fmt: skip
        if given("channel_shift_intensity") is not None:
            x = apply_channel_shift(x, transform_parameters["channel_shift_intensity"], channels)
        if given("flip_horizontal", False):
            x = flip_axis(x, columns)
        if given("flip_vertical", False):
            x = flip_axis(x, rows)
        if given("brightness") is not None:
            x = apply_brightness_shift(x, transform_parameters["brightness"], False)
        return x

    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """An image after a random change.

        Args:
            x: Image of rank 3.
            seed: Seed for `np.random`, or None.
        """
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Compute the mean, the standard deviation and the whitening of images, where they are needed.

        Args:
            x: Images of rank 4.
            augment: Whether to change the images at random first.
            rounds: How many times each image is changed, with `augment`.
            seed: Seed for `np.random`, or None.

        Raises:
            ShapeError: The images are not of rank 4.
        """
        x = np.array(x, self.dtype)
        if x.ndim != 4:
            raise ShapeError(
                f"fit takes images of rank 4; got shape {x.shape}.", fix="x[..., None]" if x.ndim == 3 else None
            )
        if seed is not None:
            np.random.seed(seed)
        if self.rescale:
            x *= self.rescale
        if augment:
            x = np.stack([self.random_transform(image) for _ in range(rounds) for image in x]).astype(self.dtype)
        axes, shape = (0, self.row_axis, self.col_axis), [1, 1, 1]
        shape[self.channel_axis - 1] = x.shape[self.channel_axis]
        if self.featurewise_center:
            self.mean = np.mean(x, axis=axes).reshape(shape)
            x -= self.mean
        if self.featurewise_std_normalization:
            self.std = np.std(x, axis=axes).reshape(shape)
            x /= self.std + 1e-6
        if self.zca_whitening:
            u, s, _ = np.linalg.svd(x.reshape(len(x), -1).T, full_matrices=False)
            self.zca_whitening_matrix = (u * (np.sqrt(len(x)) / (s + self.zca_epsilon))).dot(u.T)

"""The base of layers that move pixels: one matrix maps each point of the outputs to its source in the inputs.

Boxes are transformed by its inverse, masks with nearest-neighbour interpolation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from lamina.layers.image.base import BaseImagePreprocessingLayer
from lamina.ops.bounding_boxes import clip_to_image_size, convert_format
from lamina.ops.image_batch import batched

if TYPE_CHECKING:
    from lamina.core.typing import ArrayLike, SeedLike


class MovingLayer(BaseImagePreprocessingLayer):
    """Base class of image layers that move pixels. A subclass moves pixels in `_warp` and points in `_source`."""

    interpolation = "bilinear"

    def get_random_transformation(self, data: Any, training: bool = True, seed: SeedLike = None) -> Any:
        drawn = super().get_random_transformation(data, training, seed)
        if not self._applies(drawn, training):
            return None
        images = data["images"] if isinstance(data, dict) else data
        return {**(drawn or {}), "input_shape": tuple(images.shape)}

    def _change(self, images, transformation):
        return self._warp(images, transformation, self.interpolation)

    def transform_segmentation_masks(
        self, segmentation_masks: ArrayLike, transformation: Any = None, training: bool = True
    ) -> Any:
        if not self._applies(transformation, training):
            return segmentation_masks
        return batched(
            lambda batch: self._warp(batch, transformation, "nearest"),
            jnp.asarray(segmentation_masks),
            self.data_format,
        )

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any = None, training: bool = True) -> Any:
        if not self._applies(transformation, training):
            return bounding_boxes
        if jnp.ndim(bounding_boxes["boxes"]) == 2:  # of one image
            batch = {name: jnp.asarray(part)[None] for name, part in bounding_boxes.items()}
            moved = self.transform_bounding_boxes(batch, transformation, training)
            return {name: part[0] for name, part in moved.items()}
        box_format: Any = self.bounding_box_format
        before = self._size_of(transformation)
        after = self._output_size(*before)
        source = jnp.asarray(self._source(transformation, *before), "float32")
        corners = convert_format(bounding_boxes["boxes"], box_format, "xyxy", height=before[0], width=before[1])
        boxes = {**bounding_boxes, "boxes": moved_boxes(corners, source)}
        boxes = clip_to_image_size(boxes, height=after[0], width=after[1])
        return convert_format(boxes, "xyxy", box_format, height=after[0], width=after[1])

    def _warp(self, images, transformation, interpolation) -> Any:
        """The images (batch, height, width, channels) after the move."""
        raise NotImplementedError

    def _source(self, transformation, height, width) -> Any:
        """The matrices (batch or 1, 3, 3) that map a point (x, y, 1) of the outputs to its source in the inputs."""
        raise NotImplementedError

    def _size_of(self, transformation):
        """(height, width) of the images."""
        shape = transformation["input_shape"]
        return tuple(map(int, shape[-2:] if self.data_format == "channels_first" else shape[-3:-1]))

    def _output_size(self, height, width):
        """(height, width) after the layer."""
        return height, width


@jax.jit
def moved_boxes(boxes, source):
    """The smallest boxes around the moved corners of boxes.

    Shapes: boxes ([batch], boxes, 4) as left, top, right, bottom; source (batch or 1, 3, 3) -> ([batch], boxes, 4).
    """
    left, top, right, bottom = jnp.moveaxis(boxes, -1, 0)
    x, y = jnp.stack([left, right, right, left], -1), jnp.stack([top, top, bottom, bottom], -1)
    corners = jnp.stack([x, y, jnp.ones_like(x)], axis=-1)
    a, b, c = jnp.moveaxis(source, -2, 0)
    target = jnp.stack([jnp.cross(b, c), jnp.cross(c, a), jnp.cross(a, b)], axis=-2)  # the inverse, transposed, * det
    places = jnp.matmul(corners, target[:, None])  # (batch, boxes, 4 corners, 3)
    places = places[..., :2] / places[..., 2:]
    around = jnp.concatenate([places.min(-2), places.max(-2)], axis=-1)
    return around if boxes.ndim == 3 else around[0]


@jax.jit
def matrices(*rows):
    """(batch, 3, 3) matrices from six entries, numbers or (batch,), of their first two rows; the third row is 0 0 1."""
    numbers = jnp.broadcast_arrays(*(jnp.asarray(number, "float32") for number in (*rows, 0, 0, 1)))
    stacked = jnp.stack(numbers, axis=-1)
    return stacked.reshape(-1, 3, 3)

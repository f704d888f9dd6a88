"""What all image layers share: one call for images with or without a batch, labels, boxes and masks.

A random layer of colours writes two methods, and the rest follows:

    class RandomBrightness(RandomImageLayer):
        def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
            super().__init__(seed=seed, **kwargs)
            self.factor = factor_range(self, factor)
            self.value_range = value_range

        def _draw(self, shape, seed):       # shape: (batch, height, width, channels)
            return {"delta": random.uniform((shape[0], 1, 1, 1), *self.factor, seed=seed)}

        def _change(self, images, transformation):  # (batch, height, width, channels), in the compute type
            return jnp.clip(images + transformation["delta"], *self.value_range)

A layer without random numbers derives from BaseImagePreprocessingLayer and writes `_change` only. Labels, boxes and
masks stay as they are unless `transform_labels`, `transform_bounding_boxes` or `transform_segmentation_masks` (which
always get a batch) say otherwise.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina import random
from lamina.core import tree
from lamina.errors import ConfigError, ShapeError
from lamina.layers.data_layer import DataLayer
from lamina.ops.image import batched
from lamina.runtime.settings import standardize_data_format

PARTS = ("images", "labels", "bounding_boxes", "segmentation_masks")


class BaseImagePreprocessingLayer(DataLayer):
    """A layer of images ([batch], height, width, channels), or of a dict {"images", "labels", "bounding_boxes",
    "segmentation_masks"} of what belongs together. The outputs of images have the compute type of the layer.

    Args:
        bounding_box_format: of "bounding_boxes", a dict {"boxes", "labels"}: see `utils.bounding_boxes`.
        data_format: "channels_last" or "channels_first".
    """

    _config_optional = frozenset(("activity_regularizer", "bounding_box_format"))

    def __init__(self, bounding_box_format=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.autocast = False  # boxes, labels and masks keep their type; images are cast in transform_images
        self.bounding_box_format = bounding_box_format
        self.data_format = standardize_data_format(data_format)

    def __call__(self, data, **kwargs):
        if isinstance(data, dict) and isinstance(data.get("bounding_boxes"), dict):
            data = {**data, "bounding_boxes": dense_boxes(data["bounding_boxes"])}
        elif isinstance(data, (list, tuple)):
            data = np.asarray(data)
        return super().__call__(data, **kwargs)

    def call(self, data, training=True):
        parts = {name: data[name] for name in PARTS if name in data} if isinstance(data, dict) else {"images": data}
        if "bounding_boxes" in parts and not self.bounding_box_format:
            raise ConfigError(
                f"{type(self).__name__} was given bounding_boxes without knowing their format.",
                fix=f"{type(self).__name__}(..., bounding_box_format='xyxy')",
            )
        rank = parts["images"].ndim
        if rank not in (3, 4):
            raise ShapeError(f"{type(self).__name__} needs one image (rank 3) or a batch (rank 4); got rank {rank}.")
        if rank == 3:
            parts = tree.map_structure(lambda part: jnp.asarray(part)[None], parts)
        transformation = self.get_random_transformation(parts, training=training)
        for name, part in parts.items():
            parts[name] = getattr(self, f"transform_{name}")(part, transformation, training=training)
        if rank == 3:
            parts = tree.map_structure(lambda part: part[0], parts)
        return {**data, **parts} if isinstance(data, dict) else parts["images"]

    def get_random_transformation(self, data, training=True, seed=None):
        """What is drawn for these images (or the dict with them), for the methods below; None for nothing."""
        return None

    def transform_images(self, images, transformation: Any = None, training=True):
        """Images, changed as `transformation` says, in the compute type."""
        images = self._cast(jnp.asarray(images))
        if not self._applies(transformation, training):
            return images
        return batched(lambda batch: self._change(batch, transformation), images, self.data_format)

    def transform_labels(self, labels, transformation: Any = None, training=True):
        """The labels of a batch of images."""
        return labels

    def transform_bounding_boxes(self, bounding_boxes, transformation: Any = None, training=True):
        """The boxes of a batch of images, {"boxes": (batch, boxes, 4), "labels": (batch, boxes)}."""
        return bounding_boxes

    def transform_segmentation_masks(self, segmentation_masks, transformation: Any = None, training=True):
        """The masks of a batch of images, (batch, height, width, 1)."""
        return segmentation_masks

    def transform_single_image(self, image, transformation, training=True):
        """`transform_images` for one image."""
        return self._single("images", image, transformation, training)

    def transform_single_label(self, label, transformation, training=True):
        """`transform_labels` for the label of one image."""
        return self._single("labels", label, transformation, training)

    def transform_single_bounding_box(self, bounding_box, transformation, training=True):
        """`transform_bounding_boxes` for the boxes of one image."""
        return self._single("bounding_boxes", bounding_box, transformation, training)

    def transform_single_segmentation_mask(self, segmentation_mask, transformation, training=True):
        """`transform_segmentation_masks` for the mask of one image."""
        return self._single("segmentation_masks", segmentation_mask, transformation, training)

    def _single(self, name, part, transformation, training):
        batch = tree.map_structure(lambda leaf: jnp.asarray(leaf)[None], part)
        changed = getattr(self, f"transform_{name}")(batch, transformation, training=training)
        return tree.map_structure(lambda leaf: leaf[0], changed)

    _keeps_integers = False  # whether images of whole numbers keep their type

    def _cast(self, images):
        """Images in the type the layer computes in."""
        kept = self._keeps_integers and not jnp.issubdtype(images.dtype, jnp.floating)
        return images if kept else images.astype(self.compute_dtype)

    def _applies(self, transformation, training):
        """Whether something happens to the images: always, unless it is random."""
        return True

    def _change(self, images, transformation) -> Any:
        """The pixel function: (batch, height, width, channels) -> the same or another size, whatever data_format is."""
        raise NotImplementedError

    def _shape_of(self, data):
        """(batch, height, width, channels) of images or the dict with them."""
        shape = tuple((data["images"] if isinstance(data, dict) else data).shape)
        batch, *rest = shape if len(shape) == 4 else (1, *shape)
        return (batch, *rest[1:], rest[0]) if self.data_format == "channels_first" else (batch, *rest)


class RandomImageLayer(BaseImagePreprocessingLayer):
    """An image layer that draws in training, in `_draw`, and passes everything on unchanged otherwise."""

    _traits = frozenset(("noise",))

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.generator = random.SeedGenerator(seed)

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        return self._draw(self._shape_of(data), self.generator if seed is None else seed)

    def _draw(self, shape, seed) -> Any:
        """The random numbers for a batch of this shape (batch, height, width, channels)."""
        raise NotImplementedError

    def _applies(self, transformation, training):
        return bool(training) and transformation is not None


def factor_range(layer, factor, name="factor", low=-1, high=1, strict=False):
    """(lower, upper) of a factor: a number f is (-f, f), not below `low`; of a pair the lower comes first.

    A pair need only overlap with [low, high], as in Keras, or lie in it with `strict`.
    """
    pair = factor if isinstance(factor, (tuple, list)) else (factor, factor)
    numbers = all(isinstance(number, (int, float, np.number)) for number in pair)
    fits = numbers and len(pair) == 2 and pair[0] <= high and pair[1] >= low
    if not fits or (strict and not low <= min(pair) <= max(pair) <= high):
        raise ConfigError(
            f"{type(layer).__name__} needs a {name} that is a number, or a pair of numbers, from {low} to {high}; "
            f"got {factor!r}."
        )
    return tuple(sorted(pair)) if isinstance(factor, (tuple, list)) else (max(-abs(factor), low), abs(factor))


def drawn_to_apply(batch, factor, seed):
    """Which of the images of a batch change: each with a probability drawn from the range `factor`."""
    probability = random.uniform((batch,), *factor, seed=seed)
    return random.uniform((batch,), seed=seed) < probability


def dense_boxes(bounding_boxes) -> Any:
    """{"boxes", "labels"} as arrays; of lists the shorter ones are filled with boxes 0 0 0 0 of label -1."""
    if not {"boxes", "labels"} <= bounding_boxes.keys():
        raise ConfigError(f"bounding_boxes is a dict with boxes and labels; got the keys {sorted(bounding_boxes)}.")
    boxes: Any = bounding_boxes["boxes"]
    labels: Any = bounding_boxes["labels"]
    if isinstance(boxes, list) and any(len(image) and np.ndim(image[0]) == 1 for image in boxes):
        most = max(len(image) for image in boxes)
        boxes = [[*image, *[[0, 0, 0, 0]] * (most - len(image))] for image in boxes]
        labels = [[*image, *[-1] * (most - len(image))] for image in labels]
    if isinstance(boxes, list):
        boxes, labels = np.asarray(boxes, "float32"), np.asarray(labels, "int32")
    if len(boxes.shape) not in (2, 3) or len(labels.shape) not in (len(boxes.shape) - 1, len(boxes.shape)):
        raise ShapeError(
            f"Boxes are ([batch], boxes, 4) and their labels ([batch], boxes); got {tuple(boxes.shape)} and "
            f"{tuple(labels.shape)}."
        )
    return {**bounding_boxes, "boxes": boxes, "labels": labels}

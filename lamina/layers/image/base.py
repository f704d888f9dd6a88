"""What all image layers share: one call for images with or without a batch axis, labels, boxes and masks.

A layer with random colour changes implements two methods:

    class RandomBrightness(RandomImageLayer):
        def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
            super().__init__(seed=seed, **kwargs)
            self.factor = factor_range(self, factor)
            self.value_range = value_range

        def _draw(self, shape, seed):       # shape: (batch, height, width, channels)
            return {"delta": random.uniform((shape[0], 1, 1, 1), *self.factor, seed=seed)}

        def _change(self, images, transformation):  # (batch, height, width, channels), in the compute type
            return jnp.clip(images + transformation["delta"], *self.value_range)

A layer without random numbers derives from BaseImagePreprocessingLayer and implements `_change` only. Labels, boxes and
masks are not changed unless the class overrides `transform_labels`, `transform_bounding_boxes` or
`transform_segmentation_masks`, which always get a batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import jax.numpy as jnp
import numpy as np

from lamina import random
from lamina.core import tree
from lamina.core.arguments import rank
from lamina.core.typing import LayerArguments
from lamina.errors import ConfigError, ShapeError
from lamina.layers.data_layer import DataLayer
from lamina.ops.image_batch import batched
from lamina.runtime.settings import standardize_data_format

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.core.typing import ArrayLike, DataFormat, SeedLike, Tensor

PARTS = ("images", "labels", "bounding_boxes", "segmentation_masks")


Pair: TypeAlias = "tuple[float, float]"
"""The lower and the upper end of a range."""

Range: TypeAlias = "float | Sequence[float]"
"""A number, or the two ends of a range from which one is drawn."""


class BoxFormatArguments(LayerArguments, total=False):
    """The keyword arguments of every layer, and the format of bounding boxes."""

    bounding_box_format: str | None


class ImageLayerArguments(BoxFormatArguments, total=False):
    """The keyword arguments of every image layer."""

    data_format: DataFormat


class BaseImagePreprocessingLayer(DataLayer):
    """Base class of layers that change images and the labels, boxes and masks that belong to them.

    The input is an array of images ([batch], height, width, channels), or a dict with the keys "images", "labels",
    "bounding_boxes" and "segmentation_masks". Images are returned in the compute type of the layer.

    Args:
        bounding_box_format: Format of the boxes in the inputs, such as "xyxy" or "rel_xywh"; see
            `keras.utils.bounding_boxes`.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    _config_optional = frozenset(("activity_regularizer", "bounding_box_format"))

    def __init__(
        self, bounding_box_format: str | None = None, data_format: DataFormat = None, **kwargs: Unpack[LayerArguments]
    ):
        super().__init__(**kwargs)
        self.autocast = False  # boxes, labels and masks keep their type; images are cast in transform_images
        self.bounding_box_format = bounding_box_format
        self.data_format: str = standardize_data_format(data_format)

    def __call__(self, data: Any, **kwargs: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("bounding_boxes"), dict):
            data = {**data, "bounding_boxes": dense_boxes(data["bounding_boxes"])}
        elif isinstance(data, (list, tuple)):
            data = np.asarray(data)
        return super().__call__(data, **kwargs)

    def call(self, data: Any, training: bool = True) -> Any:
        parts = {name: data[name] for name in PARTS if name in data} if isinstance(data, dict) else {"images": data}
        if "bounding_boxes" in parts and not self.bounding_box_format:
            raise ConfigError(
                f"{type(self).__name__} got bounding_boxes but has no bounding_box_format.",
                fix=f"{type(self).__name__}(..., bounding_box_format='xyxy')",
            )
        shape = parts["images"].shape
        rank(self, "images", shape, 3, 4, "([batch], height, width, channels)")
        if len(shape) == 3:
            parts = tree.map_structure(lambda part: jnp.asarray(part)[None], parts)
        transformation = self.get_random_transformation(parts, training=training)
        for name, part in parts.items():
            parts[name] = getattr(self, f"transform_{name}")(part, transformation, training=training)
        if len(shape) == 3:
            parts = tree.map_structure(lambda part: part[0], parts)
        return {**data, **parts} if isinstance(data, dict) else parts["images"]

    def get_random_transformation(self, data: Any, training: bool = True, seed: SeedLike = None) -> Any:
        """The random numbers for these images, for the methods below; None if nothing is drawn.

        Args:
            data: Images, or the dict with them.
            training: Whether the layer is called in training.
            seed: Seed of the draws; None means the generator of the layer.
        """
        return None

    def transform_images(self, images: ArrayLike, transformation: Any = None, training: bool = True) -> Tensor:
        """The images after the transformation, in the compute type.

        Args:
            images: Batch of images.
            transformation: What `get_random_transformation` returned.
            training: Whether the layer is called in training.
        """
        images = self._cast(jnp.asarray(images))
        if not self._applies(transformation, training):
            return images
        return batched(lambda batch: self._change(batch, transformation), images, self.data_format)

    def transform_labels(self, labels: Any, transformation: Any = None, training: bool = True) -> Any:
        """The labels of a batch of images after the transformation.

        Args:
            labels: Labels of the images.
            transformation: What `get_random_transformation` returned.
            training: Whether the layer is called in training.
        """
        return labels

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any = None, training: bool = True) -> Any:
        """The boxes of a batch of images after the transformation.

        Args:
            bounding_boxes: Dict {"boxes": (batch, boxes, 4), "labels": (batch, boxes)}.
            transformation: What `get_random_transformation` returned.
            training: Whether the layer is called in training.
        """
        return bounding_boxes

    def transform_segmentation_masks(
        self, segmentation_masks: ArrayLike, transformation: Any = None, training: bool = True
    ) -> Any:
        """The masks of a batch of images after the transformation.

        Args:
            segmentation_masks: Masks of shape (batch, height, width, 1).
            transformation: What `get_random_transformation` returned.
            training: Whether the layer is called in training.
        """
        return segmentation_masks

    def transform_single_image(self, image: ArrayLike, transformation: Any, training: bool = True) -> Tensor:
        """`transform_images` for one image.

        Args:
            image: One image.
            transformation: What `get_random_transformation` returned.
            training: Whether the layer is called in training.
        """
        return self._single("images", image, transformation, training)

    def transform_single_label(self, label: Any, transformation: Any, training: bool = True) -> Any:
        """`transform_labels` for the label of one image.

        Args:
            label: Label of one image.
            transformation: What `get_random_transformation` returned.
            training: Whether the layer is called in training.
        """
        return self._single("labels", label, transformation, training)

    def transform_single_bounding_box(self, bounding_box: Any, transformation: Any, training: bool = True) -> Any:
        """`transform_bounding_boxes` for the boxes of one image.

        Args:
            bounding_box: Boxes of one image.
            transformation: What `get_random_transformation` returned.
            training: Whether the layer is called in training.
        """
        return self._single("bounding_boxes", bounding_box, transformation, training)

    def transform_single_segmentation_mask(
        self, segmentation_mask: ArrayLike, transformation: Any, training: bool = True
    ) -> Any:
        """`transform_segmentation_masks` for the mask of one image.

        Args:
            segmentation_mask: Mask of one image.
            transformation: What `get_random_transformation` returned.
            training: Whether the layer is called in training.
        """
        return self._single("segmentation_masks", segmentation_mask, transformation, training)

    def _single(self, name, part, transformation, training):
        batch = tree.map_structure(lambda leaf: jnp.asarray(leaf)[None], part)
        changed = getattr(self, f"transform_{name}")(batch, transformation, training=training)
        return tree.map_structure(lambda leaf: leaf[0], changed)

    _keeps_integers = False  # whether integer images keep their type

    def _cast(self, images):
        """Images in the type in which the layer computes."""
        kept = self._keeps_integers and not jnp.issubdtype(images.dtype, jnp.floating)
        return images if kept else images.astype(self.compute_dtype)

    def _applies(self, transformation, training) -> bool:
        """Whether the layer changes the images: always, unless it is random."""
        return True

    def _change(self, images, transformation) -> Any:
        """The images after the change. They are always (batch, height, width, channels); the size may change."""
        raise NotImplementedError

    def _shape_of(self, data):
        """The shape (batch, height, width, channels) of images or of the dict with them."""
        shape = tuple((data["images"] if isinstance(data, dict) else data).shape)
        batch, *rest = shape if len(shape) == 4 else (1, *shape)
        return (batch, *rest[1:], rest[0]) if self.data_format == "channels_first" else (batch, *rest)


class RandomImageLayer(BaseImagePreprocessingLayer):
    """Base class of image layers that change images at random in training and not otherwise.

    A subclass draws in `_draw`.

    Args:
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.
    """

    _traits = frozenset(("noise",))

    def __init__(self, seed: SeedLike = None, **kwargs: Unpack[ImageLayerArguments]):
        super().__init__(**kwargs)
        self.seed = seed
        self.generator: random.SeedGenerator = random.SeedGenerator(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: SeedLike = None) -> Any:
        if not training:
            return None
        return self._draw(self._shape_of(data), self.generator if seed is None else seed)

    def _draw(self, shape, seed) -> Any:
        """The random numbers for a batch of this shape (batch, height, width, channels)."""
        raise NotImplementedError

    def _applies(self, transformation, training) -> bool:
        return bool(training) and transformation is not None


def factor_range(
    layer: object, factor: Any, name: str = "factor", low: float = -1, high: float = 1, strict: bool = False
) -> Pair:
    """(lower, upper) of a factor: a number f means (-f, f), not below `low`; a pair is sorted.

    A pair needs to overlap with [low, high], as in Keras; with `strict` it has to lie in it.
    """
    pair = factor if isinstance(factor, (tuple, list)) else (factor, factor)
    numbers = all(isinstance(number, (int, float, np.number)) for number in pair)
    fits = numbers and len(pair) == 2 and pair[0] <= high and pair[1] >= low
    if not fits or (strict and not low <= min(pair) <= max(pair) <= high):
        whole, unit = (360, " of a full turn") if "Rotation" in type(layer).__name__ else (100, "")
        meant: Any = tuple(number / whole for number in pair) if numbers else ()  # degrees, or percent
        is_share = numbers and len(pair) == 2 and all(low <= share <= high for share in meant)
        share: Any = meant if isinstance(factor, (tuple, list)) else meant[:1] and meant[0]
        raise ConfigError(
            f"{type(layer).__name__} needs {name} as a number or a pair of numbers from {low} to {high}{unit}; "
            f"got {name}={factor!r}.",
            fix=f"{name}={share if is_share else min(max(0.1, low), high)}",
        )
    return tuple(sorted(pair)) if isinstance(factor, (tuple, list)) else (max(-abs(factor), low), abs(factor))


def drawn_to_apply(batch: int, factor: Pair, seed: SeedLike) -> Tensor:
    """Which images of a batch change: each with a probability drawn from the range `factor`."""
    probability = random.uniform((batch,), *factor, seed=seed)
    return random.uniform((batch,), seed=seed) < probability


def dense_boxes(bounding_boxes: Any) -> Any:
    """{"boxes", "labels"} as arrays; shorter lists are padded with boxes 0 0 0 0 of label -1."""
    if not {"boxes", "labels"} <= bounding_boxes.keys():
        raise ConfigError(
            f"bounding_boxes must be a dict with the keys boxes and labels; got the keys {sorted(bounding_boxes)}.",
            fix="{'boxes': boxes, 'labels': labels}",
        )
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
            f"Boxes must have shape ([batch], boxes, 4) and labels ([batch], boxes); got {tuple(boxes.shape)} and "
            f"{tuple(labels.shape)}.",
            fix="One label for each box: boxes (2, 8, 4) and labels (2, 8), for example.",
        )
    return {**bounding_boxes, "boxes": boxes, "labels": labels}

"""Bounding boxes: formats, overlaps, and their changes when the image is cropped, padded or transformed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from lamina.core import tree
from lamina.core.arguments import choice, listed, nearest
from lamina.core.typing import ArrayLike, DTypeLike, Tensor
from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError

__all__ = [
    "affine_transform", "clip_to_image_size", "compute_ciou", "compute_iou", "convert_format", "crop",
    "decode_deltas_to_boxes", "encode_box_to_deltas", "pad",
]  # fmt: skip

_FORMATS = {  # name -> (to left, top, right, bottom; from them)
    "xyxy": (lambda *corners: corners, lambda *corners: corners),
    "yxyx": (
        lambda top, left, low, right: (left, top, right, low),
        lambda left, top, right, low: (top, left, low, right),
    ),
    "xywh": (lambda left, t, w, h: (left, t, left + w, t + h), lambda left, t, r, b: (left, t, r - left, b - t)),
    "center_xywh": (
        lambda x, y, w, h: (x - w / 2, y - h / 2, x + w / 2, y + h / 2),
        lambda left, t, r, b: ((left + r) / 2, (t + b) / 2, r - left, b - t),
    ),
    "center_yxhw": (
        lambda y, x, h, w: (x - w / 2, y - h / 2, x + w / 2, y + h / 2),
        lambda left, t, r, b: ((t + b) / 2, (left + r) / 2, b - t, r - left),
    ),
}


def convert_format(
    boxes: Any, source: str, target: str, height: Any = None, width: Any = None, dtype: DTypeLike = "float32"
) -> Any:
    """Boxes in another format.

    Shapes: ([batch], boxes, 4) -> the same.

    Args:
        boxes: Boxes, or a dict with them under "boxes", which is returned with the boxes replaced.
        source: Format of `boxes`: "xyxy" (left, top, right, bottom), "yxyx", "xywh", "center_xywh" or "center_yxhw", in
            pixels; with "rel_" before it, in fractions of the image.
        target: Format of the result.
        height: Height of the image, needed between pixels and fractions.
        width: Width of the image, needed between pixels and fractions.
        dtype: Type of the result.

    Raises:
        ConfigError: A format is not known, or the size of the image is missing.

    >>> convert_format([[10, 20, 30, 60]], "xyxy", "center_xywh").tolist()
    [[20.0, 40.0, 20.0, 40.0]]
    """
    if isinstance(boxes, dict):
        return {**boxes, "boxes": convert_format(boxes["boxes"], source, target, height, width, dtype)}
    boxes = jnp.asarray(unwrap(boxes), dtype)
    if boxes.ndim not in (2, 3) or boxes.shape[-1] != 4:
        fix = "boxes[None]" if boxes.shape == (4,) else "A box is four numbers, for example [[10, 20, 30, 60]]."
        raise ShapeError(f"Boxes must have shape (boxes, 4) or (batch, boxes, 4); got {boxes.shape}.", fix=fix)
    (source, from_fractions), (target, to_fractions) = _format(source), _format(target)
    corners = _FORMATS[source][0](*jnp.moveaxis(boxes, -1, 0))
    if from_fractions != to_fractions:
        if height is None or width is None:
            raise ConfigError("Between pixels and fractions, a size is needed.", fix="height=480, width=640")
        sizes = zip(corners, (width, height) * 2, strict=True)
        corners = [side * size if from_fractions else side / size for side, size in sizes]
    return jnp.stack(_FORMATS[target][1](*corners), axis=-1).astype(dtype)


def _format(name):
    known = str(name).lower()
    base = known.removeprefix("rel_")
    if base not in _FORMATS:
        fix = repr(nearest(base, _FORMATS))
        raise ConfigError(f"A box format is {listed(_FORMATS)}, also with rel_; got {name!r}.", fix=fix)
    return base, known != base


def clip_to_image_size(
    bounding_boxes: dict[str, Any], height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> dict[str, Any]:
    """Boxes cut at the edges of their image. The label of a box without an area becomes -1.

    Args:
        bounding_boxes: Dict with "boxes" of shape ([batch], boxes, 4), and "labels" of shape ([batch], boxes) if any.
        height: Height of the image, for boxes in pixels.
        width: Width of the image, for boxes in pixels.
        bounding_box_format: Format of the boxes: "xyxy", "yxyx", "xywh", "center_xywh" or "center_yxhw", with "rel_"
            before it for fractions of the image.
    """
    corners, ends = ("rel_xyxy", [1, 1]) if _format(bounding_box_format)[1] else ("xyxy", [width, height])
    boxes = convert_format(bounding_boxes["boxes"], bounding_box_format, corners)
    boxes = jnp.clip(boxes, 0, jnp.asarray(ends * 2, boxes.dtype))
    found, sides = dict(bounding_boxes), boxes[..., 2:] - boxes[..., :2]
    if found.get("labels") is not None:
        found["labels"] = jnp.where(jnp.prod(sides, axis=-1) > 0, jnp.asarray(unwrap(found["labels"])), -1)
    return {**found, "boxes": convert_format(boxes, corners, bounding_box_format)}


def crop(boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy") -> Any:
    """Boxes after their image was cropped, cut at the edges of the crop.

    Args:
        boxes: Boxes of shape ([batch], boxes, 4).
        top: First row of the crop.
        left: First column of the crop.
        height: Height of the crop.
        width: Width of the crop.
        bounding_box_format: Format of the boxes: "xyxy", "yxyx", "xywh", "center_xywh" or "center_yxhw", with "rel_"
            before it for fractions of the image.
    """
    boxes = convert_format(boxes, bounding_box_format, "xyxy", height, width)
    boxes = boxes - jnp.asarray([left, top, left, top], boxes.dtype)
    boxes = jnp.clip(boxes, 0, jnp.asarray([width, height, width, height], boxes.dtype))
    return convert_format(boxes, "xyxy", bounding_box_format, height, width)


def pad(
    boxes: Any, top: Any, left: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> Any:
    """Boxes after their image was padded.

    Args:
        boxes: Boxes of shape ([batch], boxes, 4).
        top: Number of rows added above the image.
        left: Number of columns added to the left of the image.
        height: Height of the image, needed for formats in fractions.
        width: Width of the image, needed for formats in fractions.
        bounding_box_format: Format of the boxes: "xyxy", "yxyx", "xywh", "center_xywh" or "center_yxhw", with "rel_"
            before it for fractions of the image.
    """
    boxes = convert_format(boxes, bounding_box_format, "xyxy", height, width)
    boxes = boxes + jnp.asarray([left, top, left, top], boxes.dtype)
    return convert_format(boxes, "xyxy", bounding_box_format, height, width)


def affine_transform(
    boxes: Any,
    angle: ArrayLike,
    translate_x: ArrayLike,
    translate_y: ArrayLike,
    scale: ArrayLike,
    shear_x: ArrayLike,
    shear_y: ArrayLike,
    height: Any,
    width: Any,
    center_x: ArrayLike | None = None,
    center_y: ArrayLike | None = None,
    bounding_box_format: str = "xyxy",
) -> Any:
    """The axis-parallel boxes around boxes that were rotated, translated, scaled and sheared.

    A point `p` is mapped to `scale A (p - center + translation) + center`.

    Shapes: ([batch], boxes, 4) -> the same. Numbers of the transformation are scalars or of shape (batch,).

    Args:
        boxes: Boxes.
        angle: Rotation in degrees.
        translate_x: Translation to the right, as a fraction of the width.
        translate_y: Translation downwards, as a fraction of the height.
        scale: Scale factor.
        shear_x: Shear along x in degrees.
        shear_y: Shear along y in degrees.
        height: Height of the image.
        width: Width of the image.
        center_x: Center as a fraction of the width; None means the middle.
        center_y: Center as a fraction of the height; None means the middle.
        bounding_box_format: Format of the boxes: "xyxy", "yxyx", "xywh", "center_xywh" or "center_yxhw", with "rel_"
            before it for fractions of the image.
    """
    corners = convert_format(boxes, bounding_box_format, "xyxy", height, width)
    turn, lean_x, lean_y = (jnp.deg2rad(_column(value)) for value in (angle, shear_x, shear_y))
    cos, sin, lean_x, lean_y = jnp.cos(turn), jnp.sin(turn), jnp.tan(lean_x), jnp.tan(lean_y)
    down, across = sin - cos * lean_y, cos + sin * lean_y
    middle_x, middle_y = (
        _column(0.5 if center is None else center) * (size - 1)
        for center, size in ((center_x, width), (center_y, height))
    )
    left, top, right, bottom = jnp.moveaxis(corners, -1, 0)
    x = jnp.stack([left, right, right, left]) - middle_x + _column(translate_x) * (width - 1)
    y = jnp.stack([top, top, bottom, bottom]) - middle_y + _column(translate_y) * (height - 1)
    new_x = _column(scale) * ((cos + lean_x * down) * x + (sin + lean_x * across) * y) + middle_x
    new_y = _column(scale) * (across * y - down * x) + middle_y
    around = jnp.stack([new_x.min(0), new_y.min(0), new_x.max(0), new_y.max(0)], axis=-1)
    return convert_format(around, "xyxy", bounding_box_format, height, width)


def _column(value):
    """A scalar, or one number for each image as (batch, 1)."""
    value = jnp.asarray(unwrap(value), "float32")
    return value[:, None] if value.ndim == 1 else value


def compute_iou(
    boxes1: ArrayLike,
    boxes2: ArrayLike,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: Sequence[int] | None = None,
) -> Tensor:
    """Intersection over union, of each box of the first set with each of the second.

    Shapes: ([batch], m, 4), ([batch], n, 4) -> ([batch], m, n).

    Args:
        boxes1: First set of boxes.
        boxes2: Second set of boxes.
        bounding_box_format: Format of the boxes: "xyxy", "yxyx", "xywh", "center_xywh" or "center_yxhw", with "rel_"
            before it for fractions of the image.
        use_masking: Whether pairs with a padding box, whose numbers are all negative, give `mask_val`.
        mask_val: Value of those pairs.
        image_shape: (height, width) of the image, for formats in fractions.
    """
    one, two = (_corners(boxes, bounding_box_format, image_shape) for boxes in (boxes1, boxes2))
    one, two = one[..., :, None, :], two[..., None, :, :]
    shared = jnp.minimum(one[..., 2:], two[..., 2:]) - jnp.maximum(one[..., :2], two[..., :2])
    intersection = jnp.prod(jnp.maximum(shared, 0), axis=-1)
    union = _area(one) + _area(two) - intersection
    iou = jnp.where(union == 0, 0, intersection / jnp.where(union == 0, 1, union))
    if use_masking:
        iou = jnp.where((one.max(-1) < 0) | (two.max(-1) < 0), mask_val, iou)
    return iou


def compute_ciou(
    boxes1: ArrayLike, boxes2: ArrayLike, bounding_box_format: str, image_shape: Sequence[int] | None = None
) -> Tensor:
    """Complete intersection over union of pairs of boxes: `iou - distance^2 / diagonal^2 - alpha v`.

    `distance` is that of the centers, `diagonal` that of the box around both, and `v` compares the aspect ratios (Zheng
    et al., "Distance-IoU loss", 2020).

    Shapes: (..., 4), (..., 4) -> (...).

    Args:
        boxes1: First boxes of the pairs.
        boxes2: Second boxes of the pairs.
        bounding_box_format: Format of the boxes: "xyxy", "yxyx", "xywh", "center_xywh" or "center_yxhw", with "rel_"
            before it for fractions of the image.
        image_shape: (height, width) of the image, for formats in fractions.
    """
    one, two = (_corners(boxes, bounding_box_format, image_shape) for boxes in (boxes1, boxes2))
    shared = jnp.minimum(one[..., 2:], two[..., 2:]) - jnp.maximum(one[..., :2], two[..., :2])
    intersection = jnp.prod(jnp.maximum(shared, 0), axis=-1)
    iou = intersection / (_area(one) + _area(two) - intersection + _TINY)
    around = jnp.maximum(one[..., 2:], two[..., 2:]) - jnp.minimum(one[..., :2], two[..., :2])
    apart = (one[..., :2] + one[..., 2:] - two[..., :2] - two[..., 2:]) / 2
    angles = [jnp.arctan((box[..., 2] - box[..., 0]) / (box[..., 3] - box[..., 1] + _TINY)) for box in (one, two)]
    v = 4 / jnp.pi**2 * (angles[1] - angles[0]) ** 2
    alpha = v / (v - iou + 1 + _TINY)
    return iou - jnp.sum(apart**2, -1) / (jnp.sum(around**2, -1) + _TINY) - alpha * v


_TINY = 1e-7


def _corners(boxes, box_format, image_shape):
    target = "rel_xyxy" if _format(box_format)[1] and image_shape is None else "xyxy"
    boxes = jnp.asarray(unwrap(boxes), "float32")
    return convert_format(boxes.reshape(-1, 4), box_format, target, **_size_of(image_shape)).reshape(boxes.shape)


def _size_of(image_shape) -> dict[str, Any]:
    return dict(zip(("height", "width"), image_shape or (), strict=False))


def _area(boxes):
    return jnp.prod(boxes[..., 2:] - boxes[..., :2], axis=-1)


def encode_box_to_deltas(
    anchors: Any,
    boxes: Any,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Sequence[float] | None = None,
    image_shape: Sequence[int] | None = None,
) -> Tensor:
    """The offsets from anchors to their boxes, which a detector learns.

    These are `(center - anchor center) / anchor size` and `log(size / anchor size)` (Ren et al., "Faster R-CNN", 2015).

    Shapes: (boxes, 4), ([batch], boxes, 4) -> ([batch], boxes, 4).

    Args:
        anchors: Anchor boxes.
        boxes: Boxes, one for each anchor.
        anchor_format: Format of the anchors, as in `convert_format`.
        box_format: Format of the boxes, as in `convert_format`.
        encoding_format: Order of the offsets: "center_xywh" or "center_yxhw".
        variance: Four numbers that the offsets are divided by; None means ones.
        image_shape: (height, width) of the image, for formats in fractions.
    """
    divisors = _variance_or_ones(encoding_format, variance)
    size = _size_of(image_shape)
    anchors = convert_format(anchors, anchor_format, encoding_format, **size)
    boxes = convert_format(boxes, box_format, encoding_format, **size)
    shifts = (boxes[..., :2] - anchors[..., :2]) / anchors[..., 2:]
    scales = jnp.log(jnp.maximum(boxes[..., 2:], _TINY) / jnp.maximum(anchors[..., 2:], _TINY))
    return jnp.concatenate([shifts, scales], axis=-1) / divisors


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Sequence[float] | None = None,
    image_shape: Sequence[int] | None = None,
) -> Any:
    """The boxes for anchors and offsets; the inverse of `encode_box_to_deltas`.

    Args:
        anchors: Anchor boxes of shape (boxes, 4), or a dict of them.
        boxes_delta: Offsets of shape ([batch], boxes, 4), or a dict of them with the same keys.
        anchor_format: Format of the anchors, as in `convert_format`.
        box_format: Format of the result, as in `convert_format`.
        encoded_format: Order of the offsets: "center_xywh" or "center_yxhw".
        variance: Four numbers that the offsets are multiplied by; None means ones.
        image_shape: (height, width) of the image, for formats in fractions.
    """
    factors = _variance_or_ones(encoded_format, variance)
    size = _size_of(image_shape)

    def decode(anchors, deltas):
        anchors = convert_format(anchors, anchor_format, encoded_format, **size)
        deltas = jnp.asarray(unwrap(deltas), "float32") * factors
        centers = deltas[..., :2] * anchors[..., 2:] + anchors[..., :2]
        sizes = jnp.exp(deltas[..., 2:]) * anchors[..., 2:]
        return convert_format(jnp.concatenate([centers, sizes], axis=-1), encoded_format, box_format, **size)

    return tree.map_structure(decode, anchors, boxes_delta)


def _variance_or_ones(box_format, variance):
    choice("Deltas of boxes", "encoding_format", str(box_format).lower(), ("center_xywh", "center_yxhw"))
    if variance is not None and len(variance) != 4:
        raise ConfigError(f"variance must have 4 numbers; got {len(variance)}.", fix="variance=[0.1, 0.1, 0.2, 0.2]")
    return jnp.ones(4) if variance is None else jnp.asarray(variance, "float32")

"""Boxes in images: formats, overlaps, and what happens to them when their image changes."""

from typing import Any

import jax.numpy as jnp

from lamina.core import tree
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


def convert_format(boxes, source, target, height=None, width=None, dtype="float32") -> Any:
    """Boxes in another format.

    Shapes: ([batch], boxes, 4), or a dict with such `boxes`.

    Args:
        source, target: "xyxy" (left, top, right, bottom), "yxyx", "xywh", "center_xywh" or "center_yxhw", in pixels;
            with "rel_" before it, in fractions of the image.
        height, width: of the image; needed between pixels and fractions.

    >>> convert_format([[10, 20, 30, 60]], "xyxy", "center_xywh").tolist()
    [[20.0, 40.0, 20.0, 40.0]]
    """
    if isinstance(boxes, dict):
        return {**boxes, "boxes": convert_format(boxes["boxes"], source, target, height, width, dtype)}
    boxes = jnp.asarray(unwrap(boxes), dtype)
    if boxes.ndim not in (2, 3) or boxes.shape[-1] != 4:
        raise ShapeError(f"Boxes have shape (boxes, 4) or (batch, boxes, 4); got {boxes.shape}.")
    (source, from_fractions), (target, to_fractions) = _format(source), _format(target)
    corners = _FORMATS[source][0](*jnp.moveaxis(boxes, -1, 0))
    if from_fractions != to_fractions:
        if height is None or width is None:
            raise ConfigError("height and width of the image are needed between pixels and fractions.")
        corners = [
            side * size if from_fractions else side / size
            for side, size in zip(corners, (width, height) * 2, strict=True)
        ]
    return jnp.stack(_FORMATS[target][1](*corners), axis=-1).astype(dtype)


def _format(name):
    known = str(name).lower()
    base = known.removeprefix("rel_")
    if base not in _FORMATS:
        raise ConfigError(f"A box format is one of {', '.join(_FORMATS)}, or rel_ and one of them; got {name!r}.")
    return base, known != base


def clip_to_image_size(bounding_boxes, height=None, width=None, bounding_box_format="xyxy"):
    """`{"boxes", "labels"}` with the boxes cut at the edges of the image; the label of an empty box is -1."""
    boxes = convert_format(bounding_boxes["boxes"], bounding_box_format, "xyxy", height, width)
    boxes = jnp.clip(boxes, 0, jnp.asarray([width, height, width, height], boxes.dtype))
    sides = boxes[..., 2:] - boxes[..., :2]
    labels = jnp.where(jnp.prod(sides, axis=-1) > 0, jnp.asarray(unwrap(bounding_boxes["labels"])), -1)
    boxes = convert_format(boxes, "xyxy", bounding_box_format, height, width)
    return {**bounding_boxes, "boxes": boxes, "labels": labels}


def crop(boxes, top, left, height, width, bounding_box_format="xyxy"):
    """The boxes of the part of an image that begins at (top, left) and has the size (height, width)."""
    boxes = convert_format(boxes, bounding_box_format, "xyxy", height, width)
    boxes = boxes - jnp.asarray([left, top, left, top], boxes.dtype)
    boxes = jnp.clip(boxes, 0, jnp.asarray([width, height, width, height], boxes.dtype))
    return convert_format(boxes, "xyxy", bounding_box_format, height, width)


def pad(boxes, top, left, height=None, width=None, bounding_box_format="xyxy"):
    """The boxes of an image that got `top` rows above it and `left` columns to its left."""
    boxes = convert_format(boxes, bounding_box_format, "xyxy", height, width)
    boxes = boxes + jnp.asarray([left, top, left, top], boxes.dtype)
    return convert_format(boxes, "xyxy", bounding_box_format, height, width)


def affine_transform(
    boxes, angle, translate_x, translate_y, scale, shear_x, shear_y, height, width, center_x=None, center_y=None,
    bounding_box_format="xyxy",
):  # fmt: skip
    """The boxes around the boxes turned, moved, stretched and sheared: `p -> scale A (p - centre + move) + centre`.

    Shapes: ([batch], boxes, 4) -> the same. The numbers of the change are scalars or (batch,).

    Args:
        angle, shear_x, shear_y: in degrees.
        translate_x, translate_y, center_x, center_y: in fractions of the image; its middle is the default centre.
    """
    corners = convert_format(boxes, bounding_box_format, "xyxy", height, width)
    turn, lean_x, lean_y = (jnp.deg2rad(_column(value)) for value in (angle, shear_x, shear_y))
    cos, sin, lean_x, lean_y = jnp.cos(turn), jnp.sin(turn), jnp.tan(lean_x), jnp.tan(lean_y)
    down, across = sin - cos * lean_y, cos + sin * lean_y
    center_x, center_y = (
        _column(0.5 if center is None else center) * (size - 1)
        for center, size in ((center_x, width), (center_y, height))
    )
    left, top, right, bottom = jnp.moveaxis(corners, -1, 0)
    x = jnp.stack([left, right, right, left]) - center_x + _column(translate_x) * (width - 1)
    y = jnp.stack([top, top, bottom, bottom]) - center_y + _column(translate_y) * (height - 1)
    new_x = _column(scale) * ((cos + lean_x * down) * x + (sin + lean_x * across) * y) + center_x
    new_y = _column(scale) * (across * y - down * x) + center_y
    around = jnp.stack([new_x.min(0), new_y.min(0), new_x.max(0), new_y.max(0)], axis=-1)
    return convert_format(around, "xyxy", bounding_box_format, height, width)


def _column(value):
    """A scalar, or one number for each image as (batch, 1)."""
    value = jnp.asarray(unwrap(value), "float32")
    return value[:, None] if value.ndim == 1 else value


def compute_iou(boxes1, boxes2, bounding_box_format, use_masking=False, mask_val=-1, image_shape=None):
    """`area of the intersection / area of the union` of each box of the first with each of the second.

    Shapes: ([batch], m, 4), ([batch], n, 4) -> ([batch], m, n). With `use_masking`, pairs with a box whose numbers are
    all negative give `mask_val`.
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


def compute_ciou(boxes1, boxes2, bounding_box_format, image_shape=None):
    """`iou - distance^2 / diagonal^2 - alpha v`: the overlap of pairs less the distance of their centres (in
    diagonals of the box around both) and the difference v of their shapes (Zheng et al., "Distance-IoU loss", 2020).

    Shapes: (..., 4), (..., 4) -> (...).
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
    anchors, boxes, anchor_format, box_format, encoding_format="center_yxhw", variance=None, image_shape=None
):
    """How to move and stretch each anchor to get its box: `(centre - anchor centre) / anchor size` and
    `log(size / anchor size)`.

    Shapes: (boxes, 4), ([batch], boxes, 4) -> ([batch], boxes, 4), divided by the four numbers of `variance`.
    """
    variance = _centred(encoding_format, variance)
    size = _size_of(image_shape)
    anchors = convert_format(anchors, anchor_format, encoding_format, **size)
    boxes = convert_format(boxes, box_format, encoding_format, **size)
    moved = (boxes[..., :2] - anchors[..., :2]) / anchors[..., 2:]
    stretched = jnp.log(jnp.maximum(boxes[..., 2:], _TINY) / jnp.maximum(anchors[..., 2:], _TINY))
    return jnp.concatenate([moved, stretched], axis=-1) / variance


def decode_deltas_to_boxes(
    anchors, boxes_delta, anchor_format, box_format, encoded_format="center_yxhw", variance=None, image_shape=None
):
    """The boxes that `encode_box_to_deltas` described; both may be dicts with the same keys."""
    variance = _centred(encoded_format, variance)
    size = _size_of(image_shape)

    def decode(anchors, deltas):
        anchors = convert_format(anchors, anchor_format, encoded_format, **size)
        deltas = jnp.asarray(unwrap(deltas), "float32") * variance
        centres = deltas[..., :2] * anchors[..., 2:] + anchors[..., :2]
        sizes = jnp.exp(deltas[..., 2:]) * anchors[..., 2:]
        return convert_format(jnp.concatenate([centres, sizes], axis=-1), encoded_format, box_format, **size)

    return tree.map_structure(decode, anchors, boxes_delta)


def _centred(box_format, variance):
    if str(box_format).lower() not in ("center_xywh", "center_yxhw"):
        raise ConfigError(f"Deltas are 'center_xywh' or 'center_yxhw'; got {box_format!r}.")
    if variance is not None and len(variance) != 4:
        raise ConfigError(f"variance has 4 numbers; got {len(variance)}.")
    return jnp.ones(4) if variance is None else jnp.asarray(variance, "float32")

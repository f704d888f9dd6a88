"""tf.image: boxes, files and similarity, beside what is in `images` and `pictures`."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.compat import images, pictures
from lamina.compat.arrays import array
from lamina.compat.host import as_bytes
from lamina.compat.random_numbers import RANDOM
from lamina.core.variable import unwrap

__all__ = ["IMAGE"]

Boxes = namedtuple("CombinedNonMaxSuppression", "nmsed_boxes nmsed_scores nmsed_classes valid_detections")


def combined_non_max_suppression(boxes: Any, scores: Any, max_output_size_per_class: Any, max_total_size: Any,
                                 iou_threshold: Any = 0.5, score_threshold: Any = -np.inf, pad_per_class: Any = False,
                                 clip_boxes: Any = True, name: Any = None) -> Any:  # fmt: skip
    """`tf.image.combined_non_max_suppression`: the boxes of all classes that stay, the highest scores first."""
    boxes, scores, total = array(boxes), jnp.moveaxis(array(scores), -1, 1), int(max_total_size)
    count, kinds = min(int(max_output_size_per_class), scores.shape[2]), scores.shape[1]
    boxes = jnp.broadcast_to(jnp.moveaxis(boxes, 2, 1), (*scores.shape, 4))

    def highest(boxes, scores):  # each time the highest score that is left; what overlaps it leaves
        areas = jnp.prod(boxes[:, 2:] - boxes[:, :2], -1)

        def step(left, _):
            at = jnp.argmax(left)
            sides = jnp.minimum(boxes[at, 2:], boxes[:, 2:]) - jnp.maximum(boxes[at, :2], boxes[:, :2])
            common = jnp.prod(jnp.maximum(sides, 0), -1)
            leaves = (common / (areas[at] + areas - common) > iou_threshold).at[at].set(True)
            return jnp.where(leaves, -jnp.inf, left), (boxes[at], left[at])

        return jax.lax.scan(step, jnp.where(scores > score_threshold, scores, -jnp.inf), None, count)[1]

    corners, points = jax.vmap(jax.vmap(highest))(boxes, scores)
    corners, points = corners.reshape(-1, kinds * count, 4), points.reshape(-1, kinds * count)
    order = jnp.argsort(points, -1, descending=True)[:, :total]
    points = jnp.take_along_axis(points, order, -1)
    stays = points > -jnp.inf
    corners = jnp.where(stays[..., None], jnp.take_along_axis(corners, order[..., None], 1), 0)
    size = min(total, int(max_output_size_per_class) * kinds) if pad_per_class else total

    def padded(part):
        return jnp.pad(part, [(0, 0), (0, size - part.shape[1]), *[(0, 0)] * (part.ndim - 2)])

    found = jnp.clip(corners, 0, 1) if clip_boxes else corners, jnp.where(stays, points, 0), jnp.where(
        stays, order // count, 0).astype("float32")  # fmt: skip
    corners, points, classes = map(padded, found)
    return Boxes(corners, points, classes, stays.sum(-1).astype("int32"))


def _with_scores(boxes, scores, max_output_size, iou_threshold=0.5, score_threshold=-np.inf, soft_nms_sigma=0.0,
                 name=None):  # fmt: skip
    kept = pictures.non_max_suppression(boxes, scores, max_output_size, iou_threshold, score_threshold)
    return kept, array(scores)[kept]


def draw_bounding_boxes(images: Any, boxes: Any, colors: Any = None, name: Any = None) -> Any:
    """`tf.image.draw_bounding_boxes`: frames of boxes (y1, x1, y2, x2) in parts of the picture."""
    drawn, boxes = np.array(unwrap(images)), np.asarray(unwrap(boxes))
    _, height, width, channels = drawn.shape
    colors = np.eye(3)[[0, 1, 2]] if colors is None else np.asarray(unwrap(colors))
    for picture, of_picture in zip(drawn, boxes, strict=True):
        for place, box in enumerate(of_picture):
            color = np.resize(colors[place % len(colors)], channels)
            top, left, bottom, right = (box * (height - 1, width - 1, height - 1, width - 1)).astype(int)
            rows = slice(max(top, 0), min(bottom, height - 1) + 1)
            columns = slice(max(left, 0), min(right, width - 1) + 1)
            for row in (row for row in (top, bottom) if 0 <= row < height):
                picture[row, columns] = color
            for column in (column for column in (left, right) if 0 <= column < width):
                picture[rows, column] = color
    return jnp.asarray(drawn)


def _sample_box(image_size, bounding_boxes, seed=None, min_object_covered=0.1, aspect_ratio_range=(0.75, 1.33),
                area_range=(0.05, 1.0), max_attempts=100, use_image_if_no_bounding_boxes=False, name=None):  # fmt: skip
    """A random box that covers a part of one of the given ones: (begin, size, box in parts of the picture)."""
    if seed is not None and np.ndim(seed):
        start = RANDOM["stateless_uniform"]([], seed, 0, 2**31 - 1, "int32")
    else:
        start = RANDOM["uniform"]([], 0, 2**31 - 1, "int32", seed=seed)
    draw = np.random.default_rng(int(start))
    height, width = np.ravel(unwrap(image_size)).tolist()[:2]
    given = np.reshape(unwrap(bounding_boxes), (-1, 4))
    given = given if len(given) else np.array([[0.0, 0.0, 1.0, 1.0]])
    box = np.array([0, 0, height, width])
    for _ in range(int(max_attempts)):
        area, ratio = draw.uniform(*area_range) * height * width, draw.uniform(*aspect_ratio_range)
        rows, columns = round(np.sqrt(area / ratio)), round(np.sqrt(area * ratio))
        if not (0 < rows <= height and 0 < columns <= width):
            continue
        top, left = draw.integers(height - rows + 1), draw.integers(width - columns + 1)
        found = np.array([top / height, left / width, (top + rows) / height, (left + columns) / width])
        common = np.prod(np.maximum(np.minimum(found[2:], given[:, 2:]) - np.maximum(found[:2], given[:, :2]), 0), -1)
        if (common >= min_object_covered * np.prod(given[:, 2:] - given[:, :2], -1)).any():
            box = np.array([top, left, rows, columns])
            break
    parts = np.array([box[0] / height, box[1] / width, (box[0] + box[2]) / height, (box[1] + box[3]) / width])
    return (jnp.asarray([box[0], box[1], 0], "int32"), jnp.asarray([box[2], box[3], -1], "int32"),
            jnp.asarray(parts, "float32")[None, None])  # fmt: skip


def adjust_jpeg_quality(image: Any, jpeg_quality: Any, name: Any = None) -> Any:
    """`tf.image.adjust_jpeg_quality`: what an image is after it was a JPEG file."""
    values = array(image)
    is_float = jnp.issubdtype(values.dtype, jnp.inexact)
    pixels = jnp.clip(jnp.round(values * 255), 0, 255).astype("uint8") if is_float else values
    found = images.decode_image(as_bytes(pictures.encode(pixels, "JPEG", quality=int(jpeg_quality))), values.shape[-1])
    return array(found).astype(values.dtype) / 255 if is_float else found


IMAGE: dict[str, Any] = {
    "combined_non_max_suppression": combined_non_max_suppression, "draw_bounding_boxes": draw_bounding_boxes,
    "non_max_suppression_with_scores": _with_scores, "adjust_jpeg_quality": adjust_jpeg_quality,
    "sample_distorted_bounding_box": _sample_box,
    "stateless_sample_distorted_bounding_box": lambda image_size, bounding_boxes, seed, *args, **kwargs: _sample_box(
        image_size, bounding_boxes, seed, *args, **kwargs),
    "random_jpeg_quality": lambda image, min_jpeg_quality, max_jpeg_quality, seed=None: adjust_jpeg_quality(
        image, RANDOM["uniform"]([], min_jpeg_quality, max_jpeg_quality, "int32", seed=seed)),
    "stateless_random_jpeg_quality": lambda image, min_jpeg_quality, max_jpeg_quality, seed: adjust_jpeg_quality(
        image, RANDOM["stateless_uniform"]([], seed, min_jpeg_quality, max_jpeg_quality, "int32")),
    "extract_jpeg_shape": lambda contents, output_type="int32", name=None: jnp.asarray(
        np.shape(images.decode_image(as_bytes(contents))), output_type),
    "decode_and_crop_jpeg": lambda contents, crop_window, channels=0, *_, **__: array(images.decode_image(
        as_bytes(contents), channels))[tuple(slice(int(start), int(start) + int(size)) for start, size in zip(
            np.ravel(crop_window)[:2], np.ravel(crop_window)[2:], strict=True))],
}  # fmt: skip

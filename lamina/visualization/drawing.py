"""Drawing of bounding boxes and segmentation masks on images, with NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError
from lamina.ops.bounding_boxes import convert_format
from lamina.runtime import settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from lamina.core.typing import ArrayLike, DataFormat

__all__ = ["draw_bounding_boxes", "draw_segmentation_masks", "pixels_of"]


def pixels_of(images: ArrayLike, data_format: DataFormat = None) -> np.ndarray:
    """Images as a new uint8 array of shape (batch, height, width, channels).

    Args:
        images: Images of shape (batch, height, width, channels).
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
    pixels = np.asarray(unwrap(images))
    if pixels.ndim != 4:
        raise ShapeError(
            f"Images must have shape (batch, height, width, channels); got {pixels.shape}.",
            fix={2: "images[None, ..., None]", 3: "images[None]"}.get(pixels.ndim),
        )
    if (data_format or settings.image_data_format()) == "channels_first":
        pixels = np.moveaxis(pixels, 1, -1)
    return pixels.astype("uint8")


def draw_bounding_boxes(
    images: ArrayLike,
    bounding_boxes: dict[str, Any],
    bounding_box_format: str,
    class_mapping: Mapping[int, str] | None = None,
    color: Sequence[int] = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int = 1,
    font_scale: float = 1.0,
    data_format: DataFormat = None,
) -> np.ndarray:
    """Images with boxes drawn on them, as uint8. Boxes with the label -1 are not drawn.

    Shapes: images (batch, height, width, channels) -> the same, channels last.

    Args:
        images: Images of shape (batch, height, width, channels).
        bounding_boxes: {"boxes": (batch, boxes, 4), "labels": (batch, boxes)}, and "confidences": (batch, boxes) if
            there are any.
        bounding_box_format: "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", or one of them after "rel_".
        class_mapping: Names of the labels, written above the boxes with Pillow; None writes none.
        color: Red, green and blue, from 0 to 255.
        line_thickness: Width of the edges in pixels.
        text_thickness: Width of the strokes of the text in pixels.
        font_scale: Size of the text, as a multiple of 16 pixels.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.

    >>> boxes = {"boxes": [[[0.0, 0.0, 3.0, 2.0]]], "labels": [[0]]}
    >>> draw_bounding_boxes(np.zeros((1, 3, 4, 3)), boxes, "xyxy", line_thickness=1)[0, ..., 0]
    array([[128, 128, 128, 128],
           [128,   0,   0, 128],
           [128, 128, 128, 128]], dtype=uint8)
    """
    pixels = pixels_of(images, data_format)
    for key in ("boxes", "labels"):
        if key not in bounding_boxes:
            raise ConfigError(
                f"bounding_boxes needs the keys boxes and labels; got {', '.join(bounding_boxes)}.",
                fix='bounding_boxes={"boxes": boxes, "labels": labels}',
            )
    boxes = np.asarray(unwrap(bounding_boxes["boxes"]), "float32")
    if boxes.ndim != 3 or boxes.shape[-1] != 4:
        raise ShapeError(
            f"Boxes must have shape (batch, boxes, 4); got {boxes.shape}.",
            fix="boxes[None]" if boxes.ndim == 2 else None,
        )
    corners = np.asarray(convert_format(boxes, bounding_box_format, "xyxy", *pixels.shape[1:3]))
    labels = np.asarray(unwrap(bounding_boxes["labels"])).astype(int)
    confidences = bounding_boxes.get("confidences")
    for image, boxes, image_labels, number in zip(pixels, corners, labels, range(len(pixels)), strict=True):
        for index in np.flatnonzero(image_labels != -1):
            box, name = boxes[index].astype(int), (class_mapping or {}).get(int(image_labels[index]))
            image[_outline(box, line_thickness, image.shape)] = color
            if name is not None:
                sure = "" if confidences is None else f" | {np.asarray(unwrap(confidences))[number, index]:.2f}"
                _write(image, f"{name}{sure}", box, color, font_scale, text_thickness)
    return pixels


def _outline(box, thickness, shape):
    """The pixels within half of `thickness` of the edge of a box; as in OpenCV, 3 is as wide as 4."""
    radius = 0 if thickness <= 1 else (thickness + 1) // 2
    left, top, right, bottom = box
    y, x = np.ogrid[: shape[0], : shape[1]]
    outside = np.hypot(np.maximum(np.maximum(left - x, x - right), 0), np.maximum(np.maximum(top - y, y - bottom), 0))
    inside = np.minimum(np.minimum(x - left, right - x), np.minimum(y - top, bottom - y))
    return np.where(inside >= 0, inside, outside) <= radius


def _write(image, text, box, color, font_scale, thickness):
    """Writes `text` above a box, or inside if there is no space."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as error:
        raise ConfigError("class_mapping needs Pillow to write names.", fix="pip install pillow") from error
    picture = Image.fromarray(image)
    font = ImageFont.load_default(size=16 * font_scale)
    height = font.getbbox(text)[3] + 2
    top = box[1] - height if box[1] >= height else box[1] + 2
    ImageDraw.Draw(picture).text(
        (int(box[0]), int(top)), text, tuple(int(part) for part in color), font, stroke_width=max(thickness - 1, 0)
    )
    image[:] = np.asarray(picture)


def draw_segmentation_masks(
    images: ArrayLike,
    segmentation_masks: ArrayLike,
    num_classes: int | None = None,
    color_mapping: Mapping[int, Sequence[int]] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: DataFormat = None,
) -> np.ndarray:
    """Images with the pixels of each class in its color, as uint8: `(1 - alpha) * image + alpha * color`.

    Shapes: images (batch, height, width, channels) -> the same, channels last.

    Args:
        images: Images of shape (batch, height, width, channels).
        segmentation_masks: Class of each pixel, (batch, height, width) or with 1 channel.
        num_classes: Number of classes; larger ones are not drawn. None means all.
        color_mapping: Red, green and blue of classes; by default i * (1, 127, 31) modulo 255 for class i.
        alpha: Weight of the color, from 0 (only the image) to 1 (only the color).
        blend: Whether colors are blended with the image; False draws only the colors.
        ignore_index: Class that is not drawn.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.

    >>> draw_segmentation_masks(np.full((1, 1, 2, 3), 100), np.array([[[0, -1]]]), alpha=0.5)[0]
    array([[[ 50,  50,  50],
            [100, 100, 100]]], dtype=uint8)
    """
    pixels = pixels_of(images, data_format)
    masks = np.asarray(unwrap(segmentation_masks)).astype(int)
    masks = masks[..., 0] if masks.ndim == 4 else masks
    if masks.shape != pixels.shape[:3]:
        raise ShapeError(
            f"Masks must have the shape {pixels.shape[:3]} of the images; got {masks.shape}.",
            fix="masks[None]" if masks.shape == pixels.shape[1:3] else None,
        )
    num_classes = int(masks.max(initial=0)) + 1 if num_classes is None else num_classes
    classes = np.arange(num_classes)[:, None]
    colors = (classes * np.array([1, 127, 31]) % 255).astype("float32")
    for label, color in (color_mapping or {}).items():
        if 0 <= label < num_classes:
            colors[label] = color
    drawn = (masks >= 0) & (masks < num_classes) & (masks != ignore_index)
    overlay = colors[np.where(drawn, masks, 0)]
    if blend:
        overlay = pixels.astype("float32") * (1 - alpha) + overlay * alpha
    return np.where(drawn[..., None], overlay, pixels).astype("uint8")

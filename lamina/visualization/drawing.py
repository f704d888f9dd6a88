"""Boxes and masks drawn on images, with NumPy."""

import numpy as np

from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError
from lamina.ops.bounding_boxes import convert_format
from lamina.runtime import settings

__all__ = ["draw_bounding_boxes", "draw_segmentation_masks", "pixels_of"]


def pixels_of(images, data_format=None):
    """Images as a new array of bytes of shape (batch, height, width, channels)."""
    images = np.asarray(unwrap(images))
    if images.ndim != 4:
        raise ShapeError(f"Images are a batch of shape (batch, height, width, channels); got {images.shape}.")
    if (data_format or settings.image_data_format()) == "channels_first":
        images = np.moveaxis(images, 1, -1)
    return images.astype("uint8")


def draw_bounding_boxes(
    images,
    bounding_boxes,
    bounding_box_format,
    class_mapping=None,
    color=(128, 128, 128),
    line_thickness=2,
    text_thickness=1,
    font_scale=1.0,
    data_format=None,
):
    """Images with boxes drawn on them, as bytes. Boxes of label -1 are left out.

    Shapes: images (batch, height, width, channels) -> the same.

    Args:
        bounding_boxes: {"boxes": (batch, boxes, 4), "labels": (batch, boxes), "confidences": (batch, boxes), if any}.
        bounding_box_format: "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", or one of them after "rel_".
        class_mapping: label -> name, written above a box; this needs Pillow.
        color: red, green, blue.
        line_thickness: in pixels, around the edge of the box.
        text_thickness, font_scale: of the names.

    >>> boxes = {"boxes": [[[0.0, 0.0, 3.0, 2.0]]], "labels": [[0]]}
    >>> draw_bounding_boxes(np.zeros((1, 3, 4, 3)), boxes, "xyxy", line_thickness=1)[0, ..., 0]
    array([[128, 128, 128, 128],
           [128,   0,   0, 128],
           [128, 128, 128, 128]], dtype=uint8)
    """
    images = pixels_of(images, data_format)
    for key in ("boxes", "labels"):
        if key not in bounding_boxes:
            raise ConfigError(f"bounding_boxes has the keys boxes and labels; got {', '.join(bounding_boxes)}.")
    boxes = np.asarray(unwrap(bounding_boxes["boxes"]), "float32")
    if boxes.ndim != 3 or boxes.shape[-1] != 4:
        raise ShapeError(f"Boxes have shape (batch, boxes, 4); got {boxes.shape}.")
    corners = np.asarray(convert_format(boxes, bounding_box_format, "xyxy", *images.shape[1:3]))
    labels = np.asarray(unwrap(bounding_boxes["labels"])).astype(int)
    confidences = bounding_boxes.get("confidences")
    for image, boxes, image_labels, number in zip(images, corners, labels, range(len(images)), strict=True):
        for index in np.flatnonzero(image_labels != -1):
            box, name = boxes[index].astype(int), (class_mapping or {}).get(int(image_labels[index]))
            image[_outline(box, line_thickness, image.shape)] = color
            if name is not None:
                sure = "" if confidences is None else f" | {np.asarray(unwrap(confidences))[number, index]:.2f}"
                _write(image, f"{name}{sure}", box, color, font_scale, text_thickness)
    return images


def _outline(box, thickness, shape):
    """Which pixels are at most half of `thickness` from the edge of a box; as in OpenCV, 3 is as wide as 4."""
    radius = 0 if thickness <= 1 else (thickness + 1) // 2
    left, top, right, bottom = box
    y, x = np.ogrid[: shape[0], : shape[1]]
    outside = np.hypot(np.maximum(np.maximum(left - x, x - right), 0), np.maximum(np.maximum(top - y, y - bottom), 0))
    inside = np.minimum(np.minimum(x - left, right - x), np.minimum(y - top, bottom - y))
    return np.where(inside >= 0, inside, outside) <= radius


def _write(image, text, box, color, font_scale, thickness):
    """Write `text` above a box, or inside where there is no room."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as error:
        raise ConfigError("The names of classes are written with Pillow.", fix="pip install pillow") from error
    picture = Image.fromarray(image)
    font = ImageFont.load_default(size=16 * font_scale)
    height = font.getbbox(text)[3] + 2
    top = box[1] - height if box[1] >= height else box[1] + 2
    ImageDraw.Draw(picture).text(
        (int(box[0]), int(top)), text, tuple(int(part) for part in color), font, stroke_width=max(thickness - 1, 0)
    )
    image[:] = np.asarray(picture)


def draw_segmentation_masks(
    images,
    segmentation_masks,
    num_classes=None,
    color_mapping=None,
    alpha=0.8,
    blend=True,
    ignore_index=-1,
    data_format=None,
):
    """Images with the pixels of each class in its color, as bytes: `(1 - alpha) * image + alpha * color`.

    Shapes: images (batch, height, width, channels), masks (batch, height, width) or with 1 channel -> as images.

    Args:
        segmentation_masks: a class for each pixel.
        num_classes: classes from it on are left out; None: none are.
        color_mapping: class -> (red, green, blue); of class i by default i * (1, 127, 31) modulo 255.
        alpha: from 0 (the image) to 1 (the color).
        blend: False: the color alone.
        ignore_index: the class that is left out.

    >>> draw_segmentation_masks(np.full((1, 1, 2, 3), 100), np.array([[[0, -1]]]), alpha=0.5)[0]
    array([[[ 50,  50,  50],
            [100, 100, 100]]], dtype=uint8)
    """
    images = pixels_of(images, data_format)
    masks = np.asarray(unwrap(segmentation_masks)).astype(int)
    masks = masks[..., 0] if masks.ndim == 4 else masks
    if masks.shape != images.shape[:3]:
        raise ShapeError(f"Masks are of shape {images.shape[:3]}, as the images; got {masks.shape}.")
    num_classes = int(masks.max(initial=0)) + 1 if num_classes is None else num_classes
    classes = np.arange(num_classes)[:, None]
    colors = (classes * np.array([1, 127, 31]) % 255).astype("float32")
    for label, color in (color_mapping or {}).items():
        if 0 <= label < num_classes:
            colors[label] = color
    drawn = (masks >= 0) & (masks < num_classes) & (masks != ignore_index)
    overlay = colors[np.where(drawn, masks, 0)]
    if blend:
        overlay = images.astype("float32") * (1 - alpha) + overlay * alpha
    return np.where(drawn[..., None], overlay, images).astype("uint8")

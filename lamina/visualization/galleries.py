"""Galleries: grids of images in one figure, with Matplotlib."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.core.variable import unwrap
from lamina.errors import ConfigError
from lamina.runtime import settings
from lamina.visualization.drawing import draw_bounding_boxes, draw_segmentation_masks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lamina.core.typing import ArrayLike, DataFormat

__all__ = ["plot_bounding_box_gallery", "plot_image_gallery", "plot_segmentation_mask_gallery"]


def plot_image_gallery(
    images: ArrayLike,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: Mapping[int, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: Sequence[float] = (0, 255),
    scale: float = 2,
    path: str | Path | None = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: int = 60,
    legend_handles: Sequence[Any] | None = None,
    data_format: DataFormat = None,
) -> Any:
    """Plots a grid of images, with true and predicted classes below. Needs Matplotlib.

    Returns the figure if it is neither shown nor saved, otherwise None.

    Raises:
        ConfigError: For a path with `show=True`, classes without `label_map`, or if Matplotlib is missing.

    Args:
        images: Images of shape (batch, height, width, channels).
        y_true: True class of each image.
        y_pred: Predicted class of each image.
        label_map: Names of the classes; required with `y_true` or `y_pred`.
        rows: Number of rows; None makes the grid as square as possible.
        cols: Number of columns; None makes the grid as square as possible.
        value_range: Lowest and highest value of the pixels.
        scale: Size of each image in inches.
        path: Path of a file in which the figure is saved; None saves none.
        show: Whether the figure is shown; None means that it is, unless it is saved.
        transparent: Whether the background of the file is transparent.
        dpi: Resolution of the file in dots per inch.
        legend_handles: Handles of Matplotlib for a legend.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
    plt = _pyplot()
    if path is not None and show:
        raise ConfigError("plot_image_gallery can either save (path) or show the figure.", fix="show=False")
    if (y_true is not None or y_pred is not None) and label_map is None:
        raise ConfigError("y_true and y_pred need label_map.", fix='label_map={0: "cat", 1: "dog"}')
    pixels: Any = _as_fractions(images, value_range, data_format)
    rows, cols = _grid(len(pixels), rows, cols)
    figure, axes = plt.subplots(rows, cols, squeeze=False, figsize=(cols * scale, rows * scale), layout="tight")
    for index, axis in enumerate(axes.flat):
        axis.set_axis_off()
        if index < len(pixels):
            axis.imshow(np.squeeze(pixels[index]), cmap="gray" if pixels.shape[-1] == 1 else None, vmin=0, vmax=1)
            axis.set_title(_caption(index, y_true, y_pred, label_map), fontsize=8, y=-0.2)
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="lower center")
    if path is not None:
        figure.savefig(path, pad_inches=0, bbox_inches="tight", transparent=transparent, dpi=dpi)
        plt.close(figure)
    elif show or show is None:
        plt.show()
        plt.close(figure)
    else:
        return figure


def plot_bounding_box_gallery(
    images: ArrayLike,
    bounding_box_format: str,
    y_true: Any = None,
    y_pred: Any = None,
    value_range: Sequence[float] = (0, 255),
    true_color: Sequence[int] = (0, 188, 212),
    pred_color: Sequence[int] = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: Mapping[int, str] | None = None,
    ground_truth_mapping: Mapping[int, str] | None = None,
    prediction_mapping: Mapping[int, str] | None = None,
    legend: bool = False,
    legend_handles: Sequence[Any] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: DataFormat = None,
    **kwargs: Any,
) -> Any:
    """Plots a grid of images with true and predicted boxes. Needs Matplotlib.

    Returns the figure if it is neither shown nor saved, otherwise None.

    Args:
        images: Images of shape (batch, height, width, channels).
        bounding_box_format: "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", or one of them after "rel_".
        y_true: True boxes, as `draw_bounding_boxes` takes them.
        y_pred: Predicted boxes, as `draw_bounding_boxes` takes them.
        value_range: Lowest and highest value of the pixels.
        true_color: Red, green and blue of true boxes.
        pred_color: Red, green and blue of predicted boxes.
        line_thickness: Width of the edges in pixels.
        font_scale: Size of the text, as a multiple of 16 pixels.
        text_thickness: Width of the strokes of the text in pixels; None means 1.
        class_mapping: Names of the labels of all boxes.
        ground_truth_mapping: Names of the labels of true boxes; None means `class_mapping`.
        prediction_mapping: Names of the labels of predicted boxes; None means `class_mapping`.
        legend: Whether a legend names the two colors.
        legend_handles: Handles of Matplotlib for a legend.
        rows: Number of rows; None makes the grid as square as possible.
        cols: Number of columns; None makes the grid as square as possible.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Further arguments of `plot_image_gallery`.
    """
    drawn = _as_fractions(images, value_range, data_format) * 255
    style = {"line_thickness": line_thickness, "font_scale": font_scale, "text_thickness": text_thickness or 1}
    given = (
        ("Ground Truth", y_true, true_color, ground_truth_mapping or class_mapping),
        ("Prediction", y_pred, pred_color, prediction_mapping or class_mapping),
    )
    handles = []
    for name, boxes, color, mapping in given:
        if boxes is not None:
            drawn = draw_bounding_boxes(
                drawn, boxes, bounding_box_format, mapping, color, **style, data_format="channels_last"
            )
            handles.append((name, color))
    if legend:
        if legend_handles is not None:
            raise ConfigError("legend=True cannot be combined with legend_handles.", fix="legend=False")
        from matplotlib.patches import Patch  # pyright: ignore[reportMissingImports]

        legend_handles = [Patch(color=tuple(part / 255 for part in color), label=name) for name, color in handles]
    return plot_image_gallery(
        drawn, rows=rows, cols=cols, legend_handles=legend_handles, data_format="channels_last", **kwargs
    )


def plot_segmentation_mask_gallery(
    images: ArrayLike,
    num_classes: int | None,
    value_range: Sequence[float] = (0, 255),
    y_true: Any = None,
    y_pred: Any = None,
    color_mapping: Mapping[int, Sequence[int]] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: DataFormat = None,
    **kwargs: Any,
) -> Any:
    """Plots a row for each image: itself, with its true and with its predicted classes. Needs Matplotlib.

    Returns the figure if it is neither shown nor saved, otherwise None.

    Args:
        images: Images of shape (batch, height, width, channels).
        num_classes: Number of classes; larger ones are not drawn. None means all.
        value_range: Lowest and highest value of the pixels.
        y_true: True class of each pixel.
        y_pred: Predicted class of each pixel.
        color_mapping: Red, green and blue of classes; by default i * (1, 127, 31) modulo 255 for class i.
        blend: Whether colors are blended with the image; False draws only the colors.
        alpha: Weight of the color, from 0 (only the image) to 1 (only the color).
        ignore_index: Class that is not drawn.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Further arguments of `plot_image_gallery`.
    """
    plain = _as_fractions(images, value_range, data_format) * 255
    columns = [plain.astype("uint8")]
    for masks in (y_true, y_pred):
        if masks is not None:
            columns.append(
                draw_segmentation_masks(
                    plain, masks, num_classes, color_mapping, alpha, blend, ignore_index, "channels_last"
                )
            )
    tiles = np.stack(columns, 1).reshape(-1, *plain.shape[1:])
    grid = {"rows": len(plain), "cols": len(columns)}
    return plot_image_gallery(tiles, data_format="channels_last", **grid, **kwargs)


def _as_fractions(images, value_range, data_format):
    """Images as floats from 0 to 1, of shape (batch, height, width, channels)."""
    images = np.asarray(unwrap(images), "float32")
    if (data_format or settings.image_data_format()) == "channels_first":
        images = np.moveaxis(images, 1, -1)
    low, high = value_range
    return np.clip((images - low) / (high - low), 0, 1)


def _grid(count, rows, cols):
    if rows is None and cols is None:
        cols = math.ceil(math.sqrt(count))
    if cols is None:
        cols = math.ceil(count / rows)
    return (math.ceil(count / cols) if rows is None else rows), cols


def _caption(index, y_true, y_pred, label_map):
    found = (("GT", y_true), ("Pred", y_pred))
    classes = [(name, np.asarray(unwrap(y))) for name, y in found if y is not None]
    return " ".join(f"{name}: {label_map.get(int(y[index]), 'Unknown')}" for name, y in classes)


def _pyplot():
    try:
        import matplotlib.pyplot as plt  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ConfigError("Galleries need Matplotlib.", fix="pip install matplotlib") from error
    return plt

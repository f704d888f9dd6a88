"""Galleries: many images in one figure, with matplotlib."""

import math
from typing import Any

import numpy as np

from lamina.core.variable import unwrap
from lamina.errors import ConfigError
from lamina.runtime import settings
from lamina.visualization.drawing import draw_bounding_boxes, draw_segmentation_masks

__all__ = ["plot_bounding_box_gallery", "plot_image_gallery", "plot_segmentation_mask_gallery"]


def plot_image_gallery(
    images,
    y_true=None,
    y_pred=None,
    label_map=None,
    rows=None,
    cols=None,
    value_range=(0, 255),
    scale=2,
    path=None,
    show=None,
    transparent=True,
    dpi=60,
    legend_handles=None,
    data_format=None,
) -> Any:
    """A grid of images, with true and predicted classes below. Needs matplotlib.

    Returns the figure, if it is neither shown nor saved.

    Shapes: (batch, height, width, channels).

    Args:
        y_true, y_pred: a class for each image.
        label_map: class -> name; needed with `y_true` or `y_pred`.
        rows, cols: of the grid; by default as square as possible.
        value_range: the values of black and white.
        scale: inches an image.
        path: a file to save the figure as.
        show: show it; by default if it is not saved.
        transparent, dpi: of the file.
        legend_handles: matplotlib's, for a legend.
    """
    plt = _pyplot()
    if path is not None and show:
        raise ConfigError("plot_image_gallery either saves (path) or shows the figure.", fix="show=False")
    if (y_true is not None or y_pred is not None) and label_map is None:
        raise ConfigError("y_true and y_pred need label_map.", fix='label_map={0: "cat", 1: "dog"}')
    images = _as_fractions(images, value_range, data_format)
    rows, cols = _grid(len(images), rows, cols)
    figure, axes = plt.subplots(rows, cols, squeeze=False, figsize=(cols * scale, rows * scale), layout="tight")
    for index, axis in enumerate(axes.flat):
        axis.set_axis_off()
        if index < len(images):
            axis.imshow(np.squeeze(images[index]), cmap="gray" if images.shape[-1] == 1 else None, vmin=0, vmax=1)
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
    images,
    bounding_box_format,
    y_true=None,
    y_pred=None,
    value_range=(0, 255),
    true_color=(0, 188, 212),
    pred_color=(255, 235, 59),
    line_thickness=2,
    font_scale=1.0,
    text_thickness=None,
    class_mapping=None,
    ground_truth_mapping=None,
    prediction_mapping=None,
    legend=False,
    legend_handles=None,
    rows=None,
    cols=None,
    data_format=None,
    **kwargs,
) -> Any:
    """A grid of images with true and predicted boxes. Needs matplotlib.

    Args:
        y_true, y_pred: boxes as `draw_bounding_boxes` takes them.
        class_mapping: label -> name; `ground_truth_mapping` and `prediction_mapping` come before it.
        legend: say which color is which.
        **kwargs: as in `plot_image_gallery`.
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
            raise ConfigError("legend=True makes a legend of its own; legend_handles is another.", fix="legend=False")
        from matplotlib.patches import Patch  # pyright: ignore[reportMissingImports]

        legend_handles = [Patch(color=tuple(part / 255 for part in color), label=name) for name, color in handles]
    return plot_image_gallery(
        drawn, rows=rows, cols=cols, legend_handles=legend_handles, data_format="channels_last", **kwargs
    )


def plot_segmentation_mask_gallery(
    images,
    num_classes,
    value_range=(0, 255),
    y_true=None,
    y_pred=None,
    color_mapping=None,
    blend=True,
    alpha=0.8,
    ignore_index=-1,
    data_format=None,
    **kwargs,
) -> Any:
    """A grid with a row for each image: itself, with its true and with its predicted classes. Needs matplotlib.

    Args: as in `draw_segmentation_masks` and, further ones, in `plot_image_gallery`.
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
        raise ConfigError("Galleries are drawn with matplotlib.", fix="pip install matplotlib") from error
    return plt

"""What the tests of image layers share: images with labels, boxes and masks, and the same layer of both libraries."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

from lamina import layers
from lamina.ops.bounding_boxes import convert_format

FIRST = "channels_first"


def data(height=8, width=10, batch=4, data_format="channels_last", parts=("labels",), box_format="xyxy"):
    """A dict of images and of the parts asked for."""
    source = np.random.default_rng(1)
    found = {"images": source.uniform(size=(batch, height, width, 3)).astype("float32")}
    if "labels" in parts:
        found["labels"] = np.eye(batch, dtype="float32")
    if "segmentation_masks" in parts:
        found["segmentation_masks"] = source.integers(0, 4, (batch, height, width, 1)).astype("uint8")
    if "bounding_boxes" in parts:
        boxes = np.array([[[2.0, 1.0, 5.0, 6.0], [1.0, 2.0, 7.0, 4.0]]] * batch, "float32")
        boxes = np.asarray(convert_format(boxes, "xyxy", box_format, height=height, width=width))
        found["bounding_boxes"] = {"boxes": boxes, "labels": np.ones((batch, 2), "int32")}
    if data_format == FIRST:
        for name in {"images", "segmentation_masks"} & found.keys():
            found[name] = np.moveaxis(found[name], -1, 1)
    return found


def pair(name, **kwargs):
    """The same layer of lamina and of Keras."""
    return getattr(layers, name)(**kwargs), getattr(keras.layers, name)(**kwargs)


def assert_close(mine, theirs, tolerance=1e-5):
    """Equal structures, shapes and numbers; masks may have another type."""
    flat, wanted = keras.tree.flatten(mine), keras.tree.flatten(theirs)
    assert len(flat) == len(wanted)
    for got, value in zip(flat, wanted, strict=True):
        assert tuple(got.shape) == tuple(value.shape)
        np.testing.assert_allclose(np.asarray(got, "float64"), np.asarray(value, "float64"), tolerance, tolerance)

"""InceptionV3 (Szegedy et al., 2015, "Rethinking the Inception Architecture for Computer Vision", arXiv:1512.00567)."""

from typing import Any

from lamina.applications import imagenet_utils
from lamina.applications.frame import channel_axis, network
from lamina.applications.imagenet_utils import decode_predictions
from lamina.layers.convolutional import Conv2D
from lamina.layers.dense import Activation
from lamina.layers.merging import Concatenate
from lamina.layers.normalization import BatchNormalization
from lamina.layers.pooling import AveragePooling2D, MaxPooling2D

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]


def conv(x, filters, *kernel, strides=1, padding="same"):
    """Convolution, normalization, relu; `kernel` is (rows, columns)."""
    x = Conv2D(filters, kernel, strides, padding, use_bias=False)(x)
    x = BatchNormalization(axis=channel_axis(), scale=False)(x)
    return Activation("relu")(x)


def tower(x, *steps, **last):
    """Convolutions (filters, rows, columns) one after the other; `last` are settings of the last."""
    for step in steps[:-1]:
        x = conv(x, *step)
    return conv(x, *steps[-1], **last)


def pool(x, filters):
    """A 3x3 mean, then a 1x1 convolution."""
    return conv(AveragePooling2D(3, strides=1, padding="same")(x), filters, 1, 1)


def join(branches, name=None):
    """The channels of the branches beside each other."""
    return Concatenate(axis=channel_axis(), name=name)(branches)


def stem(x):
    """From the image to 192 channels on an eighth of its rows and columns."""
    x = conv(x, 32, 3, 3, strides=2, padding="valid")
    x = conv(x, 32, 3, 3, padding="valid")
    x = conv(x, 64, 3, 3)
    x = MaxPooling2D(3, strides=2)(x)
    x = conv(x, 80, 1, 1, padding="valid")
    x = conv(x, 192, 3, 3, padding="valid")
    return MaxPooling2D(3, strides=2)(x)


def small_windows(x, single, pooled, name):
    """Figure 5: 1x1 of `single` filters, 5x5, two 3x3, and a pooled branch of `pooled` filters."""
    branches = [
        conv(x, single, 1, 1),
        tower(x, (48, 1, 1), (64, 5, 5)),
        tower(x, (64, 1, 1), (96, 3, 3), (96, 3, 3)),
        pool(x, pooled),
    ]
    return join(branches, name)


def _rows_then_columns(x, width, name):
    """Figure 6: a 7x7 window as 1x7 and 7x1, once and twice, with `width` filters between."""
    branches = [
        conv(x, 192, 1, 1),
        tower(x, (width, 1, 1), (width, 1, 7), (192, 7, 1)),
        tower(x, (width, 1, 1), (width, 7, 1), (width, 1, 7), (width, 7, 1), (192, 1, 7)),
        pool(x, 192),
    ]
    return join(branches, name)


def _rows_beside_columns(x, name, inner_name):
    """Figure 7: a 3x3 window as 1x3 beside 3x1."""

    def beside(y, name=None):
        return join([conv(y, 384, 1, 3), conv(y, 384, 3, 1)], name)

    branches = [
        conv(x, 320, 1, 1),
        beside(conv(x, 384, 1, 1), inner_name),
        beside(tower(x, (448, 1, 1), (384, 3, 3))),
        pool(x, 192),
    ]
    return join(branches, name)


def _body(x):
    halved = {"strides": 2, "padding": "valid"}
    x = stem(x)
    for index, pooled in enumerate((32, 64, 64)):
        x = small_windows(x, 64, pooled, f"mixed{index}")
    branches = [conv(x, 384, 3, 3, **halved), tower(x, (64, 1, 1), (96, 3, 3), (96, 3, 3), **halved)]
    x = join([*branches, MaxPooling2D(3, strides=2)(x)], "mixed3")
    for index, width in enumerate((128, 160, 160, 192), start=4):
        x = _rows_then_columns(x, width, f"mixed{index}")
    branches = [
        tower(x, (192, 1, 1), (320, 3, 3), **halved),
        tower(x, (192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3), **halved),
    ]
    x = join([*branches, MaxPooling2D(3, strides=2)(x)], "mixed8")
    for index in range(2):
        x = _rows_beside_columns(x, f"mixed{9 + index}", f"mixed9_{index}")
    return x


def InceptionV3(
    include_top=True, weights: Any = "imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000,
    classifier_activation: Any = "softmax", name="inception_v3",
):  # fmt: skip
    """InceptionV3 for images of 299 x 299, 75 x 75 or more without the top.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new_rows, new_columns, 2048), or
    (batch, 2048) with `pooling`.

    Args:
        include_top: whether the classifier is on top.
        weights: None (random), "imagenet" (downloaded), or the path of a file.
        input_tensor: a symbolic tensor to start from.
        input_shape: the shape of one image.
        pooling: "avg" or "max" over the last features, where there is no top.
        classes, classifier_activation: of the classifier.

    Raises:
        ConfigError, ShapeError: for arguments that do not go together.
        NetworkError: where the weights cannot be downloaded; it says where to put the file.

    >>> import lamina as keras
    >>> keras.applications.InceptionV3(weights=None, include_top=False, input_shape=(150, 150, 3)).output_shape
    (None, 3, 3, 2048)
    """
    return network(
        _body, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation,
        name, file="inception_v3", size=299, smallest=75,
    )  # fmt: skip


def preprocess_input(x, data_format=None):
    """Pixels of 0 to 255 as -1 to 1."""
    return imagenet_utils.preprocess_input(x, data_format, "tf")

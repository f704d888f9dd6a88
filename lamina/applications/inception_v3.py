"""InceptionV3 (Szegedy et al., 2015, "Rethinking the Inception Architecture for Computer Vision", arXiv:1512.00567)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.applications.frame import Architecture, channel_axis, network, variant
from lamina.applications.imagenet_utils import decode_predictions
from lamina.applications.imagenet_utils import tf_input as preprocess_input
from lamina.layers.batch_normalization import BatchNormalization
from lamina.layers.convolutional import Conv2D
from lamina.layers.dense import Activation
from lamina.layers.merging import Concatenate
from lamina.layers.pooling import AveragePooling2D, MaxPooling2D
from lamina.legacy import old_names_of

if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]


def conv(x: Any, filters: int, *kernel: int, strides: int = 1, padding: str = "same") -> Any:
    """Convolution, normalization, relu; `kernel` is (rows, columns)."""
    x = Conv2D(filters, kernel, strides, padding, use_bias=False)(x)
    x = BatchNormalization(axis=channel_axis(), scale=False)(x)
    return Activation("relu")(x)


def tower(x: Any, *steps: tuple[int, int, int], **last: Any) -> Any:
    """Convolutions (filters, rows, columns) in sequence; `last` are arguments of the last."""
    for step in steps[:-1]:
        x = conv(x, *step)
    return conv(x, *steps[-1], **last)


def pool(x: Any, filters: int) -> Any:
    """3x3 average pooling, then a 1x1 convolution."""
    return conv(AveragePooling2D(3, strides=1, padding="same")(x), filters, 1, 1)


def join(branches: Sequence[Any], name: str | None = None) -> Any:
    """The branches, concatenated along the channels."""
    return Concatenate(axis=channel_axis(), name=name)(branches)


def stem(x: Any) -> Any:
    """Maps the image to 192 channels with an eighth of its rows and columns."""
    x = conv(x, 32, 3, 3, strides=2, padding="valid")
    x = conv(x, 32, 3, 3, padding="valid")
    x = conv(x, 64, 3, 3)
    x = MaxPooling2D(3, strides=2)(x)
    x = conv(x, 80, 1, 1, padding="valid")
    x = conv(x, 192, 3, 3, padding="valid")
    return MaxPooling2D(3, strides=2)(x)


def small_windows(x: Any, single: int, pooled: int, name: str) -> Any:
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


@variant(network)
def InceptionV3():
    """InceptionV3, for images of 299 x 299 pixels and of 75 x 75 or more without the top.

    `keras.applications.inception_v3.preprocess_input` prepares the pixels.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 2048), or
    (batch, 2048) with pooling.

    Args:
        include_top: Whether the classifier is on top of the network.
        weights: None for random weights, "imagenet" to download those trained on ImageNet, or the path of a file.
        input_tensor: Symbolic tensor to use as the input; None makes an Input.
        input_shape: Shape of one image, three sizes; None means the default size, or any size without the top.
        pooling: "avg" or "max" for global pooling of the features without the top; None keeps the feature maps.
        classes: Number of classes of the classifier.
        classifier_activation: Activation of the classifier; None returns logits.
        name: Name of the model.

    Raises:
        ConfigError: For an invalid argument, or arguments that contradict each other.
        ShapeError: For an input shape that the network or its weights do not support.
        NetworkError: If the weights cannot be downloaded; the message says where to put the file.

    Source: Szegedy et al., 2015, "Rethinking the Inception Architecture for Computer Vision", arXiv:1512.00567.

    >>> import lamina as keras
    >>> keras.applications.InceptionV3(weights=None, include_top=False, input_shape=(150, 150, 3)).output_shape
    (None, 3, 3, 2048)
    """
    return Architecture(_body, "inception_v3", 299, smallest=75)


__getattr__: Any = old_names_of(__name__)

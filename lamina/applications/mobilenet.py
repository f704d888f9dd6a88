"""MobileNet (Howard et al., 2017, "MobileNets: Efficient Convolutional Neural Networks", arXiv:1704.04861)."""

from typing import Any

from lamina.applications import imagenet_utils
from lamina.applications.frame import last_axis, network, rows_in_name, square_of
from lamina.applications.imagenet_utils import decode_predictions
from lamina.errors import ConfigError
from lamina.layers.activation_layers import ReLU
from lamina.layers.convolutional import Conv2D, DepthwiseConv2D
from lamina.layers.dense import Activation
from lamina.layers.normalization import BatchNormalization
from lamina.layers.pooling import GlobalAveragePooling2D
from lamina.layers.regularization import Dropout
from lamina.layers.reshaping import Reshape, ZeroPadding2D

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

# (filters, stride) of each depthwise separable convolution: table 1 of the paper
BLOCKS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
ALPHAS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}  # those that have weights, as their files write them


def _normalized(x, name):
    return ReLU(6.0, name=f"{name}_relu")(BatchNormalization(axis=last_axis(), name=f"{name}_bn")(x))


def _separable(x, filters, alpha, depth_multiplier, stride, index):
    """A 3x3 convolution of each channel by itself, then a mix of the channels."""
    if stride == 2:
        x = ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{index}")(x)
    x = DepthwiseConv2D(
        3, stride, "same" if stride == 1 else "valid", depth_multiplier, use_bias=False, name=f"conv_dw_{index}"
    )(x)
    x = _normalized(x, f"conv_dw_{index}")
    x = Conv2D(int(filters * alpha), 1, padding="same", use_bias=False, name=f"conv_pw_{index}")(x)
    return _normalized(x, f"conv_pw_{index}")


def _body(x, alpha, depth_multiplier):
    x = Conv2D(int(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="conv1")(x)
    x = _normalized(x, "conv1")
    for index, (filters, stride) in enumerate(BLOCKS, start=1):
        x = _separable(x, filters, alpha, depth_multiplier, stride, index)
    return x


def _top(x, classes, activation, dropout):
    x = GlobalAveragePooling2D(keepdims=True)(x)
    x = Dropout(dropout, name="dropout")(x)
    x = Conv2D(classes, 1, padding="same", name="conv_preds")(x)
    x = Reshape((classes,), name="reshape_2")(x)
    return Activation(activation, name="predictions")(x)


def MobileNet(
    input_shape=None, alpha=1.0, depth_multiplier=1, dropout=1e-3, include_top=True, weights: Any = "imagenet",
    input_tensor=None, pooling=None, classes=1000, classifier_activation: Any = "softmax", name=None,
):  # fmt: skip
    """MobileNet for images of 128, 160, 192 or 224 rows, 32 or more without the top.

    Args:
        alpha: by how much the channels of each layer are multiplied; 0.25, 0.5, 0.75 and 1.0 have weights.
        depth_multiplier: filters for each channel in the depthwise convolutions.
        dropout: the rate before the classifier.
        The others are those of InceptionV3.
    """
    size = square_of(input_shape, (128, 160, 192, 224))
    if weights == "imagenet" and depth_multiplier != 1:
        raise ConfigError(f"weights='imagenet' are for depth_multiplier=1; got {depth_multiplier}.")
    written = ALPHAS.get(alpha)
    if weights == "imagenet" and written is None:
        raise ConfigError(f"weights='imagenet' are for alpha {', '.join(map(str, ALPHAS))}; got {alpha}.")
    rows = rows_in_name(input_shape, include_top, weights, size)
    return network(
        lambda x: _body(x, alpha, depth_multiplier),
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation,
        name or f"mobilenet_{alpha:0.2f}_{rows}", file=f"mobilenet_{written}_{size}_tf", size=size,
        top=lambda x, classes, activation: _top(x, classes, activation, dropout),
    )  # fmt: skip


def preprocess_input(x, data_format=None):
    """Pixels of 0 to 255 as -1 to 1."""
    return imagenet_utils.preprocess_input(x, data_format, "tf")

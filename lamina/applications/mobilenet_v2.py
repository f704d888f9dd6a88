"""MobileNetV2 (Sandler et al., 2018, "Inverted Residuals and Linear Bottlenecks", arXiv:1801.04381)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lamina.applications.frame import (
    Architecture,
    classifier,
    halving_pad,
    last_axis,
    network,
    rounded,
    rows_in_name,
    square_of,
)
from lamina.applications.imagenet_utils import decode_predictions
from lamina.applications.imagenet_utils import tf_input as preprocess_input
from lamina.errors import ConfigError
from lamina.layers.activation_layers import ReLU
from lamina.layers.batch_normalization import BatchNormalization
from lamina.layers.convolutional import Conv2D
from lamina.layers.depthwise_convolution import DepthwiseConv2D
from lamina.layers.merging import Add
from lamina.layers.padding_layers import ZeroPadding2D

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lamina.activations import ActivationLike
    from lamina.core.keras_tensor import KerasTensor
    from lamina.models.model import Model

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

# (expansion factor, filters, repetitions, stride of the first): table 2 of the paper
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)  # factors that have weights
SIZES = (96, 128, 160, 192, 224)


def _normalize(x, name):
    return BatchNormalization(axis=last_axis(), momentum=0.999, name=name)(x)


def _inverted_residual(x, expansion, filters, stride, name):
    """1x1 expansion, depthwise 3x3 convolution, linear 1x1 projection, and a residual connection where shapes agree."""
    inputs, channels = x, x.shape[last_axis()]
    if expansion > 1:
        x = Conv2D(expansion * channels, 1, padding="same", use_bias=False, name=f"{name}expand")(x)
        x = ReLU(6.0, name=f"{name}expand_relu")(_normalize(x, f"{name}expand_BN"))
    if stride == 2:
        x = ZeroPadding2D(halving_pad(x.shape, 3), name=f"{name}pad")(x)
    padding = "same" if stride == 1 else "valid"
    x = DepthwiseConv2D(3, stride, padding, use_bias=False, name=f"{name}depthwise")(x)
    x = ReLU(6.0, name=f"{name}depthwise_relu")(_normalize(x, f"{name}depthwise_BN"))
    x = Conv2D(filters, 1, padding="same", use_bias=False, name=f"{name}project")(x)
    x = _normalize(x, f"{name}project_BN")
    return Add(name=f"{name}add")([inputs, x]) if stride == 1 and channels == filters else x


def _body(x, alpha):
    x = Conv2D(rounded(32 * alpha, 8), 3, strides=2, padding="same", use_bias=False, name="Conv1")(x)
    x = ReLU(6.0, name="Conv1_relu")(_normalize(x, "bn_Conv1"))
    block = 0
    for expansion, filters, repetitions, stride in STAGES:
        for index in range(repetitions):
            name = f"block_{block}_" if block else "expanded_conv_"
            x = _inverted_residual(x, expansion, rounded(filters * alpha, 8), stride if index == 0 else 1, name)
            block += 1
    x = Conv2D(rounded(1280 * max(alpha, 1.0), 8), 1, use_bias=False, name="Conv_1")(x)
    return ReLU(6.0, name="out_relu")(_normalize(x, "Conv_1_bn"))


def MobileNetV2(
    input_shape: Sequence[int | None] | None = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: str | Path | None = "imagenet",
    input_tensor: KerasTensor | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: ActivationLike = "softmax",
    name: str | None = None,
) -> Model:
    """MobileNetV2, for square images of 96, 128, 160, 192 or 224 pixels and of 32 x 32 or more without the top.

    `keras.applications.mobilenet_v2.preprocess_input` prepares the pixels.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, filters), or
    (batch, filters) with pooling.

    Args:
        input_shape: Shape of one image, three sizes; None means the default size, or any size without the top.
        alpha: Factor of the number of filters of each layer; 0.35, 0.5, 0.75, 1.0, 1.3 and 1.4 have weights.
        include_top: Whether the classifier is on top of the network.
        weights: None for random weights, "imagenet" to download those trained on ImageNet, or the path of a file.
        input_tensor: Symbolic tensor to use as the input; None makes an Input.
        pooling: "avg" or "max" for global pooling of the features without the top; None keeps the feature maps.
        classes: Number of classes of the classifier.
        classifier_activation: Activation of the classifier; None returns logits.
        name: Name of the model; None means one made of `alpha` and the rows of the images.

    Raises:
        ConfigError: For an invalid argument, or arguments that contradict each other.
        ShapeError: For an input shape that the network or its weights do not support.
        NetworkError: If the weights cannot be downloaded; the message says where to put the file.

    Source: Sandler et al., 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv:1801.04381.

    >>> import lamina as keras
    >>> keras.applications.MobileNetV2(input_shape=(96, 96, 3), alpha=0.35, weights=None, classes=5).count_params()
    416613
    """
    size = square_of(input_shape, SIZES)
    if weights == "imagenet" and alpha not in ALPHAS:
        raise ConfigError(
            f"weights='imagenet' exist for alpha {', '.join(map(str, ALPHAS))}; got alpha={alpha}.", fix="weights=None"
        )
    architecture = Architecture(
        lambda x: _body(x, alpha), f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{size}", size,
        top=lambda *given: classifier(*given, pool=None),
    )  # fmt: skip
    name = name or f"mobilenetv2_{alpha:0.2f}_{rows_in_name(input_shape, include_top, weights, size)}"
    return network(
        architecture, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
    )

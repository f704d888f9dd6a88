"""EfficientNet (Tan and Le, 2019, "Rethinking Model Scaling for Convolutional Neural Networks", arXiv:1905.11946)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from lamina.applications.efficientnet_blocks import (
    DROP,
    SQUEEZE,
    block_name,
    conv,
    normalized,
    residual,
    squeeze_and_excite,
    start,
    top,
)
from lamina.applications.frame import (
    POOL_NAMES,
    Architecture,
    channel_axis,
    halving_pad,
    network,
    rounded,
    variant,
)
from lamina.applications.imagenet_utils import TORCH_DEVIATIONS, decode_predictions
from lamina.applications.imagenet_utils import same_input as preprocess_input
from lamina.layers.depthwise_convolution import DepthwiseConv2D
from lamina.layers.padding_layers import ZeroPadding2D
from lamina.layers.preprocessing import Normalization, Rescaling

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lamina.activations import ActivationLike
    from lamina.core.keras_tensor import KerasTensor
    from lamina.models.model import Model

__all__ = [
    "EfficientNetB0", "EfficientNetB1", "EfficientNetB2", "EfficientNetB3", "EfficientNetB4", "EfficientNetB5",
    "EfficientNetB6", "EfficientNetB7", "decode_predictions", "preprocess_input",
]  # fmt: skip

# (window, repetitions, filters, expansion factor, stride of the first): table 1 of the paper
STAGES = [
    (3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2), (5, 3, 112, 6, 1), (5, 4, 192, 6, 2),
    (3, 1, 320, 6, 1),
]  # fmt: skip


def _block(x, window, filters, expansion, stride, drop_rate, name):
    """1x1 expansion, depthwise convolution, squeeze and excitation, 1x1 projection."""
    inputs, channels = x, x.shape[channel_axis()]
    if expansion > 1:
        x = conv(x, expansion * channels, 1, f"{name}expand_conv")
        x = normalized(x, f"{name}expand_bn", f"{name}expand_activation")
    if stride == 2:
        x = ZeroPadding2D(halving_pad(x.shape, window), name=f"{name}dwconv_pad")(x)
    x = DepthwiseConv2D(
        window, stride, "same" if stride == 1 else "valid", use_bias=False, name=f"{name}dwconv",
        depthwise_initializer=start(),
    )(x)  # fmt: skip
    x = normalized(x, f"{name}bn", f"{name}activation")
    x = squeeze_and_excite(x, max(1, int(channels * SQUEEZE)), f"{name}se")
    x = normalized(conv(x, filters, 1, f"{name}project_conv"), f"{name}project_bn")
    return residual(inputs, x, drop_rate, name) if stride == 1 and channels == filters else x


def _body(x, width, depth, from_imagenet):
    x = Normalization(axis=channel_axis())(Rescaling(1 / 255)(x))
    if from_imagenet:  # the published weights were trained on (pixel - mean) / variance
        x = Rescaling([1 / math.sqrt(deviation) for deviation in TORCH_DEVIATIONS])(x)
    x = ZeroPadding2D(halving_pad(x.shape, 3), name="stem_conv_pad")(x)
    x = conv(x, rounded(32 * width, 8), 3, "stem_conv", strides=2, padding="valid")
    x = normalized(x, "stem_bn", "stem_activation")
    repetitions = [math.ceil(depth * stage[1]) for stage in STAGES]
    count = 0
    for number, (window, _, filters, expansion, stride) in enumerate(STAGES):
        for index in range(repetitions[number]):
            name, drop_rate = block_name(number + 1, index), DROP * count / sum(repetitions)
            x = _block(x, window, rounded(filters * width, 8), expansion, stride if index == 0 else 1, drop_rate, name)
            count += 1
    return normalized(conv(x, rounded(1280 * width, 8), 1, "top_conv"), "top_bn", "top_activation")


class _Scaling(NamedTuple):
    file: str
    width: float
    depth: float
    size: int
    dropout: float


def _efficientnet(
    scaling: _Scaling,
    include_top: bool = True,
    weights: str | Path | None = "imagenet",
    input_tensor: KerasTensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: ActivationLike = "softmax",
    name: str | None = None,
) -> Model:
    architecture = Architecture(
        lambda x: _body(x, scaling.width, scaling.depth, weights == "imagenet"),
        scaling.file, scaling.size, top=top(scaling.dropout), pool_names=POOL_NAMES,
    )  # fmt: skip
    return network(
        architecture, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
    )


@variant(_efficientnet)
def EfficientNetB0():
    """EfficientNet-B0, for images of 224 x 224 pixels from 0 to 255 and of 32 x 32 or more without the top.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 1280), or
    (batch, 1280) with pooling.

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

    Source: Tan and Le, 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    arXiv:1905.11946.
    """
    return _Scaling("efficientnetb0", 1.0, 1.0, 224, 0.2)


@variant(_efficientnet)
def EfficientNetB1():
    """EfficientNet-B1, for images of 240 x 240 pixels from 0 to 255 and of 32 x 32 or more without the top.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 1280), or
    (batch, 1280) with pooling.

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

    Source: Tan and Le, 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    arXiv:1905.11946.
    """
    return _Scaling("efficientnetb1", 1.0, 1.1, 240, 0.2)


@variant(_efficientnet)
def EfficientNetB2():
    """EfficientNet-B2, for images of 260 x 260 pixels from 0 to 255 and of 32 x 32 or more without the top.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 1408), or
    (batch, 1408) with pooling.

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

    Source: Tan and Le, 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    arXiv:1905.11946.
    """
    return _Scaling("efficientnetb2", 1.1, 1.2, 260, 0.3)


@variant(_efficientnet)
def EfficientNetB3():
    """EfficientNet-B3, for images of 300 x 300 pixels from 0 to 255 and of 32 x 32 or more without the top.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 1536), or
    (batch, 1536) with pooling.

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

    Source: Tan and Le, 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    arXiv:1905.11946.
    """
    return _Scaling("efficientnetb3", 1.2, 1.4, 300, 0.3)


@variant(_efficientnet)
def EfficientNetB4():
    """EfficientNet-B4, for images of 380 x 380 pixels from 0 to 255 and of 32 x 32 or more without the top.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 1792), or
    (batch, 1792) with pooling.

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

    Source: Tan and Le, 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    arXiv:1905.11946.
    """
    return _Scaling("efficientnetb4", 1.4, 1.8, 380, 0.4)


@variant(_efficientnet)
def EfficientNetB5():
    """EfficientNet-B5, for images of 456 x 456 pixels from 0 to 255 and of 32 x 32 or more without the top.

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

    Source: Tan and Le, 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    arXiv:1905.11946.
    """
    return _Scaling("efficientnetb5", 1.6, 2.2, 456, 0.4)


@variant(_efficientnet)
def EfficientNetB6():
    """EfficientNet-B6, for images of 528 x 528 pixels from 0 to 255 and of 32 x 32 or more without the top.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 2304), or
    (batch, 2304) with pooling.

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

    Source: Tan and Le, 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    arXiv:1905.11946.
    """
    return _Scaling("efficientnetb6", 1.8, 2.6, 528, 0.5)


@variant(_efficientnet)
def EfficientNetB7():
    """EfficientNet-B7, for images of 600 x 600 pixels from 0 to 255 and of 32 x 32 or more without the top.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 2560), or
    (batch, 2560) with pooling.

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

    Source: Tan and Le, 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    arXiv:1905.11946.
    """
    return _Scaling("efficientnetb7", 2.0, 3.1, 600, 0.5)

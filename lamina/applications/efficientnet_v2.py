"""EfficientNetV2 (Tan and Le, 2021, "Smaller Models and Faster Training", arXiv:2104.00298)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from lamina.applications import efficientnet_blocks
from lamina.applications.efficientnet_blocks import (
    DROP,
    SQUEEZE,
    block_name,
    conv,
    residual,
    squeeze_and_excite,
    start,
    top,
)
from lamina.applications.frame import POOL_NAMES, Architecture, channel_axis, network, variant
from lamina.applications.imagenet_utils import TORCH_DEVIATIONS, TORCH_MEANS, decode_predictions
from lamina.applications.imagenet_utils import same_input as preprocess_input
from lamina.layers.depthwise_convolution import DepthwiseConv2D
from lamina.layers.preprocessing import Normalization, Rescaling

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lamina.activations import ActivationLike
    from lamina.core.keras_tensor import KerasTensor
    from lamina.models.model import Model

__all__ = [
    "EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3", "EfficientNetV2L",
    "EfficientNetV2M", "EfficientNetV2S", "decode_predictions", "preprocess_input",
]  # fmt: skip

# (repetitions, filters, expansion factor, stride of the first); the blocks of the first three stages are fused
STAGES = {
    "B": [(1, 16, 1, 1), (2, 32, 4, 2), (2, 48, 4, 2), (3, 96, 4, 2), (5, 112, 6, 1), (8, 192, 6, 2)],
    "S": [(2, 24, 1, 1), (4, 48, 4, 2), (4, 64, 4, 2), (6, 128, 4, 2), (9, 160, 6, 1), (15, 256, 6, 2)],
    "M": [
        (3, 24, 1, 1), (5, 48, 4, 2), (5, 80, 4, 2), (7, 160, 4, 2), (14, 176, 6, 1), (18, 304, 6, 2), (5, 512, 6, 1),
    ],
    "L": [
        (4, 32, 1, 1), (7, 64, 4, 2), (7, 96, 4, 2), (10, 192, 4, 2), (19, 224, 6, 1), (25, 384, 6, 2), (7, 640, 6, 1),
    ],
}  # fmt: skip
STEM = {"B": 32, "S": 24, "M": 24, "L": 32}
FUSED = 3
MOMENTUM = 0.9


def _nearest(filters):
    """The multiple of 8 nearest to `filters`, which may be less than nine tenths of it, unlike `rounded`."""
    return max(8, int(filters + 4) // 8 * 8)


def _normalized(x, name, activation_name=None):
    return efficientnet_blocks.normalized(x, name, activation_name, MOMENTUM)


def _fused_block(x, filters, expansion, stride, drop_rate, name):
    """3x3 expansion and 1x1 projection; without expansion one 3x3 convolution."""
    inputs, channels = x, x.shape[channel_axis()]
    if expansion > 1:
        x = conv(x, expansion * channels, 3, f"{name}expand_conv", strides=stride)
        x = _normalized(x, f"{name}expand_bn", f"{name}expand_activation")
        x = _normalized(conv(x, filters, 1, f"{name}project_conv"), f"{name}project_bn")
    else:
        x = conv(x, filters, 3, f"{name}project_conv", strides=stride)
        x = _normalized(x, f"{name}project_bn", f"{name}project_activation")
    return residual(inputs, x, drop_rate, name) if stride == 1 and channels == filters else x


def _block(x, filters, expansion, stride, drop_rate, name):
    """1x1 expansion, depthwise 3x3 convolution, squeeze and excitation, 1x1 projection."""
    inputs, channels = x, x.shape[channel_axis()]
    x = conv(x, expansion * channels, 1, f"{name}expand_conv")
    x = _normalized(x, f"{name}expand_bn", f"{name}expand_activation")
    x = DepthwiseConv2D(3, stride, "same", use_bias=False, depthwise_initializer=start(), name=f"{name}dwconv2")(x)
    x = _normalized(x, f"{name}bn", f"{name}activation")
    x = squeeze_and_excite(x, max(1, int(channels * SQUEEZE)), f"{name}se")
    x = _normalized(conv(x, filters, 1, f"{name}project_conv"), f"{name}project_bn")
    return residual(inputs, x, drop_rate, name) if stride == 1 and channels == filters else x


def _preprocessed(x, kind):
    if kind != "B":
        return Rescaling(1 / 128, -1)(x)
    variances = [deviation**2 for deviation in TORCH_DEVIATIONS]
    return Normalization(channel_axis(), list(TORCH_MEANS), variances)(Rescaling(1 / 255)(x))


def _body(x, kind, width, depth):
    x = conv(x, _nearest(STEM[kind] * width), 3, "stem_conv", strides=2)
    x = _normalized(x, "stem_bn", "stem_activation")
    stages, count = STAGES[kind], 0
    blocks = sum(stage[0] for stage in stages)  # without `depth`, as in Keras, so rates exceed DROP if depth > 1
    for number, (repetitions, filters, expansion, stride) in enumerate(stages):
        block = _fused_block if number < FUSED else _block
        for index in range(math.ceil(depth * repetitions)):
            name, drop_rate = block_name(number + 1, index), DROP * count / blocks
            x = block(x, _nearest(filters * width), expansion, stride if index == 0 else 1, drop_rate, name)
            count += 1
    return _normalized(conv(x, _nearest(1280 * width), 1, "top_conv"), "top_bn", "top_activation")


class _Scaling(NamedTuple):
    file: str
    kind: str
    width: float
    depth: float
    size: int


def _efficientnet_v2(
    scaling: _Scaling,
    include_top: bool = True,
    weights: str | Path | None = "imagenet",
    input_tensor: KerasTensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: ActivationLike = "softmax",
    include_preprocessing: bool = True,
    name: str | None = None,
) -> Model:
    def body(x):
        x = _preprocessed(x, scaling.kind) if include_preprocessing else x
        return _body(x, scaling.kind, scaling.width, scaling.depth)

    architecture = Architecture(body, scaling.file, scaling.size, top=top(0.2), pool_names=POOL_NAMES)
    return network(
        architecture, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
    )


@variant(_efficientnet_v2)
def EfficientNetV2B0():
    """EfficientNetV2-B0, for images of 224 x 224 pixels and of 32 x 32 or more without the top.

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
        include_preprocessing: Whether the network rescales pixels from 0 to 255 itself; False for pixels that are
            rescaled already.
        name: Name of the model.

    Raises:
        ConfigError: For an invalid argument, or arguments that contradict each other.
        ShapeError: For an input shape that the network or its weights do not support.
        NetworkError: If the weights cannot be downloaded; the message says where to put the file.

    Source: Tan and Le, 2021, "EfficientNetV2: Smaller Models and Faster Training", arXiv:2104.00298.
    """
    return _Scaling("efficientnetv2-b0", "B", 1.0, 1.0, 224)


@variant(_efficientnet_v2)
def EfficientNetV2B1():
    """EfficientNetV2-B1, for images of 240 x 240 pixels and of 32 x 32 or more without the top.

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
        include_preprocessing: Whether the network rescales pixels from 0 to 255 itself; False for pixels that are
            rescaled already.
        name: Name of the model.

    Raises:
        ConfigError: For an invalid argument, or arguments that contradict each other.
        ShapeError: For an input shape that the network or its weights do not support.
        NetworkError: If the weights cannot be downloaded; the message says where to put the file.

    Source: Tan and Le, 2021, "EfficientNetV2: Smaller Models and Faster Training", arXiv:2104.00298.
    """
    return _Scaling("efficientnetv2-b1", "B", 1.0, 1.1, 240)


@variant(_efficientnet_v2)
def EfficientNetV2B2():
    """EfficientNetV2-B2, for images of 260 x 260 pixels and of 32 x 32 or more without the top.

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
        include_preprocessing: Whether the network rescales pixels from 0 to 255 itself; False for pixels that are
            rescaled already.
        name: Name of the model.

    Raises:
        ConfigError: For an invalid argument, or arguments that contradict each other.
        ShapeError: For an input shape that the network or its weights do not support.
        NetworkError: If the weights cannot be downloaded; the message says where to put the file.

    Source: Tan and Le, 2021, "EfficientNetV2: Smaller Models and Faster Training", arXiv:2104.00298.
    """
    return _Scaling("efficientnetv2-b2", "B", 1.1, 1.2, 260)


@variant(_efficientnet_v2)
def EfficientNetV2B3():
    """EfficientNetV2-B3, for images of 300 x 300 pixels and of 32 x 32 or more without the top.

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
        include_preprocessing: Whether the network rescales pixels from 0 to 255 itself; False for pixels that are
            rescaled already.
        name: Name of the model.

    Raises:
        ConfigError: For an invalid argument, or arguments that contradict each other.
        ShapeError: For an input shape that the network or its weights do not support.
        NetworkError: If the weights cannot be downloaded; the message says where to put the file.

    Source: Tan and Le, 2021, "EfficientNetV2: Smaller Models and Faster Training", arXiv:2104.00298.
    """
    return _Scaling("efficientnetv2-b3", "B", 1.2, 1.4, 300)


@variant(_efficientnet_v2)
def EfficientNetV2S():
    """EfficientNetV2-S, for images of 384 x 384 pixels and of 32 x 32 or more without the top.

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
        include_preprocessing: Whether the network rescales pixels from 0 to 255 itself; False for pixels that are
            rescaled already.
        name: Name of the model.

    Raises:
        ConfigError: For an invalid argument, or arguments that contradict each other.
        ShapeError: For an input shape that the network or its weights do not support.
        NetworkError: If the weights cannot be downloaded; the message says where to put the file.

    Source: Tan and Le, 2021, "EfficientNetV2: Smaller Models and Faster Training", arXiv:2104.00298.
    """
    return _Scaling("efficientnetv2-s", "S", 1.0, 1.0, 384)


@variant(_efficientnet_v2)
def EfficientNetV2M():
    """EfficientNetV2-M, for images of 480 x 480 pixels and of 32 x 32 or more without the top.

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
        include_preprocessing: Whether the network rescales pixels from 0 to 255 itself; False for pixels that are
            rescaled already.
        name: Name of the model.

    Raises:
        ConfigError: For an invalid argument, or arguments that contradict each other.
        ShapeError: For an input shape that the network or its weights do not support.
        NetworkError: If the weights cannot be downloaded; the message says where to put the file.

    Source: Tan and Le, 2021, "EfficientNetV2: Smaller Models and Faster Training", arXiv:2104.00298.
    """
    return _Scaling("efficientnetv2-m", "M", 1.0, 1.0, 480)


@variant(_efficientnet_v2)
def EfficientNetV2L():
    """EfficientNetV2-L, for images of 480 x 480 pixels and of 32 x 32 or more without the top.

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
        include_preprocessing: Whether the network rescales pixels from 0 to 255 itself; False for pixels that are
            rescaled already.
        name: Name of the model.

    Raises:
        ConfigError: For an invalid argument, or arguments that contradict each other.
        ShapeError: For an input shape that the network or its weights do not support.
        NetworkError: If the weights cannot be downloaded; the message says where to put the file.

    Source: Tan and Le, 2021, "EfficientNetV2: Smaller Models and Faster Training", arXiv:2104.00298.
    """
    return _Scaling("efficientnetv2-l", "L", 1.0, 1.0, 480)

"""MobileNetV3 (Howard et al., 2019, "Searching for MobileNetV3", arXiv:1905.02244)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lamina.applications.frame import POOL_NAMES, Architecture, halving_pad, last_axis, network, rounded, variant
from lamina.applications.imagenet_utils import decode_predictions
from lamina.applications.imagenet_utils import same_input as preprocess_input
from lamina.errors import ConfigError
from lamina.layers.activation_layers import ReLU
from lamina.layers.batch_normalization import BatchNormalization
from lamina.layers.convolutional import Conv2D
from lamina.layers.dense import Activation
from lamina.layers.depthwise_convolution import DepthwiseConv2D
from lamina.layers.global_pooling import GlobalAveragePooling2D
from lamina.layers.merging import Add, Multiply
from lamina.layers.padding_layers import ZeroPadding2D
from lamina.layers.preprocessing import Rescaling
from lamina.layers.regularization import Dropout
from lamina.layers.reshaping import Flatten

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lamina.activations import ActivationLike
    from lamina.core.keras_tensor import KerasTensor
    from lamina.models.model import Model

__all__ = ["MobileNetV3Large", "MobileNetV3Small", "decode_predictions", "preprocess_input"]

# (expansion factor, filters, window, stride, squeeze and excitation, hard swish): tables 1 and 2
SMALL: list[Any] = [
    (1, 16, 3, 2, True, False), (72 / 16, 24, 3, 2, False, False), (88 / 24, 24, 3, 1, False, False),
    (4, 40, 5, 2, True, True), (6, 40, 5, 1, True, True), (6, 40, 5, 1, True, True), (3, 48, 5, 1, True, True),
    (3, 48, 5, 1, True, True), (6, 96, 5, 2, True, True), (6, 96, 5, 1, True, True), (6, 96, 5, 1, True, True),
]  # fmt: skip
LARGE: list[Any] = [
    (1, 16, 3, 1, False, False), (4, 24, 3, 2, False, False), (3, 24, 3, 1, False, False), (3, 40, 5, 2, True, False),
    (3, 40, 5, 1, True, False), (3, 40, 5, 1, True, False), (6, 80, 3, 2, False, True), (2.5, 80, 3, 1, False, True),
    (2.3, 80, 3, 1, False, True), (2.3, 80, 3, 1, False, True), (6, 112, 3, 1, True, True), (6, 112, 3, 1, True, True),
    (6, 160, 5, 2, True, True), (6, 160, 5, 1, True, True), (6, 160, 5, 1, True, True),
]  # fmt: skip
LAST = {"small": 1024, "large": 1280}  # filters of the layer before the classifier
SQUEEZE = 0.25  # channels of squeeze and excitation, as a fraction of those of the block


def _conv(x, filters, window, name, **settings):
    return Conv2D(filters, window, padding="same", name=name, **settings)(x)


def _normalize(x, name):
    return BatchNormalization(axis=last_axis(), momentum=0.999, name=name)(x)


def _activate(x, hard_swish):
    return Activation("hard_silu")(x) if hard_swish else ReLU()(x)


def _squeeze_and_excite(x, name):
    """Scales each channel by a hard sigmoid computed from the means of all channels."""
    channels = x.shape[last_axis()]
    weights = GlobalAveragePooling2D(keepdims=True, name=f"{name}_avg_pool")(x)
    weights = _conv(weights, rounded(channels * SQUEEZE, 8), 1, f"{name}_conv")
    weights = ReLU(name=f"{name}_relu")(weights)
    weights = _conv(weights, channels, 1, f"{name}_conv_1")
    weights = ReLU(6.0)(weights + 3.0) * (1.0 / 6.0)
    return Multiply(name=f"{name}_mul")([x, weights])


def _block(x, expansion, filters, window, stride, squeezed, hard_swish, index):
    """1x1 expansion, depthwise convolution, squeeze and excitation, 1x1 projection, and a residual connection."""
    inputs, channels = x, x.shape[last_axis()]
    name = f"expanded_conv_{index}" if index else "expanded_conv"
    if index:
        x = _conv(x, rounded(channels * expansion, 8), 1, f"{name}_expand", use_bias=False)
        x = _activate(_normalize(x, f"{name}_expand_bn"), hard_swish)
    if stride == 2:
        x = ZeroPadding2D(halving_pad(x.shape, window), name=f"{name}_depthwise_pad")(x)
    padding = "same" if stride == 1 else "valid"
    x = DepthwiseConv2D(window, stride, padding, use_bias=False, name=f"{name}_depthwise")(x)
    x = _activate(_normalize(x, f"{name}_depthwise_bn"), hard_swish)
    if squeezed:
        x = _squeeze_and_excite(x, f"{name}_squeeze_excite")
    x = _normalize(_conv(x, filters, 1, f"{name}_project", use_bias=False), f"{name}_project_bn")
    return Add(name=f"{name}_add")([inputs, x]) if stride == 1 and channels == filters else x


def _body(x, blocks, alpha, minimalistic, include_preprocessing):
    x = Rescaling(1 / 127.5, -1.0)(x) if include_preprocessing else x
    x = _conv(x, 16, 3, "conv", strides=2, use_bias=False)
    x = _activate(_normalize(x, "conv_bn"), not minimalistic)
    for index, (expansion, filters, window, stride, squeezed, hard_swish) in enumerate(blocks):
        if minimalistic:
            window, squeezed, hard_swish = 3, False, False
        x = _block(x, expansion, rounded(filters * alpha, 8), window, stride, squeezed, hard_swish, index)
    channels: Any = x.shape[last_axis()]
    x = _conv(x, rounded(6 * channels, 8), 1, "conv_1", use_bias=False)
    return _activate(_normalize(x, "conv_1_bn"), not minimalistic)


def _top(x, classes, activation, filters, minimalistic, dropout_rate):
    x = GlobalAveragePooling2D(keepdims=True)(x)
    x = _activate(_conv(x, filters, 1, "conv_2"), not minimalistic)
    x = Dropout(dropout_rate)(x) if dropout_rate > 0 else x
    x = Flatten()(_conv(x, classes, 1, "logits"))
    return Activation(activation, name="predictions")(x)


class _Kind(NamedTuple):
    file: str  # the default name of the model
    size: str
    blocks: list


def _mobilenet_v3(
    kind: _Kind,
    input_shape: Sequence[int | None] | None = None,
    alpha: float = 1.0,
    minimalistic: bool = False,
    include_top: bool = True,
    weights: str | Path | None = "imagenet",
    input_tensor: KerasTensor | None = None,
    classes: int = 1000,
    pooling: str | None = None,
    dropout_rate: float = 0.2,
    classifier_activation: ActivationLike = "softmax",
    include_preprocessing: bool = True,
    name: str | None = None,
) -> Model:
    known = (1.0,) if minimalistic else (0.75, 1.0)
    if weights == "imagenet" and alpha not in known:
        raise ConfigError(
            f"weights='imagenet' exist for alpha {' or '.join(map(str, known))} here; got alpha={alpha}.",
            fix="weights=None",
        )
    last = rounded(LAST[kind.size] * max(alpha, 1.0), 8)
    architecture = Architecture(
        lambda x: _body(x, kind.blocks, alpha, minimalistic, include_preprocessing),
        f"mobilenet_v3_{kind.size}{'_minimalistic' * minimalistic}_224_{float(alpha)}", 224,
        fixed_size=False, pool_names=POOL_NAMES,
        top=lambda x, classes, activation: _top(x, classes, activation, last, minimalistic, dropout_rate),
    )  # fmt: skip
    return network(
        architecture, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
    )


@variant(_mobilenet_v3)
def MobileNetV3Small():
    """MobileNetV3, the small one, for images of 224 x 224 pixels or of any size from 32 x 32 on.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, filters), or
    (batch, filters) with pooling.

    Args:
        input_shape: Shape of one image, three sizes; None means any size.
        alpha: Factor of the number of filters of each block; 0.75 and 1.0 have weights.
        minimalistic: Whether to use windows of 3 x 3 only, without squeeze and excitation and hard swish.
        include_top: Whether the classifier is on top of the network.
        weights: None for random weights, "imagenet" to download those trained on ImageNet, or the path of a file.
        input_tensor: Symbolic tensor to use as the input; None makes an Input.
        classes: Number of classes of the classifier.
        pooling: "avg" or "max" for global pooling of the features without the top; None keeps the feature maps.
        dropout_rate: Fraction of the inputs of the classifier that are dropped in training.
        classifier_activation: Activation of the classifier; None returns logits.
        include_preprocessing: Whether the network rescales pixels from 0 to 255 itself; False for pixels from -1 to 1.
        name: Name of the model.

    Raises:
        ConfigError: For an invalid argument, or arguments that contradict each other.
        ShapeError: For an input shape that the network or its weights do not support.
        NetworkError: If the weights cannot be downloaded; the message says where to put the file.

    Source: Howard et al., 2019, "Searching for MobileNetV3", arXiv:1905.02244.
    """
    return _Kind("MobileNetV3Small", "small", SMALL)


@variant(_mobilenet_v3)
def MobileNetV3Large():
    """MobileNetV3, the large one, for images of 224 x 224 pixels or of any size from 32 x 32 on.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, filters), or
    (batch, filters) with pooling.

    Args:
        input_shape: Shape of one image, three sizes; None means any size.
        alpha: Factor of the number of filters of each block; 0.75 and 1.0 have weights.
        minimalistic: Whether to use windows of 3 x 3 only, without squeeze and excitation and hard swish.
        include_top: Whether the classifier is on top of the network.
        weights: None for random weights, "imagenet" to download those trained on ImageNet, or the path of a file.
        input_tensor: Symbolic tensor to use as the input; None makes an Input.
        classes: Number of classes of the classifier.
        pooling: "avg" or "max" for global pooling of the features without the top; None keeps the feature maps.
        dropout_rate: Fraction of the inputs of the classifier that are dropped in training.
        classifier_activation: Activation of the classifier; None returns logits.
        include_preprocessing: Whether the network rescales pixels from 0 to 255 itself; False for pixels from -1 to 1.
        name: Name of the model.

    Raises:
        ConfigError: For an invalid argument, or arguments that contradict each other.
        ShapeError: For an input shape that the network or its weights do not support.
        NetworkError: If the weights cannot be downloaded; the message says where to put the file.

    Source: Howard et al., 2019, "Searching for MobileNetV3", arXiv:1905.02244.
    """
    return _Kind("MobileNetV3Large", "large", LARGE)

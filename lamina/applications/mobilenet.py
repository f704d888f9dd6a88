"""MobileNet (Howard et al., 2017, "MobileNets: Efficient Convolutional Neural Networks", arXiv:1704.04861)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.applications.frame import Architecture, last_axis, network, rows_in_name, square_of
from lamina.applications.imagenet_utils import decode_predictions
from lamina.applications.imagenet_utils import tf_input as preprocess_input
from lamina.errors import ConfigError
from lamina.layers.activation_layers import ReLU
from lamina.layers.batch_normalization import BatchNormalization
from lamina.layers.convolutional import Conv2D
from lamina.layers.dense import Activation
from lamina.layers.depthwise_convolution import DepthwiseConv2D
from lamina.layers.global_pooling import GlobalAveragePooling2D
from lamina.layers.padding_layers import ZeroPadding2D
from lamina.layers.regularization import Dropout
from lamina.layers.reshaping import Reshape
from lamina.legacy import old_names_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lamina.activations import ActivationLike
    from lamina.core.keras_tensor import KerasTensor
    from lamina.models.model import Model

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

# (filters, stride) of each depthwise separable convolution: table 1 of the paper
BLOCKS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
ALPHAS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}  # factors that have weights, as their files are named


def _normalized(x, name):
    return ReLU(6.0, name=f"{name}_relu")(BatchNormalization(axis=last_axis(), name=f"{name}_bn")(x))


def _separable(x, filters, alpha, depth_multiplier, stride, index):
    """A depthwise 3x3 convolution, then a 1x1 convolution."""
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
    input_shape: Sequence[int | None] | None = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: str | Path | None = "imagenet",
    input_tensor: KerasTensor | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: ActivationLike = "softmax",
    name: str | None = None,
) -> Model:
    """MobileNet, for square images of 128, 160, 192 or 224 pixels and of 32 x 32 or more without the top.

    `keras.applications.mobilenet.preprocess_input` prepares the pixels.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, filters), or
    (batch, filters) with pooling.

    Args:
        input_shape: Shape of one image, three sizes; None means the default size, or any size without the top.
        alpha: Factor of the number of filters of each layer; 0.25, 0.5, 0.75 and 1.0 have weights.
        depth_multiplier: Filters for each channel in the depthwise convolutions; 1 has weights.
        dropout: Fraction of the inputs of the classifier that are dropped in training.
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

    Source: Howard et al., 2017, "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
    arXiv:1704.04861.
    """
    size = square_of(input_shape, (128, 160, 192, 224))
    if weights == "imagenet" and depth_multiplier != 1:
        raise ConfigError(
            f"weights='imagenet' exist for depth_multiplier=1; got depth_multiplier={depth_multiplier}.",
            fix="weights=None",
        )
    alpha_in_file = ALPHAS.get(alpha)
    if weights == "imagenet" and alpha_in_file is None:
        raise ConfigError(
            f"weights='imagenet' exist for alpha {', '.join(map(str, ALPHAS))}; got alpha={alpha}.", fix="weights=None"
        )
    architecture = Architecture(
        lambda x: _body(x, alpha, depth_multiplier), f"mobilenet_{alpha_in_file}_{size}_tf", size,
        top=lambda x, classes, activation: _top(x, classes, activation, dropout),
    )  # fmt: skip
    name = name or f"mobilenet_{alpha:0.2f}_{rows_in_name(input_shape, include_top, weights, size)}"
    return network(
        architecture, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
    )


__getattr__: Any = old_names_of(__name__)

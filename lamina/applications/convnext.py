"""ConvNeXt (Liu et al., 2022, "A ConvNet for the 2020s", arXiv:2201.03545)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lamina.applications.frame import Architecture, network, variant
from lamina.applications.imagenet_utils import decode_predictions
from lamina.applications.imagenet_utils import same_input as preprocess_input
from lamina.initializers import Constant
from lamina.layers.base.layer import Layer
from lamina.layers.convolutional import Conv2D
from lamina.layers.dense import Activation, Dense
from lamina.layers.global_pooling import GlobalAveragePooling2D
from lamina.layers.normalization import LayerNormalization
from lamina.layers.preprocessing import Normalization
from lamina.models.sequential import Sequential

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Unpack

    from lamina.activations import ActivationLike
    from lamina.core.keras_tensor import KerasTensor
    from lamina.core.typing import LayerArguments, Shape, Tensor
    from lamina.core.variable import Variable
    from lamina.models.model import Model

__all__ = [
    "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall", "ConvNeXtTiny", "ConvNeXtXLarge", "LayerScale",
    "decode_predictions", "preprocess_input",
]  # fmt: skip

MEANS = (0.485 * 255, 0.456 * 255, 0.406 * 255)
DEVIATIONS = (0.229 * 255, 0.224 * 255, 0.225 * 255)
EPSILON = 1e-6


class LayerScale(Layer):
    """`inputs * gamma`, with a trainable factor for each channel that starts at `init_values` (Touvron et al., 2021,
    arXiv:2103.17239).

    Shapes: (..., projection_dim) -> the same.

    Args:
        init_values: Initial value of all factors.
        projection_dim: Number of channels.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    _traits = frozenset(("pointwise",))

    _keras_module = "keras.src.applications.convnext"

    def __init__(self, init_values: float, projection_dim: int, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.init_values = init_values
        self.projection_dim = projection_dim

    def build(self, _: Shape) -> None:
        start = Constant(self.init_values)
        self.gamma: Variable = self.add_weight(shape=(self.projection_dim,), initializer=start, name="gamma")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return tuple(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        return inputs * self.gamma.value


def _block(x, filters, name):
    """A depthwise 7x7 convolution, two Dense layers with four times the channels between, and a residual connection."""
    y = Conv2D(filters, 7, padding="same", groups=filters, name=f"{name}_depthwise_conv")(x)
    y = LayerNormalization(epsilon=EPSILON, name=f"{name}_layernorm")(y)
    y = Dense(4 * filters, name=f"{name}_pointwise_conv_1")(y)
    y = Activation("gelu", name=f"{name}_gelu")(y)
    y = Dense(filters, name=f"{name}_pointwise_conv_2")(y)
    y = LayerScale(1e-6, filters, name=f"{name}_layer_scale")(y)
    return x + Activation("linear", name=f"{name}_identity")(y)


def _stem(filters, name):
    layers = [
        Conv2D(filters, 4, strides=4, name=f"{name}_stem_conv"),
        LayerNormalization(epsilon=EPSILON, name=f"{name}_stem_layernorm"),
    ]
    return Sequential(layers, name=f"{name}_stem")


def _halving(filters, index, name):
    layers = [
        LayerNormalization(epsilon=EPSILON, name=f"{name}_downsampling_layernorm_{index}"),
        Conv2D(filters, 2, strides=2, name=f"{name}_downsampling_conv_{index}"),
    ]
    return Sequential(layers, name=f"{name}_downsampling_block_{index}")


def _body(x, depths, widths, include_preprocessing, name):
    if include_preprocessing:
        variance = [deviation**2 for deviation in DEVIATIONS]
        x = Normalization(mean=list(MEANS), variance=variance, name=f"{name}_prestem_normalization")(x)
    for stage, (depth, filters) in enumerate(zip(depths, widths, strict=True)):
        x = (_halving(filters, stage - 1, name) if stage else _stem(filters, name))(x)
        for index in range(depth):
            x = _block(x, filters, f"{name}_stage_{stage}_block_{index}")
    return x


def _top(x, classes, activation, name):
    x = GlobalAveragePooling2D(name=f"{name}_head_gap")(x)
    x = LayerNormalization(epsilon=EPSILON, name=f"{name}_head_layernorm")(x)
    return Dense(classes, activation=activation, name=f"{name}_head_dense")(x)


class _Stages(NamedTuple):
    file: str
    depths: tuple[int, ...]
    widths: tuple[int, ...]


def _convnext(
    stages: _Stages,
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: str | Path | None = "imagenet",
    input_tensor: KerasTensor | None = None,
    input_shape: Sequence[int | None] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: ActivationLike = "softmax",
    name: str | None = None,
) -> Model:
    architecture = Architecture(
        lambda x: _body(x, stages.depths, stages.widths, include_preprocessing, name),
        stages.file, 224, top=lambda x, classes, activation: _top(x, classes, activation, name),
        after_pooling=LayerNormalization(epsilon=EPSILON),
    )  # fmt: skip
    return network(
        architecture, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
    )


@variant(_convnext)
def ConvNeXtTiny():
    """ConvNeXt-Tiny, for images of 224 x 224 pixels and of 32 x 32 or more without the top.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 768), or
    (batch, 768) with pooling.

    Args:
        include_top: Whether the classifier is on top of the network.
        include_preprocessing: Whether the network standardizes pixels from 0 to 255 itself; False for pixels that are
            standardized already.
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

    Source: Liu et al., 2022, "A ConvNet for the 2020s", arXiv:2201.03545.
    """
    return _Stages("convnext_tiny", (3, 3, 9, 3), (96, 192, 384, 768))


@variant(_convnext)
def ConvNeXtSmall():
    """ConvNeXt-Small, for images of 224 x 224 pixels and of 32 x 32 or more without the top.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 768), or
    (batch, 768) with pooling.

    Args:
        include_top: Whether the classifier is on top of the network.
        include_preprocessing: Whether the network standardizes pixels from 0 to 255 itself; False for pixels that are
            standardized already.
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

    Source: Liu et al., 2022, "A ConvNet for the 2020s", arXiv:2201.03545.
    """
    return _Stages("convnext_small", (3, 3, 27, 3), (96, 192, 384, 768))


@variant(_convnext)
def ConvNeXtBase():
    """ConvNeXt-Base, for images of 224 x 224 pixels and of 32 x 32 or more without the top.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 1024), or
    (batch, 1024) with pooling.

    Args:
        include_top: Whether the classifier is on top of the network.
        include_preprocessing: Whether the network standardizes pixels from 0 to 255 itself; False for pixels that are
            standardized already.
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

    Source: Liu et al., 2022, "A ConvNet for the 2020s", arXiv:2201.03545.
    """
    return _Stages("convnext_base", (3, 3, 27, 3), (128, 256, 512, 1024))


@variant(_convnext)
def ConvNeXtLarge():
    """ConvNeXt-Large, for images of 224 x 224 pixels and of 32 x 32 or more without the top.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 1536), or
    (batch, 1536) with pooling.

    Args:
        include_top: Whether the classifier is on top of the network.
        include_preprocessing: Whether the network standardizes pixels from 0 to 255 itself; False for pixels that are
            standardized already.
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

    Source: Liu et al., 2022, "A ConvNet for the 2020s", arXiv:2201.03545.
    """
    return _Stages("convnext_large", (3, 3, 27, 3), (192, 384, 768, 1536))


@variant(_convnext)
def ConvNeXtXLarge():
    """ConvNeXt-XLarge, for images of 224 x 224 pixels and of 32 x 32 or more without the top.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 2048), or
    (batch, 2048) with pooling.

    Args:
        include_top: Whether the classifier is on top of the network.
        include_preprocessing: Whether the network standardizes pixels from 0 to 255 itself; False for pixels that are
            standardized already.
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

    Source: Liu et al., 2022, "A ConvNet for the 2020s", arXiv:2201.03545.
    """
    return _Stages("convnext_xlarge", (3, 3, 27, 3), (256, 512, 1024, 2048))

"""ResNet (He et al., 2015, "Deep Residual Learning for Image Recognition", arXiv:1512.03385)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.applications.frame import POOL_NAMES, Architecture, channel_axis, network, variant
from lamina.applications.imagenet_utils import caffe_input as preprocess_input
from lamina.applications.imagenet_utils import decode_predictions
from lamina.layers.batch_normalization import BatchNormalization
from lamina.layers.convolutional import Conv2D
from lamina.layers.dense import Activation
from lamina.layers.merging import Add
from lamina.layers.padding_layers import ZeroPadding2D
from lamina.layers.pooling import MaxPooling2D
from lamina.legacy import old_names_of

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]


def normalize(x: Any, name: str) -> Any:
    """Batch normalization with the axis and epsilon of all ResNets and DenseNets."""
    return BatchNormalization(axis=channel_axis(), epsilon=1.001e-5, name=name)(x)


def relu(x: Any, name: str) -> Any:
    """The activation, as a layer."""
    return Activation("relu", name=name)(x)


def stem(x: Any, activate: Callable[..., Any]) -> Any:
    """A 7x7 convolution with stride 2, `activate`, and max pooling with stride 2."""
    x = ZeroPadding2D(3, name="conv1_pad")(x)
    x = activate(Conv2D(64, 7, strides=2, name="conv1_conv")(x))
    x = ZeroPadding2D(1, name="pool1_pad")(x)
    return MaxPooling2D(3, strides=2, name="pool1_pool")(x)


def _block(x, filters, stride, project, name):
    """1x1, 3x3 and 1x1 convolutions with a residual connection, projected where the shape changes."""
    shortcut = x
    if project:
        shortcut = normalize(Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(x), f"{name}_0_bn")
    x = Conv2D(filters, 1, strides=stride, name=f"{name}_1_conv")(x)
    x = relu(normalize(x, f"{name}_1_bn"), f"{name}_1_relu")
    x = Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x)
    x = relu(normalize(x, f"{name}_2_bn"), f"{name}_2_relu")
    x = normalize(Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x), f"{name}_3_bn")
    return relu(Add(name=f"{name}_add")([shortcut, x]), f"{name}_out")


def _body(x, depths):
    x = stem(x, lambda y: relu(normalize(y, "conv1_bn"), "conv1_relu"))
    for stage, depth in enumerate(depths):
        for index in range(depth):
            stride = 2 if index == 0 and stage > 0 else 1
            x = _block(x, 64 * 2**stage, stride, index == 0, f"conv{stage + 2}_block{index + 1}")
    return x


def resnet(file: str, body: Callable[..., Any], depths: tuple[int, ...]) -> Architecture:
    """The architecture of a ResNet with `depths` blocks in its four stages."""
    return Architecture(lambda x: body(x, depths), file, 224, pool_names=POOL_NAMES)


@variant(network)
def ResNet50():
    """ResNet with 50 layers, for images of 224 x 224 pixels and of 32 x 32 or more without the top.

    `keras.applications.resnet.preprocess_input` prepares the pixels.

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

    Source: He et al., 2015, "Deep Residual Learning for Image Recognition", arXiv:1512.03385.
    """
    return resnet("resnet50", _body, (3, 4, 6, 3))


@variant(network)
def ResNet101():
    """ResNet with 101 layers, for images of 224 x 224 pixels and of 32 x 32 or more without the top.

    `keras.applications.resnet.preprocess_input` prepares the pixels.

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

    Source: He et al., 2015, "Deep Residual Learning for Image Recognition", arXiv:1512.03385.
    """
    return resnet("resnet101", _body, (3, 4, 23, 3))


@variant(network)
def ResNet152():
    """ResNet with 152 layers, for images of 224 x 224 pixels and of 32 x 32 or more without the top.

    `keras.applications.resnet.preprocess_input` prepares the pixels.

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

    Source: He et al., 2015, "Deep Residual Learning for Image Recognition", arXiv:1512.03385.
    """
    return resnet("resnet152", _body, (3, 8, 36, 3))


__getattr__: Any = old_names_of(__name__)

"""DenseNet (Huang et al., 2016, "Densely Connected Convolutional Networks", arXiv:1608.06993)."""

from typing import Any

from lamina.applications.frame import POOL_NAMES, Architecture, channel_axis, network, variant
from lamina.applications.imagenet_utils import decode_predictions
from lamina.applications.imagenet_utils import torch_input as preprocess_input
from lamina.applications.resnet import normalize, relu
from lamina.layers.convolutional import Conv2D
from lamina.layers.merging import Concatenate
from lamina.layers.padding_layers import ZeroPadding2D
from lamina.layers.pooling import AveragePooling2D, MaxPooling2D
from lamina.legacy import old_names_of

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]

GROWTH = 32  # channels that each block adds


def _conv(x, filters, size, name, **settings):
    return Conv2D(filters, size, use_bias=False, name=name, **settings)(x)


def _dense_block(x, name):
    """`x` concatenated with `GROWTH` new channels computed from it."""
    y = relu(normalize(x, f"{name}_0_bn"), f"{name}_0_relu")
    y = _conv(y, 4 * GROWTH, 1, f"{name}_1_conv")
    y = relu(normalize(y, f"{name}_1_bn"), f"{name}_1_relu")
    y = _conv(y, GROWTH, 3, f"{name}_2_conv", padding="same")
    return Concatenate(axis=channel_axis(), name=f"{name}_concat")([x, y])


def _transition(x, name):
    """Halves the channels, rows and columns."""
    x = relu(normalize(x, f"{name}_bn"), f"{name}_relu")
    x = _conv(x, x.shape[channel_axis()] // 2, 1, f"{name}_conv")
    return AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def _body(x, depths):
    x = ZeroPadding2D(3)(x)
    x = _conv(x, 64, 7, "conv1_conv", strides=2)
    x = relu(normalize(x, "conv1_bn"), "conv1_relu")
    x = ZeroPadding2D(1)(x)
    x = MaxPooling2D(3, strides=2, name="pool1")(x)
    for stage, depth in enumerate(depths, start=2):
        for index in range(1, depth + 1):
            x = _dense_block(x, f"conv{stage}_block{index}")
        if stage < 5:
            x = _transition(x, f"pool{stage}")
    return relu(normalize(x, "bn"), "relu")


def _densenet(file, depths):
    return Architecture(lambda x: _body(x, depths), file, 224, pool_names=POOL_NAMES)


@variant(network)
def DenseNet121():
    """DenseNet with 121 layers, for images of 224 x 224 pixels and of 32 x 32 or more without the top.

    `keras.applications.densenet.preprocess_input` prepares the pixels.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 1024), or
    (batch, 1024) with pooling.

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

    Source: Huang et al., 2016, "Densely Connected Convolutional Networks", arXiv:1608.06993.
    """
    return _densenet("densenet121", (6, 12, 24, 16))


@variant(network)
def DenseNet169():
    """DenseNet with 169 layers, for images of 224 x 224 pixels and of 32 x 32 or more without the top.

    `keras.applications.densenet.preprocess_input` prepares the pixels.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 1664), or
    (batch, 1664) with pooling.

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

    Source: Huang et al., 2016, "Densely Connected Convolutional Networks", arXiv:1608.06993.
    """
    return _densenet("densenet169", (6, 12, 32, 32))


@variant(network)
def DenseNet201():
    """DenseNet with 201 layers, for images of 224 x 224 pixels and of 32 x 32 or more without the top.

    `keras.applications.densenet.preprocess_input` prepares the pixels.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 1920), or
    (batch, 1920) with pooling.

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

    Source: Huang et al., 2016, "Densely Connected Convolutional Networks", arXiv:1608.06993.
    """
    return _densenet("densenet201", (6, 12, 48, 32))


__getattr__: Any = old_names_of(__name__)

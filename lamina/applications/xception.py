"""Xception (Chollet, 2016, "Deep Learning with Depthwise Separable Convolutions", arXiv:1610.02357)."""

from lamina.applications.frame import Architecture, last_axis, network, variant
from lamina.applications.imagenet_utils import decode_predictions
from lamina.applications.imagenet_utils import tf_input as preprocess_input
from lamina.layers.batch_normalization import BatchNormalization
from lamina.layers.convolutional import Conv2D
from lamina.layers.dense import Activation
from lamina.layers.merging import Add
from lamina.layers.pooling import MaxPooling2D
from lamina.layers.separable_convolution import SeparableConv2D

__all__ = ["Xception", "decode_predictions", "preprocess_input"]


def _normalize(x, name=None):
    return BatchNormalization(axis=last_axis(), name=name)(x)


def _relu(x, name):
    return Activation("relu", name=f"{name}_act")(x)


def _separable(x, filters, name):
    x = SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return _normalize(x, f"{name}_bn")


def _halved(x, filters, block, active=True):
    """Two separable convolutions and pooling with stride 2, with a residual 1x1 convolution with stride 2."""
    shortcut = _normalize(Conv2D(filters[1], 1, strides=2, padding="same", use_bias=False)(x))
    for index, width in enumerate(filters, start=1):
        name = f"block{block}_sepconv{index}"
        x = _separable(_relu(x, name) if active or index > 1 else x, width, name)
    x = MaxPooling2D(3, strides=2, padding="same", name=f"block{block}_pool")(x)
    return Add()([x, shortcut])


def _middle(x, block):
    """Three separable convolutions with a residual connection."""
    y = x
    for index in (1, 2, 3):
        name = f"block{block}_sepconv{index}"
        y = _separable(_relu(y, name), 728, name)
    return Add()([y, x])


def _body(x):
    for index, (filters, stride) in enumerate([(32, 2), (64, 1)], start=1):
        name = f"block1_conv{index}"
        x = Conv2D(filters, 3, strides=stride, use_bias=False, name=name)(x)
        x = _relu(_normalize(x, f"{name}_bn"), name)
    x = _halved(x, (128, 128), 2, active=False)
    x = _halved(x, (256, 256), 3)
    x = _halved(x, (728, 728), 4)
    for block in range(5, 13):
        x = _middle(x, block)
    x = _halved(x, (728, 1024), 13)
    for index, filters in enumerate((1536, 2048), start=1):
        name = f"block14_sepconv{index}"
        x = _relu(_separable(x, filters, name), name)
    return x


@variant(network)
def Xception():
    """Xception, for images of 299 x 299 pixels and of 71 x 71 or more without the top.

    `keras.applications.xception.preprocess_input` prepares the pixels.

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

    Source: Chollet, 2016, "Xception: Deep Learning with Depthwise Separable Convolutions", arXiv:1610.02357.
    """
    return Architecture(_body, "xception", 299, smallest=71)

"""Xception (Chollet, 2016, "Deep Learning with Depthwise Separable Convolutions", arXiv:1610.02357)."""

from typing import Any

from lamina.applications import imagenet_utils
from lamina.applications.frame import last_axis, network
from lamina.applications.imagenet_utils import decode_predictions
from lamina.layers.convolutional import Conv2D, SeparableConv2D
from lamina.layers.dense import Activation
from lamina.layers.merging import Add
from lamina.layers.normalization import BatchNormalization
from lamina.layers.pooling import MaxPooling2D

__all__ = ["Xception", "decode_predictions", "preprocess_input"]


def _normalize(x, name=None):
    return BatchNormalization(axis=last_axis(), name=name)(x)


def _relu(x, name):
    return Activation("relu", name=f"{name}_act")(x)


def _separable(x, filters, name):
    x = SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return _normalize(x, f"{name}_bn")


def _halved(x, filters, block, active=True):
    """Two separable convolutions and a pooling of stride 2, around which a 1x1 convolution of stride 2 goes."""
    shortcut = _normalize(Conv2D(filters[1], 1, strides=2, padding="same", use_bias=False)(x))
    for index, width in enumerate(filters, start=1):
        name = f"block{block}_sepconv{index}"
        x = _separable(_relu(x, name) if active or index > 1 else x, width, name)
    x = MaxPooling2D(3, strides=2, padding="same", name=f"block{block}_pool")(x)
    return Add()([x, shortcut])


def _middle(x, block):
    """Three separable convolutions, around which the input goes."""
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


def Xception(
    include_top=True, weights: Any = "imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000,
    classifier_activation: Any = "softmax", name="xception",
):  # fmt: skip
    """Xception for images of 299 x 299, 71 x 71 or more without the top; arguments as for InceptionV3."""
    return network(
        _body, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation,
        name, file="xception", size=299, smallest=71,
    )  # fmt: skip


def preprocess_input(x, data_format=None):
    """Pixels of 0 to 255 as -1 to 1."""
    return imagenet_utils.preprocess_input(x, data_format, "tf")

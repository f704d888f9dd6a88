"""DenseNet (Huang et al., 2016, "Densely Connected Convolutional Networks", arXiv:1608.06993)."""

from typing import Any

from lamina.applications import imagenet_utils
from lamina.applications.frame import channel_axis, named, network
from lamina.applications.imagenet_utils import decode_predictions
from lamina.applications.resnet import normalize, relu
from lamina.layers.convolutional import Conv2D
from lamina.layers.merging import Concatenate
from lamina.layers.pooling import AveragePooling2D, MaxPooling2D
from lamina.layers.reshaping import ZeroPadding2D

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]

GROWTH = 32  # channels that each block adds


def _conv(x, filters, size, name, **settings):
    return Conv2D(filters, size, use_bias=False, name=name, **settings)(x)


def _dense_block(x, name):
    """What came before beside `GROWTH` channels made of it."""
    y = relu(normalize(x, f"{name}_0_bn"), f"{name}_0_relu")
    y = _conv(y, 4 * GROWTH, 1, f"{name}_1_conv")
    y = relu(normalize(y, f"{name}_1_bn"), f"{name}_1_relu")
    y = _conv(y, GROWTH, 3, f"{name}_2_conv", padding="same")
    return Concatenate(axis=channel_axis(), name=f"{name}_concat")([x, y])


def _transition(x, name):
    """Half the channels, half the rows and columns."""
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


def _densenet(title, depths):
    file = title.lower()

    def build(
        include_top=True, weights: Any = "imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000,
        classifier_activation: Any = "softmax", name=file,
    ):  # fmt: skip
        return network(
            lambda x: _body(x, depths),
            include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation,
            name, file=file, size=224, pool_names=("avg_pool", "max_pool"),
        )  # fmt: skip

    return named(build, title, f"{title}: {depths} blocks in its four stages; arguments as for InceptionV3.")


DenseNet121 = _densenet("DenseNet121", (6, 12, 24, 16))
DenseNet169 = _densenet("DenseNet169", (6, 12, 32, 32))
DenseNet201 = _densenet("DenseNet201", (6, 12, 48, 32))


def preprocess_input(x, data_format=None):
    """Pixels of 0 to 255 as 0 to 1, standardized by ImageNet's means and deviations."""
    return imagenet_utils.preprocess_input(x, data_format, "torch")

"""VGG16 and what VGG19 shares with it (Simonyan and Zisserman, 2014, arXiv:1409.1556)."""

from typing import Any

from lamina.applications import imagenet_utils
from lamina.applications.frame import named, network
from lamina.applications.imagenet_utils import decode_predictions
from lamina.layers.convolutional import Conv2D
from lamina.layers.dense import Dense
from lamina.layers.pooling import MaxPooling2D
from lamina.layers.reshaping import Flatten

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

WIDTHS = (64, 128, 256, 512, 512)  # filters of the five blocks


def _body(x, depths):
    for block, (filters, depth) in enumerate(zip(WIDTHS, depths, strict=True), start=1):
        for index in range(1, depth + 1):
            x = Conv2D(filters, 3, padding="same", activation="relu", name=f"block{block}_conv{index}")(x)
        x = MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
    return x


def _top(x, classes, activation):
    x = Flatten(name="flatten")(x)
    x = Dense(4096, activation="relu", name="fc1")(x)
    x = Dense(4096, activation="relu", name="fc2")(x)
    return Dense(classes, activation=activation, name="predictions")(x)


def vgg(title, depths):
    """The function that builds a VGG with `depths` convolutions in its five blocks."""
    file = title.lower()

    def build(
        include_top=True, weights: Any = "imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000,
        classifier_activation: Any = "softmax", name=file,
    ):  # fmt: skip
        return network(
            lambda x: _body(x, depths),
            include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation,
            name, file=file, size=224, top=_top,
        )  # fmt: skip

    return named(build, title, f"{title}: {sum(depths)} convolutions and 3 Dense layers; arguments as for InceptionV3.")


VGG16 = vgg("VGG16", (2, 2, 3, 3, 3))


def preprocess_input(x, data_format=None):
    """Pixels of 0 to 255 as blue, green, red with ImageNet's means taken off."""
    return imagenet_utils.preprocess_input(x, data_format, "caffe")

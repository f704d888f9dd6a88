"""InceptionResNetV2 (Szegedy et al., 2016, "Inception-v4, Inception-ResNet and the Impact of Residual Connections",
arXiv:1602.07261)."""

from typing import Any

from lamina.applications import imagenet_utils
from lamina.applications.frame import channel_axis, network
from lamina.applications.imagenet_utils import decode_predictions
from lamina.applications.inception_v3 import join, small_windows, stem, tower
from lamina.layers.base.layer import Layer
from lamina.layers.convolutional import Conv2D
from lamina.layers.dense import Activation
from lamina.layers.normalization import BatchNormalization
from lamina.layers.pooling import MaxPooling2D

__all__ = ["CustomScaleLayer", "InceptionResNetV2", "decode_predictions", "preprocess_input"]


class CustomScaleLayer(Layer):
    """`x + scale * y` of two tensors of one shape.

    >>> import lamina as keras
    >>> CustomScaleLayer(0.5)([keras.ops.array([1.0]), keras.ops.array([4.0])]).tolist()
    [3.0]
    """

    _keras_module = "keras.src.applications.inception_resnet_v2"

    def __init__(self, scale, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[0])

    def call(self, inputs):
        x, y = inputs
        return x + self.scale * y


# kind -> what each branch is made of: (filters, rows, columns) of its convolutions
BRANCHES = {
    "block35": [[(32, 1, 1)], [(32, 1, 1), (32, 3, 3)], [(32, 1, 1), (48, 3, 3), (64, 3, 3)]],
    "block17": [[(192, 1, 1)], [(128, 1, 1), (160, 1, 7), (192, 7, 1)]],
    "block8": [[(192, 1, 1)], [(192, 1, 1), (224, 1, 3), (256, 3, 1)]],
}


def _block(x, kind, index, scale, active=True):
    """Branches joined, mixed back to the channels of the input, scaled and added to it."""
    name = f"{kind}_{index}"
    mixed = join([tower(x, *steps) for steps in BRANCHES[kind]], f"{name}_mixed")
    mixed = Conv2D(x.shape[channel_axis()], 1, padding="same", name=f"{name}_conv")(mixed)
    x = CustomScaleLayer(scale)([x, mixed])
    return Activation("relu", name=f"{name}_ac")(x) if active else x


def _reduced(x, towers, name):
    """Towers whose last convolution has stride 2, beside a pooling of stride 2."""
    branches = [tower(x, *steps, strides=2, padding="valid") for steps in towers]
    return join([*branches, MaxPooling2D(3, strides=2)(x)], name)


def _body(x):
    x = small_windows(stem(x), 96, 64, "mixed_5b")
    for index in range(1, 11):
        x = _block(x, "block35", index, 0.17)
    x = _reduced(x, [[(384, 3, 3)], [(256, 1, 1), (256, 3, 3), (384, 3, 3)]], "mixed_6a")
    for index in range(1, 21):
        x = _block(x, "block17", index, 0.1)
    towers = [[(256, 1, 1), (384, 3, 3)], [(256, 1, 1), (288, 3, 3)], [(256, 1, 1), (288, 3, 3), (320, 3, 3)]]
    x = _reduced(x, towers, "mixed_7a")
    for index in range(1, 10):
        x = _block(x, "block8", index, 0.2)
    x = _block(x, "block8", 10, 1.0, active=False)
    x = Conv2D(1536, 1, padding="same", use_bias=False, name="conv_7b")(x)
    x = BatchNormalization(axis=channel_axis(), scale=False, name="conv_7b_bn")(x)
    return Activation("relu", name="conv_7b_ac")(x)


def InceptionResNetV2(
    include_top=True, weights: Any = "imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000,
    classifier_activation: Any = "softmax", name="inception_resnet_v2",
):  # fmt: skip
    """InceptionResNetV2 for images of 299 x 299, 75 x 75 or more without the top; arguments as for InceptionV3."""
    return network(
        _body, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation,
        name, file="inception_resnet_v2", size=299, smallest=75,
    )  # fmt: skip


def preprocess_input(x, data_format=None):
    """Pixels of 0 to 255 as -1 to 1."""
    return imagenet_utils.preprocess_input(x, data_format, "tf")

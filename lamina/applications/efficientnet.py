"""EfficientNet (Tan and Le, 2019, "Rethinking Model Scaling for Convolutional Neural Networks", arXiv:1905.11946)."""

import math
from typing import Any

from lamina.applications.frame import channel_axis, classifier, halving_pad, named, network, rounded
from lamina.applications.imagenet_utils import TORCH_DEVIATIONS, decode_predictions
from lamina.initializers import VarianceScaling
from lamina.layers.convolutional import Conv2D, DepthwiseConv2D
from lamina.layers.dense import Activation
from lamina.layers.merging import Add, Multiply
from lamina.layers.normalization import BatchNormalization
from lamina.layers.pooling import GlobalAveragePooling2D
from lamina.layers.preprocessing import Normalization, Rescaling
from lamina.layers.regularization import Dropout
from lamina.layers.reshaping import Reshape, ZeroPadding2D

__all__ = [
    "EfficientNetB0", "EfficientNetB1", "EfficientNetB2", "EfficientNetB3", "EfficientNetB4", "EfficientNetB5",
    "EfficientNetB6", "EfficientNetB7", "decode_predictions", "preprocess_input",
]  # fmt: skip

# (window, repetitions, filters, channels between by channels in, stride of the first): table 1 of the paper
STAGES = [
    (3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2), (5, 3, 112, 6, 1), (5, 4, 192, 6, 2),
    (3, 1, 320, 6, 1),
]  # fmt: skip
SQUEEZE = 0.25  # the channels of squeeze and excitation by those of the block's input
DROP = 0.2  # the rate at which the last block is dropped; it grows linearly from the first


def start() -> Any:
    """The initializer of all kernels."""
    return VarianceScaling(2.0, "fan_out")


def conv(x, filters, window, name, **settings):
    """A convolution with padding="same" and no bias unless `settings` say otherwise."""
    settings = {"padding": "same", "use_bias": False, **settings}
    return Conv2D(filters, window, kernel_initializer=start(), name=name, **settings)(x)


def normalized(x, name, activation_name=None, momentum=0.99):
    """Batch normalization, then swish where `activation_name` is given."""
    x = BatchNormalization(axis=channel_axis(), momentum=momentum, name=name)(x)
    return Activation("swish", name=activation_name)(x) if activation_name else x


def squeeze_and_excite(x, filters, name):
    """Each channel times a number from 0 to 1 made of the means of all (Hu et al., 2017, arXiv:1709.01507)."""
    channels = x.shape[channel_axis()]
    shape = (channels, 1, 1) if channel_axis() == 1 else (1, 1, channels)
    weights = GlobalAveragePooling2D(name=f"{name}_squeeze")(x)
    weights = Reshape(shape, name=f"{name}_reshape")(weights)
    weights = conv(weights, filters, 1, f"{name}_reduce", activation="swish", use_bias=True)
    weights = conv(weights, channels, 1, f"{name}_expand", activation="sigmoid", use_bias=True)
    return Multiply(name=f"{name}_excite")([x, weights])


def around(inputs, x, drop_rate, name):
    """`inputs + x`; in training `x` is dropped for whole samples (Huang et al., 2016, arXiv:1603.09382)."""
    if drop_rate > 0:
        x = Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return Add(name=f"{name}add")([x, inputs])


def block_name(stage, index):
    """block1a, block1b, ..."""
    return f"block{stage}{chr(ord('a') + index)}_"


def _block(x, window, filters, expansion, stride, drop_rate, name):
    """1x1 to more channels, a window over each by itself, squeeze and excitation, 1x1 to few."""
    inputs, channels = x, x.shape[channel_axis()]
    if expansion > 1:
        x = conv(x, expansion * channels, 1, f"{name}expand_conv")
        x = normalized(x, f"{name}expand_bn", f"{name}expand_activation")
    if stride == 2:
        x = ZeroPadding2D(halving_pad(x.shape, window), name=f"{name}dwconv_pad")(x)
    x = DepthwiseConv2D(
        window, stride, "same" if stride == 1 else "valid", use_bias=False, name=f"{name}dwconv",
        depthwise_initializer=start(),
    )(x)  # fmt: skip
    x = normalized(x, f"{name}bn", f"{name}activation")
    x = squeeze_and_excite(x, max(1, int(channels * SQUEEZE)), f"{name}se")
    x = normalized(conv(x, filters, 1, f"{name}project_conv"), f"{name}project_bn")
    return around(inputs, x, drop_rate, name) if stride == 1 and channels == filters else x


def _body(x, width, depth, from_imagenet):
    x = Normalization(axis=channel_axis())(Rescaling(1 / 255)(x))
    if from_imagenet:  # the published weights were trained on (pixel - mean) / variance, not / deviation
        x = Rescaling([1 / math.sqrt(deviation) for deviation in TORCH_DEVIATIONS])(x)
    x = ZeroPadding2D(halving_pad(x.shape, 3), name="stem_conv_pad")(x)
    x = conv(x, rounded(32 * width, 8), 3, "stem_conv", strides=2, padding="valid")
    x = normalized(x, "stem_bn", "stem_activation")
    repetitions = [math.ceil(depth * stage[1]) for stage in STAGES]
    count = 0
    for number, (window, _, filters, expansion, stride) in enumerate(STAGES):
        for index in range(repetitions[number]):
            name, drop_rate = block_name(number + 1, index), DROP * count / sum(repetitions)
            x = _block(x, window, rounded(filters * width, 8), expansion, stride if index == 0 else 1, drop_rate, name)
            count += 1
    return normalized(conv(x, rounded(1280 * width, 8), 1, "top_conv"), "top_bn", "top_activation")


def top(dropout):
    """The classifier of EfficientNets with this rate of dropout."""
    return lambda *given: classifier(
        *given, dropout=dropout, kernel_initializer=VarianceScaling(1 / 3, "fan_out", "uniform")
    )


def _efficientnet(variant, width, depth, size, dropout):
    file = f"efficientnet{variant.lower()}"

    def build(
        include_top=True, weights: Any = "imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000,
        classifier_activation: Any = "softmax", name=file,
    ):  # fmt: skip
        return network(
            lambda x: _body(x, width, depth, weights == "imagenet"),
            include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation,
            name, file=file, size=size, top=top(dropout), pool_names=("avg_pool", "max_pool"),
        )  # fmt: skip

    text = f"EfficientNet{variant} for images of {size} x {size} pixels of 0 to 255; arguments as for InceptionV3."
    return named(build, f"EfficientNet{variant}", text)


# width, depth, rows and columns, dropout
EfficientNetB0 = _efficientnet("B0", 1.0, 1.0, 224, 0.2)
EfficientNetB1 = _efficientnet("B1", 1.0, 1.1, 240, 0.2)
EfficientNetB2 = _efficientnet("B2", 1.1, 1.2, 260, 0.3)
EfficientNetB3 = _efficientnet("B3", 1.2, 1.4, 300, 0.3)
EfficientNetB4 = _efficientnet("B4", 1.4, 1.8, 380, 0.4)
EfficientNetB5 = _efficientnet("B5", 1.6, 2.2, 456, 0.4)
EfficientNetB6 = _efficientnet("B6", 1.8, 2.6, 528, 0.5)
EfficientNetB7 = _efficientnet("B7", 2.0, 3.1, 600, 0.5)


def preprocess_input(x, data_format=None):
    """`x`: the network itself takes pixels of 0 to 255."""
    return x

"""MobileNetV3 (Howard et al., 2019, "Searching for MobileNetV3", arXiv:1905.02244)."""

from typing import Any

from lamina.applications.frame import halving_pad, last_axis, named, network, rounded
from lamina.applications.imagenet_utils import decode_predictions
from lamina.errors import ConfigError
from lamina.layers.activation_layers import ReLU
from lamina.layers.convolutional import Conv2D, DepthwiseConv2D
from lamina.layers.dense import Activation
from lamina.layers.merging import Add, Multiply
from lamina.layers.normalization import BatchNormalization
from lamina.layers.pooling import GlobalAveragePooling2D
from lamina.layers.preprocessing import Rescaling
from lamina.layers.regularization import Dropout
from lamina.layers.reshaping import Flatten, ZeroPadding2D

__all__ = ["MobileNetV3Large", "MobileNetV3Small", "decode_predictions", "preprocess_input"]

# (channels between by channels in, filters, window, stride, squeeze and excitation, hard swish): tables 1 and 2
SMALL = [
    (1, 16, 3, 2, True, False), (72 / 16, 24, 3, 2, False, False), (88 / 24, 24, 3, 1, False, False),
    (4, 40, 5, 2, True, True), (6, 40, 5, 1, True, True), (6, 40, 5, 1, True, True), (3, 48, 5, 1, True, True),
    (3, 48, 5, 1, True, True), (6, 96, 5, 2, True, True), (6, 96, 5, 1, True, True), (6, 96, 5, 1, True, True),
]  # fmt: skip
LARGE = [
    (1, 16, 3, 1, False, False), (4, 24, 3, 2, False, False), (3, 24, 3, 1, False, False), (3, 40, 5, 2, True, False),
    (3, 40, 5, 1, True, False), (3, 40, 5, 1, True, False), (6, 80, 3, 2, False, True), (2.5, 80, 3, 1, False, True),
    (2.3, 80, 3, 1, False, True), (2.3, 80, 3, 1, False, True), (6, 112, 3, 1, True, True), (6, 112, 3, 1, True, True),
    (6, 160, 5, 2, True, True), (6, 160, 5, 1, True, True), (6, 160, 5, 1, True, True),
]  # fmt: skip
LAST = {"small": 1024, "large": 1280}  # filters of the layer before the classifier
SQUEEZE = 0.25  # the channels of squeeze and excitation by those of the block


def _conv(x, filters, window, name, **settings):
    return Conv2D(filters, window, padding="same", name=name, **settings)(x)


def _normalize(x, name):
    return BatchNormalization(axis=last_axis(), momentum=0.999, name=name)(x)


def _activate(x, hard_swish):
    return Activation("hard_silu")(x) if hard_swish else ReLU()(x)


def _squeeze_and_excite(x, name):
    """Each channel times a hard sigmoid made of the means of all."""
    channels = x.shape[last_axis()]
    weights = GlobalAveragePooling2D(keepdims=True, name=f"{name}_avg_pool")(x)
    weights = _conv(weights, rounded(channels * SQUEEZE, 8), 1, f"{name}_conv")
    weights = ReLU(name=f"{name}_relu")(weights)
    weights = _conv(weights, channels, 1, f"{name}_conv_1")
    weights = ReLU(6.0)(weights + 3.0) * (1.0 / 6.0)
    return Multiply(name=f"{name}_mul")([x, weights])


def _block(x, expansion, filters, window, stride, squeezed, hard_swish, index):
    """1x1 to more channels, a window over each by itself, squeeze and excitation, 1x1 to few; the input goes around."""
    inputs, channels = x, x.shape[last_axis()]
    name = f"expanded_conv_{index}" if index else "expanded_conv"
    if index:
        x = _conv(x, rounded(channels * expansion, 8), 1, f"{name}_expand", use_bias=False)
        x = _activate(_normalize(x, f"{name}_expand_bn"), hard_swish)
    if stride == 2:
        x = ZeroPadding2D(halving_pad(x.shape, window), name=f"{name}_depthwise_pad")(x)
    padding = "same" if stride == 1 else "valid"
    x = DepthwiseConv2D(window, stride, padding, use_bias=False, name=f"{name}_depthwise")(x)
    x = _activate(_normalize(x, f"{name}_depthwise_bn"), hard_swish)
    if squeezed:
        x = _squeeze_and_excite(x, f"{name}_squeeze_excite")
    x = _normalize(_conv(x, filters, 1, f"{name}_project", use_bias=False), f"{name}_project_bn")
    return Add(name=f"{name}_add")([inputs, x]) if stride == 1 and channels == filters else x


def _body(x, blocks, alpha, minimalistic, include_preprocessing):
    x = Rescaling(1 / 127.5, -1.0)(x) if include_preprocessing else x
    x = _conv(x, 16, 3, "conv", strides=2, use_bias=False)
    x = _activate(_normalize(x, "conv_bn"), not minimalistic)
    for index, (expansion, filters, window, stride, squeezed, hard_swish) in enumerate(blocks):
        if minimalistic:
            window, squeezed, hard_swish = 3, False, False
        x = _block(x, expansion, rounded(filters * alpha, 8), window, stride, squeezed, hard_swish, index)
    x = _conv(x, rounded(6 * x.shape[last_axis()], 8), 1, "conv_1", use_bias=False)
    return _activate(_normalize(x, "conv_1_bn"), not minimalistic)


def _top(x, classes, activation, filters, minimalistic, dropout_rate):
    x = GlobalAveragePooling2D(keepdims=True)(x)
    x = _activate(_conv(x, filters, 1, "conv_2"), not minimalistic)
    x = Dropout(dropout_rate)(x) if dropout_rate > 0 else x
    x = Flatten()(_conv(x, classes, 1, "logits"))
    return Activation(activation, name="predictions")(x)


def _mobilenet_v3(title, kind, blocks):
    def build(
        input_shape=None, alpha=1.0, minimalistic=False, include_top=True, weights: Any = "imagenet", input_tensor=None,
        classes=1000, pooling=None, dropout_rate=0.2, classifier_activation: Any = "softmax",
        include_preprocessing=True, name=title,
    ):  # fmt: skip
        known = (1.0,) if minimalistic else (0.75, 1.0)
        if weights == "imagenet" and alpha not in known:
            raise ConfigError(f"weights='imagenet' are for alpha {' or '.join(map(str, known))} here; got {alpha}.")
        last = rounded(LAST[kind] * max(alpha, 1.0), 8)
        return network(
            lambda x: _body(x, blocks, alpha, minimalistic, include_preprocessing),
            include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation,
            name, file=f"mobilenet_v3_{kind}{'_minimalistic' * minimalistic}_224_{float(alpha)}", size=224,
            fixed_size=False, pool_names=("avg_pool", "max_pool"),
            top=lambda x, classes, activation: _top(x, classes, activation, last, minimalistic, dropout_rate),
        )  # fmt: skip

    text = f"""MobileNetV3, {kind}, for images of 32 rows and columns or more, pixels of 0 to 255.

    Args:
        alpha: by how much the channels of each block are multiplied; 0.75 and 1.0 have weights.
        minimalistic: windows of 3, no squeeze and excitation, no hard swish.
        dropout_rate: the rate before the classifier.
        include_preprocessing: False where pixels are -1 to 1 already.
        The others are those of InceptionV3.
    """
    return named(build, title, text)


MobileNetV3Small = _mobilenet_v3("MobileNetV3Small", "small", SMALL)
MobileNetV3Large = _mobilenet_v3("MobileNetV3Large", "large", LARGE)


def preprocess_input(x, data_format=None):
    """`x`: the network itself takes pixels of 0 to 255."""
    return x

"""EfficientNetV2 (Tan and Le, 2021, "Smaller Models and Faster Training", arXiv:2104.00298)."""

import math
from typing import Any

from lamina.applications import efficientnet
from lamina.applications.efficientnet import DROP, SQUEEZE, around, block_name, conv, squeeze_and_excite, start
from lamina.applications.frame import channel_axis, named, network
from lamina.applications.imagenet_utils import TORCH_DEVIATIONS, TORCH_MEANS, decode_predictions
from lamina.layers.convolutional import DepthwiseConv2D
from lamina.layers.preprocessing import Normalization, Rescaling

__all__ = [
    "EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3", "EfficientNetV2L",
    "EfficientNetV2M", "EfficientNetV2S", "decode_predictions", "preprocess_input",
]  # fmt: skip

# (repetitions, filters, channels between by channels in, stride of the first); the first three stages are fused
STAGES = {
    "B": [(1, 16, 1, 1), (2, 32, 4, 2), (2, 48, 4, 2), (3, 96, 4, 2), (5, 112, 6, 1), (8, 192, 6, 2)],
    "S": [(2, 24, 1, 1), (4, 48, 4, 2), (4, 64, 4, 2), (6, 128, 4, 2), (9, 160, 6, 1), (15, 256, 6, 2)],
    "M": [
        (3, 24, 1, 1), (5, 48, 4, 2), (5, 80, 4, 2), (7, 160, 4, 2), (14, 176, 6, 1), (18, 304, 6, 2), (5, 512, 6, 1),
    ],
    "L": [
        (4, 32, 1, 1), (7, 64, 4, 2), (7, 96, 4, 2), (10, 192, 4, 2), (19, 224, 6, 1), (25, 384, 6, 2), (7, 640, 6, 1),
    ],
}  # fmt: skip
STEM = {"B": 32, "S": 24, "M": 24, "L": 32}
FUSED = 3
MOMENTUM = 0.9


def _nearest(filters):
    """The multiple of 8 nearest to `filters`: unlike the first EfficientNets, it may be far below."""
    return max(8, int(filters + 4) // 8 * 8)


def _normalized(x, name, activation_name=None):
    return efficientnet.normalized(x, name, activation_name, MOMENTUM)


def _fused_block(x, filters, expansion, stride, drop_rate, name):
    """3x3 to more channels, 1x1 to few; where there are no more, the 3x3 alone."""
    inputs, channels = x, x.shape[channel_axis()]
    if expansion > 1:
        x = conv(x, expansion * channels, 3, f"{name}expand_conv", strides=stride)
        x = _normalized(x, f"{name}expand_bn", f"{name}expand_activation")
        x = _normalized(conv(x, filters, 1, f"{name}project_conv"), f"{name}project_bn")
    else:
        x = conv(x, filters, 3, f"{name}project_conv", strides=stride)
        x = _normalized(x, f"{name}project_bn", f"{name}project_activation")
    return around(inputs, x, drop_rate, name) if stride == 1 and channels == filters else x


def _block(x, filters, expansion, stride, drop_rate, name):
    """1x1 to more channels, 3x3 over each by itself, squeeze and excitation, 1x1 to few."""
    inputs, channels = x, x.shape[channel_axis()]
    x = conv(x, expansion * channels, 1, f"{name}expand_conv")
    x = _normalized(x, f"{name}expand_bn", f"{name}expand_activation")
    x = DepthwiseConv2D(3, stride, "same", use_bias=False, depthwise_initializer=start(), name=f"{name}dwconv2")(x)
    x = _normalized(x, f"{name}bn", f"{name}activation")
    x = squeeze_and_excite(x, max(1, int(channels * SQUEEZE)), f"{name}se")
    x = _normalized(conv(x, filters, 1, f"{name}project_conv"), f"{name}project_bn")
    return around(inputs, x, drop_rate, name) if stride == 1 and channels == filters else x


def _preprocessed(x, kind):
    if kind != "B":
        return Rescaling(1 / 128, -1)(x)
    variances = [deviation**2 for deviation in TORCH_DEVIATIONS]
    return Normalization(channel_axis(), list(TORCH_MEANS), variances)(Rescaling(1 / 255)(x))


def _body(x, kind, width, depth):
    x = conv(x, _nearest(STEM[kind] * width), 3, "stem_conv", strides=2)
    x = _normalized(x, "stem_bn", "stem_activation")
    stages, count = STAGES[kind], 0
    blocks = sum(stage[0] for stage in stages)  # before `depth`, as Keras counts them: DROP is passed where depth > 1
    for number, (repetitions, filters, expansion, stride) in enumerate(stages):
        block = _fused_block if number < FUSED else _block
        for index in range(math.ceil(depth * repetitions)):
            name, drop_rate = block_name(number + 1, index), DROP * count / blocks
            x = block(x, _nearest(filters * width), expansion, stride if index == 0 else 1, drop_rate, name)
            count += 1
    return _normalized(conv(x, _nearest(1280 * width), 1, "top_conv"), "top_bn", "top_activation")


def _efficientnet_v2(variant, width, depth, size):
    kind, file = variant[0], f"efficientnetv2-{variant.lower()}"

    def build(
        include_top=True, weights: Any = "imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000,
        classifier_activation: Any = "softmax", include_preprocessing=True, name=file,
    ):  # fmt: skip
        def body(x):
            return _body(_preprocessed(x, kind) if include_preprocessing else x, kind, width, depth)

        return network(
            body, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation,
            name, file=file, size=size, top=efficientnet.top(0.2), pool_names=("avg_pool", "max_pool"),
        )  # fmt: skip

    text = (
        f"EfficientNetV2{variant} for images of {size} x {size} pixels of 0 to 255, prepared already where "
        "`include_preprocessing` is False; other arguments as for InceptionV3."
    )
    return named(build, f"EfficientNetV2{variant}", text)


# width, depth, rows and columns
EfficientNetV2B0 = _efficientnet_v2("B0", 1.0, 1.0, 224)
EfficientNetV2B1 = _efficientnet_v2("B1", 1.0, 1.1, 240)
EfficientNetV2B2 = _efficientnet_v2("B2", 1.1, 1.2, 260)
EfficientNetV2B3 = _efficientnet_v2("B3", 1.2, 1.4, 300)
EfficientNetV2S = _efficientnet_v2("S", 1.0, 1.0, 384)
EfficientNetV2M = _efficientnet_v2("M", 1.0, 1.0, 480)
EfficientNetV2L = _efficientnet_v2("L", 1.0, 1.0, 480)


def preprocess_input(x, data_format=None):
    """`x`: the network itself takes pixels of 0 to 255."""
    return x

"""ConvNeXt (Liu et al., 2022, "A ConvNet for the 2020s", arXiv:2201.03545)."""

from typing import Any

from lamina.applications.frame import named, network
from lamina.applications.imagenet_utils import decode_predictions
from lamina.initializers import Constant
from lamina.layers.base.layer import Layer
from lamina.layers.convolutional import Conv2D
from lamina.layers.dense import Activation, Dense
from lamina.layers.normalization import LayerNormalization
from lamina.layers.pooling import GlobalAveragePooling2D
from lamina.layers.preprocessing import Normalization
from lamina.models.sequential import Sequential

__all__ = [
    "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall", "ConvNeXtTiny", "ConvNeXtXLarge", "LayerScale",
    "decode_predictions", "preprocess_input",
]  # fmt: skip

MEANS = (0.485 * 255, 0.456 * 255, 0.406 * 255)
DEVIATIONS = (0.229 * 255, 0.224 * 255, 0.225 * 255)
EPSILON = 1e-6


class LayerScale(Layer):
    """`inputs * gamma`, a trained factor for each channel that starts at `init_values` (Touvron et al., 2021,
    arXiv:2103.17239). Shapes: (..., projection_dim) -> the same."""

    _traits = frozenset(("pointwise",))

    _keras_module = "keras.src.applications.convnext"

    def __init__(self, init_values, projection_dim, **kwargs):
        super().__init__(**kwargs)
        self.init_values, self.projection_dim = init_values, projection_dim

    def build(self, _):
        start = Constant(self.init_values)
        self.gamma = self.add_weight(shape=(self.projection_dim,), initializer=start, name="gamma")

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def call(self, inputs):
        return inputs * self.gamma.value


def _block(x, filters, name):
    """7x7 over each channel by itself, two Dense layers with four times the channels between; the input goes around."""
    y = Conv2D(filters, 7, padding="same", groups=filters, name=f"{name}_depthwise_conv")(x)
    y = LayerNormalization(epsilon=EPSILON, name=f"{name}_layernorm")(y)
    y = Dense(4 * filters, name=f"{name}_pointwise_conv_1")(y)
    y = Activation("gelu", name=f"{name}_gelu")(y)
    y = Dense(filters, name=f"{name}_pointwise_conv_2")(y)
    y = LayerScale(1e-6, filters, name=f"{name}_layer_scale")(y)
    return x + Activation("linear", name=f"{name}_identity")(y)


def _stem(filters, name):
    layers = [
        Conv2D(filters, 4, strides=4, name=f"{name}_stem_conv"),
        LayerNormalization(epsilon=EPSILON, name=f"{name}_stem_layernorm"),
    ]
    return Sequential(layers, name=f"{name}_stem")


def _halving(filters, index, name):
    layers = [
        LayerNormalization(epsilon=EPSILON, name=f"{name}_downsampling_layernorm_{index}"),
        Conv2D(filters, 2, strides=2, name=f"{name}_downsampling_conv_{index}"),
    ]
    return Sequential(layers, name=f"{name}_downsampling_block_{index}")


def _body(x, depths, widths, include_preprocessing, name):
    if include_preprocessing:
        variance = [deviation**2 for deviation in DEVIATIONS]
        x = Normalization(mean=list(MEANS), variance=variance, name=f"{name}_prestem_normalization")(x)
    for stage, (depth, filters) in enumerate(zip(depths, widths, strict=True)):
        x = (_halving(filters, stage - 1, name) if stage else _stem(filters, name))(x)
        for index in range(depth):
            x = _block(x, filters, f"{name}_stage_{stage}_block_{index}")
    return x


def _top(x, classes, activation, name):
    x = GlobalAveragePooling2D(name=f"{name}_head_gap")(x)
    x = LayerNormalization(epsilon=EPSILON, name=f"{name}_head_layernorm")(x)
    return Dense(classes, activation=activation, name=f"{name}_head_dense")(x)


def _convnext(kind, depths, widths):
    file = f"convnext_{kind.lower()}"

    def build(
        include_top=True, include_preprocessing=True, weights: Any = "imagenet", input_tensor=None, input_shape=None,
        pooling=None, classes=1000, classifier_activation: Any = "softmax", name=file,
    ):  # fmt: skip
        return network(
            lambda x: _body(x, depths, widths, include_preprocessing, name),
            include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation,
            name, file=file, size=224, top=lambda x, classes, activation: _top(x, classes, activation, name),
            after_pooling=lambda x: LayerNormalization(epsilon=EPSILON)(x),
        )  # fmt: skip

    text = (
        f"ConvNeXt{kind}: {depths} blocks of {widths} channels in its four stages. Pixels of 0 to 255, or standardized "
        "already where `include_preprocessing` is False; other arguments as for InceptionV3."
    )
    return named(build, f"ConvNeXt{kind}", text)


ConvNeXtTiny = _convnext("Tiny", (3, 3, 9, 3), (96, 192, 384, 768))
ConvNeXtSmall = _convnext("Small", (3, 3, 27, 3), (96, 192, 384, 768))
ConvNeXtBase = _convnext("Base", (3, 3, 27, 3), (128, 256, 512, 1024))
ConvNeXtLarge = _convnext("Large", (3, 3, 27, 3), (192, 384, 768, 1536))
ConvNeXtXLarge = _convnext("XLarge", (3, 3, 27, 3), (256, 512, 1024, 2048))


def preprocess_input(x, data_format=None):
    """`x`: the network itself takes pixels of 0 to 255."""
    return x

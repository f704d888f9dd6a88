"""InceptionResNetV2 (Szegedy et al., 2016, "Inception-v4, Inception-ResNet and the Impact of Residual Connections",
arXiv:1602.07261)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.applications.frame import Architecture, channel_axis, network, variant
from lamina.applications.imagenet_utils import decode_predictions
from lamina.applications.imagenet_utils import tf_input as preprocess_input
from lamina.applications.inception_v3 import join, small_windows, stem, tower
from lamina.layers.base.layer import Layer
from lamina.layers.batch_normalization import BatchNormalization
from lamina.layers.convolutional import Conv2D
from lamina.layers.dense import Activation
from lamina.layers.pooling import MaxPooling2D
from lamina.legacy import old_names_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.core.typing import LayerArguments, Shape, Tensor

__all__ = ["CustomScaleLayer", "InceptionResNetV2", "decode_predictions", "preprocess_input"]


class CustomScaleLayer(Layer):
    """`x + scale * y` for two tensors of the same shape.

    Args:
        scale: Factor of the second tensor.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> CustomScaleLayer(0.5)([keras.ops.array([1.0]), keras.ops.array([4.0])]).tolist()
    [3.0]
    """

    _keras_module = "keras.src.applications.inception_resnet_v2"

    def __init__(self, scale: float, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.scale = scale

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        return tuple(input_shape[0])

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        x, y = inputs
        return x + self.scale * y


# kind -> (filters, rows, columns) of the convolutions of each branch
BRANCHES = {
    "block35": [[(32, 1, 1)], [(32, 1, 1), (32, 3, 3)], [(32, 1, 1), (48, 3, 3), (64, 3, 3)]],
    "block17": [[(192, 1, 1)], [(128, 1, 1), (160, 1, 7), (192, 7, 1)]],
    "block8": [[(192, 1, 1)], [(192, 1, 1), (224, 1, 3), (256, 3, 1)]],
}


def _block(x, kind, index, scale, active=True):
    """Concatenated branches, projected to the channels of the input, scaled and added to it."""
    name = f"{kind}_{index}"
    mixed = join([tower(x, *steps) for steps in BRANCHES[kind]], f"{name}_mixed")
    mixed = Conv2D(x.shape[channel_axis()], 1, padding="same", name=f"{name}_conv")(mixed)
    x = CustomScaleLayer(scale)([x, mixed])
    return Activation("relu", name=f"{name}_ac")(x) if active else x


def _reduced(x, towers, name):
    """Towers whose last convolution has stride 2, concatenated with max pooling with stride 2."""
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


@variant(network)
def InceptionResNetV2():
    """Inception-ResNet-v2, for images of 299 x 299 pixels and of 75 x 75 or more without the top.

    `keras.applications.inception_resnet_v2.preprocess_input` prepares the pixels.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 1536), or
    (batch, 1536) with pooling.

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

    Source: Szegedy et al., 2016, "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    arXiv:1602.07261.
    """
    return Architecture(_body, "inception_resnet_v2", 299, smallest=75)


__getattr__: Any = old_names_of(__name__)

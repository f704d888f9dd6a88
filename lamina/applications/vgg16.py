"""VGG16 and what VGG19 shares with it (Simonyan and Zisserman, 2014, arXiv:1409.1556)."""

from __future__ import annotations

from lamina.applications.frame import Architecture, network, variant
from lamina.applications.imagenet_utils import caffe_input as preprocess_input
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


def vgg(file: str, depths: tuple[int, ...]) -> Architecture:
    """The architecture of a VGG with `depths` convolutions in its five blocks."""
    return Architecture(lambda x: _body(x, depths), file, 224, top=_top)


@variant(network)
def VGG16():
    """VGG with 16 layers, for images of 224 x 224 pixels and of 32 x 32 or more without the top.

    `keras.applications.vgg16.preprocess_input` prepares the pixels.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 512), or
    (batch, 512) with pooling.

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

    Source: Simonyan and Zisserman, 2014, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
    arXiv:1409.1556.
    """
    return vgg("vgg16", (2, 2, 3, 3, 3))

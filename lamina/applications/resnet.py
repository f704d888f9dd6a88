"""ResNet (He et al., 2015, "Deep Residual Learning for Image Recognition", arXiv:1512.03385)."""

from typing import Any

from lamina.applications import imagenet_utils
from lamina.applications.frame import channel_axis, named, network
from lamina.applications.imagenet_utils import decode_predictions
from lamina.layers.convolutional import Conv2D
from lamina.layers.dense import Activation
from lamina.layers.merging import Add
from lamina.layers.normalization import BatchNormalization
from lamina.layers.pooling import MaxPooling2D
from lamina.layers.reshaping import ZeroPadding2D

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]


def normalize(x, name):
    """Batch normalization as all ResNets and DenseNets have it."""
    return BatchNormalization(axis=channel_axis(), epsilon=1.001e-5, name=name)(x)


def relu(x, name):
    """The activation, as a layer."""
    return Activation("relu", name=name)(x)


def stem(x, activate):
    """A 7x7 convolution of stride 2 and a pooling of stride 2; `activate` comes between."""
    x = ZeroPadding2D(3, name="conv1_pad")(x)
    x = activate(Conv2D(64, 7, strides=2, name="conv1_conv")(x))
    x = ZeroPadding2D(1, name="pool1_pad")(x)
    return MaxPooling2D(3, strides=2, name="pool1_pool")(x)


def _block(x, filters, stride, project, name):
    """1x1, 3x3 and 1x1 convolutions around which the input goes, projected where its shape changes."""
    shortcut = x
    if project:
        shortcut = normalize(Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(x), f"{name}_0_bn")
    x = Conv2D(filters, 1, strides=stride, name=f"{name}_1_conv")(x)
    x = relu(normalize(x, f"{name}_1_bn"), f"{name}_1_relu")
    x = Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x)
    x = relu(normalize(x, f"{name}_2_bn"), f"{name}_2_relu")
    x = normalize(Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x), f"{name}_3_bn")
    return relu(Add(name=f"{name}_add")([shortcut, x]), f"{name}_out")


def _body(x, depths):
    x = stem(x, lambda y: relu(normalize(y, "conv1_bn"), "conv1_relu"))
    for stage, depth in enumerate(depths):
        for index in range(depth):
            stride = 2 if index == 0 and stage > 0 else 1
            x = _block(x, 64 * 2**stage, stride, index == 0, f"conv{stage + 2}_block{index + 1}")
    return x


def resnet(title, body, depths):
    """The function that builds a ResNet with `depths` blocks in its four stages."""
    file = title.lower()

    def build(
        include_top=True, weights: Any = "imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000,
        classifier_activation: Any = "softmax", name=file,
    ):  # fmt: skip
        return network(
            lambda x: body(x, depths),
            include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation,
            name, file=file, size=224, pool_names=("avg_pool", "max_pool"),
        )  # fmt: skip

    return named(build, title, f"{title}: {depths} blocks in its four stages; arguments as for InceptionV3.")


ResNet50 = resnet("ResNet50", _body, (3, 4, 6, 3))
ResNet101 = resnet("ResNet101", _body, (3, 4, 23, 3))
ResNet152 = resnet("ResNet152", _body, (3, 8, 36, 3))


def preprocess_input(x, data_format=None):
    """Pixels of 0 to 255 as blue, green, red with ImageNet's means taken off."""
    return imagenet_utils.preprocess_input(x, data_format, "caffe")

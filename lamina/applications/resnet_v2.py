"""ResNetV2 (He et al., 2016, "Identity Mappings in Deep Residual Networks", arXiv:1603.05027)."""

from lamina.applications import imagenet_utils
from lamina.applications.imagenet_utils import decode_predictions
from lamina.applications.resnet import normalize, relu, resnet, stem
from lamina.layers.convolutional import Conv2D
from lamina.layers.merging import Add
from lamina.layers.pooling import MaxPooling2D
from lamina.layers.reshaping import ZeroPadding2D

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]


def _block(x, filters, stride, project, name):
    """Normalized and activated, 1x1, 3x3 (of the stride) and 1x1 convolutions; the input goes around."""
    active = relu(normalize(x, f"{name}_preact_bn"), f"{name}_preact_relu")
    if project:
        shortcut = Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(active)
    else:
        shortcut = MaxPooling2D(1, strides=stride)(x) if stride > 1 else x
    x = Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(active)
    x = relu(normalize(x, f"{name}_1_bn"), f"{name}_1_relu")
    x = ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    x = Conv2D(filters, 3, strides=stride, use_bias=False, name=f"{name}_2_conv")(x)
    x = relu(normalize(x, f"{name}_2_bn"), f"{name}_2_relu")
    x = Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    return Add(name=f"{name}_out")([shortcut, x])


def _body(x, depths):
    x = stem(x, lambda y: y)
    for stage, depth in enumerate(depths):
        for index in range(depth):
            stride = 2 if index == depth - 1 and stage < 3 else 1
            x = _block(x, 64 * 2**stage, stride, index == 0, f"conv{stage + 2}_block{index + 1}")
    return relu(normalize(x, "post_bn"), "post_relu")


ResNet50V2 = resnet("ResNet50V2", _body, (3, 4, 6, 3))
ResNet101V2 = resnet("ResNet101V2", _body, (3, 4, 23, 3))
ResNet152V2 = resnet("ResNet152V2", _body, (3, 8, 36, 3))


def preprocess_input(x, data_format=None):
    """Pixels of 0 to 255 as -1 to 1."""
    return imagenet_utils.preprocess_input(x, data_format, "tf")

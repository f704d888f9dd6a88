"""ResNetV2 (He et al., 2016, "Identity Mappings in Deep Residual Networks", arXiv:1603.05027)."""

from lamina.applications.frame import network, variant
from lamina.applications.imagenet_utils import decode_predictions
from lamina.applications.imagenet_utils import tf_input as preprocess_input
from lamina.applications.resnet import normalize, relu, resnet, stem
from lamina.layers.convolutional import Conv2D
from lamina.layers.merging import Add
from lamina.layers.padding_layers import ZeroPadding2D
from lamina.layers.pooling import MaxPooling2D

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]


def _block(x, filters, stride, project, name):
    """Pre-activation, then 1x1, 3x3 (with the stride) and 1x1 convolutions, with a residual connection."""
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


@variant(network)
def ResNet50V2():
    """ResNet with 50 layers whose blocks normalize and activate first, for images of 224 x 224 pixels.

    Images may have 32 x 32 pixels or more without the top. `keras.applications.resnet_v2.preprocess_input` prepares the
    pixels.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 2048), or
    (batch, 2048) with pooling.

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

    Source: He et al., 2016, "Identity Mappings in Deep Residual Networks", arXiv:1603.05027.
    """
    return resnet("resnet50v2", _body, (3, 4, 6, 3))


@variant(network)
def ResNet101V2():
    """ResNet with 101 layers whose blocks normalize and activate first, for images of 224 x 224 pixels.

    Images may have 32 x 32 pixels or more without the top. `keras.applications.resnet_v2.preprocess_input` prepares the
    pixels.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 2048), or
    (batch, 2048) with pooling.

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

    Source: He et al., 2016, "Identity Mappings in Deep Residual Networks", arXiv:1603.05027.
    """
    return resnet("resnet101v2", _body, (3, 4, 23, 3))


@variant(network)
def ResNet152V2():
    """ResNet with 152 layers whose blocks normalize and activate first, for images of 224 x 224 pixels.

    Images may have 32 x 32 pixels or more without the top. `keras.applications.resnet_v2.preprocess_input` prepares the
    pixels.

    Shapes: (batch, rows, columns, 3) -> (batch, classes); without the top (batch, new rows, new columns, 2048), or
    (batch, 2048) with pooling.

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

    Source: He et al., 2016, "Identity Mappings in Deep Residual Networks", arXiv:1603.05027.
    """
    return resnet("resnet152v2", _body, (3, 8, 36, 3))

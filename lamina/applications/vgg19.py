"""VGG19 (Simonyan and Zisserman, 2014, arXiv:1409.1556)."""

from lamina.applications.frame import network, variant
from lamina.applications.imagenet_utils import decode_predictions
from lamina.applications.vgg16 import preprocess_input, vgg

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]


@variant(network)
def VGG19():
    """VGG with 19 layers, for images of 224 x 224 pixels and of 32 x 32 or more without the top.

    `keras.applications.vgg19.preprocess_input` prepares the pixels.

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
    return vgg("vgg19", (2, 2, 4, 4, 4))

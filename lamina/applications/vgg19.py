"""VGG19 (Simonyan and Zisserman, 2014, arXiv:1409.1556)."""

from lamina.applications.imagenet_utils import decode_predictions
from lamina.applications.vgg16 import preprocess_input, vgg

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

VGG19 = vgg("VGG19", (2, 2, 4, 4, 4))

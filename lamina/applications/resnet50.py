"""ResNet50 under the name of its own module."""

from lamina.applications.resnet import ResNet50, decode_predictions, preprocess_input
from lamina.legacy import old_names_of

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]

__getattr__ = old_names_of(__name__)

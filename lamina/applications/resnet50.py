"""ResNet50 under the name of its own module."""

from typing import Any

from lamina.applications.resnet import ResNet50, decode_predictions, preprocess_input
from lamina.legacy import old_names_of

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]

__getattr__: Any = old_names_of(__name__)

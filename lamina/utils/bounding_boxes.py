"""keras.utils.bounding_boxes: boxes in images."""

from lamina.ops import bounding_boxes
from lamina.ops.bounding_boxes import *  # noqa: F403  (the module lists its public names)

__all__ = bounding_boxes.__all__  # pyright: ignore[reportUnsupportedDunderAll]

"""keras.ops.image: images as ([batch], height, width, channels), or channels before the space with "channels_first"."""

# ruff: noqa: F403, F405  (each file lists its public names in __all__)

from lamina.ops.image_color import *
from lamina.ops.image_filters import *
from lamina.ops.image_size import *
from lamina.ops.warp import *

__all__ = [
    "affine_transform", "crop_images", "elastic_transform", "extract_patches", "extract_patches_3d", "gaussian_blur",
    "hsv_to_rgb", "map_coordinates", "pad_images", "perspective_transform", "resize", "rgb_to_grayscale",
    "rgb_to_hsv", "scale_and_translate", "sobel_edges", "ssim",
]  # fmt: skip

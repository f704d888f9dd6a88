"""keras.preprocessing.image: conversion between images and arrays, and ImageDataGenerator of Keras 1 and 2."""

from lamina.preprocessing.image_changes import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
)  # fmt: skip
from lamina.preprocessing.image_files import DataFrameIterator, DirectoryIterator
from lamina.preprocessing.image_generator import ImageDataGenerator
from lamina.preprocessing.image_iterators import Iterator, NumpyArrayIterator
from lamina.utils.images import array_to_img, img_to_array, load_img, save_img, smart_resize

__all__ = [
    "DataFrameIterator", "DirectoryIterator", "ImageDataGenerator", "Iterator", "NumpyArrayIterator",
    "apply_affine_transform", "apply_brightness_shift", "apply_channel_shift", "array_to_img", "img_to_array",
    "load_img", "random_brightness", "random_channel_shift", "random_rotation", "random_shear", "random_shift",
    "random_zoom", "save_img", "smart_resize",
]  # fmt: skip

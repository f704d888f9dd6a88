"""keras.preprocessing.image: conversion between images and arrays."""

from __future__ import annotations

from typing import Any

from lamina.utils.images import array_to_img, img_to_array, load_img, save_img, smart_resize

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]


def __getattr__(name: str) -> Any:
    """An ImportError for removed classes, which `from ... import` shows unchanged."""
    if name in ("ImageDataGenerator", "DirectoryIterator", "NumpyArrayIterator", "DataFrameIterator"):
        raise ImportError(
            f"keras.preprocessing.image.{name} was removed. Read folders with "
            "keras.utils.image_dataset_from_directory, and augment images with layers: RandomFlip, RandomRotation, "
            "RandomTranslation, RandomZoom, Rescaling."
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

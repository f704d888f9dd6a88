"""keras.preprocessing.image: images to arrays and back."""

from lamina.utils.images import array_to_img, img_to_array, load_img, save_img, smart_resize

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]


def __getattr__(name):
    """An ImportError for what is gone, which `from ... import` shows as it is."""
    if name in ("ImageDataGenerator", "DirectoryIterator", "NumpyArrayIterator", "DataFrameIterator"):
        raise ImportError(
            f"keras.preprocessing.image.{name} is gone. Read folders with keras.utils.image_dataset_from_directory, "
            "and write changes as layers: Rescaling, RandomFlip, RandomRotation, RandomTranslation, RandomZoom."
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

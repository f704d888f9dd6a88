"""ImageDataGenerator of Keras 1 and 2: batches of images that are changed at random, in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lamina.core.arguments import real
from lamina.core.dtypes import numpy_dtype
from lamina.core.keywords import keywords
from lamina.core.representation import Represented
from lamina.core.typing import DataFormat, DTypeLike
from lamina.errors import ConfigError, warn
from lamina.legacy import old_names, warn_renamed
from lamina.preprocessing.image_advice import layers_of_today
from lamina.preprocessing.image_files import DataFrameIterator, DirectoryIterator
from lamina.preprocessing.image_iterators import NumpyArrayIterator
from lamina.preprocessing.image_standardize import Changes
from lamina.runtime import settings

__all__ = ["ImageDataGenerator"]


class ImageDataGenerator(Changes, Represented):
    """Images in batches, changed at random: `flow` from arrays, `flow_from_directory` and `flow_from_dataframe`.

    Today: `keras.utils.image_dataset_from_directory`, and layers such as `RandomFlip` in the model. With a seed the
    numbers are those of Keras 2.

    Args:
        featurewise_center: Whether to subtract the mean of the images that `fit` was called with.
        samplewise_center: Whether to subtract the mean of each image.
        featurewise_std_normalization: Whether to divide by the standard deviation of the images given to `fit`.
        samplewise_std_normalization: Whether to divide each image by its standard deviation.
        zca_whitening: Whether to apply ZCA whitening, with the images given to `fit`.
        zca_epsilon: Number that is added to singular values.
        rotation_range: Largest angle of rotation in degrees.
        width_shift_range: Largest shift along the width: a share of it below 1, pixels from 1 on; a list of shifts to
            choose from; or an integer, for whole numbers below it.
        height_shift_range: Largest shift along the height, in the same way.
        brightness_range: (smallest, largest) factor of the brightness, or None.
        shear_range: Largest angle of shear in degrees.
        zoom_range: Largest change of the size, for 1 - zoom_range to 1 + zoom_range; or (smallest, largest) factor.
        channel_shift_range: Largest number that is added to all pixels or subtracted.
        fill_mode: What is outside of the image: "nearest", "constant", "reflect" or "wrap".
        cval: Value outside of the image with "constant".
        horizontal_flip: Whether half of the images are mirrored left to right.
        vertical_flip: Whether half of the images are turned upside down.
        rescale: Factor of all numbers, such as 1 / 255, or None.
        preprocessing_function: Function from an image of rank 3 to one of the same shape, called after the random
            changes and before `rescale`; or None.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        validation_split: Share of the images, from 0 to 1, that `subset="validation"` gives.
        interpolation_order: Order of the interpolation of rotations, shifts, shear and zoom.
        dtype: Type of the batches; None means `keras.config.floatx()`.

    Raises:
        ConfigError: An argument has a value that is not allowed.
    """

    featurewise_center: bool
    samplewise_center: bool
    featurewise_std_normalization: bool
    zca_whitening: bool
    zca_epsilon: float
    rotation_range: Any
    shear_range: Any
    channel_shift_range: Any
    width_shift_range: Any
    height_shift_range: Any
    fill_mode: str
    cval: float
    interpolation_order: int
    horizontal_flip: bool
    vertical_flip: bool
    rescale: Any
    preprocessing_function: Any
    data_format: str

    @old_names("ImageDataGenerator")
    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Sequence[float] | None = None,
        shear_range: float = 0.0,
        zoom_range: float | Sequence[float] = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[Any], Any] | None = None,
        data_format: DataFormat = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: DTypeLike | None = None,
    ):
        self.featurewise_center, self.samplewise_center = featurewise_center, samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening, self.zca_epsilon = zca_whitening, zca_epsilon
        self.rotation_range, self.shear_range, self.channel_shift_range = (
            rotation_range,
            shear_range,
            channel_shift_range,
        )
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.brightness_range = brightness_range
        self.fill_mode, self.cval, self.interpolation_order = fill_mode, cval, interpolation_order
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.validation_split = validation_split
        self.data_format = settings.standardize_data_format(data_format)
        self.dtype: Any = numpy_dtype(dtype or settings.floatx())
        first = self.data_format == "channels_first"
        self.channel_axis, self.row_axis, self.col_axis = (1, 2, 3) if first else (3, 1, 2)
        if validation_split:
            real(self, "validation_split", validation_split, 0, 1, 0.2, "()")
        if isinstance(zoom_range, (int, float)):
            self.zoom_range: Any = (1 - zoom_range, 1 + zoom_range)
        elif len(zoom_range) != 2:
            raise ConfigError(
                f"zoom_range is a number or two numbers; got {zoom_range!r}.", fix="zoom_range=(0.8, 1.2)"
            )
        else:
            self.zoom_range = tuple(zoom_range)
        if brightness_range is not None and (isinstance(brightness_range, (int, float)) or len(brightness_range) != 2):
            raise ConfigError(
                f"brightness_range is two factors; got {brightness_range!r}.", fix="brightness_range=(0.8, 1.2)"
            )
        self._set_implied()
        self.mean: Any = None
        self.std: Any = None
        self.zca_whitening_matrix: Any = None
        warn_renamed(layers_of_today(self))

    def _set_implied(self):
        """Centering that a normalization implies."""
        if self.zca_whitening and self.featurewise_std_normalization:
            self.featurewise_std_normalization = False
            warn("zca_whitening turns featurewise_std_normalization off.")
        self.featurewise_center |= bool(self.zca_whitening or self.featurewise_std_normalization)
        self.samplewise_center |= bool(self.samplewise_std_normalization)

    # Batches

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Batches of arrays, without end.

        Args:
            x: Images of rank 4; or a tuple of them and of a list of other arrays, which come along unchanged.
            y: Targets, or None.
            batch_size: Number of images in a batch.
            shuffle: Whether to shuffle the images in each pass.
            sample_weight: Weights of the images, or None.
            seed: Seed of the order and of the changes.
            save_to_dir: Folder that the changed images are written to, or None.
            save_prefix: Beginning of the names of those files.
            save_format: "png" or "jpeg".
            ignore_class_split: Whether the classes in the two subsets may differ.
            subset: "training" or "validation", with `validation_split`.
        """
        return NumpyArrayIterator(
            x, y, self, batch_size, shuffle, sample_weight, seed, self.data_format, save_to_dir, save_prefix,
            save_format, subset, ignore_class_split, self.dtype,
        )  # fmt: skip

    def flow_from_directory(
        self,
        directory: Any,
        target_size: Sequence[int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:
        """Batches of the image files below a folder, which has a folder for each class.

        Args:
            directory: Folder with a folder for each class.
            target_size: (height, width) that all images are resized to.
            color_mode: "rgb", "rgba" or "grayscale".
            classes: Folders to use, in the order of the class numbers; None means all, by name.
            class_mode: Labels: "categorical" (one-hot), "binary" or "sparse" (numbers), "input" (the images
                themselves), or None for no labels.
            batch_size: Number of images in a batch.
            shuffle: Whether to shuffle the images in each pass.
            seed: Seed of the order and of the changes.
            save_to_dir: Folder that the changed images are written to, or None.
            save_prefix: Beginning of the names of those files.
            save_format: "png" or "jpeg".
            follow_links: Whether to follow links to folders.
            subset: "training" or "validation", with `validation_split`.
            interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
            keep_aspect_ratio: Whether to crop images to the aspect ratio of `target_size` before they are resized.
        """
        return DirectoryIterator(
            directory, self, target_size, color_mode, classes, class_mode, batch_size, shuffle, seed, self.data_format,
            save_to_dir, save_prefix, save_format, follow_links, subset, interpolation, keep_aspect_ratio, self.dtype,
        )  # fmt: skip

    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Sequence[int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        **kwargs: Any,
    ) -> DataFrameIterator:
        """Batches of the image files that a table names.

        Args:
            dataframe: Table of pandas, polars or pyarrow, or a dict of columns.
            directory: Folder that the names are relative to; None for absolute paths.
            x_col: Column with the names of the files.
            y_col: Column with the labels; a list of columns for "multi_output" and "raw".
            weight_col: Column with the weights of the images, or None.
            target_size: (height, width) that all images are resized to.
            color_mode: "rgb", "rgba" or "grayscale".
            classes: Classes to use, in the order of their numbers; None means all, by name.
            class_mode: Labels: "categorical" (one-hot; a list of classes in a row gives several ones), "binary" or
                "sparse" (numbers), "raw" (the values), "multi_output" (a list, one for each column), "input" (the
                images themselves), or None for no labels.
            batch_size: Number of images in a batch.
            shuffle: Whether to shuffle the images in each pass.
            seed: Seed of the order and of the changes.
            save_to_dir: Folder that the changed images are written to, or None.
            save_prefix: Beginning of the names of those files.
            save_format: "png" or "jpeg".
            subset: "training" or "validation", with `validation_split`.
            interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
            validate_filenames: Whether to leave out, with a warning, files that are not there.
            **kwargs: `has_ext`, `sort` and `drop_duplicates` of earlier versions have no effect.
        """
        keywords("flow_from_dataframe", kwargs, has_ext=None, sort=None, drop_duplicates=None)
        class_mode = "raw" if class_mode == "other" else class_mode
        return DataFrameIterator(
            dataframe, directory, self, x_col, y_col, weight_col, target_size, color_mode, classes, class_mode,
            batch_size, shuffle, seed, self.data_format, save_to_dir, save_prefix, save_format, subset, interpolation,
            False, self.dtype, validate_filenames,
        )  # fmt: skip

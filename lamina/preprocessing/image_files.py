"""Iterators of ImageDataGenerator over image files: of a folder, and of a table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.core.arguments import choice, nearest
from lamina.core.dtypes import numpy_dtype
from lamina.errors import ConfigError, DataError, warn
from lamina.preprocessing.image_iterators import Iterator, split_of
from lamina.runtime import settings
from lamina.runtime.progress import say
from lamina.spelling.paths import nearest_path
from lamina.utils.images import img_to_array, load_img

__all__ = ["DataFrameIterator", "DirectoryIterator"]

_CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
_WITHOUT_CLASSES = ("input", "multi_output", "raw", None)


class FileIterator(Iterator):
    """Base of iterators over image files."""

    data_format: Any
    dtype: Any

    allowed_class_modes: Any = ("categorical", "binary", "sparse", "input", None)
    image_data_generator: Any
    save_to_dir: Any
    save_prefix: str
    save_format: str
    color_mode: str
    interpolation: str
    keep_aspect_ratio: bool
    class_mode: Any
    labels: Any
    sample_weight: Any
    subset: Any

    def _set(self, target_size, data_format, dtype, **given):
        self.target_size: tuple[int, ...] = tuple(target_size)
        self.data_format = settings.standardize_data_format(data_format)
        self.dtype = numpy_dtype(dtype or settings.floatx())
        for name, value in given.items():
            setattr(self, name, value)
        choice(self, "color_mode", self.color_mode, _CHANNELS)
        choice(self, "class_mode", self.class_mode, self.allowed_class_modes)
        channels = (_CHANNELS[self.color_mode],)
        first = self.data_format == "channels_first"
        self.image_shape: tuple[int, ...] = (*channels, *self.target_size) if first else (*self.target_size, *channels)
        self.split: Any = split_of(self.image_data_generator, self.subset)[:2] if self.subset is not None else None

    def _begin(self, paths, batch_size, shuffle, seed):
        self.filepaths: list[str] = paths
        self.samples: int = len(paths)
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _load(self, index):
        path = self.filepaths[index]
        try:
            image = load_img(path, self.color_mode, self.target_size, self.interpolation, self.keep_aspect_ratio)
        except (OSError, ValueError, SyntaxError) as error:
            raise DataError(f"{path} cannot be read as image: {error}.", fix="Remove or repair the file.") from None
        return img_to_array(image, self.data_format)

    def _get_batches_of_transformed_samples(self, index_array):
        images = self._changed(index_array, self.image_shape, self._load, self.image_data_generator)
        images = images.astype(self.dtype, copy=False)
        if self.save_to_dir:
            self._write(images, index_array, 10_000_000)
        if self.class_mode is None:
            return images
        batch = (images, self._labels_of(index_array, images))
        return batch if self.sample_weight is None else (*batch, self.sample_weight[index_array])

    def _labels_of(self, indices, images):
        if self.class_mode == "input":
            return images.copy()
        if self.class_mode == "multi_output":
            return [output[indices] for output in self.labels]
        if self.class_mode == "raw":
            return self.labels[indices]
        if self.class_mode == "categorical":
            labels = np.zeros((len(indices), len(self.class_indices)), self.dtype)
            for row, index in zip(labels, indices, strict=True):
                row[self.labels[index]] = 1
            return labels
        return np.array([self.labels[index] for index in indices], self.dtype)

    class_indices: dict[str, int]


class DirectoryIterator(FileIterator):
    """Batches of the image files below a folder, from `ImageDataGenerator.flow_from_directory`, with its arguments.

    Args:
        directory: Folder with a folder for each class.
        image_data_generator: ImageDataGenerator with the changes.
        target_size: (height, width) that all images are resized to.
        color_mode: "rgb", "rgba" or "grayscale".
        classes: Folders to use; None means all, by name.
        class_mode: "categorical", "binary", "sparse", "input" or None.
        batch_size: Number of images in a batch.
        shuffle: Whether to shuffle the images in each pass.
        seed: Seed, or None.
        data_format: "channels_last" or "channels_first".
        save_to_dir: Folder that the changed images are written to, or None.
        save_prefix: Beginning of the names of those files.
        save_format: "png" or "jpeg".
        follow_links: Whether to follow links to folders.
        subset: "training" or "validation", or None.
        interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
        keep_aspect_ratio: Whether to crop images to the aspect ratio of `target_size` first.
        dtype: Type of the batches.

    Raises:
        DataError: There is no such folder.
        ConfigError: An argument has a value that is not allowed.
    """

    num_classes: int
    labels: Any
    sample_weight: Any

    def __init__(
        self,
        directory: Any,
        image_data_generator: Any,
        target_size: Sequence[int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = None,
    ):
        self._set(
            target_size, data_format, dtype, image_data_generator=image_data_generator, color_mode=color_mode,
            class_mode=class_mode, save_to_dir=save_to_dir, save_prefix=save_prefix, save_format=save_format,
            subset=subset, interpolation=interpolation, keep_aspect_ratio=keep_aspect_ratio,
        )  # fmt: skip
        if not os.path.isdir(directory):
            fix = nearest_path(directory, folders=True)
            raise DataError(f"There is no folder {directory} (in {os.getcwd()}).", fix=fix)
        self.directory = directory
        names = list(classes or sorted(entry.name for entry in os.scandir(directory) if entry.is_dir()))
        self.num_classes = len(names)
        self.class_indices: dict[str, int] = {name: number for number, name in enumerate(names)}
        found = [self._files_of(name, follow_links) for name in names]
        self.filenames: list[str] = [name for files in found for name in files]
        self.classes: Any = np.repeat(np.arange(len(names), dtype="int32"), list(map(len, found)))
        self.labels, self.sample_weight = self.classes, None
        say(f"Found {len(self.filenames)} images belonging to {self.num_classes} classes.")
        self._begin([os.path.join(directory, name) for name in self.filenames], batch_size, shuffle, seed)

    def _files_of(self, name, follow_links):
        """Paths below the folder of a class, relative to the directory, of the asked for part."""
        folder = os.path.join(self.directory, name)
        walked = sorted(os.walk(folder, followlinks=follow_links), key=lambda step: step[0])
        paths = [os.path.join(root, file) for root, _, files in walked for file in sorted(files)]
        paths = [path for path in paths if path.lower().endswith(self.white_list_formats)]
        if self.split:
            paths = paths[int(self.split[0] * len(paths)) : int(self.split[1] * len(paths))]
        return [os.path.join(name, os.path.relpath(path, folder)) for path in paths]


class DataFrameIterator(FileIterator):
    """Batches of the image files that a table names, from `ImageDataGenerator.flow_from_dataframe`, with its arguments.

    Args:
        dataframe: Table of pandas, polars or pyarrow, or a dict of columns.
        directory: Folder that the names are relative to, or None.
        image_data_generator: ImageDataGenerator with the changes.
        x_col: Column with the names of the files.
        y_col: Column with the labels, or a list of columns.
        weight_col: Column with the weights, or None.
        target_size: (height, width) that all images are resized to.
        color_mode: "rgb", "rgba" or "grayscale".
        classes: Classes to use; None means all, by name.
        class_mode: "categorical", "binary", "sparse", "raw", "multi_output", "input" or None.
        batch_size: Number of images in a batch.
        shuffle: Whether to shuffle the images in each pass.
        seed: Seed, or None.
        data_format: "channels_last" or "channels_first".
        save_to_dir: Folder that the changed images are written to, or None.
        save_prefix: Beginning of the names of those files.
        save_format: "png" or "jpeg".
        subset: "training" or "validation", or None.
        interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
        keep_aspect_ratio: Whether to crop images to the aspect ratio of `target_size` first.
        dtype: Type of the batches.
        validate_filenames: Whether to leave out, with a warning, files that are not there.

    Raises:
        DataError: A column is not there, or holds values of another kind.
        ConfigError: An argument has a value that is not allowed.
    """

    labels: Any

    allowed_class_modes: Any = ("categorical", "binary", "sparse", "raw", "multi_output", "input", None)

    def __init__(
        self,
        dataframe: Any,
        directory: Any = None,
        image_data_generator: Any = None,
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
        data_format: str | None = "channels_last",
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = "float32",
        validate_filenames: bool = True,
    ):
        self._set(
            target_size, data_format, dtype, image_data_generator=image_data_generator, color_mode=color_mode,
            class_mode=class_mode, save_to_dir=save_to_dir, save_prefix=save_prefix, save_format=save_format,
            subset=subset, interpolation=interpolation, keep_aspect_ratio=keep_aspect_ratio,
        )  # fmt: skip
        self.directory = directory or ""
        names = _column(dataframe, x_col, "x_col=")
        if not all(isinstance(name, str) for name in names):
            raise DataError(
                f"Column {x_col!r} must hold names of files as text.", fix=f"df[{x_col!r}] = df[{x_col!r}].astype(str)"
            )
        paths = [os.path.join(self.directory, name) for name in names]
        rows = range(len(paths))
        if validate_filenames:
            rows = [i for i in rows if paths[i].lower().endswith(self.white_list_formats) and os.path.isfile(paths[i])]
            if len(rows) < len(paths):
                absent = sorted(set(range(len(paths))) - set(rows))
                count = f"{len(absent)} of {len(paths)} images are"
                warn(f"{count} not there and are left out; the first is {paths[absent[0]]}.")
        values: Any = None
        if class_mode not in _WITHOUT_CLASSES:
            values = _column(dataframe, y_col, "y_col=")
            rows = self._set_classes(values, rows, classes, y_col)
        if self.split:
            rows = rows[int(self.split[0] * len(rows)) : int(self.split[1] * len(rows))]
        self.filenames: list[str] = [names[i] for i in rows]
        self._set_labels(dataframe, y_col, values, rows)
        weights = None if weight_col is None else np.asarray(_column(dataframe, weight_col, "weight_col="))[list(rows)]
        if weights is not None and weights.dtype.kind not in "biuf":
            raise DataError(
                f"Column {weight_col!r} of weights must hold numbers.",
                fix=f"df[{weight_col!r}] = df[{weight_col!r}].astype(float)",
            )
        self.sample_weight = weights
        kind = "validated" if validate_filenames else "non-validated"
        of = "" if class_mode in _WITHOUT_CLASSES else f" belonging to {len(self.class_indices)} classes"
        say(f"Found {len(rows)} {kind} image filenames{of}.")
        self._begin([paths[i] for i in rows], batch_size, shuffle, seed)

    def _set_classes(self, values, rows, classes, y_col):
        """Set `class_indices`; the rows that have one of the classes."""
        present = [i for i in rows if values[i] is not None and values[i] == values[i]]
        kinds = (str, list, tuple, np.ndarray) if self.class_mode == "categorical" else (str,)
        wrong = next((i for i in present if not isinstance(values[i], kinds)), None)
        if wrong is not None:
            raise DataError(
                f"class_mode={self.class_mode!r} takes classes as text; row {wrong} of column {y_col!r} is "
                f"{values[wrong]!r}.",
                fix=f"df[{y_col!r}] = df[{y_col!r}].astype(str)",
            )
        names = (
            list(dict.fromkeys(classes)) if classes else sorted({c for i in present for c in _classes_of(values[i])})
        )
        if self.class_mode == "binary" and len(names) != 2:
            raise ConfigError(
                f"class_mode='binary' is for 2 classes; there are {len(names)}: {names}.", fix="class_mode='sparse'"
            )
        self.class_indices: dict[str, int] = {name: number for number, name in enumerate(names)}
        return [i for i in present if any(c in self.class_indices for c in _classes_of(values[i]))]

    def _set_labels(self, dataframe, y_col, values, rows):
        rows = list(rows)
        if self.class_mode == "multi_output":
            if not isinstance(y_col, (list, tuple)):
                raise ConfigError("class_mode='multi_output' takes a list of columns.", fix=f"y_col=[{y_col!r}]")
            self.labels = [np.array(_column(dataframe, name))[rows] for name in y_col]
        elif self.class_mode == "raw":
            many = isinstance(y_col, (list, tuple))
            columns = [np.array(_column(dataframe, name))[rows] for name in (y_col if many else [y_col])]
            self.labels = np.stack(columns, axis=1) if many else columns[0]
        elif values is not None:
            numbers = [[self.class_indices[c] for c in _classes_of(values[i]) if c in self.class_indices] for i in rows]
            self.classes: Any = [
                row[0] if isinstance(values[i], str) else row for i, row in zip(rows, numbers, strict=True)
            ]
            self.labels = self.classes


def _classes_of(value):
    return [value] if isinstance(value, str) else list(value)


def _column(table, name, argument=""):
    """A column of a table of any kind, as a list."""
    try:
        column = table[name]
    except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
        names = list(getattr(table, "column_names", getattr(table, "columns", table)))
        listed = ", ".join(map(repr, names))
        fix = f"{argument}{nearest(name, names)!r}" if names else "Pass a table with a column of file names."
        raise DataError(f"There is no column {name!r}; the table has {listed}.", fix=fix) from error
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(column, method):
            return getattr(column, method)()
    return list(column)

"""Datasets from folders of files, with labels from the names of the folders or from the caller."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.core.typing import DataFormat
from lamina.errors import ConfigError, DataError
from lamina.runtime import settings
from lamina.runtime.progress import say
from lamina.utils import pipeline, resampling
from lamina.utils.audio import read_wav
from lamina.utils.images import img_to_array, load_img

__all__ = ["audio_dataset_from_directory", "image_dataset_from_directory", "text_dataset_from_directory"]

IMAGES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def image_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: Sequence[int] | str | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: tuple[int, int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: DataFormat = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """A grain dataset of (images, labels) from the image files (.bmp, .gif, .jpeg, .jpg, .png) below a folder.

    Shapes: batches of (batch, *image_size, channels), float32 from 0 to 255, and labels as `label_mode` says. The
    dataset has the attributes `class_names` and `file_paths`.

    Args:
        directory: Folder with the files; with inferred labels, it has a folder for each class.
        labels: "inferred" for a class for each folder in `directory`; a list of integers, one for each file in the
            order of the paths; or None for no labels.
        label_mode: "int" for labels of shape (batch,), "binary" for (batch, 1) and two classes, "categorical" for
            one-hot labels of shape (batch, classes), or None for no labels.
        class_names: Folders to use, in the order of the class numbers; None means all, by name.
        color_mode: "grayscale", "rgb" or "rgba".
        batch_size: Number of images in a batch; None gives single images.
        image_size: (height, width) that all images are resized to.
        shuffle: Whether to shuffle the files, anew in each epoch; else they come in the order of their paths.
        seed: Seed of the shuffling; None draws one.
        validation_split: Share of the files, from 0 to 1, that is kept for validation.
        subset: Part to return with `validation_split`: "training", "validation", or "both" for two datasets.
        interpolation: "nearest", "area", "bilinear", "bicubic", "lanczos3", "lanczos5", "gaussian" or "mitchellcubic".
        follow_links: Whether to follow links to folders.
        crop_to_aspect_ratio: Whether to crop images to the aspect ratio of `image_size` before they are resized.
        pad_to_aspect_ratio: Whether to pad images with zeros to the aspect ratio of `image_size` before they are
            resized.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        format: "tf" or "grain"; both give a grain dataset.
        verbose: Whether to print how many files were found.

    Raises:
        ConfigError: An argument has a value that is not allowed.
        DataError: The folder or its files do not fit the arguments.
    """
    if len(image_size) != 2 or min(image_size) < 1:
        raise ConfigError(f"image_size is (height, width); got {image_size!r}.")
    if interpolation not in resampling.INTERPOLATIONS:
        raise ConfigError(f"interpolation is one of {', '.join(resampling.INTERPOLATIONS)}; got {interpolation!r}.")
    if color_mode not in ("grayscale", "rgb", "rgba"):
        raise ConfigError(f"color_mode is 'grayscale', 'rgb' or 'rgba'; got {color_mode!r}.")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ConfigError("Only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be True.")
    first = settings.standardize_data_format(data_format) == "channels_first"

    def read(path):
        image = img_to_array(load_img(path, color_mode), "channels_last", "float32")
        if crop_to_aspect_ratio:
            image = resampling.crop_to_ratio(image, image_size)
        elif pad_to_aspect_ratio:
            image = resampling.pad_to_ratio(image, image_size)
        image = resampling.resample(image, image_size, interpolation)
        return np.moveaxis(image, -1, 0) if first else image

    files = _Files(directory, labels, label_mode, class_names, IMAGES, follow_links, verbose)
    return files.datasets(read, np.stack, batch_size, shuffle, seed, validation_split, subset, format)


def text_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: Sequence[int] | str | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """A grain dataset of (texts, labels) from the .txt files (UTF-8) below a folder.

    Shapes: batches of (batch,) strings in an array of objects, and labels as `label_mode` says.

    Args:
        directory: Folder with the files; with inferred labels, it has a folder for each class.
        labels: "inferred" for a class for each folder in `directory`; a list of integers, one for each file in the
            order of the paths; or None for no labels.
        label_mode: "int" for labels of shape (batch,), "binary" for (batch, 1) and two classes, "categorical" for
            one-hot labels of shape (batch, classes), or None for no labels.
        class_names: Folders to use, in the order of the class numbers; None means all, by name.
        batch_size: Number of texts in a batch; None gives single texts.
        max_length: Number of characters to keep of each text; None keeps all.
        shuffle: Whether to shuffle the files, anew in each epoch; else they come in the order of their paths.
        seed: Seed of the shuffling; None draws one.
        validation_split: Share of the files, from 0 to 1, that is kept for validation.
        subset: Part to return with `validation_split`: "training", "validation", or "both" for two datasets.
        follow_links: Whether to follow links to folders.
        format: "tf" or "grain"; both give a grain dataset.
        verbose: Whether to print how many files were found.

    Raises:
        ConfigError: An argument has a value that is not allowed.
        DataError: The folder or its files do not fit the arguments.
    """

    def read(path):
        with open(path, encoding="utf-8") as file:
            return file.read(max_length)

    files = _Files(directory, labels, label_mode, class_names, (".txt",), follow_links, verbose)
    return files.datasets(read, _strings, batch_size, shuffle, seed, validation_split, subset, format)


def audio_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: Sequence[int] | str | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """A grain dataset of (sounds, labels) from the .wav files below a folder.

    Shapes: batches of (batch, samples, channels), float32 in [-1, 1], and labels as `label_mode` says.

    Args:
        directory: Folder with the files; with inferred labels, it has a folder for each class.
        labels: "inferred" for a class for each folder in `directory`; a list of integers, one for each file in the
            order of the paths; or None for no labels.
        label_mode: "int" for labels of shape (batch,), "binary" for (batch, 1) and two classes, "categorical" for
            one-hot labels of shape (batch, classes), or None for no labels.
        class_names: Folders to use, in the order of the class numbers; None means all, by name.
        batch_size: Number of sounds in a batch; None gives single sounds.
        sampling_rate: Samples a second that all sounds are resampled to; None keeps the rate of each file.
        output_sequence_length: Number of samples that each sound is cut or padded to; None means the longest of its
            batch.
        ragged: Whether a batch is a list of sounds of different lengths.
        shuffle: Whether to shuffle the files, anew in each epoch; else they come in the order of their paths.
        seed: Seed of the shuffling; None draws one.
        validation_split: Share of the files, from 0 to 1, that is kept for validation.
        subset: Part to return with `validation_split`: "training", "validation", or "both" for two datasets.
        follow_links: Whether to follow links to folders.
        verbose: Whether to print how many files were found.

    Raises:
        ConfigError: An argument has a value that is not allowed.
        DataError: The folder or its files do not fit the arguments.
    """
    if ragged and output_sequence_length is not None:
        raise ConfigError("Only one of ragged and output_sequence_length can be set.")

    def read(path):
        sound = read_wav(path, sampling_rate)
        return sound if output_sequence_length is None else _fit(sound, output_sequence_length)

    def join(sounds):
        longest = max(map(len, sounds))
        return sounds if ragged else np.stack([_fit(sound, longest) for sound in sounds])

    files = _Files(directory, labels, label_mode, class_names, (".wav",), follow_links, verbose)
    return files.datasets(read, join, batch_size, shuffle, seed, validation_split, subset, "grain")


def _strings(texts):
    return np.array(texts, dtype=object)


def _fit(sound, length):
    sound = sound[:length]
    return np.pad(sound, ((0, length - len(sound)), (0, 0)))


class _Files:
    """The files of a dataset in order, each with the number of its class; `classes` are the names of the classes."""

    def __init__(self, directory, labels, label_mode, class_names, endings, follow_links, verbose):
        self.verbose, self.label_mode = verbose, label_mode if labels is not None else None
        if label_mode not in ("int", "binary", "categorical", None):
            raise ConfigError(f"label_mode is 'int', 'binary', 'categorical' or None; got {label_mode!r}.")
        if labels not in ("inferred", None) and not isinstance(labels, (list, tuple)):
            raise ConfigError(f"labels is 'inferred', None or a list of integers; got {labels!r}.")
        if class_names and labels != "inferred":
            raise ConfigError("class_names are folders to infer labels from.", fix="labels='inferred'")
        if not os.path.isdir(directory):
            raise DataError(f"There is no folder {directory}.")
        inferred = labels == "inferred" and label_mode is not None
        self.classes: Any = class_names and list(class_names)
        if inferred:
            self.paths, self.numbers = self._by_folder(directory, endings, follow_links)
        else:
            self.paths = _files_below(directory, endings, follow_links)
            self.numbers, self.classes = self._given(labels, directory)
        if not self.paths:
            raise DataError(f"There is no file in {directory} that ends in {', '.join(endings)}.")
        if self.label_mode == "binary" and len(self.classes or ()) != 2:
            raise ConfigError(f"label_mode 'binary' is for 2 classes; there are {self.classes}.")
        if verbose:
            classes = f" of {len(self.classes)} classes" if inferred else ""
            say(f"Found {len(self.paths)} files{classes}.")

    def _by_folder(self, directory, endings, follow_links):
        folders = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir() and entry.name[0] != ".")
        if self.classes is None:
            self.classes = folders
        absent = set(self.classes) - set(folders)
        if absent:
            raise DataError(f"class_names has {sorted(absent)}, but {directory} has only the folders {folders}.")
        below = [_files_below(os.path.join(directory, name), endings, follow_links) for name in self.classes]
        numbers = np.repeat(np.arange(len(below)), [len(paths) for paths in below])
        return [path for paths in below for path in paths], numbers

    def _given(self, labels, directory):
        if labels in ("inferred", None):
            return np.zeros(len(self.paths), "int64"), None
        if len(labels) != len(self.paths):
            raise DataError(f"labels has {len(labels)} entries for the {len(self.paths)} files in {directory}.")
        return np.asarray(labels), [str(label) for label in sorted(set(labels))]

    def datasets(self, read, join, batch_size, shuffle, seed, validation_split, subset, dataset_format):
        """The dataset of the part that `subset` names, or both in a list."""
        count = _validation_count(len(self.paths), validation_split, subset, shuffle, seed)
        seed = np.random.randint(1_000_000) if seed is None else seed
        order = np.arange(len(self.paths))
        if shuffle:
            np.random.RandomState(seed).shuffle(order)
        parts = {"training": order[: len(order) - count], "validation": order[len(order) - count :]}
        datasets = []
        for name in parts if subset == "both" else [subset or "training"]:
            if not len(parts[name]):
                raise DataError(f"No file is left for {name} with validation_split={validation_split}.")
            if subset and self.verbose:
                say(f"{len(parts[name])} of them are for {name}.")
            datasets.append(self._dataset(parts[name], read, join, batch_size, shuffle, seed, dataset_format))
        return datasets if subset == "both" else datasets[0]

    def _dataset(self, order, read, join, batch_size, shuffle, seed, dataset_format):
        paths, labels = [self.paths[i] for i in order], self._labels(order)

        def fetch(index):
            inputs = read(paths[index]) if np.ndim(index) == 0 else join([read(paths[i]) for i in index])
            return inputs if labels is None else (inputs, labels[index])

        attributes = {"class_names": self.classes, "file_paths": paths}
        return pipeline.make_dataset(len(paths), fetch, batch_size, shuffle, seed, dataset_format, **attributes)

    def _labels(self, order):
        numbers = self.numbers[order]
        if self.label_mode == "categorical":
            return np.eye(len(self.classes), dtype="float32")[numbers]
        if self.label_mode == "binary":
            return numbers.astype("float32")[:, None]
        return numbers.astype("int32") if self.label_mode == "int" else None


def _files_below(directory, endings, follow_links):
    """Paths of the files with one of the endings, by folder and name."""
    folders = sorted(os.walk(directory, followlinks=follow_links), key=lambda folder: folder[0])
    paths = (os.path.join(root, name) for root, _, names in folders for name in sorted(names))
    return [path for path in paths if path.lower().endswith(endings)]


def _validation_count(files, validation_split, subset, shuffle, seed):
    if (validation_split is None) != (subset is None):
        raise ConfigError("validation_split and subset belong together.", fix="validation_split=0.2, subset='training'")
    if validation_split is None:
        return 0
    if not 0 < validation_split < 1:
        raise ConfigError(f"validation_split is between 0 and 1; got {validation_split!r}.")
    if subset not in ("training", "validation", "both"):
        raise ConfigError(f"subset is 'training', 'validation' or 'both'; got {subset!r}.")
    if shuffle and seed is None:
        raise ConfigError("A split of shuffled files needs a seed.", fix="Pass the same seed for both parts.")
    return int(validation_split * files)

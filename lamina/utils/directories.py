"""Datasets from folders of files, with labels from the names of the folders or from the caller."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.core.arguments import choice
from lamina.core.typing import DataFormat
from lamina.drawing.canvas import pillow
from lamina.errors import ConfigError
from lamina.runtime import settings
from lamina.training.data.elements import TensorSpec
from lamina.utils import resampling
from lamina.utils.audio import read_wav
from lamina.utils.images import load_img
from lamina.utils.labelled_files import Kind, LabelledFiles

__all__ = ["audio_dataset_from_directory", "image_dataset_from_directory", "text_dataset_from_directory"]

IMAGES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}


def image_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: Sequence[int] | str | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: int | tuple[int, int] = (256, 256),
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
    on_error: str = "raise",
) -> Any:
    """A `keras.utils.Dataset` of (images, labels) from the image files (.bmp, .gif, .jpeg, .jpg, .png) below a folder.

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
        image_size: (height, width) that all images are resized to, or one number for both.
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
        format: "tf" for a `keras.utils.Dataset`, which has the methods of tf.data; "grain" for a `grain.IterDataset`.
        verbose: Whether to print how many files were found.
        on_error: "raise" for an error that names a file that cannot be read, "skip" to leave such files out; how many
            were left out is told once, after the first pass.

    Raises:
        ConfigError: An argument has a value that is not allowed.
        DataError: The folder or its files do not fit the arguments; or, when it is read, a file is broken.
    """
    size = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    if len(size) != 2 or min(size) < 1:
        raise ConfigError(f"image_size is (height, width); got {image_size!r}.", fix="image_size=(180, 180)")
    interpolation = interpolation.lower()
    choice("image_dataset_from_directory", "interpolation", interpolation, resampling.INTERPOLATIONS)
    choice("image_dataset_from_directory", "color_mode", color_mode, _CHANNELS)
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ConfigError(
            "Only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be True.", fix="crop_to_aspect_ratio=True"
        )
    first = settings.standardize_data_format(data_format) == "channels_first"

    def read(path):
        image = np.asarray(load_img(path, color_mode))
        image = image[..., None] if image.ndim == 2 else image
        if crop_to_aspect_ratio:
            image = resampling.crop_to_ratio(image, size)
        elif pad_to_aspect_ratio:
            image = resampling.pad_to_ratio(image, size)
        image = resampling.resample(image, size, interpolation)
        return np.moveaxis(image, -1, 0) if first else image

    pillow()  # without it no file can be read: say so now
    channels = _CHANNELS[color_mode]
    shape = (channels, *size) if first else (*size, channels)
    kind = Kind("image", IMAGES, read, np.stack, TensorSpec(shape, np.dtype("float32")))
    files = LabelledFiles(kind, directory, labels, label_mode, class_names, follow_links, verbose, on_error)
    return files.datasets(batch_size, shuffle, seed, validation_split, subset, format)


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
    on_error: str = "raise",
) -> Any:
    """A `keras.utils.Dataset` of (texts, labels) from the .txt files (UTF-8) below a folder.

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
        format: "tf" for a `keras.utils.Dataset`, which has the methods of tf.data; "grain" for a `grain.IterDataset`.
        verbose: Whether to print how many files were found.
        on_error: "raise" for an error that names a file that cannot be read, "skip" to leave such files out; how many
            were left out is told once, after the first pass.

    Raises:
        ConfigError: An argument has a value that is not allowed.
        DataError: The folder or its files do not fit the arguments; or, when it is read, a file is broken.
    """

    def read(path):
        with open(path, encoding="utf-8") as file:
            return file.read(max_length)

    kind = Kind("text in UTF-8", (".txt",), read, _strings, TensorSpec((), "string"))
    files = LabelledFiles(kind, directory, labels, label_mode, class_names, follow_links, verbose, on_error)
    return files.datasets(batch_size, shuffle, seed, validation_split, subset, format)


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
    on_error: str = "raise",
    format: str = "tf",
) -> Any:
    """A `keras.utils.Dataset` of (sounds, labels) from the .wav files below a folder.

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
        on_error: "raise" for an error that names a file that cannot be read, "skip" to leave such files out; how many
            were left out is told once, after the first pass.
        format: "tf" for a `keras.utils.Dataset`, which has the methods of tf.data; "grain" for a `grain.IterDataset`.

    Raises:
        ConfigError: An argument has a value that is not allowed.
        DataError: The folder or its files do not fit the arguments; or, when it is read, a file is broken.
    """
    if ragged and output_sequence_length is not None:
        raise ConfigError("Only one of ragged and output_sequence_length can be set.", fix="ragged=False")

    def read(path):
        sound = read_wav(path, sampling_rate)
        return sound if output_sequence_length is None else _fit(sound, output_sequence_length)

    def join(sounds):
        longest = max(map(len, sounds))
        return sounds if ragged else np.stack([_fit(sound, longest) for sound in sounds])

    kind = Kind("sound", (".wav",), read, join, TensorSpec((output_sequence_length, None), np.dtype("float32")))
    files = LabelledFiles(kind, directory, labels, label_mode, class_names, follow_links, verbose, on_error)
    return files.datasets(batch_size, shuffle, seed, validation_split, subset, format)


def _strings(texts):
    return np.array(texts, dtype=object)


def _fit(sound, length):
    sound = sound[:length]
    return np.pad(sound, ((0, length - len(sound)), (0, 0)))

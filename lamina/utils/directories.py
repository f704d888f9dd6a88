"""Data sets from folders of files: a folder a class, or labels given. Files are read ahead of the step."""

import os
from typing import Any

import numpy as np

from lamina.errors import ConfigError, DataError
from lamina.runtime import settings
from lamina.runtime.progress import say
from lamina.utils import pipeline, resampling
from lamina.utils.audio import read_wav
from lamina.utils.images import img_to_array, load_img

__all__ = ["audio_dataset_from_directory", "image_dataset_from_directory", "text_dataset_from_directory"]

IMAGES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def image_dataset_from_directory(
    directory, labels="inferred", label_mode="int", class_names=None, color_mode="rgb", batch_size=32,
    image_size=(256, 256), shuffle=True, seed=None, validation_split=None, subset=None, interpolation="bilinear",
    follow_links=False, crop_to_aspect_ratio=False, pad_to_aspect_ratio=False, data_format=None, format="tf",
    verbose=True,
):  # fmt: skip
    """The images below a folder (.bmp, .gif, .jpeg, .jpg, .png), as a grain data set of (images, labels).

    Shapes: batches of (batch, *image_size, channels), float32 from 0 to 255, and labels as `label_mode` says.

    Args:
        labels: "inferred": each folder in `directory` is a class; a list of integers for all files below it, in the
            order of their paths; or None.
        label_mode: "int" (batch,), "binary" (batch, 1) for two classes, "categorical" (batch, classes), or None.
        class_names: the folders to use, in the order of their numbers; None means all, by name.
        color_mode: "grayscale", "rgb" or "rgba".
        batch_size: None gives single images.
        image_size: (height, width) all images are resized to.
        shuffle: mix the files, anew in each pass; else they come in the order of their paths. `seed` fixes how.
        validation_split, subset: the part of the files (from 0 to 1) kept for validation, and which part to give:
            "training", "validation" or "both" (two data sets).
        interpolation: "nearest", "area", "bilinear", "bicubic", "lanczos3", "lanczos5", "gaussian" or "mitchellcubic".
        follow_links: go into linked folders.
        crop_to_aspect_ratio, pad_to_aspect_ratio: cut off, or add zeros around, so that nothing is distorted.
        format: "tf" or "grain"; both give a grain data set, for there is no other engine.

    The data set has `class_names` and `file_paths`.
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
            image = resampling.cut_to_ratio(image, image_size)
        elif pad_to_aspect_ratio:
            image = resampling.fill_to_ratio(image, image_size)
        image = resampling.resample(image, image_size, interpolation)
        return np.moveaxis(image, -1, 0) if first else image

    files = Files(directory, labels, label_mode, class_names, IMAGES, follow_links, verbose)
    return files.datasets(read, np.stack, batch_size, shuffle, seed, validation_split, subset, format)


def text_dataset_from_directory(
    directory, labels="inferred", label_mode="int", class_names=None, batch_size=32, max_length=None, shuffle=True,
    seed=None, validation_split=None, subset=None, follow_links=False, format="tf", verbose=True,
):  # fmt: skip
    """The .txt files below a folder (UTF-8), as a grain data set of (texts, labels).

    Shapes: batches of (batch,) strings, in an array of objects, and labels as `label_mode` says.

    Args:
        max_length: characters to keep of each text; None keeps all.

    The other arguments are those of `image_dataset_from_directory`.
    """

    def read(path):
        with open(path, encoding="utf-8") as file:
            return file.read(max_length)

    files = Files(directory, labels, label_mode, class_names, (".txt",), follow_links, verbose)
    return files.datasets(read, _strings, batch_size, shuffle, seed, validation_split, subset, format)


def audio_dataset_from_directory(
    directory, labels="inferred", label_mode="int", class_names=None, batch_size=32, sampling_rate=None,
    output_sequence_length=None, ragged=False, shuffle=True, seed=None, validation_split=None, subset=None,
    follow_links=False, verbose=True,
):  # fmt: skip
    """The .wav files below a folder, as a grain data set of (sounds, labels).

    Shapes: batches of (batch, samples, channels), float32 in [-1, 1], and labels as `label_mode` says.

    Args:
        sampling_rate: samples a second that all sounds are resampled to; None keeps each as it is.
        output_sequence_length: samples to cut or fill (with zeros) each sound to; None means the longest of its batch.
        ragged: give each batch as a list of sounds of their own length.

    The other arguments are those of `image_dataset_from_directory`.
    """
    if ragged and output_sequence_length is not None:
        raise ConfigError("Only one of ragged and output_sequence_length can be set.")

    def read(path):
        sound = read_wav(path, sampling_rate)
        return sound if output_sequence_length is None else _fit(sound, output_sequence_length)

    def join(sounds):
        longest = max(map(len, sounds))
        return sounds if ragged else np.stack([_fit(sound, longest) for sound in sounds])

    files = Files(directory, labels, label_mode, class_names, (".wav",), follow_links, verbose)
    return files.datasets(read, join, batch_size, shuffle, seed, validation_split, subset, "grain")


def _strings(texts):
    return np.array(texts, dtype=object)


def _fit(sound, length):
    sound = sound[:length]
    return np.pad(sound, ((0, length - len(sound)), (0, 0)))


class Files:
    """The files of a data set, in order, each with its class number; `classes` are the names of the classes."""

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
        """The data set of the wanted part, or the pair of both."""
        count = _validation_count(len(self.paths), validation_split, subset, shuffle, seed)
        seed = np.random.randint(1_000_000) if seed is None else seed
        order = np.arange(len(self.paths))
        if shuffle:
            np.random.RandomState(seed).shuffle(order)
        parts = {"training": order[: len(order) - count], "validation": order[len(order) - count :]}
        wanted = [subset or "training"] if subset != "both" else list(parts)
        made = []
        for name in wanted:
            if not len(parts[name]):
                raise DataError(f"No file is left for {name} with validation_split={validation_split}.")
            if subset and self.verbose:
                say(f"{len(parts[name])} of them are for {name}.")
            made.append(self._dataset(parts[name], read, join, batch_size, shuffle, seed, dataset_format))
        return made if subset == "both" else made[0]

    def _dataset(self, order, read, join, batch_size, shuffle, seed, dataset_format):
        paths, labels = [self.paths[i] for i in order], self._labels(order)

        def fetch(index):
            inputs = read(paths[index]) if np.ndim(index) == 0 else join([read(paths[i]) for i in index])
            return inputs if labels is None else (inputs, labels[index])

        attributes = {"class_names": self.classes, "file_paths": paths}
        return pipeline.dataset(len(paths), fetch, batch_size, shuffle, seed, dataset_format, **attributes)

    def _labels(self, order):
        numbers = self.numbers[order]
        if self.label_mode == "categorical":
            return np.eye(len(self.classes), dtype="float32")[numbers]
        if self.label_mode == "binary":
            return numbers.astype("float32")[:, None]
        return numbers.astype("int32") if self.label_mode == "int" else None


def _files_below(directory, endings, follow_links):
    """Paths of the files with one of the endings, folder by folder, each sorted."""
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
        raise ConfigError("A split of mixed files needs a seed.", fix="Pass the same seed for both parts.")
    return int(validation_split * files)

"""Files below a folder with a label for each, as a data set."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lamina.core.arguments import choice
from lamina.errors import ConfigError, DataError
from lamina.runtime.progress import say
from lamina.spelling.paths import nearest_path
from lamina.training.data.elements import TensorSpec
from lamina.utils.parts import parts_of
from lamina.utils.pipeline import Source, make_dataset

__all__ = ["Kind", "LabelledFiles"]


@dataclass
class Kind:
    """A kind of files.

    Attributes:
        name: What a file holds, in a word.
        endings: Endings of the names of files.
        read: Function from a path to what it holds.
        join: Function from a list of them to a batch.
        spec: TensorSpec of one.
    """

    name: str
    endings: tuple[str, ...]
    read: Callable[[Any], Any]
    join: Callable[[Any], Any]
    spec: Any


class LabelledFiles:
    """The files of a data set in order, each with the number of its class.

    Args:
        kind: What the files hold.
        directory: Folder with the files.
        labels: "inferred" for a class for each folder, a list of integers, or None.
        label_mode: "int", "binary", "categorical" or None.
        class_names: Folders to use; None means all.
        follow_links: Whether to follow links to folders.
        verbose: Whether to print how many files were found.
        on_error: "raise" or "skip" for a file that cannot be read.
    """

    kind: Any
    verbose: bool
    on_error: str
    paths: Any
    numbers: Any

    def __init__(
        self,
        kind: Kind,
        directory: Any,
        labels: Any,
        label_mode: str | None,
        class_names: Any,
        follow_links: bool,
        verbose: bool,
        on_error: str,
    ):
        self.kind, self.verbose, self.on_error = kind, verbose, on_error
        self.label_mode: str | None = label_mode if labels is not None else None
        choice("A data set from a folder", "on_error", on_error, ("raise", "skip"))
        choice("A data set from a folder", "label_mode", label_mode, ("int", "binary", "categorical", None))
        is_list = isinstance(labels, (list, tuple, np.ndarray))
        if not is_list and labels not in ("inferred", None):
            raise ConfigError(
                f"labels is 'inferred', None or a list of integers; got {labels!r}.", fix="labels='inferred'"
            )
        if class_names and (is_list or labels is None):
            raise ConfigError("class_names are folders to infer labels from.", fix="labels='inferred'")
        if not os.path.isdir(directory):
            fix = nearest_path(directory, folders=True)
            raise DataError(f"There is no folder {directory} (in {os.getcwd()}).", fix=fix)
        self.classes: Any = list(class_names) if class_names else None
        inferred = not is_list and labels == "inferred" and label_mode is not None
        if inferred:
            self.paths, self.numbers = self._by_folder(directory, follow_links)
        else:
            self.paths = _files_below(directory, kind.endings, follow_links)
            self.numbers, self.classes = self._given(labels if is_list else None, directory)
        if not self.paths:
            raise _nothing_in(directory, kind.endings, inferred)
        if self.label_mode == "binary" and len(self.classes or ()) != 2:
            raise ConfigError(
                f"label_mode 'binary' is for 2 classes; there are {len(self.classes or ())}: {self.classes}.",
                fix="label_mode='int'",
            )
        if verbose:
            classes = f" of {len(self.classes)} classes" if inferred else ""
            say(f"Found {len(self.paths)} files{classes}.")

    def _by_folder(self, directory, follow_links):
        folders = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir() and entry.name[0] != ".")
        if self.classes is None:
            self.classes = folders
        absent = set(self.classes) - set(folders)
        if absent:
            raise DataError(
                f"class_names has {sorted(absent)}, but {directory} has only the folders {folders}.",
                fix=f"class_names={folders}",
            )
        below = [_files_below(os.path.join(directory, name), self.kind.endings, follow_links) for name in self.classes]
        numbers = np.repeat(np.arange(len(below)), [len(paths) for paths in below])
        return [path for paths in below for path in paths], numbers

    def _given(self, labels, directory):
        if labels is None:
            return np.zeros(len(self.paths), "int64"), None
        if len(labels) != len(self.paths):
            raise DataError(
                f"labels has {len(labels)} entries for the {len(self.paths)} files in {directory}.",
                fix="labels='inferred'",
            )
        return np.asarray(labels), [str(label) for label in sorted(set(labels))]

    def datasets(
        self,
        batch_size: int | None,
        shuffle: bool,
        seed: int | None,
        validation_split: float | None,
        subset: str | None,
        dataset_format: str,
    ) -> Any:
        """The data set of the part that `subset` names, or both in a list; of both, only the first is shuffled anew.

        Args:
            batch_size: Number of files in a batch, or None.
            shuffle: Whether to shuffle the files.
            seed: Seed of the shuffling, or None.
            validation_split: Share of the files for validation, or None.
            subset: "training", "validation", "both" or None.
            dataset_format: "tf" or "grain".
        """
        made = []
        for name, order, again, number in parts_of(len(self.paths), validation_split, subset, shuffle, seed, "file"):
            if subset and self.verbose:
                say(f"{len(order)} of them are for {name}.")
            made.append(self._dataset(order, batch_size, again, number, dataset_format))
        return made if subset == "both" else made[0]

    def _dataset(self, order, batch_size, shuffle, seed, dataset_format):
        paths, labels, kind = [self.paths[i] for i in order], self._labels(order), self.kind

        def read(index):
            inputs = self._read(paths[index])
            return inputs if labels is None else (inputs, labels[index])

        def join(samples):
            if labels is None:
                return kind.join(samples)
            inputs, found = zip(*samples, strict=True)
            return kind.join(inputs), np.stack(found)

        spec = kind.spec if labels is None else (kind.spec, TensorSpec(labels.shape[1:], labels.dtype))
        source = Source(len(paths), read, join, spec, skips=self.on_error == "skip")
        attributes = {"class_names": self.classes, "file_paths": paths}
        return make_dataset(source, batch_size, shuffle, seed, dataset_format, **attributes)

    def _read(self, path):
        try:
            return self.kind.read(path)
        except (ImportError, MemoryError):
            raise
        except Exception as error:  # decoders raise errors of many kinds for broken files
            reason = re.sub(r" <_io\.\w+.*>", "", str(error)).rstrip(".") or type(error).__name__
            raise DataError(
                f"{path} cannot be read as {self.kind.name}: {reason}.",
                fix="on_error='skip' leaves such files out; or repair it, or remove it.",
            ) from error

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


def _nothing_in(directory, endings, inferred):
    found = sorted({os.path.splitext(name)[1].lower() for _, _, names in os.walk(directory) for name in names} - {""})
    what = f"There is no file in {directory} that ends in {', '.join(endings)}"
    if set(found) & set(endings) and inferred:
        parent = os.path.relpath(os.path.dirname(os.path.abspath(directory)))
        fix = f"directory={parent!r}, if {directory} is the folder of one class; or labels=None, for no classes."
        return DataError(f"{what} in a folder of a class.", fix=fix)
    if found:
        fix = f"Convert the files to {endings[-1]}, or pass a folder that has a folder of such files for each class."
        return DataError(f"{what}; there are files that end in {', '.join(found[:6])}.", fix=fix)
    return DataError(f"{what}.", fix="Pass the folder that has a folder of files for each class.")

"""Readers of the image files of CIFAR (tar of pickled batches) and Fashion-MNIST (IDX)."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING

import numpy as np

from lamina.datasets.safe_pickle import load_pickle
from lamina.errors import FileError
from lamina.runtime.settings import image_data_format

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["read_cifar", "read_idx"]


_AGAIN = "Delete the file: the next call of load_data downloads it again."


def read_cifar(
    path: Path, parts: Sequence[Sequence[str]], label_key: bytes
) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """(images, labels) of each part of a CIFAR archive.

    Images are uint8 (n, 32, 32, 3), or (n, 3, 32, 32) if `image_data_format()` is channels_first; labels int64 (n, 1).

    Args:
        path: Path of the archive.
        parts: For each part the names of its members of the archive.
        label_key: Key of the labels.
    """
    data = _read_members(path, [name for names in parts for name in names])
    return tuple(_part([_batch(data[name], f"{path}:{name}", label_key) for name in names]) for names in parts)


def _read_members(path, names):
    """name -> bytes of the members `names`, read in one pass in memory."""
    found = {}
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            if member.name in names and member.isfile() and (file := archive.extractfile(member)):
                found[member.name] = file.read()
    if missing := [name for name in names if name not in found]:
        raise FileError(f"{path} should contain {', '.join(names)}; it lacks {', '.join(missing)}.", fix=_AGAIN)
    return found


def _part(batches):
    x, y = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    return (x.transpose(0, 2, 3, 1) if image_data_format() == "channels_last" else x), y


def _batch(data, where, label_key):
    batch = load_pickle(io.BytesIO(data), where, encoding="bytes")  # written by Python 2, so that strings are bytes
    try:
        return batch[b"data"].reshape(-1, 3, 32, 32), np.array(batch[label_key], np.int64).reshape(-1, 1)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise FileError(f"{where} is not a CIFAR batch: {type(error).__name__}: {error}", fix=_AGAIN) from error


def read_idx(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """The values of a gzipped IDX file, uint8 (n, *shape). The header has four bytes, and four for each axis.

    Args:
        path: Path of the file.
        shape: Shape of one value.
    """
    with gzip.open(path) as file:
        values = np.frombuffer(file.read(), np.uint8, offset=4 + 4 * (1 + len(shape)))
    return values.reshape(-1, *shape)

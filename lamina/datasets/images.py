"""Read the image files of CIFAR (tar of pickled batches) and Fashion-MNIST (IDX)."""

import gzip
import io
import tarfile

import numpy as np

from lamina.datasets.safe_pickle import load_pickle
from lamina.errors import FileError
from lamina.runtime.settings import image_data_format

__all__ = ["read_cifar", "read_idx"]


def read_cifar(path, parts, label_key):
    """(images, labels) of each of the `parts` of a CIFAR archive; a part is a list of batches, named by their members.

    Images are uint8 (n, 32, 32, 3), or (n, 3, 32, 32) if `image_data_format()` is channels_first; labels int64 (n, 1).
    """
    data = _read_members(path, [name for names in parts for name in names])
    return tuple(_part([_batch(data[name], f"{path}:{name}", label_key) for name in names]) for names in parts)


def _read_members(path, names):
    """name -> bytes of the members `names`; one pass in memory, nothing is extracted."""
    found = {}
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            if member.name in names and member.isfile() and (file := archive.extractfile(member)):
                found[member.name] = file.read()
    if missing := [name for name in names if name not in found]:
        raise FileError(f"{path} should hold {', '.join(names)}; it lacks {', '.join(missing)}.")
    return found


def _part(batches):
    x, y = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    return (x.transpose(0, 2, 3, 1) if image_data_format() == "channels_last" else x), y


def _batch(data, where, label_key):
    batch = load_pickle(io.BytesIO(data), where, encoding="bytes")  # written by Python 2: its strings are bytes
    try:
        return batch[b"data"].reshape(-1, 3, 32, 32), np.array(batch[label_key], np.int64).reshape(-1, 1)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise FileError(f"{where} is no CIFAR batch: {type(error).__name__}: {error}") from error


def read_idx(path, shape):
    """uint8 (n, *shape) of a gzipped IDX file: four bytes, a size of four bytes for each axis, the values."""
    with gzip.open(path) as file:
        values = np.frombuffer(file.read(), np.uint8, offset=4 + 4 * (1 + len(shape)))
    return values.reshape(-1, *shape)

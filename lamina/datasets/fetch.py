"""Public files (data, weights): from Keras's cache folder if the hash is correct, otherwise by download.

A download is hashed while it is written to a temporary file, which is renamed only if the hash is correct. A file under
its own name is therefore always complete.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from lamina.errors import FileError, NetworkError

__all__ = ["FILES", "Remote", "cache_folder", "fetch", "fetch_remote"]

LARGEST = 2 << 30  # bytes; a limit, so that a server cannot fill the disk
CHUNK = 1 << 20


@dataclass(frozen=True)
class Remote:
    """A public file.

    Args:
        url: Address.
        digest: Hash of the contents: SHA-256, or MD5 if Keras publishes only that, or None if it publishes none.
        folder: Folder of the file in the cache.
        older_names: Names of the file in earlier versions of Keras.
    """

    url: str
    digest: str | None
    folder: str = "datasets"
    older_names: tuple[str, ...] = ()


_KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_TORONTO = "https://www.cs.toronto.edu/~kriz/"
_FASHION = "datasets/fashion-mnist"

# name of the file in the cache of Keras -> file
FILES = {
    "mnist.npz": Remote(
        _KERAS + "mnist.npz",
        "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    ),
    "train-images-idx3-ubyte.gz": Remote(
        _KERAS + "train-images-idx3-ubyte.gz",
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        _FASHION,
    ),
    "train-labels-idx1-ubyte.gz": Remote(
        _KERAS + "train-labels-idx1-ubyte.gz",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        _FASHION,
    ),
    "t10k-images-idx3-ubyte.gz": Remote(
        _KERAS + "t10k-images-idx3-ubyte.gz",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        _FASHION,
    ),
    "t10k-labels-idx1-ubyte.gz": Remote(
        _KERAS + "t10k-labels-idx1-ubyte.gz",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        _FASHION,
    ),
    "cifar-10-batches-py-target_archive": Remote(
        _TORONTO + "cifar-10-python.tar.gz",
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        older_names=("cifar-10-batches-py.tar.gz", "cifar-10-python.tar.gz"),
    ),
    "cifar-100-python-target_archive": Remote(
        _TORONTO + "cifar-100-python.tar.gz",
        "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
        older_names=("cifar-100-python.tar.gz",),
    ),
    "imdb.npz": Remote(
        _KERAS + "imdb.npz",
        "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    ),
    "imdb_word_index.json": Remote(
        _KERAS + "imdb_word_index.json",
        "bfafd718b763782e994055a2d397834f",
    ),
    "reuters.npz": Remote(
        _KERAS + "reuters.npz",
        "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
    ),
    "reuters_word_index.json": Remote(
        _KERAS + "reuters_word_index.json",
        "4d44cc38712099c9e383dc6e5f11a921",
    ),
    "boston_housing.npz": Remote(
        _KERAS + "boston_housing.npz",
        "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
    ),
    "california_housing.npz": Remote(
        _KERAS + "california_housing.npz",
        "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
    ),
}


def cache_folder() -> Path:
    """The cache folder of Keras: `$KERAS_HOME`, or `~/.keras`."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def fetch(name: str, path: str | None = None) -> Path:
    """The path of the file `FILES[name]` in the cache, downloaded if it is not there.

    Args:
        name: Name of a file in `FILES`.
        path: Name of the file in the cache; None means `name`.

    Raises:
        NetworkError: If the download fails.
        FileError: If the downloaded file has another hash. It is deleted.
    """
    return fetch_remote(FILES[name], path or name)


def fetch_remote(remote: Remote, name: str) -> Path:
    """The path of a public file in the cache, downloaded if it is not there.

    Args:
        remote: The public file.
        name: Name of the file in its folder of the cache.

    Raises:
        NetworkError: If the download fails.
        FileError: If the downloaded file has another hash. It is deleted.
    """
    folder = cache_folder() / remote.folder
    place = folder / name
    for known in (place, *(folder / older for older in remote.older_names)):
        if known.is_file() and remote.digest in (None, _digest(known, remote)):
            return known
    try:
        _download(remote, place)
    except (OSError, HTTPException) as error:
        inside = " keras.datasets.digits is inside the package." if remote.folder == "datasets" else ""
        raise NetworkError(
            f"{place.name} is missing: {_found(place)}, and the download from {remote.url} failed: {error}.",
            fix=f"Download {remote.url} on a machine with a network and copy it to {place}, or set KERAS_HOME to a "
            f"folder that contains {remote.folder}/{place.name}.{inside}",
        ) from error
    return place


def _found(place):
    return f"the file at {place} has another hash" if place.is_file() else f"there is no such file at {place}"


def _download(remote, place):
    print(f"Downloading {remote.url} to {place}", file=sys.stderr)
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f"{place.name}.{os.getpid()}.part")
    try:
        with urlopen(remote.url, timeout=60) as response, part.open("wb") as file:
            digest, size = _copy(response, file, _hasher(remote))
        if remote.digest not in (None, digest):
            raise FileError(
                f"{remote.url} should have the hash {remote.digest}; got {digest} ({size} bytes, deleted).",
                fix="Try again. If the error persists, a proxy may have changed the file.",
            )
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)


def _copy(response, file, hasher):
    size = 0
    while chunk := response.read(CHUNK):
        size += len(chunk)
        if size > LARGEST:
            raise FileError(f"A file may have at most {LARGEST} bytes; the server sent more, which were deleted.")
        hasher.update(chunk)
        file.write(chunk)
    return hasher.hexdigest(), size


def _digest(path, remote):
    hasher = _hasher(remote)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()


def _hasher(remote):
    return hashlib.new("md5" if len(remote.digest or "") == 32 else "sha256", usedforsecurity=False)

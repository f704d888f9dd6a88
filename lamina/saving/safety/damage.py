"""Errors for files that do not load: what such a file is, and what to do."""

from __future__ import annotations

import os
import pathlib
from typing import Any

from lamina.core.graph import NO_LINE
from lamina.core.read_limits import host_memory
from lamina.errors import FileError, UnsafeFileError

__all__ = ["check_files_below", "check_fits", "check_name", "contents_of", "damaged", "file_beside", "other_format"]

AGAIN = "The file is incomplete or was changed: copy or download it again, or save the model again."
_TORCH = "Build the model in lamina, save the weights in PyTorch as safetensors, and assign them to the layers."
_KINDS = (  # first bytes, what the file is, what to do
    (b"", "is empty (0 bytes)", AGAIN),
    (b"\x89HDF\r\n\x1a\n", "is an HDF5 file", "Rename it to {stem}.h5, and load that."),
    (b"PK\x03\x04", "is a zip archive", "If it is a Keras model, rename it to {stem}.keras, and load that."),
    (b"<", "is a web page or XML", 'The download was a page: download the file itself ("raw" or "download").'),
    (b"version https://git-lfs", "is a pointer of Git LFS, not the file", "Run `git lfs pull` in its repository."),
    (b"{", "is JSON, without weights", "keras.models.model_from_json(open(path).read()) builds the architecture."),
    (b"\x80", "is a pickle, as PyTorch and scikit-learn write it", _TORCH),
    (b"\x1f\x8b", "is compressed by gzip", "Unpack it first: gzip -d, or Python's gzip module."),
    (b"\x08", "is a graph of TensorFlow or ONNX", "Load the model in Keras 2 and save it as .h5 or .keras."),
)


def damaged(message: str) -> FileError:
    """The error for a file that is not complete.

    Args:
        message: File, place and what is wrong.
    """
    return FileError(message, fix=AGAIN)


def check_name(name: str) -> None:
    """Refuse a name of an array that has several lines: printed, each would look like a line of lamina's own.

    Args:
        name: The name.
    """
    if NO_LINE.search(name):
        raise UnsafeFileError(f"A name in the file is not one line of text: {name!r}.")


def contents_of(path: pathlib.Path) -> bytes:
    """The bytes of a file. What is none, such as a pipe, is refused: reading it might never end.

    Args:
        path: The file.

    Raises:
        FileError: It is a pipe or a device.
        OSError: It is missing, or cannot be read.
    """
    if path.exists() and not path.is_file():
        raise damaged(f"{path} is a folder, a pipe or a device, not a file.")
    check_fits(path)
    return path.read_bytes()


def check_fits(path: pathlib.Path) -> None:
    """Refuse a file that the memory cannot hold: one of a few kilobytes may have a terabyte of zeros.

    Args:
        path: A file that is read whole.
    """
    if (size := path.stat().st_size) > host_memory():
        raise UnsafeFileError(f"{path} has {size >> 30} GiB, more than there is memory.")


def check_files_below(folder: pathlib.Path) -> None:
    """Refuse a folder with something else than files in it: a pipe, a device, or a link that leads out of it.

    Args:
        folder: Folder whose files another library reads.
    """
    inside = folder.resolve()
    for path in folder.rglob("*"):
        if not (path.is_file() or path.is_dir()) or not path.resolve().is_relative_to(inside):
            name = path.relative_to(folder).as_posix()
            raise UnsafeFileError(f"{name!r} is a pipe, a device, or a link that leads out of the folder.").within(
                folder
            )
        if path.is_file() and path.parent.name != "d":  # the data of Orbax, of which parts are read
            check_fits(path)


def file_beside(filepath: Any, name: Any) -> pathlib.Path:
    """The path of a weight file that a list of files names. It is in the folder of the list, where links lead as well.

    Args:
        filepath: The list.
        name: Name of the weight file.

    Raises:
        UnsafeFileError: It would be in another folder.
        FileError: It is missing.
    """
    if not isinstance(name, str) or pathlib.PurePath(name).name != name or "\\" in name or not name.isprintable():
        raise UnsafeFileError(f"The weight file {name!r} would be in another folder.").within(filepath)
    path, folder = pathlib.Path(filepath).with_name(name), pathlib.Path(filepath).resolve().parent
    if not path.is_file():
        raise FileError(
            f"{filepath} lists the weight file {name}, which is missing.",
            fix=f"Copy {name} into {pathlib.Path(filepath).absolute().parent} too.",
        )
    if path.resolve().parent != folder:
        raise UnsafeFileError(f"The weight file {name!r} is a link to another folder.").within(filepath)
    return path


def other_format(file: Any, name: Any, wanted: str, error: object) -> FileError:
    """The error for a file that is not of the format that was expected: it says what the file is, if that can be seen.

    Args:
        file: Path of the file, or its contents in memory.
        name: Name of the file in the message.
        wanted: The expected format.
        error: What was found when it was read.
    """
    known = isinstance(file, (str, os.PathLike)) and not str(error).startswith("The HDF5 is damaged")
    start = _beginning(file) if known else b""
    for magic, what, fix in _KINDS if known else ():
        own = "HDF5" in wanted if magic.startswith(b"\x89HDF") else ".keras archive" in wanted and magic[:2] == b"PK"
        if (start.startswith(magic) if magic else not start) and not own:
            stem = pathlib.Path(name).stem.removesuffix(".weights")
            if magic[:2] == b"PK" and pathlib.Path(name).suffix in (".pt", ".pth", ".bin"):
                what, fix = "is a zip archive of PyTorch", _TORCH
            return FileError(f"{name} cannot be read as {wanted}: it {what}.", fix=fix.format(stem=stem))
    return damaged(f"{name} cannot be read as {wanted}: {str(error).rstrip('.')}.")


def _beginning(path):
    with open(path, "rb") as file:
        return file.read(64).lstrip()

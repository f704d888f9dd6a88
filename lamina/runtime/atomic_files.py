"""Files that are written completely or not at all, and the folders that they are in."""

from __future__ import annotations

import contextlib
import os
import pathlib
import secrets
from collections.abc import Iterator

from lamina.errors import FileError

__all__ = ["atomic_write", "make_folder"]


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[str]:
    """A temporary path beside `path`, with the same ending; at the end of the block that file replaces `path`.

    If the block fails, `path` stays as it was and the temporary file is removed. After a crash or a full disk `path`
    has either its old content or the complete new one.

    Args:
        path: File that is written.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with atomic_write(f"{folder.name}/a.txt") as beside:
    ...     _ = pathlib.Path(beside).write_text("complete")
    >>> os.listdir(folder.name)
    ['a.txt']
    >>> folder.cleanup()
    """
    path = pathlib.Path(path)
    beside = path.with_name(f".{secrets.token_hex(4)}.{path.name}")
    try:
        yield str(beside)
        _to_disk(beside)
        os.replace(beside, path)
        if os.name == "posix":
            _to_disk(path.parent)  # the new name
    finally:
        beside.unlink(missing_ok=True)


def make_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder, and those above it, where they do not exist.

    Args:
        path: Path of the folder.

    Raises:
        FileError: A file has this name, or that of a folder above it.
    """
    folder = pathlib.Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        file = next((one for one in (folder, *folder.parents) if one.exists() and not one.is_dir()), folder)
        what = f"{folder} must be a folder; {'it' if file == folder else file} is a file."
        raise FileError(what, fix="Give the path of a folder.") from error


def _to_disk(path):
    """Wait until a file, or a folder's list of names, is on the disk."""
    number = os.open(path, os.O_RDONLY if os.path.isdir(path) else os.O_RDWR)  # Windows syncs only what it may write
    try:
        os.fsync(number)
    finally:
        os.close(number)

"""Files that are written beside their place and moved there at the end, so that what fails leaves none."""

from __future__ import annotations

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator, Sequence

from lamina.errors import FileError

__all__ = ["beside", "check_file", "check_folder", "files_in"]


@contextlib.contextmanager
def beside(
    target: pathlib.Path, is_folder: bool, last: Sequence[str] = (), replaced: Sequence[str] = ()
) -> Iterator[pathlib.Path]:
    """A place to write to; at the end of the block its files are renamed into `target`.

    Args:
        target: File or folder.
        is_folder: Whether it is a folder; files of it that are not written again stay.
        last: Names of the files that are moved last, because they name the others; may be filled in the block.
        replaced: Patterns of files in the folder that go if they are not written again, because readers would take them
            for a part of what is written now.

    Raises:
        FileError: Nothing can be written there.
    """
    if not target.name or target.name == "..":  # "." has no name to write beside
        target = pathlib.Path(os.path.abspath(target))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}")
    except OSError as error:
        raise FileError(
            f"Nothing can be written to {target.parent}: {error.strerror}.",
            fix=f"Pass a path in a folder that can be written, {target.name!r} for example.",
        ) from error
    with made as folder:
        place = pathlib.Path(folder, target.name)
        if not is_folder:
            yield place
            os.replace(place, target)
            return
        place.mkdir()
        yield place
        target.mkdir(exist_ok=True)
        written = files_in(place)
        for name in sorted(written, key=lambda name: name in last):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(place / name, target / name)
        for old in (old for pattern in replaced for old in target.glob(pattern)):  # after what stands in their place
            if old.name not in written:
                old.unlink()


def files_in(folder: pathlib.Path) -> list[str]:
    """The names of all files in a folder and those below, sorted; none for a file."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def check_file(file: pathlib.Path, call: str) -> None:
    """Refuse a folder where a file is to be.

    Args:
        file: The file.
        call: A call with another name, for the error.
    """
    if file.is_dir():
        raise FileError(f"{file} is a folder; this is written into a file.", fix=call)


def check_folder(folder: pathlib.Path, call: str) -> None:
    """Refuse a file where a folder is to be.

    Args:
        folder: The folder.
        call: A call with another name, for the error.
    """
    if folder.is_file():
        raise FileError(f"{folder} is a file; this is written into a folder.", fix=call)

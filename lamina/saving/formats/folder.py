"""Store the members of a `.keras` archive as files in a folder: `save_model(..., zipped=False)`."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterator
from typing import Any

from lamina.errors import UnsafeFileError
from lamina.runtime.atomic_files import atomic_write
from lamina.saving.safety.damage import damaged
from lamina.saving.safety.zip import open_zip

__all__ = ["Folder", "FolderWriter", "is_saved_folder", "open_members"]


def is_saved_folder(path: Any) -> bool:
    """Whether `path` is a folder in which a model was saved."""
    return all(pathlib.Path(path, name).is_file() for name in ("metadata.json", "config.json"))


def open_members(filepath: str | os.PathLike[str]) -> Any:
    """The members of an archive or a folder, open for reading."""
    return contextlib.nullcontext(Folder(filepath)) if pathlib.Path(filepath).is_dir() else open_zip(filepath)


class Folder:
    """The files in a folder by name, with the same interface as `zip.Members`."""

    def __init__(self, filepath: str | os.PathLike[str]) -> None:
        self.filepath: pathlib.Path = pathlib.Path(filepath)
        paths = [path for path in sorted(self.filepath.rglob("*")) if not path.is_dir()]
        self.infos: dict[str, pathlib.Path] = {path.relative_to(self.filepath).as_posix(): path for path in paths}

    def __contains__(self, name: Any) -> bool:
        return name in self.infos

    def size(self, name: Any) -> int:
        """The size of a file in bytes."""
        return self.path(name).stat().st_size

    packed = size

    def read(self, name: Any, limit: int | None = None) -> Any:
        """The contents of a file. A file larger than `limit` is refused."""
        path = self.path(name)
        if limit is not None and path.stat().st_size > limit:
            message = f"The file {name!r} has {path.stat().st_size >> 20} MiB, more than such a file needs."
            raise UnsafeFileError(message).within(self.filepath)
        return path.read_bytes()

    def path(self, name: Any) -> pathlib.Path:
        """The path of a file, which is no link."""
        if name not in self.infos:
            raise damaged(f"The folder {self.filepath} has no file {name}.")
        path = self.infos[name]
        if path.is_symlink() or not path.is_file():
            raise UnsafeFileError(f"{name!r} is a link or a device, not a file in the folder.").within(self.filepath)
        return path


class FolderWriter:
    """Writes members as files in a folder, with the interface of `ZipFile`. Each file is either complete or absent."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = pathlib.Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)

    def writestr(self, name: Any, data: Any) -> None:
        """Write one member."""
        with self.open(name, "w") as file:
            file.write(data.encode() if isinstance(data, str) else data)

    @contextlib.contextmanager
    def open(self, name: Any, mode: str) -> Iterator[Any]:
        """A member, open for writing.

        Args:
            name: Its name, or its ZipInfo.
            mode: "w".
        """
        path = self._folder / str(getattr(name, "filename", name))
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as beside, open(beside, "wb") as file:
            yield file

"""Unpacking of archives that are not trusted: files only, inside the folder only, and at most so many bytes."""

from __future__ import annotations

import functools
import lzma
import os
import pathlib
import posixpath
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any

from lamina.errors import FileError, UnsafeFileError

__all__ = ["FORMATS", "extract_archive"]

# An archive may hold MIN_BYTES, or MAX_RATIO times its own size if that is more: far above any honest archive.
MIN_BYTES, MAX_RATIO = 1 << 30, 200
MAX_ENTRIES, MAX_LINKS = 1_000_000, 40  # links that lead to links, one after the other, as Linux follows them
CHUNK = 1 << 20
MAX_DEPTH = 100  # folders in each other; what deletes them calls itself for each
_DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError,
    UnicodeDecodeError,  # a name that is not UTF-8
    MemoryError,  # a dictionary of LZMA may have gigabytes
)  # fmt: skip
_HEADERS = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
)  # fmt: skip


class _Entry(tarfile.TarInfo):
    """An entry of a tar file. The kinds that `tarfile` would read into memory whole, of any size, are refused."""

    @classmethod
    def frombuf(cls, buf, encoding, errors):
        entry = super().frombuf(buf, encoding, errors)
        if (entry.type in _HEADERS and entry.size > CHUNK) or entry.type == tarfile.GNUTYPE_SPARSE:
            raise UnsafeFileError(
                f"The archive has a header of {entry.size} bytes or a sparse file; no data set needs one."
            )
        return entry

    def _refuse_sparse(self, *_):
        raise UnsafeFileError(f"{self.name} in the archive is a sparse file, which no data set needs.")

    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse_sparse


def _open_tar(path):
    return tarfile.open(path, tarinfo=_Entry)


def _is_tar(path):
    try:
        _open_tar(path).close()
    except _DAMAGE:
        return False
    return True


class _Link:
    """A link of an archive to another of its members, which is copied."""

    def __init__(self, target):
        self.target = target


def _tar_files(archive):
    """(name, what it is) of each member: a function that opens it, a _Link, or None for a folder. They are not kept:
    tarfile would hold millions of small ones in memory, look for the target of each link among all of them, and unpack
    what lies before it again."""
    while (member := archive.next()) is not None:
        archive.members.clear()
        if member.islnk():
            yield member.name, _Link(member.linkname)
        elif member.issym():
            target = posixpath.join(posixpath.dirname(member.name), member.linkname)
            yield member.name, _Link(posixpath.normpath(target))
        elif member.isdir() or member.isfile():
            yield member.name, None if member.isdir() else functools.partial(archive.extractfile, member)
        else:
            raise _no_file(member.name)


def _no_file(name):
    return UnsafeFileError(f"{name} in the archive is a device, or a link to something that is not in it.")


def _zip_files(archive):
    for member in archive.infolist():
        if member.compress_type not in (
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        ):  # zipfile decompresses other kinds without a limit
            raise UnsafeFileError(f"{member.filename} in the archive is neither stored nor deflated.")
        if not member.filename:
            raise UnsafeFileError("A member of the archive has no name.")
        yield member.filename, None if member.is_dir() else functools.partial(archive.open, member)


FORMATS: dict[str, tuple[Any, Any, Any]] = {  # name -> (test of a path, function that opens it, its files)
    "tar": (_is_tar, _open_tar, _tar_files),
    "zip": (zipfile.is_zipfile, zipfile.ZipFile, _zip_files),
}


def extract_archive(
    path: str | os.PathLike[str], folder: str | os.PathLike[str], formats: Sequence[str] = ("tar", "zip")
) -> bool:
    """Write the files of an archive below a folder. The folder is replaced, and is either complete or absent.

    Nothing is written outside the folder, and no link or device is created.

    Args:
        path: Path of the archive.
        folder: Folder for the files; one that exists is replaced.
        formats: Formats to try, out of "tar" and "zip".

    Returns:
        False if the file is no archive of these formats.

    Raises:
        FileError: A name leads out of the folder (an absolute path or `..`), a link leads out of the archive, the
            archive is damaged, or it holds far more bytes than an honest archive of its size.
    """
    path, folder = pathlib.Path(path), pathlib.Path(folder)
    kind = next((name for name in formats if FORMATS[name][0](path)), None)
    if kind is None:
        return False
    _, open_archive, files_of = FORMATS[kind]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as beside:
        complete = pathlib.Path(beside, "complete")
        complete.mkdir()
        try:
            with open_archive(path) as archive:
                _write_all(files_of(archive), complete, max(MIN_BYTES, MAX_RATIO * path.stat().st_size))
        except _DAMAGE as error:
            raise FileError(f"{path} cannot be unpacked: {error}.", fix="Delete it and download it again.") from error
        if folder.is_dir():
            shutil.rmtree(folder)
        complete.replace(folder)
    return True


def _write_all(files, folder, left):
    links: dict[pathlib.Path, pathlib.Path] = {}  # those whose target is not there yet
    for count, (name, found) in enumerate(files):
        if count >= MAX_ENTRIES:
            raise UnsafeFileError(f"The archive has more than {MAX_ENTRIES} entries.")
        target = folder / _inside(name)
        if isinstance(found, _Link):
            source = folder / _inside(found.target)
            if not source.is_file():
                links[target] = source
                continue
            found = functools.partial(source.open, "rb")
        if found is not None:
            left = _write(found(), target, left)
    for target, source in links.items():
        for _ in range(MAX_LINKS):
            source = links.get(source, source)
        if not source.is_file():
            raise _no_file(target.relative_to(folder))
        left = _write(source.open("rb"), target, left)


def _write(file, target, left):
    """Write a file, and return how many bytes may still be written."""
    with file:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out:
            while chunk := file.read(CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise UnsafeFileError("The archive has far more bytes than its size allows; it may be a bomb.")
                out.write(chunk)
    return left


def _inside(name):
    """The relative path that an entry is written to."""
    parts = pathlib.PurePosixPath(name.replace("\\", "/")).parts
    begins = not parts or parts[0][0] == "/" or ":" in parts[0]  # "//" begins a path, too
    if (
        begins or ".." in parts or "\0" in name or any(part[1:2] == ":" for part in parts)
    ):  # a drive of Windows, anywhere
        raise UnsafeFileError(f"The archive has an entry that leads out of its folder: {name!r}. No file was kept.")
    if len(parts) > MAX_DEPTH:
        raise UnsafeFileError(f"The archive has {len(parts)} folders in each other; at most {MAX_DEPTH} are made.")
    return pathlib.Path(*parts)

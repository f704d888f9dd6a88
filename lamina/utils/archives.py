"""Archives taken apart without trust: only files, only below the folder, only so many bytes."""

import pathlib
import shutil
import tarfile
import tempfile
import zipfile

from lamina.errors import FileError, UnsafeFileError

__all__ = ["FORMATS", "extract_archive"]

LEAST, RATIO = 1 << 30, 200  # bytes always allowed, and times the archive's own size: far above any honest archive
ENTRIES = 1_000_000
CHUNK = 1 << 20
_HEADERS = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
)  # fmt: skip


class _Entry(tarfile.TarInfo):
    """An entry of a tar, without the kinds that `tarfile` reads into memory whole, however large."""

    @classmethod
    def frombuf(cls, buf, encoding, errors):
        entry = super().frombuf(buf, encoding, errors)
        if (entry.type in _HEADERS and entry.size > CHUNK) or entry.type == tarfile.GNUTYPE_SPARSE:
            raise UnsafeFileError(f"A header of {entry.size} bytes, or a sparse file, is in no honest archive.")
        return entry

    def _proc_gnusparse_10(self, *_):
        raise UnsafeFileError(f"{self.name} in the archive is a sparse file, which no data set needs.")


def _open_tar(path):
    return tarfile.open(path, tarinfo=_Entry)


def _is_tar(path):
    try:
        _open_tar(path).close()
    except tarfile.TarError:
        return False
    return True


def _tar_files(archive):
    """(name, open file) of each file; a link inside the archive is a copy of what it means."""
    for member in archive:
        if member.isdir():
            continue
        try:
            file = archive.extractfile(member)
        except (KeyError, RecursionError):  # the link means something that is not in the archive, or itself
            file = None
        if file is None:
            raise UnsafeFileError(f"{member.name} in the archive is a device or a link that leads out of it.")
        yield member.name, file


def _zip_files(archive):
    for member in archive.infolist():
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others inflate without a bound
            raise UnsafeFileError(f"{member.filename} in the archive is neither stored nor deflated.")
        if not member.is_dir():
            yield member.filename, archive.open(member)


FORMATS = {  # name -> (whether a path is one, how to open it, its files)
    "tar": (_is_tar, _open_tar, _tar_files),
    "zip": (zipfile.is_zipfile, zipfile.ZipFile, _zip_files),
}


def extract_archive(path, folder, formats=("tar", "zip")):
    """Write the files of the archive at `path` below `folder`, which is made anew; False if `path` is no such archive.

    Nothing is written outside `folder`, no link or device is made, and a folder stands there whole or not at all.

    Raises FileError for names that lead out (absolute, `..`), links that do, more bytes than any honest archive of that
    size, and damaged archives.
    """
    path, folder = pathlib.Path(path), pathlib.Path(folder)
    kind = next((name for name in formats if FORMATS[name][0](path)), None)
    if kind is None:
        return False
    _, open_archive, files_of = FORMATS[kind]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as beside:
        whole = pathlib.Path(beside, "whole")
        whole.mkdir()
        try:
            with open_archive(path) as archive:
                _write_all(files_of(archive), whole, max(LEAST, RATIO * path.stat().st_size))
        except (tarfile.TarError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            raise FileError(f"{path} cannot be taken apart: {error}.", fix="Delete it and get it again.") from error
        if folder.is_dir():
            shutil.rmtree(folder)
        whole.replace(folder)
    return True


def _write_all(files, folder, left):
    for count, (name, file) in enumerate(files):
        if count >= ENTRIES:
            raise UnsafeFileError(f"The archive has more than {ENTRIES} entries.")
        target = folder / _inside(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        with file, target.open("wb") as out:
            while chunk := file.read(CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise UnsafeFileError("The archive holds far more bytes than its size allows; it may be a bomb.")
                out.write(chunk)


def _inside(name):
    """The relative path an entry may be written to."""
    parts = pathlib.PurePosixPath(name.replace("\\", "/")).parts
    if not parts or parts[0] == "/" or ".." in parts or ":" in parts[0] or "\0" in name:
        raise UnsafeFileError(f"The archive has an entry that leads out of its folder: {name!r}. Nothing was kept.")
    return pathlib.Path(*parts)

"""Public files: downloaded once, checked by their hash, and unpacked if they are archives."""

from __future__ import annotations

import os
import pathlib
import urllib.parse
from collections.abc import Sequence

from lamina.core.arguments import choice
from lamina.datasets.fetch import Remote, cache_folder, fetch_remote
from lamina.errors import ConfigError
from lamina.utils.archives import FORMATS, extract_archive

__all__ = ["get_file"]


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Sequence[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """Download a file into the cache, unless it is there, and return its path.

    Args:
        fname: Name of the file in the cache; None means the last part of `origin`.
        origin: Address (URL) of the file.
        untar: Older name of `extract`.
        md5_hash: Older name of `file_hash`.
        file_hash: Expected SHA-256 or MD5 of the file, in hexadecimal digits. A file with another hash is not kept.
        cache_subdir: Folder below `cache_dir` for the file.
        hash_algorithm: "sha256", "md5", or "auto", which decides by the length of the hash.
        extract: Whether to unpack a tar or zip archive and return the path of the folder: `fname` if that name has no
            ending, else `<name>_extracted`. Entries cannot leave that folder.
        archive_format: "tar", "zip", a list of them, "auto" for both, or None for neither.
        cache_dir: Folder of the cache; None means `$KERAS_HOME`, or `~/.keras`.
        force_download: Whether to download a file that is in the cache.

    Raises:
        NetworkError: The download failed.
        FileError: The file has another hash, or the archive is damaged or hostile.
    """
    if not origin:
        raise ConfigError("get_file needs `origin`, the address of the file.", fix="get_file(origin='https://...')")
    name = os.fspath(fname) if fname is not None else os.path.basename(urllib.parse.urlsplit(origin).path)
    if not name or name in (".", "..") or os.path.basename(name) != name or "\\" in name:
        raise ConfigError(
            f"fname must be the name of a file, not a path; got {name!r}.", fix="Use cache_subdir for folders."
        )
    unpack = extract or untar
    is_folder_name = unpack and (fname is None or "." not in name)
    saved_as = f"{name}_archive" if is_folder_name else name
    parent = pathlib.Path(cache_dir) if cache_dir is not None else cache_folder()
    remote = Remote(origin, _digest(file_hash or md5_hash, hash_algorithm), str(parent.absolute() / cache_subdir))
    folder = pathlib.Path(remote.folder)
    if force_download:
        (folder / saved_as).unlink(missing_ok=True)
    path = fetch_remote(remote, saved_as)
    if not unpack:
        return str(path)
    target = folder / (name if is_folder_name else f"{name.partition('.')[0]}_extracted")
    is_fresh = target.is_dir() and target.stat().st_mtime >= path.stat().st_mtime
    if not is_fresh and not extract_archive(path, target, _formats(archive_format)):
        raise ConfigError(f"{origin} is not an archive of the format {archive_format!r}.", fix="extract=False")
    return str(target)


def _digest(digest, algorithm):
    lengths = {"auto": (32, 64), "sha256": (64,), "md5": (32,)}
    choice("get_file", "hash_algorithm", algorithm, lengths)
    if digest is not None and len(digest) not in lengths[algorithm]:
        raise ConfigError(
            f"A hash must have 64 hexadecimal digits (SHA-256) or 32 (MD5); got {digest!r} ({algorithm}).",
            fix="file_hash=None",
        )
    return digest and digest.lower()


def _formats(archive_format):
    names = tuple(FORMATS) if archive_format == "auto" else archive_format or ()
    names = (names,) if isinstance(names, str) else tuple(names)
    if not set(names) <= set(FORMATS):
        choice("get_file", "archive_format", archive_format, ("auto", *FORMATS, None))
    return names

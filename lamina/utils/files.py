"""Public files: downloaded once, checked by their hash, taken apart if they are archives."""

import os
import pathlib
import urllib.parse

from lamina.datasets.fetch import Remote, cache_folder, fetch_remote
from lamina.errors import ConfigError
from lamina.utils.archives import FORMATS, extract_archive

__all__ = ["get_file"]


def get_file(
    fname=None, origin=None, untar=False, md5_hash=None, file_hash=None, cache_subdir="datasets", hash_algorithm="auto",
    extract=False, archive_format="auto", cache_dir=None, force_download=False,
):  # fmt: skip
    """Path of the file at the address `origin`, in the cache; downloaded if it is not there.

    Args:
        fname: its name in the cache; None means the last part of `origin`.
        file_hash: SHA-256 or MD5 its bytes must have, else nothing is kept (`md5_hash` is its old name).
        cache_subdir, cache_dir: the file goes to `cache_dir/cache_subdir`; None is `$KERAS_HOME`, or `~/.keras`.
        hash_algorithm: "sha256", "md5" or "auto", which tells by the length.
        extract: take a tar or zip archive apart and give the path of the folder: `fname` if that has no ending, else
            `<name>_extracted` (`untar` is its old name). Entries cannot leave that folder.
        archive_format: "tar", "zip", "auto" for both, or None for neither.
        force_download: forget what is in the cache.

    Raises NetworkError if the download fails, FileError if it has another hash or a hostile archive.
    """
    if not origin:
        raise ConfigError("get_file needs the address of the file.", fix="get_file(origin='https://...')")
    name = os.fspath(fname) if fname is not None else os.path.basename(urllib.parse.urlsplit(origin).path)
    if not name or name in (".", "..") or os.path.basename(name) != name or "\\" in name:
        raise ConfigError(
            f"fname is the name of a file, not a path; got {name!r}.", fix="Use cache_subdir for folders."
        )
    apart = extract or untar
    is_folder_name = apart and (fname is None or "." not in name)
    saved_as = f"{name}_archive" if is_folder_name else name
    parent = pathlib.Path(cache_dir) if cache_dir is not None else cache_folder()
    remote = Remote(origin, _digest(file_hash or md5_hash, hash_algorithm), str(parent.absolute() / cache_subdir))
    folder = pathlib.Path(remote.folder)
    if force_download:
        (folder / saved_as).unlink(missing_ok=True)
    path = fetch_remote(remote, saved_as)
    if not apart:
        return str(path)
    target = folder / (name if is_folder_name else f"{name.partition('.')[0]}_extracted")
    is_fresh = target.is_dir() and target.stat().st_mtime >= path.stat().st_mtime
    if not is_fresh and not extract_archive(path, target, _formats(archive_format)):
        raise ConfigError(f"{origin} is no archive of the format {archive_format!r}.", fix="extract=False")
    return str(target)


def _digest(digest, algorithm):
    lengths = {"auto": (32, 64), "sha256": (64,), "md5": (32,)}
    if algorithm not in lengths:
        raise ConfigError(f"hash_algorithm is 'sha256', 'md5' or 'auto'; got {algorithm!r}.")
    if digest is not None and len(digest) not in lengths[algorithm]:
        raise ConfigError(f"A hash has 64 hexadecimal digits (SHA-256) or 32 (MD5); got {digest!r} ({algorithm}).")
    return digest and digest.lower()


def _formats(archive_format):
    names = tuple(FORMATS) if archive_format == "auto" else archive_format or ()
    names = (names,) if isinstance(names, str) else tuple(names)
    if not set(names) <= set(FORMATS):
        raise ConfigError(f"archive_format is 'tar', 'zip', 'auto' or None; got {archive_format!r}.")
    return names

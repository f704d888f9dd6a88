"""XLA's disk cache of compiled programs, so that the second run of a program compiles nothing.

It is JAX's own persistent cache. This file chooses its folder, makes sure that nobody else can write there (the content
runs as code), and limits its size. A cache that the user set for JAX stays as it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import platform
import stat
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import jax

from lamina.errors import ConfigError, warn
from lamina.runtime.process import configure_process

__all__ = ["compilation_cache", "entries", "forget", "quiet", "set_compilation_cache", "set_up"]

VARIABLE = "LAMINA_CACHE_DIR"
LARGEST = 2**30  # bytes of all programs together
_OFF = ("", "off")
_OPTIONS = {
    "jax_persistent_cache_min_compile_time_secs": 0.0,  # small models compile in less than JAX's default of a second
    "jax_persistent_cache_min_entry_size_bytes": -1,
}
_state: dict[str, Any] = {
    "asked": None,
    "folder": None,
    "is_set_up": False,
}
# asked: the argument of set_compilation_cache, or None


def compilation_cache() -> str | None:
    """The folder of compiled programs; None if they are not stored."""
    set_up()
    return None if _state["folder"] is None else str(_state["folder"])


def set_compilation_cache(folder: str | os.PathLike[str] | None) -> None:
    """Choose the folder in which compiled programs are stored from now on.

    Otherwise they are stored in the user's cache folder (`~/.cache/lamina` on Linux), or in that of the environment
    variable `LAMINA_CACHE_DIR`, where "off" stores none. A folder set for JAX (`jax_compilation_cache_dir`) takes
    precedence over all of these. The content can run as code, so the folder must belong to the user.

    Args:
        folder: Folder; None stores no programs.

    Raises:
        ConfigError: Others can write to the folder.
    """
    if folder is not None:
        refused = _why_refused(_made(folder))
        if refused:
            raise ConfigError(refused, fix="Pass a folder of your own that others cannot write to (chmod 700).")
    _state.update(asked="off" if folder is None else os.fspath(folder), is_set_up=False)
    if _state["folder"] is not None:
        jax.config.update("jax_compilation_cache_dir", None)
        _state["folder"] = None
    set_up()


def set_up() -> None:
    """Turn the cache on, the first time this is called. Call it before the first program is compiled."""
    if _state["is_set_up"]:
        return
    _state["is_set_up"] = True
    configure_process()
    if _jax_has("jax_compilation_cache_dir") or not _jax_has("jax_enable_compilation_cache"):
        return  # the user's own
    asked = os.environ.get(VARIABLE) if _state["asked"] is None else _state["asked"]
    folder = None if asked is not None and asked.strip().lower() in _OFF else _made(asked)
    refused = None if folder is None else _why_refused(folder)
    if refused:
        warn(refused + " Compiled programs are not stored.")
    if folder is None or refused or not os.access(folder, os.W_OK):
        return
    folder = _made(folder / _machine())
    for option, value in _OPTIONS.items():
        if _jax_has(option) in (0, 1.0):  # JAX's default
            jax.config.update(option, value)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    _reset_cache_lookup()
    _state["folder"] = folder
    _make_room(folder)


def _jax_has(option) -> Any:
    return getattr(jax.config, option)


def entries(program: str) -> set[pathlib.Path]:
    """The files of a program, one for each set of shapes and each version of the libraries.

    Args:
        program: Name of the compiled function.
    """
    return set() if _state["folder"] is None else set(_state["folder"].glob(f"jit_{program}-*"))


def forget(program: str) -> None:
    """Remove the entries of a program, one of which is damaged: JAX would read it again, and never replace it.

    Args:
        program: Name of the compiled function.
    """
    for path in entries(program):
        path.unlink(missing_ok=True)


def _default():
    """The cache folder of the user on each system; None where there is no home."""
    try:
        home = pathlib.Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        return pathlib.Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local", "lamina", "Cache")
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "lamina"
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache", "lamina")


def _made(folder):
    """The folder, which is made if need be, for its owner alone; None where that fails."""
    folder = _default() if folder is None else pathlib.Path(folder).expanduser()
    try:
        if folder is not None:
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return None
    return folder


def _why_refused(folder):
    """Why programs in the folder must not be run, in one line; None if they may be."""
    if folder is None or not hasattr(os, "geteuid"):
        return None
    found = folder.stat()
    if found.st_uid != os.geteuid():
        return f"{folder} belongs to another user, who could put programs there that you would run."
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{folder} can be written by other users, who could put programs there that you would run."
    return None


def _machine():
    """A name for this kind of processor: a program that is compiled for one need not run on another."""
    words = [platform.machine(), platform.processor()]
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            words += next(([line] for line in file if line.startswith(("flags", "Features"))), [])
    except OSError:
        pass  # not Linux
    return "programs-" + hashlib.sha256(" ".join(words).encode()).hexdigest()[:12]


def _make_room(folder):
    """Remove the least recently used programs if there are too many bytes."""
    found = []
    for entry in os.scandir(folder):
        try:
            status = entry.stat()
        except FileNotFoundError:  # another process removed it
            continue
        found.append((max(status.st_atime, status.st_mtime), status.st_size, entry.path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found) if total > LARGEST else ():
        pathlib.Path(path).unlink(missing_ok=True)
        total -= size
        if total <= LARGEST * 3 // 4:
            break


def _reset_cache_lookup():
    """JAX looks for a cache once, at its first program, which may have been before this; let it look again."""
    from jax.experimental.compilation_cache import compilation_cache as jax_cache

    jax_cache.reset_cache()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Inside the block JAX gives no warning of an entry that it cannot read or write; it compiles instead."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache", UserWarning)
        yield

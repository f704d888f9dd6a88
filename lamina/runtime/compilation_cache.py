"""XLA's disk cache of compiled programs, so that the second run of a program compiles nothing.

It is JAX's own persistent cache. What is here says where it lies, that nobody else can write there (what is in it runs
as code), and that it does not grow without bounds. What the user set for JAX is left alone.
"""

import contextlib
import hashlib
import os
import pathlib
import platform
import stat
import sys
import warnings
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
_state = {"asked": None, "folder": None, "is_set_up": False}  # asked: by set_compilation_cache; None is the default


def compilation_cache():
    """The folder in which compiled programs are kept, as a string; None where they are not."""
    set_up()
    return None if _state["folder"] is None else str(_state["folder"])


def set_compilation_cache(folder):
    """Keep compiled programs in this folder from now on; None keeps none.

    Without it they are kept in the user's cache folder (`~/.cache/lamina` on Linux), or in that of the environment
    variable `LAMINA_CACHE_DIR`, where "off" keeps none. A folder set for JAX (`jax_compilation_cache_dir`) goes before
    all of these. What is there can run as code, so the folder must be the user's own.

    Raises:
        ConfigError: when others can write to the folder.
    """
    if folder is not None:
        refused = _why_refused(_made(folder))
        if refused:
            raise ConfigError(refused, fix="Give a folder of your own, with mode 0700.")
    _state.update(asked="off" if folder is None else os.fspath(folder), is_set_up=False)
    if _state["folder"] is not None:
        jax.config.update("jax_compilation_cache_dir", None)
        _state["folder"] = None
    set_up()


def set_up():
    """Turn the cache on, before the first program is compiled; the first time this is called."""
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
        warn(refused + " Compiled programs are not kept.")
    if folder is None or refused or not os.access(folder, os.W_OK):
        return
    folder = _made(folder / _machine())
    for option, value in _OPTIONS.items():
        if _jax_has(option) in (0, 1.0):  # as JAX has it
            jax.config.update(option, value)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    _reset_cache_lookup()
    _state["folder"] = folder
    _make_room(folder)


def _jax_has(option) -> Any:
    return getattr(jax.config, option)


def entries(program):
    """The files of a program, one for each set of shapes and version of what makes them."""
    return set() if _state["folder"] is None else set(_state["folder"].glob(f"jit_{program}-*"))


def forget(program):
    """Drop the entries of a program: one of them is damaged. JAX would read it again, and never write over it."""
    for path in entries(program):
        path.unlink(missing_ok=True)


def _default():
    """The user's cache folder, as each system has it; None where there is no home."""
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
    """The folder, there now and open to its owner alone; None where it cannot be."""
    folder = _default() if folder is None else pathlib.Path(folder).expanduser()
    try:
        if folder is not None:
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return None
    return folder


def _why_refused(folder):
    """A line on why nobody should run what is in the folder; None if all is well."""
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
        with open("/proc/cpuinfo") as file:
            words += next(([line] for line in file if line.startswith(("flags", "Features"))), [])
    except OSError:
        pass  # not Linux
    return "programs-" + hashlib.sha256(" ".join(words).encode()).hexdigest()[:12]


def _make_room(folder):
    """Remove what was not used for the longest time, where there is too much."""
    found = []
    for entry in os.scandir(folder):
        try:
            status = entry.stat()
        except FileNotFoundError:  # another process made room
            continue
        found.append((max(status.st_atime, status.st_mtime), status.st_size, entry.path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found) if total > LARGEST else ():
        pathlib.Path(path).unlink(missing_ok=True)
        total -= size
        if total <= LARGEST * 3 // 4:
            break


def _reset_cache_lookup():
    """JAX looks once whether there is a cache, at its first program; that may have been before this."""
    from jax.experimental.compilation_cache import compilation_cache as jax_cache

    jax_cache.reset_cache()


@contextlib.contextmanager
def quiet():
    """JAX does not warn of an entry that it cannot read or write: it compiles instead."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache", UserWarning)
        yield

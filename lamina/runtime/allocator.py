"""Freed memory stays with the process, for the next step to use.

A step on a CPU allocates its working memory anew each time. The C library of Linux returns large blocks to the system,
which must clear each page again: in a convolutional network that took as long as the arithmetic. Pages have 4 KB, and
the processor's table of pages covers less than a step reads; programs may ask for larger pages. What the steps of one
model used is returned when it is dropped, or when another begins.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys

__all__ = ["keep_freed_memory", "release_surplus", "resident_bytes"]

# Names and numbers from mallopt(3).
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -4, -8
_LARGEST, _PIECE = 2**31 - 1, 64 * 2**20
_MADV_HUGEPAGE, _HEAP = 14, 2**30
_SURPLUS = 2**29
_least: list[int] = []  # where freed memory is kept: bytes that the process had when it last returned some


@functools.cache
def keep_freed_memory() -> bool:
    """Let the allocator keep freed memory instead of returning it to the system.

    Only glibc has these settings. Settings in the environment stay, and LAMINA_KEEP_MEMORY=0 changes nothing. Call it
    before JAX starts its threads, which choose their part of the memory when they start.

    Returns:
        Whether the settings were changed.
    """
    chosen_by_user = any(name.startswith("MALLOC_") for name in os.environ) or "malloc" in os.environ.get(
        "GLIBC_TUNABLES", ""
    )
    if sys.platform != "linux" or chosen_by_user or os.environ.get("LAMINA_KEEP_MEMORY") == "0":
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    settings = {_M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: _LARGEST, _M_TOP_PAD: _PIECE, _M_ARENA_MAX: 1}
    kept = all(library.mallopt(name, value) for name, value in settings.items())
    if kept:
        _ask_for_large_pages(library)
        _least[:] = [resident_bytes()]
    return kept


def release_surplus(surplus: int = _SURPLUS) -> None:
    """Return freed memory to the system if the process has grown since it last did so, and keeps it.

    Args:
        surplus: By how many bytes it must have grown.
    """
    if not _least or resident_bytes() < _least[0] + surplus:
        return
    ctypes.CDLL(None).malloc_trim(0)
    _least[0] = resident_bytes()


def resident_bytes() -> int:
    """How much memory this process has, on Linux."""
    with open("/proc/self/statm", encoding="ascii") as pages:
        return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _ask_for_large_pages(library):
    """Ask for pages of 2 MB for the heap and its next gigabyte. That takes addresses, and memory only when it is
    written; a system without such pages, or without room for them, changes nothing."""
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.free.argtypes = [ctypes.c_void_p]
    library.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    library.free(library.malloc(_HEAP))
    with open("/proc/self/maps", encoding="utf-8") as areas:
        for area in areas:
            if area.rstrip().endswith("[heap]"):
                start, end = (int(address, 16) for address in area.split(maxsplit=1)[0].split("-"))
                library.madvise(start, end - start, _MADV_HUGEPAGE)

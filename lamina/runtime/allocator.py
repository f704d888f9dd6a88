"""Freed memory stays with the process, for the next step to use.

A step on a CPU takes its working memory anew each time. The C library of Linux gives large pieces back to the system,
which then clears each page again, one after the other: in a convolutional network that took as long as the arithmetic.
Pages are of 4 KB, and the processor's table of them covers less than a step reads; who asks for larger ones gets them.
"""

import ctypes
import functools
import os
import sys

__all__ = ["keep_freed_memory"]

# Names and numbers are those of mallopt(3).
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -4, -8
_LARGEST, _PIECE = 2**31 - 1, 64 * 2**20
_MADV_HUGEPAGE, _HEAP = 14, 2**30


@functools.cache
def keep_freed_memory():
    """Let the allocator keep what is freed, instead of returning it to the system and asking again.

    Only glibc has these settings. Who set some of them in the environment keeps theirs, and LAMINA_KEEP_MEMORY=0 leaves
    all as it is. Works best before JAX starts its threads, which choose their part of the memory when they start.
    """
    chosen = any(name.startswith("MALLOC_") for name in os.environ) or "malloc" in os.environ.get("GLIBC_TUNABLES", "")
    if sys.platform != "linux" or chosen or os.environ.get("LAMINA_KEEP_MEMORY") == "0":
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    settings = {_M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: _LARGEST, _M_TOP_PAD: _PIECE, _M_ARENA_MAX: 1}
    kept = all(library.mallopt(name, value) for name, value in settings.items())
    if kept:
        _ask_for_large_pages(library)
    return kept


def _ask_for_large_pages(library):
    """Pages of 2 MB for the heap and its next gigabyte, where the system has them. That takes addresses and no memory
    until someone writes there; a system that has none, or no room, leaves all as it is."""
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.free.argtypes = [ctypes.c_void_p]
    library.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    library.free(library.malloc(_HEAP))
    with open("/proc/self/maps") as areas:
        for area in areas:
            if area.rstrip().endswith("[heap]"):
                start, end = (int(address, 16) for address in area.split(maxsplit=1)[0].split("-"))
                library.madvise(start, end - start, _MADV_HUGEPAGE)

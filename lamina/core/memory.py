"""Freed memory stays with the process, for the next step to use.

A step on a CPU takes its working memory anew each time. The C library of Linux gives large pieces back to the system,
which then clears each page again, one after the other: in a convolutional network that took as long as the arithmetic.
"""

import ctypes
import functools
import os
import sys

__all__ = ["keep_freed_memory"]

# Names and numbers are those of mallopt(3).
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -4, -8
_LARGEST, _PIECE = 2**31 - 1, 64 * 2**20


@functools.cache
def keep_freed_memory():
    """Let the allocator keep what is freed, instead of returning it to the system and asking again.

    Only glibc has these settings. Who set some of them in the environment keeps theirs, and LAMINA_KEEP_MEMORY=0 leaves
    all as it is. Works best before JAX starts its threads, which choose their part of the memory when they start.
    """
    chosen = any(name.startswith("MALLOC_") for name in os.environ) or "malloc" in os.environ.get("GLIBC_TUNABLES", "")
    if sys.platform != "linux" or chosen or os.environ.get("LAMINA_KEEP_MEMORY") == "0":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = {_M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: _LARGEST, _M_TOP_PAD: _PIECE, _M_ARENA_MAX: 1}
    return all(mallopt(name, value) for name, value in settings.items())

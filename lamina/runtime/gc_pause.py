"""The garbage collector is paused while many objects are made that stay."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

__all__ = ["no_collection"]


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """Pause the garbage collector inside the block. Importing modules and compiling programs makes many objects and
    hardly any garbage, while each full collection visits the objects of JAX too, which takes about 40 ms."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            _promote_to_oldest_generation()
            gc.enable()


def _promote_to_oldest_generation():
    """Move all objects to the oldest generation; otherwise those of the block, as the youngest, would be visited as
    soon as the collector runs again. Where a program itself uses `gc.freeze`, nothing is moved."""
    if gc.get_freeze_count() == 0:
        gc.freeze()
        gc.unfreeze()

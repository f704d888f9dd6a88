"""The garbage collector at rest, while much is made that is there to stay."""

import contextlib
import gc

__all__ = ["no_collection"]


@contextlib.contextmanager
def no_collection():
    """Look for no garbage inside the block. To read modules and to compile programs makes many objects and no garbage
    to speak of, and each look at all of them walks through JAX too: some 40 ms, for nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()

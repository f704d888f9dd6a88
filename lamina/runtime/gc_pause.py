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
            _promote_to_oldest_generation()
            gc.enable()


def _promote_to_oldest_generation():
    """Count the objects that there are among the oldest: else all those of the block, as the youngest, would be looked
    at as soon as the collector is on again. Where a program keeps some apart by `gc.freeze`, nothing is moved."""
    if gc.get_freeze_count() == 0:
        gc.freeze()
        gc.unfreeze()

"""The garbage collector at rest."""

import gc
import weakref

from lamina.runtime.gc_pause import no_collection


class Node:
    """Something in a circle."""

    def __init__(self):
        self.itself = self


def test_what_was_made_inside_counts_as_old():
    with no_collection():
        kept = [Node() for _ in range(5000)]
        assert not gc.isenabled()
    assert gc.isenabled() and gc.get_count()[0] < 1000  # else the next object would have all of them looked at
    assert gc.get_freeze_count() == 0 and len(kept) == 5000


def test_garbage_made_inside_is_found_later():
    with no_collection():
        seen = weakref.ref(Node())
    gc.collect()
    assert seen() is None


def test_what_a_program_froze_stays_so_and_a_collector_that_is_off_stays_off():
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with no_collection():
            pass
        assert 0.9 * frozen < gc.get_freeze_count() <= frozen  # less only for what came to its end
    finally:
        gc.unfreeze()
    gc.disable()
    try:
        with no_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()

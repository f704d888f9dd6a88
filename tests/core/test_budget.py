"""Budgets of bytes and steps while files are read."""

import pytest

from lamina.core import read_limits
from lamina.errors import UnsafeFileError


def test_nothing_is_counted_without_a_budget():
    read_limits.reserve_array((10**30,), 8, "x")
    read_limits.reserve_steps(10**30, "x")


def test_bytes_add_up_and_neither_debts_nor_nans_make_room():
    with read_limits.memory_budget(100, "the file is small"):
        read_limits.reserve_array((10, 2), 4, "first")
        for size in (-(10**6), float("nan"), 0):
            read_limits.reserve_array((size,), 4, "odd")
        with pytest.raises(UnsafeFileError, match=r"second of shape \(6,\) would take 0.0 MiB, but the file is small"):
            read_limits.reserve_array((6,), 4, "second")
        with pytest.raises(UnsafeFileError):
            read_limits.reserve_array((float("inf"),), 4, "third")


def test_steps_add_up():
    with read_limits.memory_budget(100, ""):
        read_limits.reserve_steps(read_limits.MAX_STEPS, "first")
        read_limits.reserve_steps(-5, "odd")
        with pytest.raises(UnsafeFileError, match="second takes the description to"):
            read_limits.reserve_steps(1, "second")


def test_what_there_is_is_asked_for_only_beyond_what_is_free(monkeypatch):
    monkeypatch.setattr(read_limits, "_memory", lambda: pytest.fail("asked"))
    with read_limits.machine_memory_budget():
        read_limits.reserve_array((read_limits.FREE_BYTES,), 1, "x")
        monkeypatch.setattr(read_limits, "_memory", lambda: 2 * read_limits.FREE_BYTES)
        read_limits.reserve_array((read_limits.FREE_BYTES,), 1, "x")
        with (
            read_limits.machine_memory_budget(),
            pytest.raises(UnsafeFileError, match="this machine has no more left"),
        ):
            read_limits.reserve_array((1,), 1, "x")


def test_memory_is_what_the_machine_says():
    assert read_limits.FREE_BYTES < read_limits._memory() <= 2**40

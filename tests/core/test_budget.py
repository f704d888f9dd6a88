"""Budgets of bytes and steps while files are read."""

import pytest

from lamina.core import budget
from lamina.errors import UnsafeFileError


def test_nothing_is_counted_without_a_budget():
    budget.take_array((10**30,), 8, "x")
    budget.take_steps(10**30, "x")


def test_bytes_add_up_and_neither_debts_nor_nans_make_room():
    with budget.spending(100, "the file is small"):
        budget.take_array((10, 2), 4, "first")
        for size in (-(10**6), float("nan"), 0):
            budget.take_array((size,), 4, "odd")
        with pytest.raises(UnsafeFileError, match=r"second of shape \(6,\) would take 0.0 MiB, but the file is small"):
            budget.take_array((6,), 4, "second")
        with pytest.raises(UnsafeFileError):
            budget.take_array((float("inf"),), 4, "third")


def test_steps_add_up():
    with budget.spending(100, ""):
        budget.take_steps(budget.STEPS, "first")
        budget.take_steps(-5, "odd")
        with pytest.raises(UnsafeFileError, match="second takes the description to"):
            budget.take_steps(1, "second")


def test_what_there_is_is_asked_for_only_beyond_what_is_free(monkeypatch):
    monkeypatch.setattr(budget, "_memory", lambda: pytest.fail("asked"))
    with budget.spending_what_there_is():
        budget.take_array((budget.FREE,), 1, "x")
        monkeypatch.setattr(budget, "_memory", lambda: 2 * budget.FREE)
        budget.take_array((budget.FREE,), 1, "x")
        with budget.spending_what_there_is(), pytest.raises(UnsafeFileError, match="this machine has no more left"):
            budget.take_array((1,), 1, "x")


def test_memory_is_what_the_machine_says():
    assert budget.FREE < budget._memory() <= 2**40

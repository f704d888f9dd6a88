"""A long step on a CPU is not queued behind another."""

import pytest

from lamina.training import throttle


class Result:
    """An array that comes when somebody waits for it."""

    def __init__(self):
        self.waited = False

    def is_ready(self):
        return self.waited

    def block_until_ready(self):
        self.waited = True


def _steps(count, ready=0):
    """For each of so many steps whether the next one waited for it; the first `ready` are over at once."""
    steps, dispatch = [Result() for _ in range(count)], throttle.DispatchThrottle()
    for index, step in enumerate(steps):
        dispatch.wait()
        step.is_ready = (lambda: True) if index < ready else step.is_ready
        dispatch.after({"loss": step})
    return [step.waited for step in steps]


def test_long_steps_wait_for_the_one_before(monkeypatch):
    monkeypatch.setattr(throttle, "LONG", 0.0)
    assert _steps(4) == [True, True, True, False]


def test_short_steps_do_not(monkeypatch):
    monkeypatch.setattr(throttle, "LONG", 100.0)
    assert _steps(4) == [True, False, False, False]  # of the first it is not known yet


def test_a_step_that_was_over_at_once_is_short(monkeypatch):
    monkeypatch.setattr(throttle, "LONG", 100.0)
    assert _steps(3, ready=1) == [False, False, False]
    monkeypatch.setattr(throttle, "LONG", 0.0)  # it may have taken as long as that
    assert _steps(3, ready=1) == [False, True, False]


@pytest.mark.parametrize("backend", ["gpu", "tpu"])
def test_steps_on_accelerators_do_not(backend, monkeypatch):
    monkeypatch.setattr(throttle, "LONG", 0.0)
    monkeypatch.setattr(throttle.jax, "default_backend", lambda: backend)
    assert _steps(3) == [False, False, False]

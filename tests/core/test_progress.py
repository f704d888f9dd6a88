"""Progress: what is written where, and that drawing waits for nothing."""

import io
import logging
import re
import sys
import time

import jax.numpy as jnp
import keras
import numpy as np
import pytest

from lamina.errors import ConfigError
from lamina.runtime import progress, settings
from lamina.runtime.progress import Progbar, Progress, say


class Terminal(io.StringIO):
    """A terminal that keeps what was written."""

    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def open_terminal(monkeypatch):
    """Called inside a test, because pytest puts its own standard output in place when the test begins."""

    def open_():
        monkeypatch.setattr(sys, "stdout", Terminal())
        return sys.stdout

    monkeypatch.setenv("COLUMNS", "120")
    return open_


@pytest.fixture(autouse=True)
def at_the_start_of_a_line(monkeypatch):
    monkeypatch.setitem(progress._line, "open", False)


class Pending:
    """A device value that is not computed until `done`; reading it before is counted."""

    def __init__(self, value):
        self.value, self.done, self.reads = value, False, 0

    def is_ready(self):
        return self.done

    def __array__(self, dtype=None, copy=None):
        self.reads += 1
        return np.asarray(self.value)

    def __truediv__(self, other):
        return self


def plain(text):
    """What stands on the screen at the end: the last drawing of each line, without colours."""
    text = re.sub(r"\x1b\[\d+m", "", text)
    return [line.rpartition("\r")[2].rstrip() for line in text.split("\n")]


def test_one_line_an_epoch_where_nothing_can_be_redrawn(capsys):
    run = Progress("auto", epochs=2)
    for epoch in range(2):
        run.begin_epoch(epoch, 3)
        for step in range(3):
            run.update(step + 1, {"accuracy": jnp.float32(9), "loss": jnp.float32(9)})
        run.end_epoch({"accuracy": 0.5, "loss": 0.0001, "val_loss": 2.0})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    pattern = r"Epoch 1/2 - 3/3 - \d+s - \d+(us|ms|s)/step - accuracy: 0\.5000 - loss: 1\.0000e-04 - val_loss: 2\.0000"
    assert re.fullmatch(pattern, lines[0])


def test_a_single_epoch_has_no_title(capsys):
    run = Progress(2, steps=5)
    run.begin_epoch()
    run.end_epoch({"loss": 1.0})
    assert re.fullmatch(r"5/5 - 0s - \d+us/step - loss: 1\.0000\n", capsys.readouterr().out)


def test_silence(capsys):
    run = Progress(0, epochs=2)
    run.begin_epoch(0)
    run.update(1, {"loss": Pending(1.0)})
    run.end_epoch({"loss": 1.0})
    assert capsys.readouterr().out == ""


def test_the_last_line_is_that_of_keras(open_terminal):
    terminal = open_terminal()

    def last(kind):
        bar = kind(target=45, stateless_metrics=())
        for step in (1, 20, 45):
            bar.update(step, [("accuracy", 0.97), ("loss", 1e-5), ("bad", -0.5)])
        return plain(terminal.getvalue())[-2]

    ours, theirs = last(Progbar), last(keras.utils.Progbar)
    mask = re.compile(r"\d+(us|ms|s)/step")
    assert mask.sub("T", ours) == mask.sub("T", theirs)
    assert ours.startswith("45/45 ━━━━━━━━━━━━━━━━━━━━ 0s ")


def test_averages_are_those_of_keras(open_terminal):
    terminal = open_terminal()

    def shown(kind, **arguments):
        bar = kind(target=10, interval=0, **arguments)
        found = []
        for step, loss, size in ((1, 4.0, 1.0), (3, 1.0, 2.0), (4, 7.0, 3.0), (10, 0.5, 4.0)):
            bar.update(step, [("loss", loss), ("size", size)])
            found.append(re.findall(r"(?:loss|size): (\S+)", plain(terminal.getvalue())[-1 if step < 10 else -2]))
        return found

    for arguments in ({}, {"stateful_metrics": ["size"]}, {"stateless_metrics": ["size"]}):
        assert shown(Progbar, **arguments) == shown(keras.utils.Progbar, **arguments)


def test_drawing_never_waits_for_a_value(open_terminal):
    terminal = open_terminal()
    bar = Progbar(target=4, interval=0, stateless_metrics=())
    values = [Pending(float(step)) for step in range(4)]
    bar.update(1, [("loss", values[0])])
    bar.update(2, [("loss", values[1])])
    assert "loss" not in terminal.getvalue()
    values[0].done = True
    bar.update(3, [("loss", values[2])])
    assert plain(terminal.getvalue())[-1].endswith("loss: 0.0000e+00")
    assert [value.reads for value in values] == [1, 0, 0, 0]
    bar.update(4, [("loss", values[3])])
    assert values[3].reads == 1
    assert plain(terminal.getvalue())[-2].endswith("loss: 3.0000")


def test_it_draws_at_most_ten_times_a_second(open_terminal, monkeypatch):
    terminal = open_terminal()
    clock = iter(np.arange(0, 100, 0.01))
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))
    run = Progress(1, epochs=1, steps=500)
    run.begin_epoch()
    for step in range(100):
        run.update(step + 1, {"loss": 1.0})
    now = next(clock)
    assert 2 <= terminal.getvalue().count("\r") <= 10 * now + 1


def test_the_first_step_does_not_count(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    run = Progress(2, steps=3)
    run.begin_epoch()
    for at, step in ((100.0, 1), (102.0, 2), (104.0, 3)):
        now[0] = at
        run.update(step)
    run.end_epoch()
    assert capsys.readouterr().out == "3/3 - 104s - 2s/step\n"


def test_validation_is_no_part_of_a_step(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    run = Progress(2, steps=3)
    run.begin_epoch()
    for at, step in ((1.0, 1), (2.0, 2), (3.0, 3)):
        now[0] = at
        run.update(step)
    run.end_steps()
    now[0] = 50.0
    run.end_epoch()
    assert capsys.readouterr().out == "3/3 - 50s - 1s/step\n"


def test_remaining_time_while_it_runs(open_terminal, monkeypatch):
    terminal = open_terminal()
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    bar = Progbar(target=1000)
    for at, step, left in ((10.0, 1, "2:46:30"), (20.0, 2, "2:46:20"), (30.0, 900, "2s"), (200.0, 901, "20s")):
        now[0] = at
        bar.update(step)
        assert plain(terminal.getvalue())[-1].split()[2] == left


def test_an_unknown_number_of_steps(open_terminal):
    terminal = open_terminal()
    run = Progress(1, epochs=2)
    run.begin_epoch(0)
    run.update(1, {"loss": 1.0})
    assert "1/Unknown" in plain(terminal.getvalue())[-1]
    run.update(2, {"loss": 1.0})
    run.end_epoch({"loss": 1.0})
    assert plain(terminal.getvalue())[-2].startswith("2/2 ━")
    run.begin_epoch(1)
    run.update(1)
    assert plain(terminal.getvalue())[-1].startswith("1/2 ━")


def test_a_live_line_never_wraps_and_leaves_no_rest(open_terminal, monkeypatch):
    terminal = open_terminal()
    monkeypatch.setenv("COLUMNS", "70")
    bar = Progbar(target=3, interval=0)
    bar.update(1, [(f"a_long_name_{i}", 1.0) for i in range(9)])
    line = plain(terminal.getvalue())[-1]
    assert len(line) < 70 and line.endswith("/step - a_long_name_0: 1.0000")
    bar = Progbar(target=None, interval=0)
    bar._drawn_width = 50
    bar.update(1)
    assert len(re.sub(r"\x1b\[\d+m", "", terminal.getvalue()).rpartition("\r")[2]) == 50


def test_a_message_does_not_run_into_the_bar(open_terminal):
    terminal = open_terminal()
    bar = Progbar(target=2)
    bar.update(1)
    say("hello")
    bar.update(2)
    say("bye")
    assert [line for line in plain(terminal.getvalue()) if "/2" not in line] == ["hello", "bye", ""]


def test_logging_instead_of_a_terminal(open_terminal, caplog, monkeypatch):
    terminal = open_terminal()
    monkeypatch.setitem(settings._settings, "interactive_logging", False)
    with caplog.at_level(logging.INFO, "lamina"):
        run = Progress("auto", epochs=2, steps=1)
        run.begin_epoch(1)
        run.update(1)
        run.end_epoch({"loss": 1.0})
        say("done")
    assert terminal.getvalue() == ""
    assert [record.getMessage()[:18] for record in caplog.records] == ["Epoch 2/2 - 1/1 - ", "done"]


def test_a_notebook_is_live(monkeypatch):
    class OutStream(io.StringIO):
        __module__ = "ipykernel.iostream"

    monkeypatch.setattr(sys, "stdout", OutStream())
    assert progress.is_live()
    monkeypatch.setattr(sys, "stdout", None)
    assert not progress.is_live()


def test_a_terminal_without_unicode(monkeypatch):
    class Ascii(Terminal):
        encoding = "ascii"

    monkeypatch.setattr(sys, "stdout", Ascii())
    Progbar(target=2).update(2)
    assert plain(sys.stdout.getvalue())[0].startswith("2/2 ====")


def test_add(capsys):
    bar = Progbar(target=4, verbose=2)
    bar.add(2, [("loss", 1.0)])
    bar.add(2, [("loss", 3.0)])
    assert capsys.readouterr().out.startswith("4/4")


def test_refusals():
    with pytest.raises(ConfigError, match="not both"):
        Progbar(1, stateful_metrics=[], stateless_metrics=[])
    with pytest.raises(ConfigError, match="verbose"):
        Progress(3)

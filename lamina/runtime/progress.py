"""Progress in a terminal, a notebook or a log: `Progress` of a run, `Progbar`, and `say` for a message beside them."""

from __future__ import annotations

import bisect
import itertools
import logging
import os
import shutil
import sys
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from lamina.errors import ConfigError
from lamina.runtime import processes, settings
from lamina.runtime.terminal import harmless, printable

__all__ = ["Progbar", "Progress", "is_live", "say"]

_logger = logging.getLogger("lamina")
_line = {"open": False}  # whether the cursor is at the end of a bar that is still being drawn


def is_live() -> bool:
    """Whether a line can be redrawn: in a terminal or a notebook, unless interactive logging is off."""
    if not settings.is_interactive_logging_enabled() or sys.stdout is None:
        return False
    return sys.stdout.isatty() or _in_notebook() or "PYCHARM_HOSTED" in os.environ


def _in_notebook():
    return type(sys.stdout).__module__.partition(".")[0] == "ipykernel"


def say(message: str) -> None:
    """Write a line: to standard output or, with interactive logging off, to the logger "lamina". Of several processes
    that train together, the first alone writes.

    Args:
        message: The line.

    >>> say("Epoch 3: early stopping")
    Epoch 3: early stopping
    """
    if not processes.is_first():
        return
    if settings.is_interactive_logging_enabled():
        _write(("\n" if _line["open"] else "") + harmless(message) + "\n", still_open=False)
    else:
        _logger.info(harmless(message))


def _write(text, still_open):
    _line["open"] = still_open
    print(printable(text), end="", flush=True)


class Progress:
    """The progress of a run: live in a terminal or a notebook, else one line an epoch.

    `logs` may be scalars of JAX that are still being computed. They are read at most ten times a second, and only once
    they are ready, so that the steps do not wait.

    Args:
        verbose: 0 is silent; 1 or "auto" is live where possible, else one line an epoch; 2 is one line an epoch.
        epochs: Number of epochs.
        steps: Number of steps of an epoch; None if unknown.

    Raises:
        ConfigError: For another value of `verbose`.

    >>> progress = Progress(verbose=2, epochs=3)
    >>> progress.begin_epoch(0, steps=10)
    >>> progress.update(10, {"loss": 0.5})
    >>> progress.end_epoch({"loss": 0.5, "val_loss": 0.625})  # doctest: +ELLIPSIS
    Epoch 1/3 - 10/10 - 0s - .../step - loss: 0.5000 - val_loss: 0.6250
    """

    def __init__(self, verbose: Any = "auto", epochs: int = 1, steps: int | None = None) -> None:
        if verbose not in ("auto", 0, 1, 2):
            raise ConfigError(f"verbose is 'auto', 0, 1 or 2; got {verbose!r}.", fix="verbose=1")
        self.verbose: int = 1 if verbose == "auto" else int(verbose)
        self.epochs: int = epochs
        self.steps: int | None = steps
        self._bar: Progbar | None = None

    def begin_epoch(self, epoch: int = 0, steps: int | None = None) -> None:
        """Start the line of an epoch.

        Args:
            epoch: Number of the epoch, from 0.
            steps: Number of its steps; None means `self.steps`.
        """
        if not self.verbose:
            return
        title = f"Epoch {epoch + 1}/{self.epochs}" if self.epochs > 1 else ""
        self._bar = Progbar(steps or self.steps, verbose=self.verbose, interval=0.1, stateless_metrics=())
        self._bar.prefix = title
        if title and self._bar.live:
            say(title)

    def update(self, step: int, logs: Any = None) -> None:
        """Report that a step was started.

        Args:
            step: Number of the step, from 1.
            logs: Its figures by name.
        """
        bar = self._bar
        if bar is None:
            return
        if bar.is_due():
            bar.update(step, _pairs(logs), finalize=False)
        bar.seen = step

    def end_steps(self) -> None:
        """Stop the clock: what follows the steps, such as validation, does not count in the time of a step."""
        if self._bar is not None:
            self._bar.stop_clock()

    def end_epoch(self, logs: Any = None) -> None:
        """Write the last figures, once they are computed.

        Args:
            logs: Figures by name.
        """
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.target = self.steps = bar.target or bar.seen
            bar.update(bar.seen or bar.target, _pairs(logs), finalize=True)


def _pairs(logs):
    """(name, value) pairs; those of nested dicts among them."""
    for name, value in (logs or {}).items():
        if isinstance(value, dict):
            yield from _pairs(value)
        else:
            yield name, value


class Progbar:
    """A bar with figures after it, redrawn in place; one line at the end where no line can be redrawn.

    Figures may be arrays of JAX that are still being computed: drawing never waits for them, except for the last line.

    Args:
        target: Number of steps; None if unknown.
        width: Width of the bar in characters.
        verbose: 0 is silent, 1 a live bar, 2 one line at the end.
        interval: Shortest time between two drawings, in seconds.
        stateful_metrics: Names of figures that are shown as they are; the others are averaged over the steps.
        stateless_metrics: Names of figures that are averaged; the others are shown as they are.
        unit_name: Word for a step.

    Raises:
        ConfigError: Both lists of names are set.

    >>> bar = Progbar(target=2, verbose=2)
    >>> bar.update(1, [("loss", 0.5)])
    >>> bar.update(2, [("loss", 0.25)])  # doctest: +ELLIPSIS
    2/2 - 0s - .../step - loss: 0.2500
    """

    prefix: str = ""  # before the line at the end where there is no live bar

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ConfigError(
                "Pass stateful_metrics (shown as they are) or stateless_metrics (averaged), not both.",
                fix="stateless_metrics=None",
            )
        self.target: int | None = target
        self.width: int = width
        self.verbose: int = verbose
        self.interval: float = interval
        self.stateful_metrics: Iterable[str] | None = stateful_metrics
        self.stateless_metrics: Iterable[str] | None = stateless_metrics
        self.unit_name: str = unit_name
        self.live: bool = verbose == 1 and is_live() and processes.is_first()
        self.seen: int = 0
        self._sums: dict[str, Any] = {}  # name -> (total, count)
        self._waiting, self._shown = {}, {}
        self._start = time.perf_counter()
        self._first: Any = None  # time and steps of the first update, which contains the compilation
        self._stopped: Any = None
        self._next_draw = 0.0
        self._drawn_width = 0

    def is_due(self) -> bool:
        """Whether `update` would draw now; a loop may ask before it computes figures."""
        return self._first is None or (self.live and time.perf_counter() >= self._next_draw)

    def update(
        self, current: int, values: Iterable[tuple[str, Any]] | None = None, finalize: bool | None = None
    ) -> None:
        """Report that a step is done.

        Args:
            current: Number of steps that are done.
            values: Pairs (name, figure).
            finalize: Whether this is the last update; None means that it is when `current` reaches `target`.
        """
        now = time.perf_counter()
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        if self._first is None and current:
            self._first = now, current
        self._collect(values or (), max(current - self.seen, 1), finalize)
        self.seen = current
        if self.verbose and (finalize or (self.live and now >= self._next_draw)):
            self._read(wait=finalize)
            self._draw(time.perf_counter() if finalize else now, finalize)
            self._next_draw = now + self.interval

    def stop_clock(self) -> None:
        """Stop measuring the time of a step."""
        self._stopped = time.perf_counter()

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Report that more steps are done.

        Args:
            n: Number of further steps.
            values: Pairs (name, figure).
        """
        self.update(self.seen + n, values)

    def _collect(self, values, steps, finalize):
        for name, value in values:
            if finalize or not self._is_averaged(name):
                self._sums[name] = value, 1
            else:
                total, count = self._sums.get(name, (0, 0))
                self._sums[name] = total + value * steps, count + steps

    def _is_averaged(self, name):
        if self.stateless_metrics is not None:
            return name in self.stateless_metrics
        return name not in (self.stateful_metrics or ())

    def _read(self, wait):
        """Show the newest figures that are computed: the current ones, else those of the last drawing."""
        newest = dict(self._sums)
        there = next((sums for sums in (newest, self._waiting) if wait or _are_ready(sums)), None)
        if there is not None:
            self._shown = {**self._shown, **{name: _number(total) / count for name, (total, count) in there.items()}}
            self._waiting = newest

    def _draw(self, now, finalize):
        figures = [f" - {harmless(name)}: {_format(value)}" for name, value in self._shown.items()]
        pace, elapsed = self._pace(now), f"{now - self._start:.0f}s"
        if not self.live:
            parts = (*filter(None, (self.prefix,)), self._count(), elapsed, pace)
            say(" - ".join(parts) + "".join(figures))
            return
        left = elapsed if finalize or not self.target else _duration(self._per_step(now) * (self.target - self.seen))
        width = len(f"{self._count()} {' ' * self.width if self.target else ''} {left} {pace}")
        room = 10**6 if finalize else _columns() - 1  # a line that wraps cannot be redrawn
        ends = list(itertools.accumulate(map(len, figures), initial=width))
        shown = max(bisect.bisect_right(ends, room) - 1, 0)
        width = ends[shown]
        line = f"\r{_bold(self._count())} {self._bar()} {_bold(left)} {pace}{''.join(figures[:shown])}"
        _write(line + " " * (self._drawn_width - width) + ("\n" if finalize else ""), still_open=not finalize)
        self._drawn_width = width

    def _count(self):
        if not self.target:
            return f"{self.seen}/Unknown"
        return f"{self.seen:>{len(str(self.target))}}/{self.target}"

    def _bar(self):
        if not self.target:
            return ""
        done = min(self.width, self.width * self.seen // self.target)
        stroke = printable("━")
        return f"\x1b[32m{stroke * done}\x1b[0m\x1b[37m{stroke * (self.width - done)}\x1b[0m"

    def _per_step(self, now):
        """Seconds per step, without the first steps once there are others."""
        if not self.seen:
            return 0.0
        now = self._stopped or now
        at, steps = self._first or (self._start, 0)
        return (now - at) / (self.seen - steps) if self.seen > steps else (now - self._start) / self.seen

    def _pace(self, now):
        seconds = self._per_step(now)
        if seconds >= 1 or seconds == 0:
            return f"{seconds:.0f}s/{self.unit_name}"
        return (
            f"{seconds * 1e3:.0f}ms/{self.unit_name}" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us/{self.unit_name}"
        )


def _are_ready(sums):
    return all(getattr(total, "is_ready", _always)() for total, _ in sums.values())


def _always():
    return True


def _number(value):
    return value if isinstance(value, float) else float(np.mean(np.asarray(value)))


def _format(value):
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"


def _duration(seconds):
    """Seconds as `12s`, `3:07` or `1:02:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if minutes else f"{rest}s"


def _bold(text):
    return f"\x1b[1m{text}\x1b[0m"


def _columns():
    return 10**6 if _in_notebook() else shutil.get_terminal_size().columns

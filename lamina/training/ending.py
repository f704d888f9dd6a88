"""Ending: what a run of `fit` does when a signal or Ctrl-C ends it between two steps."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

from lamina.callbacks.logs import read_logs
from lamina.runtime import processes
from lamina.runtime.interrupts import EndRequested
from lamina.runtime.neighbours import TEMPORARY
from lamina.runtime.progress import say

__all__ = ["Ending"]


class Ending:
    """A block in which a run of `fit` trains. It knows where the run is, saves it there when a signal ends it, and says
    where its state is. At its end the values return to their variables.

    Args:
        model: Model of the run.
        callbacks: CallbackList of the run.
        interrupts: Open Interrupts.
    """

    model: Any
    callbacks: Any
    interrupts: Any

    def __init__(self, model: Any, callbacks: Any, interrupts: Any) -> None:
        self.model, self.callbacks, self.interrupts = model, callbacks, interrupts
        self.steps: Any = None  # the Pass or ManySteps of the running epoch
        self._epoch: int | None = None  # None: no state can be saved now
        self._logs: dict[str, Any] = {}

    def __enter__(self) -> Ending:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        model = self.model
        try:
            of_all = processes.together() is None or self.interrupts.agreed  # not of this process alone
            if of_all and isinstance(error, (KeyboardInterrupt, EndRequested)):
                self.end(error)
        finally:
            model.training_batches = model.resume_point = None
            self.interrupts.hold()  # the values go back first
            model._runner.release()
            self.callbacks.settle()

    def begin_epoch(self, epoch: int, logs: dict[str, Any]) -> None:
        """Note that an epoch begins.

        Args:
            epoch: Number of the epoch, from 0.
            logs: Logs of the epoch before.
        """
        self._epoch, self._logs, self.steps = epoch, logs, None
        self.interrupts.check()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """A block at the end of an epoch in which Ctrl-C waits, if the run is saved: half of it cannot be resumed."""
        if self.callbacks.savers():
            self.interrupts.hold()
        kept, self._epoch = self._epoch, None
        yield
        self._epoch, self.steps = None if kept is None else kept + 1, None
        self.interrupts.release()

    def end(self, end: BaseException) -> None:
        """Save the run, and raise a SystemExit if a signal ended it.

        Args:
            end: KeyboardInterrupt or EndRequested.
        """
        steps, name = self.steps, "Ctrl-C"
        done, logs, position = (0, {}, (None, 0)) if steps is None else (steps.done, steps.logs, steps.position)
        savers = [] if self._epoch is None or self.interrupts.is_holding else self.callbacks.savers()
        where = f"after {self._epoch or 0} epochs and {done} batches"
        for saver in savers:
            saver.save_now(self._epoch, done, {} if steps is None else logs, position)
        if not isinstance(end, KeyboardInterrupt):
            name = signal.Signals(getattr(end, "number", signal.SIGTERM)).name
            self.callbacks.on_train_end(self._logs if steps is None else dict(sorted(read_logs(logs).items())))
        self.callbacks.settle()  # before the words below promise a file
        if savers:
            folders = ", ".join(str(saver.folder) for saver in savers)
            say(f"{name} ended the run {where}, which {folders} has: the same program started again goes on there.")
        elif name != "Ctrl-C":
            files = ", ".join(self.callbacks.saved_files()) or "nowhere"
            say(f"{name} ended the run {where}. Its last saved state is {files}. fit(resume='run') saves each run.")
        if name != "Ctrl-C":
            raise SystemExit(TEMPORARY if savers else 128 + getattr(end, "number", signal.SIGTERM)) from None

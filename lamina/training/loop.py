"""The common loop of fit, evaluate and predict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.callbacks import CallbackList
from lamina.callbacks.logs import read_logs
from lamina.core import tree
from lamina.errors import CallError, LaminaError
from lamina.runtime import processes, settings
from lamina.runtime.interrupts import Interrupts
from lamina.runtime.progress import Progress
from lamina.training.ending import Ending
from lamina.training.given import in_validation
from lamina.training.lockstep import agree_on_order, call_of_all, in_lockstep, is_agreed
from lamina.training.multi_step import many_steps
from lamina.training.state import peek

_STOP = {"train": "stop_training", "test": "stop_evaluating", "predict": "stop_predicting"}


class Pass:
    """Iterates over the batches of one pass over the data, and runs callbacks, progress output and Ctrl-C between them.

    The code that iterates must assign the result of each step to `logs`. Callbacks are called once per
    `steps_per_execution` batches.

    Args:
        model: Model of the run.
        kind: "train", "test" or "predict".
        batches: Batches of the pass.
        callbacks: CallbackList.
        interrupts: Open Interrupts.
        progress: Progress, or None to show nothing.
        resume: ResumePoint inside this pass, or None.

    Attributes:
        logs: Logs of the last step, as device arrays.
        count: Number of the current batch in its pass, from 1.
        done: Batches of the pass whose steps are complete, counted from its start.
        position: Position in the data after these steps.
    """

    logs: Any
    count: int
    done: int
    position: Any

    def __init__(
        self,
        model: Any,
        kind: str,
        batches: Any,
        callbacks: Any,
        interrupts: Any,
        progress: Any = None,
        resume: Any = None,
    ) -> None:
        self.model = model
        self.kind = kind
        self.batches = batches
        self.callbacks = callbacks
        self.interrupts = interrupts
        self.progress = progress
        self.resume = resume
        self.logs = {} if resume is None else resume.logs
        self.count = self.done = 0 if resume is None else resume.batch
        self.position = batches.position()

    def __iter__(self) -> Any:
        model, progress, resume, stop = self.model, self.progress, self.resume, _STOP[self.kind]
        watched, together, within = self.callbacks.wants(self.kind), model.steps_per_execution, False
        begin, end = (getattr(self.callbacks, f"on_{self.kind}_batch_{when}") for when in ("begin", "end"))
        if self.kind == "train" and resume is None:
            agree_on_order()
        first, rest = (0, self.batches.epoch()) if resume is None else (resume.batch, resume.replay(self.batches))
        alone, index = processes.together() is None, 0
        if not alone:
            rest = in_lockstep(rest, first, self, stop)
        for index, batch in enumerate(rest, first):
            if watched and not within:
                begin(index)
            self.interrupts.hold()
            self.count = index + 1
            yield batch
            self.interrupts.release()
            within = (index + 1) % together != 0 and index + 1 != self.batches.num_batches
            if watched and not within:
                end(_last_of(index, together), self.logs)
            if progress is not None:
                progress.update(index + 1, self.logs)
            self.interrupts.check()
            if alone and getattr(model, stop) and not within:
                break
        self.interrupts.check()
        if watched and within:
            end(_last_of(index, together), self.logs)
        self.batches.end_epoch()

    def run(self, step: Callable[[Any], Any], batch: Any) -> Any:
        """Run the step of the current batch, and note that it is complete. Returns its logs.

        Args:
            step: Function of the batch that returns the logs.
            batch: The batch.
        """
        try:
            logs = step(batch)
        except LaminaError as error:
            if self.count > 1:  # data that fit the batches before
                error.message += f" This is batch {self.count} of the epoch."
            raise
        self.logs, self.done, self.position = logs, self.count, self.batches.position()
        return logs


def _last_of(index, together):
    """The number of the last step of an execution, as if the last execution of an epoch were complete."""
    return index // together * together + together - 1


def fit_batches(
    model: Any,
    batches: Any,
    validation: Any,
    epochs: Any,
    initial_epoch: Any,
    verbose: Any,
    callbacks: Any,
    validation_freq: Any,
    inspect: Any,
    validation_steps_every: int | None = None,
) -> Any:
    """Train and return the History. `inspect()` is called before the first step."""
    midway, alone = _Midway(model, validation, validation_steps_every), processes.together() is None
    epochs = min(epochs, settings.max_epochs() or epochs)
    progress = _progress(verbose, epochs, batches)
    callbacks = _callback_list(callbacks, model, epochs=epochs, steps=batches.num_batches, verbose=verbose)
    model.stop_training, model.training_batches, runner = False, batches.read_by_share(), model._runner
    begun = call_of_all("fit", model, batches, f", epochs {initial_epoch} to {epochs}", validation)
    with begun, Interrupts(True, together=not alone) as interrupts:
        inspect()
        runner.prepare("train", batches.peek())
        with Ending(model, callbacks, interrupts) as ending:
            callbacks.find_resume_point()
            callbacks.on_train_begin()
            logs, resume, midway.first = {}, model.resume_point, model._first_steps(verbose)
            many = many_steps(model, batches, callbacks, epochs - initial_epoch) if alone and not midway.every else None
            for epoch in _epochs_left(initial_epoch, epochs, resume):
                model._runner.reset_metrics()
                ending.begin_epoch(epoch, logs)
                callbacks.on_epoch_begin(epoch)
                progress.begin_epoch(epoch, batches.num_batches)
                due = validation is not None and _due(epoch, validation_freq)
                if many is not None and resume is None:
                    ending.steps = many
                    last = midway.saw(many.epoch(progress, interrupts), batches.num_batches)
                else:
                    ending.steps = steps = Pass(model, "train", batches, callbacks, interrupts, progress, resume)
                    last = steps.logs
                    for batch in midway.batches(epoch, steps, due):
                        last = steps.run(runner.train, batch)
                logs, resume, model.resume_point = _read(last), None, None
                progress.end_steps()
                logs |= midway.validate_at_end(epoch, callbacks, interrupts) if due else {}
                progress.end_epoch(logs)
                with ending.held():
                    callbacks.on_epoch_end(epoch, logs)
                if _ends_after(epoch, model, batches):
                    break
            interrupts.check()
            _finish_averages(model, runner)
            callbacks.on_train_end(logs)
    return model.history


def _progress(verbose, epochs, batches):
    progress = Progress(verbose, epochs=epochs, steps=batches.num_batches)
    if not processes.is_first():
        progress.verbose = 0
    return progress


def _epochs_left(initial_epoch, epochs, resume):
    if resume is None:
        return range(initial_epoch, epochs)
    return range(resume.epoch, resume.epoch if resume.stopped else epochs)


def _ends_after(epoch, model, batches):
    """Whether the run ends after an epoch, in all processes, which still have the same values."""
    runner = model._runner
    if runner.sharded is not None and processes.together() is not None:
        runner.sharded.comparison.values(runner.groups, f"After epoch {epoch + 1}: ")
    return is_agreed(model.stop_training or batches.exhausted, f"the end of epoch {epoch + 1}")


def _finish_averages(model, runner):
    """Assign moving averages to the weights, if the optimizer (or an inner optimizer) maintains them."""
    if model.optimizer is not None:
        runner.release()
        model.optimizer.finalize_variable_values(model.trainable_variables)


def _read(logs):
    """Logs as Python numbers, in alphabetical order of their names, as in Keras's History."""
    return dict(sorted(read_logs(logs).items()))


def _due(epoch, validation_freq):
    if isinstance(validation_freq, (list, tuple, set)):
        return epoch + 1 in validation_freq
    return (epoch + 1) % validation_freq == 0


def _validate(model, batches, callbacks, interrupts):
    """The validation logs, with the prefix val_."""
    model._runner.reset_metrics()
    with in_validation():
        logs = _test(model, batches, callbacks, interrupts)
    callbacks.on_test_end(logs)
    return {f"val_{key}": value for key, value in logs.items()}


class _Midway:
    """The steps of an epoch, with validations after every `every` of them. After a validation the metrics of the
    training go on from where they were."""

    def __init__(self, model, validation, every):
        is_count = isinstance(every, int) and not isinstance(every, bool) and every > 0
        if every is not None and (validation is None or not is_count):
            what = "needs validation data" if is_count else f"is a whole number above 0; got {every!r}"
            raise CallError(
                f"validation_steps_every {what}.",
                fix="model.fit(x, y, validation_split=0.2, validation_steps_every=100)",
            )
        self.model, self.validation, self.every, self.count, self.first = model, validation, every, 0, None
        if validation is not None:
            validation.read_by_share()

    def batches(self, epoch, steps, at_end):
        """The batches of an epoch, which has a validation of its own if `at_end`. `steps.logs` are those of the step
        when the next batch is asked for."""
        for batch in steps:
            yield batch
            self.saw(steps.logs)
            if self.every is None:
                continue
            self.count = steps.count
            is_last = at_end and steps.count == steps.batches.num_batches
            if steps.count % self.every == 0 and not is_last:
                steps.logs = {**steps.logs, **self._validate(epoch, steps)}

    def saw(self, logs, steps=1):
        """Let the first steps of the training be looked at. Returns their logs."""
        self.first = self.first and self.first.after(logs, steps)
        return logs

    def validate_at_end(self, epoch, callbacks, interrupts):
        """The validation logs after an epoch."""
        found = _validate(self.model, self.validation, callbacks, interrupts)
        self.note(epoch, found)
        return found

    def _validate(self, epoch, steps):
        steps.interrupts.release()
        runner = self.model._runner
        metrics = peek(runner.groups["metrics"])
        found = _validate(self.model, self.validation, steps.callbacks, steps.interrupts)
        for variable, value in zip(runner.groups["metrics"], metrics, strict=True):
            runner._put(variable, value)
        self.note(epoch, found)
        steps.interrupts.hold()
        return found

    def note(self, epoch, logs):
        """Add the validation logs to `History.validations`."""
        if self.every is not None:
            self.model.history.validations.append({"epoch": epoch, "batch": self.count, **logs})


def _test(model, batches, callbacks, interrupts, progress=None):
    model.stop_evaluating = False
    callbacks.on_test_begin()
    if progress is not None:
        progress.begin_epoch(0, batches.num_batches)
    steps = Pass(model, "test", batches, callbacks, interrupts, progress)
    for batch in steps:
        steps.logs = model._runner.test(batch)
    return _read(steps.logs)


def evaluate_batches(model: Any, batches: Any, verbose: Any, callbacks: Any) -> Any:
    """Loss and metrics over all batches by name."""
    batches.read_by_share()
    progress = _progress(verbose, 1, batches)
    callbacks = _callback_list(callbacks, model, history=False, steps=batches.num_batches, verbose=verbose)
    with call_of_all("evaluate", model, batches), Interrupts() as interrupts:
        model._runner.prepare("test", batches.peek())
        model._runner.reset_metrics()
        logs = _test(model, batches, callbacks, interrupts, progress)
        progress.end_epoch(logs)
        callbacks.on_test_end(logs)
    return logs


def predict_batches(model: Any, batches: Any, verbose: Any, callbacks: Any) -> Any:
    """The concatenated outputs of all batches."""
    batches.read_by_share()
    progress = _progress(verbose, 1, batches)
    callbacks = _callback_list(callbacks, model, history=False, steps=batches.num_batches, verbose=verbose)
    parts, model.stop_predicting = [], False
    with call_of_all("predict", model, batches), Interrupts() as interrupts:
        callbacks.on_predict_begin()
        progress.begin_epoch(0, batches.num_batches)
        for batch in Pass(model, "predict", batches, callbacks, interrupts, progress):
            parts.append(model._runner.predict(batch))
        progress.end_epoch({})
        callbacks.on_predict_end()
    if len(parts) == 1:
        return to_numpy(parts[0])
    return tree.map_structure(lambda *leaves: np.concatenate([np.asarray(leaf) for leaf in leaves]), *parts)


def to_numpy(outputs: Any) -> Any:
    """Outputs of a program as writable NumPy arrays that belong to the caller."""
    # Among arrays, lists, tuples and dicts, only arrays have `__array__`. isinstance with jax.Array is slower, since it
    # runs Python code.
    return np.array(outputs) if hasattr(outputs, "__array__") else tree.map_structure(np.array, outputs)


def _callback_list(callbacks, model, history=True, **params):
    if isinstance(callbacks, CallbackList):
        return callbacks
    return CallbackList(callbacks, add_history=history, model=model, **params)

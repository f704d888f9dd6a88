"""The one loop under fit, evaluate and predict."""

import numpy as np

from lamina.callbacks import CallbackList
from lamina.callbacks.logs import read_logs
from lamina.core import tree
from lamina.runtime import settings
from lamina.runtime.progress import Progress
from lamina.training.interrupts import Interrupts
from lamina.training.multi_step import many_steps

_STOP = {"train": "stop_training", "test": "stop_evaluating", "predict": "stop_predicting"}


def run_batches(batches, run, callbacks, kind, progress, interrupts, model, resume=None):
    """Run each batch of one pass, or what is left of it at a point to resume from; the logs of the last, still on the
    device. Callbacks hear of every `steps_per_execution` batches together."""
    hear, together, stop = callbacks.wants(kind), model.steps_per_execution, _STOP[kind]
    begin, end = getattr(callbacks, f"on_{kind}_batch_begin"), getattr(callbacks, f"on_{kind}_batch_end")
    logs, within = {} if resume is None else resume.logs, False
    first, rest = (0, batches.epoch()) if resume is None else (resume.batch, resume.replay(batches))
    for index, batch in enumerate(rest, first):
        if hear and not within:
            begin(index)
        with interrupts.held():
            logs = run(batch)
        within = (index + 1) % together != 0
        if hear and not within:
            end(index, logs)
        if progress is not None:
            progress.update(index + 1, logs)
        if getattr(model, stop) and not within:
            break
    if hear and within:
        end(index // together * together + together - 1, logs)  # as if the last execution had been full
    batches.end_epoch()
    return logs


def fit_batches(model, batches, validation, epochs, initial_epoch, verbose, callbacks, validation_freq, look):
    """Train; the History. `look()` sees the model before the first step."""
    epochs = min(epochs, settings.max_epochs() or epochs)
    progress = Progress(verbose, epochs=epochs, steps=batches.num_batches)
    callbacks = _callback_list(callbacks, model, epochs=epochs, steps=batches.num_batches, verbose=verbose)
    model.stop_training, model.training_batches = False, batches
    runner = model._runner
    look()
    runner.prepare("train", batches.peek())
    with Interrupts() as interrupts:
        try:
            callbacks.find_resume_point()
            callbacks.on_train_begin()
            logs, resume = {}, model.resume_point
            many = many_steps(model, batches, callbacks, epochs - initial_epoch)
            for epoch in _epochs_left(initial_epoch, epochs, resume):
                model._runner.reset_metrics()
                callbacks.on_epoch_begin(epoch)
                progress.begin_epoch(epoch, batches.num_batches)
                if many is not None and resume is None:
                    last = many.epoch(progress, interrupts)
                else:
                    last = run_batches(batches, runner.train, callbacks, "train", progress, interrupts, model, resume)
                logs = _read(last)
                resume = model.resume_point = None
                progress.end_steps()
                if validation is not None and _due(epoch, validation_freq):
                    results = _validate(model, validation, callbacks, interrupts)
                    logs.update({f"val_{key}": value for key, value in results.items()})
                progress.end_epoch(logs)
                callbacks.on_epoch_end(epoch, logs)
                if model.stop_training or batches.exhausted:
                    break
            _finish_averages(model, runner)
            callbacks.on_train_end(logs)
        finally:
            model.training_batches = model.resume_point = None
            runner.release()
            callbacks.settle()
    return model.history


def _epochs_left(initial_epoch, epochs, resume):
    if resume is None:
        return range(initial_epoch, epochs)
    return range(resume.epoch, resume.epoch if resume.stopped else epochs)


def _finish_averages(model, runner):
    """Put moving averages of weights in place, where the optimizer (or one inside it) keeps them."""
    if model.optimizer is not None:
        runner.release()
        model.optimizer.finalize_variable_values(model.trainable_variables)


def _read(logs):
    """Logs as numbers, by name in alphabetical order, as Keras's History has them."""
    return dict(sorted(read_logs(logs).items()))


def _due(epoch, validation_freq):
    if isinstance(validation_freq, (list, tuple, set)):
        return epoch + 1 in validation_freq
    return (epoch + 1) % validation_freq == 0


def _validate(model, batches, callbacks, interrupts):
    model._runner.reset_metrics()
    model.stop_evaluating = False
    callbacks.on_test_begin()
    logs = _read(run_batches(batches, model._runner.test, callbacks, "test", None, interrupts, model))
    callbacks.on_test_end(logs)
    return logs


def evaluate_batches(model, batches, verbose, callbacks):
    """Loss and metrics over all batches, by name."""
    progress = Progress(verbose, epochs=1, steps=batches.num_batches)
    callbacks = _callback_list(callbacks, model, history=False, steps=batches.num_batches, verbose=verbose)
    model._runner.prepare("test", batches.peek())
    model._runner.reset_metrics()
    model.stop_evaluating = False
    with Interrupts() as interrupts:
        callbacks.on_test_begin()
        progress.begin_epoch(0, batches.num_batches)
        logs = _read(run_batches(batches, model._runner.test, callbacks, "test", progress, interrupts, model))
        progress.end_epoch(logs)
        callbacks.on_test_end(logs)
    return logs


def predict_batches(model, batches, verbose, callbacks):
    """The outputs of all batches, joined."""
    progress = Progress(verbose, epochs=1, steps=batches.num_batches)
    callbacks = _callback_list(callbacks, model, history=False, steps=batches.num_batches, verbose=verbose)
    parts, model.stop_predicting = [], False

    def run(batch):
        parts.append(model._runner.predict(batch))
        return {}

    with Interrupts() as interrupts:
        callbacks.on_predict_begin()
        progress.begin_epoch(0, batches.num_batches)
        run_batches(batches, run, callbacks, "predict", progress, interrupts, model)
        progress.end_epoch({})
        callbacks.on_predict_end()
    if len(parts) == 1:
        return to_numpy(parts[0])
    return tree.map_structure(lambda *leaves: np.concatenate([np.asarray(leaf) for leaf in leaves]), *parts)


def to_numpy(outputs):
    """Outputs of a program as NumPy arrays that are the caller's own, to write to."""
    # Only arrays have it, among arrays, lists, tuples and dicts; isinstance with jax.Array would run code in Python.
    return np.array(outputs) if hasattr(outputs, "__array__") else tree.map_structure(np.array, outputs)


def _callback_list(callbacks, model, history=True, **params):
    if isinstance(callbacks, CallbackList):
        return callbacks
    return CallbackList(callbacks, add_history=history, model=model, **params)

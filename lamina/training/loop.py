"""The one loop under fit, evaluate and predict."""

import numpy as np

from lamina.callbacks import CallbackList
from lamina.core import tree
from lamina.training.interrupt import Interrupts
from lamina.training.progress import make_progress
from lamina.training.step import as_scalar


class Logs(dict):
    """The logs of a batch: device values, read from the device when a callback looks at one."""

    def __getitem__(self, key):
        return as_scalar(super().__getitem__(key))

    def get(self, key, default=None):
        return self[key] if key in self else default

    def items(self):
        return [(key, self[key]) for key in self]

    def values(self):
        return [self[key] for key in self]


def run_batches(batches, run, callbacks, kind, progress, interrupts, model):
    """Run each batch of one pass; the logs of the last, still on the device."""
    hear = callbacks.wants(kind)
    begin, end = getattr(callbacks, f"on_{kind}_batch_begin"), getattr(callbacks, f"on_{kind}_batch_end")
    logs = {}
    for index, batch in enumerate(batches.epoch()):
        if hear:
            begin(index)
        with interrupts.held():
            logs = run(batch)
        if hear:
            end(index, Logs(logs))
        if progress is not None:
            progress.update(index + 1, logs)
        if model.stop_training and kind == "train":
            break
    batches.end_epoch()
    return logs


def read_logs(logs):
    """Logs as numbers, by name in alphabetical order, as Keras's History has them."""
    return {key: as_scalar(logs[key]) for key in sorted(logs)}


def fit_batches(model, batches, validation, epochs, initial_epoch, verbose, callbacks, validation_freq):
    """Train; the History."""
    progress = make_progress(verbose, epochs=epochs, steps=batches.num_batches)
    callbacks = _callback_list(callbacks, model, epochs=epochs, steps=batches.num_batches, verbose=verbose)
    model.stop_training = False
    runner = model._runner
    runner.prepare("train", batches.peek())
    with Interrupts() as interrupts:
        try:
            callbacks.on_train_begin()
            logs = {}
            for epoch in range(initial_epoch, epochs):
                model.reset_metrics()
                callbacks.on_epoch_begin(epoch)
                progress.begin_epoch(epoch, batches.num_batches)
                logs = read_logs(run_batches(batches, runner.train, callbacks, "train", progress, interrupts, model))
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
            runner.release()
    return model.history


def _finish_averages(model, runner):
    """Put moving averages of weights in place, where the optimizer keeps them."""
    if model.optimizer is not None and getattr(model.optimizer, "use_ema", False):
        runner.release()
        model.optimizer.finalize_variable_values(model.trainable_variables)


def _due(epoch, validation_freq):
    if isinstance(validation_freq, (list, tuple, set)):
        return epoch + 1 in validation_freq
    return (epoch + 1) % validation_freq == 0


def _validate(model, batches, callbacks, interrupts):
    model.reset_metrics()
    callbacks.on_test_begin()
    logs = read_logs(run_batches(batches, model._runner.test, callbacks, "test", None, interrupts, model))
    callbacks.on_test_end(logs)
    return logs


def evaluate_batches(model, batches, verbose, callbacks):
    """Loss and metrics over all batches, by name."""
    progress = make_progress(verbose, epochs=1, steps=batches.num_batches)
    callbacks = _callback_list(callbacks, model, history=False, steps=batches.num_batches, verbose=verbose)
    model._runner.prepare("test", batches.peek())
    model.reset_metrics()
    with Interrupts() as interrupts:
        callbacks.on_test_begin()
        progress.begin_epoch(0, batches.num_batches)
        logs = read_logs(run_batches(batches, model._runner.test, callbacks, "test", progress, interrupts, model))
        progress.end_epoch(logs)
        callbacks.on_test_end(logs)
    return logs


def predict_batches(model, batches, verbose, callbacks):
    """The outputs of all batches, joined."""
    progress = make_progress(verbose, epochs=1, steps=batches.num_batches)
    callbacks = _callback_list(callbacks, model, history=False, steps=batches.num_batches, verbose=verbose)
    parts = []

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
        return tree.map_structure(np.asarray, parts[0])
    return tree.map_structure(lambda *leaves: np.concatenate([np.asarray(leaf) for leaf in leaves]), *parts)


def _callback_list(callbacks, model, history=True, **params):
    if isinstance(callbacks, CallbackList):
        return callbacks
    return CallbackList(callbacks, add_history=history, model=model, **params)

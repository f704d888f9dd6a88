"""Callback: what may be done at each point of training, evaluation and prediction."""

from typing import Any

__all__ = ["Callback", "idle_with_epochs"]


class Callback:
    """Base of callbacks: write the hooks you need.

    `self.model` is the model and `self.params` holds verbose, epochs and steps. `logs` are the figures so far, as
    floats by
    name. A batch hook that looks into `logs` makes the loop wait for that batch's figures.

    >>> class Shout(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(f"EPOCH {epoch}!")
    >>> Shout().on_epoch_end(3)
    EPOCH 3!
    """

    model: Any = None
    params: Any = None

    def set_params(self, params):
        """Take the parameters of the run."""
        self.params = params

    def set_model(self, model):
        """Take the model."""
        self.model = model

    def on_epoch_begin(self, epoch, logs=None):
        """Before an epoch of `fit`."""

    def on_epoch_end(self, epoch, logs=None):
        """After an epoch of `fit`, with the figures of training and, named val_..., of validation."""

    def on_train_begin(self, logs=None):
        """At the start of `fit`."""

    def on_train_end(self, logs=None):
        """At the end of `fit`."""

    def on_test_begin(self, logs=None):
        """At the start of `evaluate`, and of the validation in `fit`."""

    def on_test_end(self, logs=None):
        """At the end of `evaluate`, and of the validation in `fit`."""

    def on_predict_begin(self, logs=None):
        """At the start of `predict`."""

    def on_predict_end(self, logs=None):
        """At the end of `predict`."""

    def on_batch_begin(self, batch, logs=None):
        """Another name of `on_train_batch_begin`."""

    def on_batch_end(self, batch, logs=None):
        """Another name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch, logs=None):
        """Before a step of `fit`."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        """After a step of `fit`."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch, logs=None):
        """Before a step of `evaluate`."""

    def on_test_batch_end(self, batch, logs=None):
        """After a step of `evaluate`."""

    def on_predict_batch_begin(self, batch, logs=None):
        """Before a step of `predict`."""

    def on_predict_batch_end(self, batch, logs=None):
        """After a step of `predict`; `logs["outputs"]` is what it gave."""


def idle_with_epochs(hook):
    """Decorates a hook for batches that has nothing to do where the callback's `save_freq` is "epoch"."""
    hook.idle = lambda callback: callback.save_freq == "epoch"
    return hook

"""The methods of models that Keras 1 and 2 had and Keras 3 has no more."""

import itertools
import math
from typing import Any

import numpy as np

from lamina import training
from lamina.core import tree
from lamina.errors import CallError
from lamina.legacy import old_names, warn_renamed_method

__all__ = ["LegacyMethods"]


class LegacyMethods:
    """Part of Trainer: the generator forms of fit, evaluate and predict, and other names of predict.

    Each takes its arguments as Keras 2 had them, and by name as Keras 1 had them (`samples_per_epoch=`).
    """

    fit: Any
    evaluate: Any
    predict: Any
    _flatten_layers: Any

    _runner: Any

    def make_train_function(self, force=False):
        """The compiled training step is made when it is first used. This is for programs that ask for it."""
        self._runner.program("train")

    def make_test_function(self, force=False):
        """As `make_train_function`, for `evaluate`."""
        self._runner.program("test")

    def make_predict_function(self, force=False):
        """As `make_train_function`, for `predict`."""
        self._runner.program("predict")

    def jax_state_sync(self):
        """Put the values of a step into the variables. Here variables always give today's values."""

    @old_names("Model.fit_generator")
    def fit_generator(
        self,
        generator,
        steps_per_epoch=None,
        epochs=1,
        verbose=1,
        callbacks=None,
        validation_data=None,
        validation_steps=None,
        validation_freq=1,
        class_weight=None,
        *,
        shuffle=True,
        initial_epoch=0,
        samples_per_epoch=None,
        nb_val_samples=None,
    ):
        """`fit(generator)`."""
        warn_renamed_method("Model", "fit_generator")
        generator, steps_per_epoch = _in_batches(generator, samples_per_epoch, steps_per_epoch)
        validation_data, validation_steps = _in_batches(validation_data, nb_val_samples, validation_steps)
        return self.fit(
            generator,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            shuffle=shuffle,
            class_weight=class_weight,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_freq=validation_freq,
        )

    @old_names("Model.evaluate_generator")
    def evaluate_generator(self, generator, steps=None, callbacks=None, *, verbose=0, val_samples=None):
        """`evaluate(generator)`."""
        warn_renamed_method("Model", "evaluate_generator")
        generator, steps = _in_batches(generator, val_samples, steps)
        return self.evaluate(generator, verbose=verbose, steps=steps, callbacks=callbacks)

    @old_names("Model.predict_generator")
    def predict_generator(self, generator, steps=None, callbacks=None, *, verbose=0, val_samples=None):
        """`predict(generator)`."""
        warn_renamed_method("Model", "predict_generator")
        generator, steps = _in_batches(generator, val_samples, steps)
        return self.predict(generator, verbose=verbose, steps=steps, callbacks=callbacks)

    def reset_states(self):
        """`reset_state()` of each layer that is stateful."""
        warn_renamed_method("Model", "reset_states")
        for layer in self._flatten_layers(include_self=False):
            if getattr(layer, "stateful", False):
                layer.reset_state()

    def predict_proba(self, x, batch_size=None, verbose=0):
        """`predict(x)`."""
        warn_renamed_method("Model", "predict_proba")
        return self.predict(x, batch_size=batch_size, verbose=verbose)

    def predict_classes(self, x, batch_size=None, verbose=0):
        """The number of the largest output of each sample; for a single output, whether it is above 0.5, as 0 and 1."""
        warn_renamed_method("Model", "predict_classes")
        outputs = self.predict(x, batch_size=batch_size, verbose=verbose)
        if outputs.shape[-1] > 1:
            return outputs.argmax(axis=-1)
        return (outputs > 0.5).astype("int32")


def _in_batches(data, samples, steps):
    """(data, steps) for a number of samples: Keras 1 counted these, and went on until it had as many.

    A generator does not say how large its batches are, so the first is looked at.
    """
    if samples is None or steps is not None or data is None or isinstance(data, (tuple, list)):
        return data, steps
    if isinstance(data, training.PyDataset):
        first = data[0]
    else:
        iterator = iter(data)
        first = next(iterator, None)
        if first is None:
            raise CallError("The generator ended before its first batch.")
        data = (batch for batch in itertools.chain((first,), iterator))
    return data, math.ceil(samples / len(np.asarray(tree.flatten(first)[0])))

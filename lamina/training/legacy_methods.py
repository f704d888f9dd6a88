"""Methods of models in Keras 1 and 2 that Keras 3 removed."""

from __future__ import annotations

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
    """Part of Trainer: the generator methods (`fit_generator` and similar) and other removed methods of models.

    They accept the arguments of Keras 2, and those of Keras 1 (such as `samples_per_epoch=`) by name.
    """

    fit: Any
    evaluate: Any
    predict: Any
    _flatten_layers: Any

    _runner: Any

    def make_train_function(self, force: bool = False) -> None:
        """Create the training step. Otherwise `fit` creates it when it is first needed.

        Args:
            force: Accepted for compatibility and ignored.
        """
        self._runner.program("train")

    def make_test_function(self, force: bool = False) -> None:
        """Create the step of `evaluate`. Otherwise `evaluate` creates it when it is first needed.

        Args:
            force: Accepted for compatibility and ignored.
        """
        self._runner.program("test")

    def make_predict_function(self, force: bool = False) -> None:
        """Create the step of `predict`. Otherwise `predict` creates it when it is first needed.

        Args:
            force: Accepted for compatibility and ignored.
        """
        self._runner.program("predict")

    def jax_state_sync(self) -> None:
        """Do nothing. Variables always have their current values."""

    @old_names("Model.fit_generator")
    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        validation_freq: Any = 1,
        class_weight: Any = None,
        *,
        shuffle: bool = True,
        initial_epoch: int = 0,
        samples_per_epoch: int | None = None,
        nb_val_samples: int | None = None,
    ) -> Any:
        """Call `fit(generator)`.

        Args:
            generator: Generator, PyDataset or other object that yields batches.
            steps_per_epoch, epochs, verbose, callbacks: See `fit`.
            validation_data, validation_steps, validation_freq, class_weight, shuffle, initial_epoch: See `fit`.
            samples_per_epoch: Number of samples per epoch, instead of `steps_per_epoch`.
            nb_val_samples: Number of validation samples, instead of `validation_steps`.
        """
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
    def evaluate_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Any = None,
        *,
        verbose: int = 0,
        val_samples: int | None = None,
    ) -> Any:
        """Call `evaluate(generator)`.

        Args:
            generator: Generator, PyDataset or other object that yields batches.
            steps, callbacks, verbose: See `evaluate`.
            val_samples: Number of samples, instead of `steps`.
        """
        warn_renamed_method("Model", "evaluate_generator")
        generator, steps = _in_batches(generator, val_samples, steps)
        return self.evaluate(generator, verbose=verbose, steps=steps, callbacks=callbacks)

    @old_names("Model.predict_generator")
    def predict_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Any = None,
        *,
        verbose: int = 0,
        val_samples: int | None = None,
    ) -> Any:
        """Call `predict(generator)`.

        Args:
            generator: Generator, PyDataset or other object that yields batches.
            steps, callbacks, verbose: See `predict`.
            val_samples: Number of samples, instead of `steps`.
        """
        warn_renamed_method("Model", "predict_generator")
        generator, steps = _in_batches(generator, val_samples, steps)
        return self.predict(generator, verbose=verbose, steps=steps, callbacks=callbacks)

    def reset_states(self) -> None:
        """Reset the state of each stateful layer."""
        warn_renamed_method("Model", "reset_states")
        for layer in self._flatten_layers(include_self=False):
            if getattr(layer, "stateful", False):
                layer.reset_state()

    def predict_proba(self, x: Any, batch_size: int | None = None, verbose: int = 0) -> Any:
        """Call `predict(x)`.

        Args:
            x, batch_size, verbose: See `predict`.
        """
        warn_renamed_method("Model", "predict_proba")
        return self.predict(x, batch_size=batch_size, verbose=verbose)

    def predict_classes(self, x: Any, batch_size: int | None = None, verbose: int = 0) -> Any:
        """The index of the largest output of each sample. For a single output: 1 if it is above 0.5, else 0.

        Args:
            x, batch_size, verbose: See `predict`.
        """
        warn_renamed_method("Model", "predict_classes")
        outputs = self.predict(x, batch_size=batch_size, verbose=verbose)
        if outputs.shape[-1] > 1:
            return outputs.argmax(axis=-1)
        return (outputs > 0.5).astype("int32")


def _in_batches(data, samples, steps):
    """(data, steps) for a number of samples. Keras 1 counted samples instead of steps.

    The batch size of a generator is unknown, so its first batch is read to find it.
    """
    if samples is None or steps is not None or data is None or isinstance(data, (tuple, list)):
        return data, steps
    if isinstance(data, training.PyDataset):
        first = data[0]
    else:
        iterator = iter(data)
        first = next(iterator, None)
        if first is None:
            raise CallError(
                "The generator ended before its first batch.",
                fix="It runs once: make a new generator for each call, or repeat in it: while True: yield x, y.",
            )
        data = (batch for batch in itertools.chain((first,), iterator))
    return data, math.ceil(samples / len(np.asarray(tree.flatten(first)[0])))

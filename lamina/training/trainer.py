"""Trainer: the methods fit, evaluate and predict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from lamina import training as training_module
from lamina.core import tree
from lamina.core.kept import KeptAttribute
from lamina.core.keras_tensor import KerasTensor
from lamina.core.keywords import keywords
from lamina.core.sparse import is_sparse
from lamina.errors import DataError
from lamina.legacy import old_names, only_old_names
from lamina.runtime.tracebacks import filters_traceback, readable
from lamina.training.given import callbacks_with_options, check_given, in_validation
from lamina.training.legacy_methods import LegacyMethods
from lamina.training.step import StepMixin

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from lamina.callbacks import Callback, CallbackList, History, Resume
    from lamina.core.typing import PyTree

_READY = frozenset(map(np.dtype, ("float32", "int32", "uint8", "bool")))  # dtypes that a step takes unchanged


class Trainer(StepMixin, LegacyMethods):
    """The part of Model for training. `training.loop` iterates over the batches; `training.executor` runs each step."""

    stop_evaluating: bool = False
    stop_predicting: bool = False
    history: Any = KeptAttribute("model", "history = model.fit(x, y)")  # set by `fit`
    training_batches = resume_point = None  # of the running `fit`; BackupAndRestore reads the first and sets the second

    @old_names("Model.fit")
    def fit(
        self,
        x: PyTree = None,
        y: PyTree = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Sequence[Callback] | Callback | CallbackList | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: PyTree = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
        resume: str | os.PathLike[str] | Resume | None = None,
        stop_on_nonfinite: bool = False,
        validation_steps_every: int | None = None,
    ) -> History:
        """Train for `epochs` passes over the data.

        Args:
            x: Inputs as an array, or a list or dict of arrays; or something that yields batches: a generator,
                `keras.utils.Dataset` or `PyDataset`, torch DataLoader, tf.data or grain dataset; or a table of pandas,
                polars or pyarrow, or a Hugging Face data set, whose column "label" is y if there is no other.
            y: Targets as arrays; None if `x` yields batches (x, y) or (x, y, sample_weight).
            batch_size: Samples per step. None means 32, or the size of the batches that `x` yields.
            epochs: Number of the last epoch to train.
            verbose: 0 shows nothing, 1 a progress bar, 2 one line per epoch; "auto" is 1.
            callbacks: Callbacks to call during training.
            validation_split: Fraction of the samples, from the end, that is held out for validation.
            validation_data: (x, y) or (x, y, sample_weight), or something that yields batches.
            shuffle: Whether to reshuffle the samples in each epoch; "batch" shuffles only within each batch.
            class_weight: Dict from label to the weight of its samples.
            sample_weight: Weights of the samples. None means 1 for each.
            initial_epoch: Epoch at which to start, counted from 0.
            steps_per_epoch: Batches per epoch. None means all; required for infinite data.
            validation_steps: Batches per validation. None means all; required for infinite data.
            validation_batch_size: Samples per validation step. None means `batch_size`.
            validation_freq: Interval between validations in epochs, or a list of the epochs after which they run.
            resume: Folder that stores the progress of the run, or a `keras.callbacks.Resume`, which also sets how
                often it is saved. Starting the same program again after a crash continues the run, and ends with
                bit-identical weights.
            stop_on_nonfinite: Whether to stop with a diagnosis when the loss becomes NaN or infinite, keeping the
                last finite weights: `keras.callbacks.StopOnNonFinite`.
            validation_steps_every: Interval in steps between validations inside an epoch, besides those at the ends of
                epochs. Their results are in the History's `validations`, in the logs of `on_train_batch_end` after that
                step, and in those of `on_test_end`.

        Returns:
            The History, whose `history` maps the name of each loss and metric to its values by epoch.

        Raises:
            CallError: If `compile` was not called.
            DataError: If the data does not fit the model.

        >>> import numpy as np
        >>> import lamina as keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        >>> model.compile("adam", "mse")
        >>> history = model.fit(np.ones((64, 4)), np.ones((64, 1)), batch_size=16, epochs=2, verbose=0)
        >>> len(history.history["loss"])
        2
        """
        with training_module.ends_all():
            self._must_be_compiled("fit")
            data, arguments = (x, y, sample_weight), {
                "batch_size": batch_size, "epochs": epochs, "initial_epoch": initial_epoch, "callbacks": callbacks,
                "validation_split": validation_split, "validation_data": validation_data, "class_weight": class_weight,
            }  # fmt: skip
            check_given(x, y, class_weight, epochs, initial_epoch, validation_data, batch_size)
            if validation_split and validation_data is None:
                text = training_module.host_step_of(self, x) is not None
                with training_module.text_advice(self):
                    (x, y, sample_weight), validation_data = training_module.split_validation(
                        data, validation_split, text, self._names_of_inputs()
                    )
            batches = self._batches(x, y, sample_weight, batch_size, steps_per_epoch, shuffle, class_weight)
            batches.given, validation = data, None
            if validation_data is not None:
                size = validation_batch_size or (batch_size if _are_arrays(validation_data) else None)
                validation = self._validation_batches(validation_data, size, validation_steps)
            callbacks = callbacks_with_options(callbacks, stop_on_nonfinite, resume)

            def inspect():
                self._inspect("fit", batches, data, verbose, arguments, validation)

            return training_module.fit_batches(
                self, batches, validation, epochs, initial_epoch, verbose, callbacks, validation_freq, inspect,
                validation_steps_every,
            )  # fmt: skip

    @old_names("Model.evaluate")
    def evaluate(
        self,
        x: PyTree = None,
        y: PyTree = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: PyTree = None,
        steps: int | None = None,
        callbacks: Sequence[Callback] | Callback | CallbackList | None = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Compute the loss and the metrics over the data, in inference mode.

        Args:
            x: Inputs as an array, or a list or dict of arrays; or something that yields batches, as for `fit`.
            y: Targets as arrays; None if `x` yields batches (x, y) or (x, y, sample_weight).
            batch_size: Samples per step. None means 32, or the size of the batches that `x` yields.
            verbose: 0 shows nothing, 1 a progress bar, 2 one line; "auto" is 1.
            sample_weight: Weights of the samples. None means 1 for each.
            steps: Batches to process. None means all; required for infinite data.
            callbacks: Callbacks to call during the evaluation.
            return_dict: Whether to return a dict by name.
            **kwargs: Arguments of earlier versions of Keras.

        Returns:
            A list of numbers that begins with the loss (`metrics_names` has their names). Only the loss if there are no
            metrics. A dict if `return_dict` is set.

        Raises:
            CallError: If `compile` was not called.
            DataError: If the data does not fit the model.
        """
        with training_module.ends_all():
            self._must_be_compiled("evaluate")
            keywords("evaluate", kwargs)
            check_given(x, y)
            batches = self._batches(x, y, sample_weight, batch_size, steps, shuffle=False)
            self._inspect("evaluate", batches, (x, y, sample_weight), verbose)
            logs = training_module.evaluate_batches(self, batches, verbose, callbacks)
            return logs if return_dict else self._as_list(logs)

    def predict(
        self,
        x: PyTree,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Sequence[Callback] | Callback | CallbackList | None = None,
        **old_names: Any,
    ) -> Any:
        """The outputs for all samples, in inference mode.

        Args:
            x: Inputs as an array, or a list or dict of arrays; or something that yields batches, as for `fit`.
            batch_size: Samples per step. None means 32, or the size of the batches that `x` yields.
            verbose: 0 shows nothing, 1 a progress bar, 2 one line; "auto" is 1.
            steps: Batches to process. None means all; required for infinite data.
            callbacks: Callbacks to call during the prediction.
            **old_names: Arguments with names from earlier versions of Keras.

        Returns:
            NumPy arrays in the structure of the model's outputs, which the caller may modify.

        >>> import numpy as np
        >>> import lamina as keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> model.predict(np.ones((2, 4)), verbose=0).shape
        (2, 3)
        """
        if old_names:  # resolved here, since a wrapper would add a tenth to the time of a small prediction
            old_names = only_old_names("Model.predict", old_names, Trainer.predict, (self, x))
            return Trainer.predict(self, x, batch_size, verbose, steps, callbacks, **old_names)
        try:
            if not verbose and callbacks is None and steps is None and self._is_one_batch(x, batch_size):
                return training_module.to_numpy(self._runner.predict((x, None, None)))
            with training_module.ends_all():
                batches = self._batches(x, None, None, batch_size, steps, shuffle=False)
                return training_module.predict_batches(self, batches, verbose, callbacks)
        except BaseException as error:
            with readable(error) as shown:
                raise shown from None

    @old_names("Model.train_on_batch")
    def train_on_batch(
        self,
        x: PyTree,
        y: PyTree = None,
        sample_weight: PyTree = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Train on one batch.

        Args:
            x: Inputs as an array, or a list or dict of arrays.
            y: Targets as arrays.
            sample_weight: Weights of the samples. None means 1 for each.
            class_weight: Dict from label to the weight of its samples.
            return_dict: Whether to return a dict by name.

        Returns:
            The loss and the metrics of the batch, in the same form as the result of `evaluate`.
        """
        self._must_be_compiled("train_on_batch")
        return self._on_batch(self._runner.train, x, y, sample_weight, class_weight, return_dict)

    @old_names("Model.test_on_batch")
    def test_on_batch(
        self, x: PyTree, y: PyTree = None, sample_weight: PyTree = None, return_dict: bool = False
    ) -> Any:
        """Compute the loss and the metrics of one batch, in inference mode.

        Args:
            x: Inputs as an array, or a list or dict of arrays.
            y: Targets as arrays.
            sample_weight: Weights of the samples. None means 1 for each.
            return_dict: Whether to return a dict by name.

        Returns:
            The loss and the metrics of the batch, in the same form as the result of `evaluate`.
        """
        self._must_be_compiled("test_on_batch")
        return self._on_batch(self._runner.test, x, y, sample_weight, None, return_dict)

    @filters_traceback
    def predict_on_batch(self, x: PyTree) -> Any:
        """The outputs for one batch, as NumPy arrays, in inference mode.

        Args:
            x: Inputs as an array, or a list or dict of arrays.
        """
        with training_module.as_one("predict_on_batch"):
            return training_module.to_numpy(self._runner.predict(self._single_batch(x)))

    # Internal

    def _on_batch(self, run, x, y, sample_weight, class_weight, return_dict):
        with training_module.as_one("train_on_batch or test_on_batch"), training_module.Interrupts() as interrupts:
            interrupts.hold()  # a step overwrites the values in place: Ctrl-C comes after it
            self._runner.reset_metrics()
            logs = training_module.read_logs(run(self._single_batch(x, y, sample_weight, class_weight)))
        if logs.get("loss", 0.0) != logs.get("loss", 0.0):  # NaN
            self._inspect("batch", x, y, sample_weight)
        return dict(sorted(logs.items())) if return_dict else self._as_list(logs)

    def _inspect(self, when, *data):
        """Look for mistakes before a "fit" or an "evaluate", or in a "batch" whose loss is NaN."""

    def _first_steps(self, verbose) -> Any:
        """What looks at the first steps of a `fit`: an object with `after(logs, steps)`, or None."""

    def _has_call(self) -> bool:
        """Whether the model itself can be called. A model with a custom step may have no `call`."""
        return True

    def _host_step(self) -> Any:
        """The host function that preprocesses the inputs of a step, for models that read text. None if a step takes the
        inputs unchanged."""
        return None

    def _batches(self, *args, **kwargs):
        names = self._names_of_inputs()
        with training_module.text_advice(self):
            step = training_module.host_step_of(self, args[0])
            batches = training_module.make_batches(*args, **kwargs, host_step=step, input_names=names)
        if batches.steps:  # executions are whole, as in Keras
            batches.steps += -batches.steps % self.steps_per_execution
        return batches

    def _names_of_inputs(self) -> list[str]:
        """The names of the inputs, where the model has them; they choose columns of a table."""
        return []

    def _validation_batches(self, data, batch_size, steps):
        with in_validation():
            if isinstance(data, (tuple, list)):
                data = training_module.unpack_x_y_sample_weight(tuple(data))
                return self._batches(*data, batch_size, steps, shuffle=False)
            return self._batches(data, steps=steps, shuffle=False)

    def _is_one_batch(self, x, batch_size):
        """Whether x is an array that a step can take unchanged as one batch."""
        plain = x.__class__ is np.ndarray and x.dtype in _READY and x.ndim > 1 and self._host_step() is None
        size = 32 if batch_size is None else batch_size
        return plain and size.__class__ is int and 0 < len(x) <= size and training_module.together() is None

    def _single_batch(self, x, y=None, sample_weight=None, class_weight=None):
        """Combine arrays into one batch, of all processes."""
        return training_module.batch_of_all(self, self._batch_of(x, y, sample_weight, class_weight))

    def _batch_of(self, x, y, sample_weight, class_weight):
        leaves = [leaf for leaf in tree.flatten(x) if leaf is not None]
        if not leaves or any(isinstance(leaf, KerasTensor) for leaf in leaves):
            raise DataError(
                f"A batch consists of arrays; got {x!r}.", fix="np.asarray(x); of symbolic tensors: model(x)"
            )
        ready = class_weight is None and y is None and self._host_step() is None
        if ready and all(isinstance(leaf, (np.ndarray, jax.Array)) and leaf.dtype != np.float64 for leaf in leaves):
            return x, None, sample_weight
        first = leaves[0] if hasattr(leaves[0], "__len__") and not isinstance(leaves[0], str) else x
        size = max(first.shape[0] if is_sparse(first) else len(first), 1)
        if training_module.differ_in_rows(x):
            x, y, sample_weight, size = iter([(x, y, sample_weight)]), None, None, None
        return self._batches(x, y, sample_weight, size, None, False, class_weight).peek()


def _are_arrays(data):
    return isinstance(data, (tuple, list)) and bool(data) and all(_is_array(leaf) for leaf in tree.flatten(list(data)))


def _is_array(leaf):
    return leaf is None or hasattr(leaf, "shape") or isinstance(leaf, (int, float))

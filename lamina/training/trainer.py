"""Trainer: compile, fit, evaluate, predict, and the steps a user may write anew."""

from typing import Any

import jax
import numpy as np

from lamina import callbacks as callbacks_module
from lamina import metrics as metrics_module
from lamina import optimizers
from lamina import training as training_module
from lamina.core import context, tree
from lamina.core.keras_tensor import KerasTensor
from lamina.core.serialization import deserialize, serialize
from lamina.errors import CallError, ConfigError, DataError, warn
from lamina.legacy import old_names, only_old_names
from lamina.training.legacy_methods import OldMethods
from lamina.training.step import StepMixin

_READY = frozenset(map(np.dtype, ("float32", "int32", "uint8", "bool")))


class Trainer(StepMixin, OldMethods):
    """The half of Model that trains. Everything runs through `training.loop`, every step through `training.runner`."""

    # What Layer, which stands beside it in Model, has:
    name: str
    built: bool
    dtype_policy: Any
    losses: Any
    trainable_variables: Any
    non_trainable_variables: Any
    metrics_variables: Any
    output_names: Any
    call: Any
    _parts: Any
    _flatten_layers: Any

    optimizer: Any = None
    loss: Any = None
    compiled = False
    stop_training = stop_evaluating = stop_predicting = False
    steps_per_execution = 1
    jit_compile: Any = "auto"
    training_batches = resume_point = None  # of the running `fit`; BackupAndRestore reads one and sets the other
    run_eagerly = False
    _compile_loss: Any = None
    _compile_metrics: Any = None
    _loss_tracker: Any = None
    _runner_made: Any = None
    _trainable_at_compile = _checked = None  # for `lamina.check`: the flags then, and the setting it was looked at with
    _compile_arguments: Any = None

    # Compile

    @old_names("Model.compile")
    def compile(
        self,
        optimizer="rmsprop",
        loss=None,
        loss_weights=None,
        metrics=None,
        weighted_metrics=None,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
        auto_scale_loss=True,
    ):
        """Say how to train: with which optimizer, on which loss, watching which metrics.

        Args:
            optimizer: a name, an Optimizer, or an optax GradientTransformation.
            loss: a name, function or Loss; a list or dict of them for several outputs. None if `compute_loss` or
            layers give it.
            loss_weights: numbers the losses of several outputs are multiplied by.
            metrics: names, functions or Metrics; for several outputs a list of lists, or a dict by output name.
            weighted_metrics: the same, with sample weights.
            run_eagerly: run each step op by op, for debugging.
            steps_per_execution: how many steps are one program, where that does not slow them down and no callback
            looks at batches; callbacks hear of so many batches together.
            jit_compile: accepted; a step is always compiled.
            auto_scale_loss: scale the loss where a layer computes in float16.
        """
        self._compile_arguments = {
            "optimizer": optimizer, "loss": loss, "loss_weights": loss_weights, "metrics": metrics,
            "weighted_metrics": weighted_metrics, "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution, "jit_compile": jit_compile,
        }  # fmt: skip
        self._stop_running()
        self.optimizer = optimizers.get(optimizer)
        scaled = self.optimizer is None or isinstance(self.optimizer, optimizers.LossScaleOptimizer)
        if auto_scale_loss and self.dtype_policy.name == "mixed_float16" and not scaled:
            self.optimizer = optimizers.LossScaleOptimizer(self.optimizer, name="loss_scale_optimizer")
        self.loss, self.loss_weights, self.run_eagerly = loss, loss_weights, run_eagerly
        self.steps_per_execution, self.jit_compile = steps_per_execution, jit_compile
        names = self.output_names if getattr(self, "_graph", None) is not None else None
        self._compile_loss = self._compile_metrics = None
        if loss is not None:
            self._compile_loss = training_module.CompileLoss(loss, loss_weights, output_names=names)
        if metrics is not None or weighted_metrics is not None:
            self._compile_metrics = training_module.CompileMetrics(metrics, weighted_metrics, output_names=names)
        self._loss_tracker = metrics_module.Mean(name="loss")
        self.compiled, self.stop_training, self._checked = True, False, None
        self._trainable_at_compile = tuple(layer.trainable for layer in self._flatten_layers())
        context.structure_changed()

    def resolved(self):
        """What `compile` settled on for this model's outputs: {"loss": {output: Loss}, "metrics": {key in the logs:
        Metric}}.

        Names such as 'accuracy' are settled by the shapes of targets and outputs, so only after the first batch.
        """
        losses = self._compile_loss.resolved() if self._compile_loss else {}
        return {"loss": losses, "metrics": self._compile_metrics.resolved() if self._compile_metrics else {}}

    @property
    def metrics(self):
        """The loss tracker, the compiled metrics, and the metrics kept as attributes of the model and its layers."""
        found = [metric for metric in (self._loss_tracker, self._compile_metrics) if metric is not None]
        if self._compile_loss is not None:
            found.extend(self._compile_loss.metrics)
        internal = {id(metric) for metric in found}
        own = [metric for metric in self._parts(metrics_module.Metric) if id(metric) not in internal]
        inner = [
            metric
            for layer in self._flatten_layers(include_self=False)
            if not isinstance(layer, Trainer)
            for metric in layer._parts(metrics_module.Metric)
        ]
        return list({id(metric): metric for metric in (*found, *own, *inner)}.values())

    @property
    def metrics_names(self):
        """The keys of the logs, as `evaluate` orders them."""
        return list(self._in_order(self.get_metrics_result()))

    def reset_metrics(self):
        """Start all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    # Fit, evaluate, predict

    @old_names("Model.fit")
    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
        resume=None,
        stop_on_nonfinite=False,
    ):
        """Train for `epochs` passes over the data; returns the History.

        Args:
            x, y, sample_weight: arrays (structures of them), or x gives batches: a generator, PyDataset, DataLoader,
            dataset.
            batch_size: samples a step; 32 if not given.
            validation_split: the share of the samples, from the end, that is held out.
            validation_data: (x, y) or (x, y, sample_weight), or something that gives batches.
            class_weight: dict from label to weight.
            steps_per_epoch, validation_steps: batches to take, for data without an end.
            validation_freq: validate every so many epochs, or after the epochs in a list.
            resume: a folder in which the run is kept, or a `callbacks.Resume` that also says how often: the same
            program started again after a crash goes on there, and ends with the same weights to the bit.
            stop_on_nonfinite: stop with a diagnosis when the loss turns NaN or infinite, with the last good weights:
            `callbacks.StopOnNonFinite`.

        Raises:
            CallError: when `compile` was not called. DataError: for data that does not fit.
        """
        self._must_be_compiled("fit")
        data, arguments = (x, y, sample_weight), {
            "batch_size": batch_size, "epochs": epochs, "callbacks": callbacks, "validation_split": validation_split,
            "validation_data": validation_data, "class_weight": class_weight,
        }  # fmt: skip
        if validation_split and validation_data is None:
            text = self._host_step() is not None
            (x, y, sample_weight), validation_data = training_module.split_validation(data, validation_split, text)
        batches = self._batches(x, y, sample_weight, batch_size, steps_per_epoch, shuffle, class_weight)
        validation = None
        if validation_data is not None:
            size = validation_batch_size or (batch_size if _are_arrays(validation_data) else None)
            validation = self._validation_batches(validation_data, size, validation_steps)
        callbacks = _with_options(callbacks, stop_on_nonfinite, resume)

        def look():
            self._look_before_fit(batches, data, verbose, arguments)

        return training_module.fit_batches(
            self, batches, validation, epochs, initial_epoch, verbose, callbacks, validation_freq, look
        )

    @old_names("Model.evaluate")
    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose="auto",
        sample_weight=None,
        steps=None,
        callbacks=None,
        return_dict=False,
        **kwargs,
    ):
        """The loss and metrics over the data: a list (one number if there is no metric), or a dict."""
        self._must_be_compiled("evaluate")
        if kwargs:
            raise CallError(f"evaluate has no argument {', '.join(map(repr, kwargs))}.")
        batches = self._batches(x, y, sample_weight, batch_size, steps, shuffle=False)
        logs = training_module.evaluate_batches(self, batches, verbose, callbacks)
        return logs if return_dict else self._as_list(logs)

    def predict(self, x, batch_size=None, verbose: Any = "auto", steps=None, callbacks=None, **old_names):
        """The outputs for all samples, as NumPy arrays, in inference mode."""
        if old_names:  # looked up here, as a wrapper would take a tenth of what a small model takes
            old_names = only_old_names("Model.predict", old_names)
            return Trainer.predict(self, x, batch_size, verbose, steps, callbacks, **old_names)
        if not verbose and callbacks is None and steps is None and self._is_one_batch(x, batch_size):
            return training_module.to_numpy(self._runner.predict((x, None, None)))
        batches = self._batches(x, None, None, batch_size, steps, shuffle=False)
        return training_module.predict_batches(self, batches, verbose, callbacks)

    @old_names("Model.train_on_batch")
    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """One training step on one batch; its loss and metrics."""
        self._must_be_compiled("train_on_batch")
        return self._on_batch(self._runner.train, x, y, sample_weight, class_weight, return_dict)

    @old_names("Model.test_on_batch")
    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """The loss and metrics of one batch."""
        self._must_be_compiled("test_on_batch")
        return self._on_batch(self._runner.test, x, y, sample_weight, None, return_dict)

    def predict_on_batch(self, x):
        """The outputs for one batch, as NumPy arrays."""
        batch = self._single_batch(x, None, None, None)
        return training_module.to_numpy(self._runner.predict(batch))

    def _on_batch(self, run, x, y, sample_weight, class_weight, return_dict):
        self._runner.reset_metrics()
        logs = run(self._single_batch(x, y, sample_weight, class_weight))
        logs = training_module.read_logs(logs)
        return dict(sorted(logs.items())) if return_dict else self._as_list(logs)

    def compilations(self):
        """What was compiled for this model since `compile`: for which shapes, when, how long it took, and whether it
        came from the disk cache (`config.set_compilation_cache`). Print it; each entry is a plain record.

        >>> import lamina as keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> y = model.predict([[1.0, 2.0, 3.0, 4.0]], verbose=0)
        >>> [(one.kind, one.batch) for one in model.compilations()]
        [('predict', 'float32(1, 4)')]
        """
        return self._runner.recorder.records

    # Inside

    def _look_before_fit(self, batches, data, verbose, arguments):
        """See whether something is wrong, before the first step."""

    def _has_call(self):
        """Whether the model itself can be called; one with a step of its own need not be."""
        return True

    def _host_step(self):
        """The function that makes, on the host, what a step takes out of a batch's inputs; None where a step takes the
        inputs themselves. Of models that read text."""
        return None

    def _batches(self, *args, **kwargs):
        return training_module.make_batches(*args, **kwargs, host_step=self._host_step())

    def _validation_batches(self, data, batch_size, steps):
        if isinstance(data, (tuple, list)):
            x, y, sample_weight = training_module.unpack_x_y_sample_weight(tuple(data))
            return self._batches(x, y, sample_weight, batch_size, steps, shuffle=False)
        return self._batches(data, steps=steps, shuffle=False)

    def _is_one_batch(self, x, batch_size):
        """Whether x is an array that a step takes as it is, whole."""
        plain = x.__class__ is np.ndarray and x.dtype in _READY and x.ndim > 1 and self._host_step() is None
        return plain and (batch_size is None or batch_size.__class__ is int) and 0 < len(x) <= (batch_size or 32)

    def _single_batch(self, x, y, sample_weight, class_weight):
        """One batch of arrays, whole."""
        leaves = [leaf for leaf in tree.flatten(x) if leaf is not None]
        if not leaves or any(isinstance(leaf, KerasTensor) for leaf in leaves):
            raise DataError(f"A batch is made of arrays; got {x!r}.")
        ready = class_weight is None and y is None and self._host_step() is None
        if ready and all(isinstance(leaf, (np.ndarray, jax.Array)) and leaf.dtype != np.float64 for leaf in leaves):
            return x, None, sample_weight
        size = max(len(leaves[0]) if hasattr(leaves[0], "__len__") and not isinstance(leaves[0], str) else len(x), 1)
        return self._batches(x, y, sample_weight, size, None, False, class_weight).peek()

    @property
    def _runner(self):
        if self._runner_made is None:
            self._runner_made = training_module.Runner(self)
        return self._runner_made

    def _stop_running(self):
        """Give values back and forget compiled programs."""
        if self._runner_made is not None:
            self._runner_made.release()
            self._runner_made = None

    def _has_unbuilt_targets(self):
        loss = self._compile_loss is not None and self._compile_loss.losses is None
        return loss or (self._compile_metrics is not None and self._compile_metrics.rows is None)

    def _build_compiled(self, x, y, y_pred, sample_weight):
        """Match losses and metrics to outputs; traced, so that metrics make their variables."""
        if self._compile_loss is not None and self._compile_loss.losses is None:
            self._compile_loss.build(y, y_pred)
        if self._compile_metrics is not None and self._compile_metrics.rows is None:
            self._compile_metrics.build(y, y_pred)
            self._compile_metrics.update_state(y, y_pred, sample_weight)

    def _must_be_compiled(self, method):
        if not self.compiled:
            raise CallError(
                f"{self.name} is not compiled, so it cannot {method}.", fix='model.compile("adam", loss="mse")'
            )

    def _in_order(self, logs):
        """Logs in the order of `evaluate`'s list: the loss, the losses of outputs, then the metrics."""
        first = ["loss", *(metric.name for metric in self._compile_loss.metrics)] if self._compile_loss else ["loss"]
        metrics = list(self._compile_metrics.resolved()) if self._compile_metrics else []
        ordered = [key for key in (*first, *metrics) if key in logs]
        return {key: logs[key] for key in (*ordered, *(key for key in logs if key not in ordered))}

    def _as_list(self, logs):
        values = list(self._in_order(logs).values())
        return values[0] if len(values) == 1 else values

    # Config

    def get_compile_config(self):
        """What `compile` was called with, for files."""
        if not self.compiled or self._compile_arguments is None:
            return {}
        config = {**self._compile_arguments, "optimizer": self.optimizer}
        try:
            return {key: serialize(value) for key, value in config.items()}
        except (ConfigError, NotImplementedError) as error:
            warn(f"{self.name} is written without its compile settings: {error}")
            return {}

    def compile_from_config(self, config):
        """Compile as a file says, with slots for the optimizer."""
        config = deserialize({key: value for key, value in config.items()})
        self.compile(**config)
        if self.optimizer is not None and self.built:
            self.optimizer.ensure_built(self.trainable_variables)


def _with_options(callbacks, stop_on_nonfinite, resume):
    """The callbacks, and those that arguments of `fit` stand for."""
    if stop_on_nonfinite:
        callbacks = [callbacks, callbacks_module.StopOnNonFinite()]
    if resume is not None:
        kept = resume if isinstance(resume, callbacks_module.Resume) else callbacks_module.Resume(resume)
        callbacks = [callbacks, kept]
    return callbacks


def _are_arrays(data):
    return isinstance(data, (tuple, list)) and bool(data) and all(_is_array(leaf) for leaf in tree.flatten(list(data)))


def _is_array(leaf):
    return leaf is None or hasattr(leaf, "shape") or isinstance(leaf, (int, float))

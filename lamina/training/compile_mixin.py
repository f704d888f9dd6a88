"""CompileMixin: the training settings and the metrics of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina import metrics as metrics_module
from lamina import optimizers, tree
from lamina import training as training_module
from lamina.core import context, registry
from lamina.core.context import building_lock
from lamina.core.serialization import deserialize, serialize
from lamina.errors import CallError, ConfigError, warn
from lamina.legacy import old_names
from lamina.spelling.nearest import letters_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lamina.core.typing import Config
    from lamina.layers.base.layer import Layer
    from lamina.losses.loss import LossLike
    from lamina.metrics.metric import MetricLike
    from lamina.optimizers.optimizer import OptimizerLike
else:
    Layer = object  # Model inherits from it separately

__all__ = ["CompileMixin"]

_OPTIMIZERS = frozenset("adam sgd rmsprop adamw nadam adagrad adadelta adamax ftrl lion lamb muon adafactor".split())


class CompileMixin(Layer):
    """`compile`, and methods that depend on its settings."""

    optimizer: Any = None
    loss: Any = None
    loss_weights: Any = None
    compiled: bool = False
    stop_training: bool = False
    steps_per_execution: int = 1
    jit_compile: bool | str = "auto"
    run_eagerly: bool = False
    _compile_loss: Any = None
    _compile_metrics: Any = None
    _loss_tracker: Any = None
    _compile_arguments: Any = None
    _is_compiled = property(lambda self: self.compiled)  # as tf.keras calls it, for packages
    _feed_inputs = property(lambda self: self.inputs)
    _looked_at = None  # the version of the structure whose `trainable` flags `train_on_batch` has seen
    _trainable_at_compile = None  # for `lamina.check`: the `trainable` flags of the layers when `compile` was called
    _checked = None  # settings with which `lamina.check` last checked the model
    _graph: Any
    compute_loss: Any
    _runner_made: Any = None

    @old_names("Model.compile")
    def compile(
        self,
        optimizer: OptimizerLike = "rmsprop",
        loss: LossLike | Mapping[str, LossLike | None] | Sequence[LossLike | None] | None = None,
        loss_weights: Mapping[str, float] | Sequence[float] | float | None = None,
        metrics: Mapping[str, Any] | Sequence[Any] | MetricLike | None = None,
        weighted_metrics: Mapping[str, Any] | Sequence[Any] | MetricLike | None = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Configure the model for training: optimizer, losses and metrics.

        Args:
            optimizer: Name, Optimizer, or `optax.GradientTransformation`.
            loss: Name, function or Loss; a list or dict of them for several outputs, nested as these are. A function or
                Loss at the place of a list or dict of outputs takes them all; a list at the place of one output, or
                `[of_all, {"a": ..., "b": ...}]`, is a group whose losses are added. None if `compute_loss` is
                overridden or layers call `add_loss`.
            loss_weights: Weights of the losses: one for each, or by output name.
            metrics: Names, functions or Metrics; for several outputs a list of lists, or a dict by output name.
            weighted_metrics: Metrics to which sample weights are applied.
            run_eagerly: Whether to run each step op by op, for debugging.
            steps_per_execution: Maximum number of steps to run in one compiled program. Steps stay separate if this
                would slow them down, or if a callback has hooks for batches. Hooks for batches are called once per this
                many batches.
            jit_compile: Accepted for compatibility and ignored. Steps are always compiled unless `run_eagerly` is
                set.
            auto_scale_loss: Whether to scale the loss if the dtype policy is "mixed_float16".

        >>> import lamina as keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        >>> model.compile(optimizer="adam", loss="mse", metrics=["mae"])
        """
        self._compile_arguments = {
            "optimizer": optimizer, "loss": loss, "loss_weights": loss_weights, "metrics": metrics,
            "weighted_metrics": weighted_metrics, "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution, "jit_compile": jit_compile,
        }  # fmt: skip
        self._discard_runner()
        if isinstance(optimizer, str) and isinstance(loss, str) and letters_of(loss) in _OPTIMIZERS:
            raise ConfigError(
                f"The optimizer is the first argument of compile, the loss the second; got {optimizer!r}, {loss!r}.",
                fix=f"model.compile({loss!r}, {optimizer!r})",
            )
        if any(isinstance(one, str) or callable(one) for one in tree.flatten(loss_weights)):
            raise ConfigError(
                f"The third argument of compile is loss_weights, numbers; got {loss_weights!r}.",
                fix=f"metrics={loss_weights!r}",
            )
        self.optimizer = optimizers.get(optimizer)
        scaled = self.optimizer is None or isinstance(self.optimizer, optimizers.LossScaleOptimizer)
        if auto_scale_loss and self.dtype_policy.name == "mixed_float16" and not scaled:
            inner: Any = self.optimizer
            self.optimizer = optimizers.LossScaleOptimizer(inner, name="loss_scale_optimizer")
        self.loss, self.loss_weights, self.run_eagerly = loss, loss_weights, run_eagerly
        self.steps_per_execution, self.jit_compile = steps_per_execution, jit_compile
        names = getattr(self, "output_names", None) if getattr(self, "_graph", None) is not None else None
        self._compile_loss = self._compile_metrics = None
        if loss is not None:
            self._compile_loss = training_module.CompileLoss(loss, loss_weights, output_names=names)
        if metrics is not None or weighted_metrics is not None:
            self._compile_metrics = training_module.CompileMetrics(metrics, weighted_metrics, output_names=names)
        self._loss_tracker = metrics_module.Mean(name="loss")
        self.compiled, self.stop_training, self._checked = True, False, None
        self._trainable_at_compile = tuple(layer.trainable for layer in self._flatten_layers())
        context.structure_changed()

    def resolved(self) -> dict[str, dict[str, Any]]:
        """The losses and metrics that `compile` selected: {"loss": {output: Loss}, "metrics": {key in the logs:
        Metric}}.

        The shapes of targets and outputs decide what a name such as "accuracy" means, so names are resolved when the
        first batch is processed.
        """
        losses = self._compile_loss.resolved() if self._compile_loss else {}
        return {"loss": losses, "metrics": self._compile_metrics.resolved() if self._compile_metrics else {}}

    @property
    def metrics(self) -> list[Any]:
        """The loss tracker, the compiled metrics, and metrics that are attributes of the model or its layers."""
        found = [metric for metric in (self._loss_tracker, self._compile_metrics) if metric is not None]
        if self._compile_loss is not None:
            found.extend(self._compile_loss.metrics)
        internal = {id(metric) for metric in found}
        own = [metric for metric in self._parts(metrics_module.Metric) if id(metric) not in internal]
        inner = [
            metric
            for layer in self._flatten_layers(include_self=False)
            if not isinstance(layer, CompileMixin)
            for metric in layer._parts(metrics_module.Metric)
        ]
        return list({id(metric): metric for metric in (*found, *own, *inner)}.values())

    @property
    def metrics_names(self) -> list[str]:
        """The keys of the logs, in the order in which `evaluate` returns the values."""
        return list(self._in_order(self.get_metrics_result()))

    def get_metrics_result(self) -> dict[str, Any]:
        """The results of all metrics by name. May be overridden."""
        results = {}
        for metric in self.metrics:
            results.update(training_module.results_of(metric, metric.name))
        return results

    def reset_metrics(self) -> None:
        """Reset the states of all metrics."""
        for metric in self.metrics:
            metric.reset_state()

    def get_compile_config(self) -> Config:
        """The arguments of `compile` by name, as JSON-able values; empty before `compile`."""
        if not self.compiled or self._compile_arguments is None:
            return {}
        config = {**self._compile_arguments, "optimizer": self.optimizer}
        try:
            return {key: serialize(value) for key, value in config.items()}
        except (ConfigError, NotImplementedError) as error:
            warn(f"{self.name} is written without its compile settings: {error}")
            return {}

    def compile_from_config(self, config: Config) -> None:
        """Call `compile` with the arguments in a config. If the model is built, also create the optimizer's variables.

        Args:
            config: What `get_compile_config` returned.
        """
        config = deserialize({key: value for key, value in config.items()})
        if registry.is_builtin(type(self).compile):  # a `compile` of the program may take what it likes
            training_module.check_compile_config(config)
        self.compile(**config)
        if self.optimizer is not None and self.built:
            self.optimizer.ensure_built(self.trainable_variables)

    # Internal

    @property
    def _runner(self) -> Any:
        """What runs the steps of this model, the same for all threads."""
        if self._runner_made is None:
            with building_lock:
                self._runner_made = self._runner_made or training_module.Runner(self)
        return self._runner_made

    def _discard_runner(self):
        """Return the values to their variables and discard the compiled programs."""
        if self._runner_made is not None:
            self._runner_made.release()
            self._runner_made = None

    def _has_unbuilt_targets(self):
        loss = self._compile_loss is not None and self._compile_loss.losses is None
        return loss or (self._compile_metrics is not None and self._compile_metrics.rows is None)

    def _build_compiled(self, x, y, y_pred, sample_weight):
        """Match losses and metrics to outputs. Runs inside a trace, so that metrics create their variables."""
        loss = self._compile_loss
        if loss is not None and loss.losses is None and not registry.is_builtin(type(self).compute_loss):
            self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)  # may take parts of the outputs
        if loss is not None and loss.losses is None:
            loss.build(y, y_pred)
        if self._compile_metrics is not None and self._compile_metrics.rows is None:
            self._compile_metrics.build(y, y_pred)
            self._compile_metrics.update_state(y, y_pred, sample_weight)

    def _must_be_compiled(self, method):
        if not self.compiled:
            raise CallError(
                f"{self.name} is not compiled, so it cannot {method}.", fix='model.compile("adam", loss="mse")'
            )
        if method == "train_on_batch" and self._looked_at != context.structure_version():
            self._looked_at = context.structure_version()
            self._warn_of_frozen()

    def _warn_of_frozen(self):
        """The discriminator of a GAN of Keras 1 and 2, which was trained with the flags that it had at compile."""
        if any(self._trainable_at_compile or ()) and not self.trainable and self.weights:
            warn(
                f"train_on_batch changes nothing: {self.name} was set to trainable=False after compile(). Before "
                f"Keras 3 the flags at compile() counted, now those at each step. Set {self.name}.trainable = True "
                "before its steps, and False before those of the model around it.",
                once=True,
            )

    def _in_order(self, logs):
        """Logs in the order of the values of `evaluate`: the loss, the losses of the outputs, the metrics."""
        first = ["loss", *(metric.name for metric in self._compile_loss.metrics)] if self._compile_loss else ["loss"]
        metrics = list(self._compile_metrics.resolved()) if self._compile_metrics else []
        ordered = [key for key in (*first, *metrics) if key in logs]
        return {key: logs[key] for key in (*ordered, *(key for key in logs if key not in ordered))}

    def _as_list(self, logs):
        values = list(self._in_order(logs).values())
        return values[0] if len(values) == 1 else values

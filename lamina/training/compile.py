"""CompileLoss and CompileMetrics: match the arguments of `compile` to the outputs of the model."""

from __future__ import annotations

import inspect
from collections import Counter
from typing import Any

from lamina import losses as losses_module
from lamina import metrics as metrics_module
from lamina.core import tree
from lamina.core.context import snake_case
from lamina.core.registry import is_builtin
from lamina.errors import ArgumentError, ConfigError, LaminaError, ShapeError, locate
from lamina.losses.loss import Loss
from lamina.metrics.metric import Metric
from lamina.training.loss_rows import is_single, loss_rows, name_by_losses
from lamina.training.outputs import Outputs, only_entry, other_order, results_of
from lamina.training.own_metrics import tell_of_crossing, tell_of_no_slope

__all__ = ["CompileLoss", "CompileMetrics", "is_binary_or_sparse", "resolve_loss", "resolve_metric"]


def is_binary_or_sparse(y_true: Any, y_pred: Any) -> tuple[bool, bool]:
    """(outputs have one unit, labels are class indices). These decide what "accuracy" and "crossentropy" mean.

    Args:
        y_true: Targets.
        y_pred: Outputs.
    """
    true, pred = y_true.shape, y_pred.shape
    last_true, last_pred = (true or (1,))[-1], (pred or (1,))[-1]
    return last_pred == 1, len(true) < len(pred) or (last_true == 1 and last_pred > 1)


_BY_SHAPE = {
    "accuracy": ("BinaryAccuracy", "SparseCategoricalAccuracy", "CategoricalAccuracy"),
    "crossentropy": ("BinaryCrossentropy", "SparseCategoricalCrossentropy", "CategoricalCrossentropy"),
}
AMBIGUOUS = {"acc": "accuracy", "accuracy": "accuracy", "ce": "crossentropy", "crossentropy": "crossentropy"}


def _by_shape(identifier, y_true, y_pred):
    """The class name that an ambiguous name stands for, given these shapes, or None."""
    family = AMBIGUOUS.get(identifier.lower()) if isinstance(identifier, str) else None
    if family is None:
        return None
    binary, sparse = is_binary_or_sparse(y_true, y_pred)
    return _BY_SHAPE[family][0 if binary else 1 if sparse else 2]


def resolve_metric(identifier: Any, y_true: Any, y_pred: Any) -> Metric:
    """The Metric for an identifier. It keeps the name that the user chose.

    Args:
        identifier: Name, function or Metric.
        y_true: Targets, whose shape decides what "accuracy" means.
        y_pred: Outputs, whose shape is used as well.
    """
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, str) and "," in identifier:
        names = [name.strip() for name in identifier.split(",")]
        raise ConfigError(f"Metrics are a list of names; got the text {identifier!r}.", fix=f"metrics={names}")
    name = _by_shape(identifier, y_true, y_pred)
    if name is not None:
        return getattr(metrics_module, name)(name=identifier)
    metric = metrics_module.get(identifier)
    if isinstance(metric, Metric):
        if isinstance(identifier, str):
            metric.name = identifier
        return metric
    name = identifier if isinstance(identifier, str) else _function_name(metric)
    return metrics_module.MeanMetricWrapper(metric, name=name)


def resolve_loss(identifier: Any, y_true: Any, y_pred: Any) -> Loss | None:
    """The Loss for an identifier; None for None.

    Args:
        identifier: Name, function or Loss.
        y_true: Targets, whose shape decides what "crossentropy" means.
        y_pred: Outputs, whose shape is used as well.
    """
    if identifier is None or isinstance(identifier, Loss):
        if identifier is not None and not is_builtin(type(identifier).__call__):
            _check_call(identifier)
        return identifier
    name = _by_shape(identifier, y_true, y_pred)
    if name and name.endswith("Accuracy"):
        fix = f"loss=keras.losses.{name.replace('Accuracy', 'Crossentropy')}()"
        raise ConfigError(f"{identifier!r} is a metric, by which nothing can be trained.", fix=fix)
    loss = getattr(losses_module, name)() if name else losses_module.get(identifier)
    if isinstance(loss, Loss):
        return loss
    return losses_module.LossFunctionWrapper(loss, name=_function_name(loss))


def _check_call(loss):
    """Raise an error where the `__call__` of a user's loss does not take what `fit` passes."""
    names = inspect.signature(loss.__call__).parameters
    if len(names) < 3 and not any(one.kind is one.VAR_POSITIONAL for one in names.values()):
        raise ArgumentError(
            f"{type(loss).__name__}.__call__ takes {', '.join(names)}; fit passes sample_weight too.",
            fix="def call(self, y_true, y_pred):",
        )


def _function_name(function):
    name = getattr(function, "name", None) or getattr(function, "__name__", None)
    name = name or getattr(getattr(function, "func", None), "__name__", None)
    return {"<lambda>": "lambda", None: snake_case(type(function).__name__)}.get(name, name)


class CompileLoss:
    """The weighted sum of the losses of the outputs. With several outputs, the mean of each loss is tracked.

    Args:
        loss: Losses of the outputs, in any form that `compile` accepts.
        loss_weights: Weights of the losses, in any form that `compile` accepts.
        reduction: Accepted for compatibility and ignored; each loss has its own.
        output_names: Names of the outputs.

    Attributes:
        rows: A `LossRow` for each loss; None before `build`.
    """

    outputs: Any
    _wanted: list[bool]  # whether each output has a loss

    def __init__(
        self,
        loss: Any,
        loss_weights: Any = None,
        reduction: str = "sum_over_batch_size",
        output_names: list[str] | None = None,
    ):
        self.loss = loss
        self.loss_weights = loss_weights
        self.output_names = output_names
        self.rows: Any = None
        self.trackers: dict[str, Any] = {}

    @property
    def losses(self) -> Any:
        """The loss of each row; None before `build`."""
        return None if self.rows is None else [row.loss for row in self.rows]

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Match the losses to the outputs.

        Args:
            y_true: Targets.
            y_pred: Outputs.
        """
        self.outputs = outputs = Outputs(y_pred, self.output_names)
        rows = loss_rows(outputs, self.loss, self.loss_weights)
        self._wanted = _covered(rows, outputs.count)
        targets, leaves = outputs.targets(y_true, self._wanted), tree.flatten(y_pred)
        rows = [row for row in rows if any(target is not None for target in tree.flatten(row.of(targets)))]
        for row in rows:
            row.loss = resolve_loss(row.identifier, row.of(targets), row.of(leaves))
        name_by_losses(rows)
        self._wanted = _covered(rows, outputs.count)
        names = [row.name for row in rows] if len(rows) > 1 else []
        self.trackers = {name: metrics_module.Mean(name=f"{name}_loss") for name in names}
        self.rows = rows  # at last: an error before leaves the losses unbuilt

    @property
    def metrics(self) -> list[Metric]:
        """The means of the losses, if there are several."""
        return list(self.trackers.values())

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The weighted sum of the losses; None if no output has a loss.

        Args:
            y_true: Targets.
            y_pred: Outputs.
            sample_weight: Weights of the samples. None means 1 for each.
        """
        if self.rows is None:
            self.build(y_true, y_pred)
        outputs = self._outputs_of(y_pred)
        targets, leaves = outputs.targets(y_true, self._wanted), tree.flatten(y_pred)
        weights = outputs.weights(sample_weight)
        total, by_name = None, {}
        rows: Any = self.rows
        for row in rows:
            try:
                value = row.loss(row.of(targets), row.of(leaves), weights[row.start])
                tell_of_no_slope(row.loss, row.of(targets), row.of(leaves))
            except ShapeError as error:
                locate(error, f"In the loss {row.loss.name}{f' of {row.name}' * bool(row.name)}.")
                error.fix = other_order(targets, leaves) or error.fix
                raise
            by_name[row.name] = value + by_name.get(row.name, 0)
            value = value if row.weight is None else value * row.weight
            total = value if total is None else total + value
        for row in {row.name: row for row in rows}.values() if self.trackers else ():
            shape = leaves[row.start].shape
            self.trackers[row.name].update_state(by_name[row.name], sample_weight=shape[0] if shape else 1)
        return total if total is None or not getattr(total, "ndim", 0) else total.mean()

    def _outputs_of(self, y_pred):
        """The outputs in the order that `build` used. If they are a dict, the names of the outputs give the order."""
        same = tree.structure_of(y_pred) == tree.structure_of(self.outputs.structure)
        return self.outputs if same else Outputs(y_pred, self.output_names)

    def resolved(self) -> dict[Any, Any]:
        """{name of the output: its loss}."""
        count = self.outputs.count if self.rows else 0
        found = dict.fromkeys(self.outputs.label(place) or place for place in range(count))
        for row in self.rows or ():
            key = self.outputs.label(row.start) or row.start if row.count == 1 else row.name
            found[key] = found.get(key) or row.loss
        return found


def _covered(rows, count):
    """Whether each output has a loss."""
    places = {place for row in rows for place in range(row.start, row.start + row.count)}
    return [place in places for place in range(count)]


class CompileMetrics(Metric):
    """The metrics of all outputs as one Metric, whose result is a dict.

    Args:
        metrics: Metrics of the outputs, in any form that `compile` accepts.
        weighted_metrics: Metrics to which sample weights are applied.
        name: Name of this metric.
        output_names: Names of the outputs.
    """

    outputs: Any

    def __init__(
        self,
        metrics: Any,
        weighted_metrics: Any,
        name: str = "compile_metrics",
        output_names: list[str] | None = None,
    ):
        super().__init__(name=name)
        self.given = metrics
        self.weighted = weighted_metrics
        self.output_names = output_names
        # (index of the output, key in the results, metric, whether it uses sample weights); None before `build`
        self.rows: Any = None

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Match the metrics to the outputs.

        Args:
            y_true: Targets.
            y_pred: Outputs.
        """
        self.outputs = outputs = Outputs(y_pred, self.output_names)
        leaves, targets = tree.flatten(y_pred), outputs.targets(y_true, [True] * outputs.count)
        rows = []
        for given, weighted in ((self.given, False), (self.weighted, True)):
            lists = _lists(given, outputs, "weighted_metrics" if weighted else "metrics")
            for place, identifiers in enumerate(lists):
                for identifier in identifiers:
                    if targets[place] is not None and identifier is not None:
                        metric = resolve_metric(identifier, targets[place], leaves[place])
                        rows.append((place, metric, weighted))
        order: Any = outputs.order  # of the model, where the outputs are a dict
        rows.sort(key=lambda row: order.index(outputs.label(row[0])) if order else 0)
        self.rows = _with_unique_keys(rows, outputs)

    @property
    def metrics(self) -> list[Metric]:
        """The metrics of the outputs."""
        return [metric for _, _, metric, _ in self.rows or ()]

    @property
    def variables(self) -> list[Any]:
        """The variables of all metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Update all metrics.

        Args:
            y_true: Targets.
            y_pred: Outputs.
            sample_weight: Weights of the samples. None means 1 for each.
        """
        if self.rows is None:
            self.build(y_true, y_pred)
        rows: Any = self.rows
        leaves, targets = tree.flatten(y_pred), self.outputs.targets(y_true, [True] * self.outputs.count)
        weights = self.outputs.weights(sample_weight)
        for place, _, metric, weighted in rows:
            weight = {"sample_weight": weights[place]} if weighted else {}
            try:
                tell_of_crossing(metric, targets[place], leaves[place])
                metric.update_state(targets[place], leaves[place], **weight)
            except LaminaError as error:
                locate(error, f"In the metric {metric.name} ({type(metric).__name__}).")
                raise

    def reset_state(self) -> None:
        """Reset all metrics."""
        for metric in self.metrics:
            metric.reset_state()

    def result(self) -> dict[str, Any]:
        """The results of all metrics by name."""
        results = {}
        for _, key, metric, _ in self.rows or ():
            results.update(results_of(metric, key))
        return results

    def resolved(self) -> dict[str, Metric]:
        """{key in the results: metric}."""
        return {key: metric for _, key, metric, _ in self.rows or ()}


def _lists(given, outputs, what):
    """One list of metrics per output."""
    if given is None:
        return [[] for _ in range(outputs.count)]
    if outputs.count == 1:
        given = only_entry(given, outputs.names)
        if isinstance(given, dict):
            given = outputs._by_name(given, what)
        given = given[0] if isinstance(given, (list, tuple)) and len(given) == 1 else given
        return [list(given) if isinstance(given, (list, tuple)) else [given]]
    found = outputs.broadcast(given, what, is_single)
    return [list(one) if isinstance(one, (list, tuple)) else [one] for one in found]


def _with_unique_keys(rows, outputs):
    """The rows with unique keys for the logs. Duplicates are resolved by the output name, by `weighted_` or by a
    number."""
    counts, found = Counter(), []
    for place, metric, weighted in rows:
        label = outputs.label(place) if outputs.count > 1 else None
        prefix = f"{label}_" if label else ""
        key = f"{prefix}{metric.name}"
        if weighted and key in counts:
            key = f"{prefix}weighted_{metric.name}"
        counts[key] += 1
        found.append((place, key if counts[key] == 1 else f"{key}_{counts[key] - 1}", metric, weighted))
    return found

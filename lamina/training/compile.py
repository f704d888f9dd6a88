"""What `compile` was told, matched to the outputs of the model: a loss, a weight and metrics for each."""

from collections import Counter
from typing import Any

from lamina import losses as losses_module
from lamina import metrics as metrics_module
from lamina.core import tree
from lamina.errors import ConfigError, DataError
from lamina.losses.loss import Loss
from lamina.metrics.metric import Metric


def is_binary_or_sparse(y_true, y_pred):
    """(outputs have one unit, labels are class numbers), which decide what 'accuracy' and 'crossentropy' mean."""
    true, pred = y_true.shape, y_pred.shape
    last_true, last_pred = (true or (1,))[-1], (pred or (1,))[-1]
    return last_pred == 1, len(true) < len(pred) or (last_true == 1 and last_pred > 1)


_BY_SHAPE = {
    "accuracy": ("BinaryAccuracy", "SparseCategoricalAccuracy", "CategoricalAccuracy"),
    "crossentropy": ("BinaryCrossentropy", "SparseCategoricalCrossentropy", "CategoricalCrossentropy"),
}
_SHORT = {"acc": "accuracy", "accuracy": "accuracy", "ce": "crossentropy", "crossentropy": "crossentropy"}


def _by_shape(identifier, y_true, y_pred):
    """The class name a shape-dependent name stands for, or None."""
    family = _SHORT.get(identifier.lower()) if isinstance(identifier, str) else None
    if family is None:
        return None
    binary, sparse = is_binary_or_sparse(y_true, y_pred)
    return _BY_SHAPE[family][0 if binary else 1 if sparse else 2]


def resolve_metric(identifier, y_true, y_pred):
    """The Metric meant by a name, function or object, for targets and outputs of these shapes. It keeps the user's
    name."""
    if isinstance(identifier, Metric):
        return identifier
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


def resolve_loss(identifier, y_true, y_pred):
    """The Loss meant by a name, function or object."""
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    name = _by_shape(identifier, y_true, y_pred)
    loss = getattr(losses_module, name)() if name else losses_module.get(identifier)
    if isinstance(loss, Loss):
        return loss
    return losses_module.LossFunctionWrapper(loss, name=_function_name(loss))


def _function_name(function):
    name = getattr(function, "__name__", None) or getattr(getattr(function, "func", None), "__name__", None)
    return {"<lambda>": "lambda", None: type(function).__name__.lower()}.get(name, name)


class Outputs:
    """The leaves of a model's outputs: their places and names, and whatever was given for them put in their order.

    What is given (losses, weights, metrics, targets) has the structure of the outputs, or part of it; a dict by output
    names; a
    list in the order of the outputs; or one thing for all.
    """

    def __init__(self, y_pred, names=None):
        self.structure = y_pred
        self.count = len(tree.flatten(y_pred))
        self.names = list(names) if names and len(names) == self.count else None
        if isinstance(y_pred, dict) and len(y_pred) == self.count and set(self.names or ()) != set(y_pred):
            self.names = sorted(y_pred)
        elif isinstance(y_pred, dict) and len(y_pred) == self.count:
            self.order = self.names
            self.names = sorted(y_pred)

    order = None  # the names in the order of the model, where the outputs are a dict and so sorted

    def label(self, place):
        """The name of an output, for the keys of logs."""
        return self.names[place] if self.names else None

    def spread(self, given, what, is_leaf):
        """One entry of `given` for each output; None where there is none."""
        structure = self.structure
        if self.count == 1:
            structure = tree.flatten(structure)[0]
            given = _only(given, self.names)
        if isinstance(given, dict) and not isinstance(structure, dict):
            given = self._by_name(given, what)
        if isinstance(given, list) and isinstance(structure, dict) and self.order:
            given = dict(zip(self.order, given, strict=False)) if len(given) == self.count else given
        return _spread(given, structure, what, is_leaf)

    def _by_name(self, given, what):
        if self.names is None:
            raise ConfigError(f"`{what}` is a dict, but the outputs have no names.", fix=f"Give `{what}` as a list.")
        unknown = sorted(set(given) - set(self.names))
        if unknown:
            raise ConfigError(
                f"Invalid `{what}`: no output is called {', '.join(map(str, unknown))}. Expected keys: {self.names}.",
                fix=f"Use the names of the outputs: {what}={{{self.names[0]!r}: ...}}.",
            )
        entries = [given.get(name) for name in self.names]
        return entries[0] if self.count == 1 else entries

    def targets(self, y, wanted):
        """The targets in the order of the outputs; `wanted` tells which outputs have a loss, for those may be all that
        is given."""
        if isinstance(y, dict) and not isinstance(self.structure, dict):
            missing = [name for name in self.names or () if name in y]
            if self.names and missing:
                return [y.get(name) for name in self.names]
        if isinstance(y, dict) and isinstance(self.structure, dict):
            return _spread(y, self.structure, "y", _is_array)
        given = tree.flatten(y)
        if len(given) == self.count:
            return given
        if len(given) == sum(wanted):
            values = iter(given)
            return [next(values) if has_loss else None for has_loss in wanted]
        if self.count == 1:
            raise DataError(
                f"y_true and y_pred have different structures: one output, {len(given)} targets.",
                fix="Pass the targets as one array: numpy.asarray(y).",
            )
        raise DataError(
            f"y_true and y_pred have different structures. The model has {self.count} outputs"
            + (f" ({', '.join(self.names)})" if self.names else "")
            + f"; there are {len(given)} targets."
        )

    def weights(self, sample_weight):
        """Sample weights in the order of the outputs; one array goes to all."""
        if sample_weight is None or _is_array(sample_weight):
            return [sample_weight] * self.count
        if isinstance(sample_weight, dict) and not isinstance(self.structure, dict) and self.names:
            return [sample_weight.get(name) for name in self.names]
        flat = tree.flatten(sample_weight)
        return flat if len(flat) == self.count else flat[:1] * self.count


def _is_array(value):
    return hasattr(value, "shape")


def _only(given, names):
    """What was given for the only output, out of a dict by its name or a list of one."""
    if isinstance(given, dict) and len(given) == 1 and (names is None or set(given) <= set(names)):
        given = next(iter(given.values()))
    return given


def _spread(given, structure, what, is_leaf):
    """`given` along `structure`, for each leaf."""
    leaves = len(tree.flatten(structure))
    if given is None or is_leaf(given) or not isinstance(structure, (dict, list, tuple)):
        return [given] * leaves
    if isinstance(structure, dict):
        if isinstance(given, dict):
            unknown = sorted(set(given) - set(structure), key=str)
            if unknown:
                raise OutputKeyError(
                    f"Invalid `{what}`: {unknown} can't be found in the model's output. "
                    f"Expected keys: {sorted(structure)}."
                )
            return [
                leaf for key in sorted(structure) for leaf in _spread(given.get(key), structure[key], what, is_leaf)
            ]
        structure = [structure[key] for key in sorted(structure)]
    if isinstance(given, dict):
        raise OutputKeyError(f"`{what}` has the keys {sorted(given)} where the model's output is a list.")
    if len(given) != len(structure):
        kind = type(structure).__name__
        raise ConfigError(
            f"`{what}` has {len(given)} entries for {len(structure)} outputs: expected a {kind} of {len(structure)}; "
            f"their number must match the number of losses.",
            fix=f"Give one for each output, or a dict by output name: {what}={{name: ...}}.",
        )
    return [leaf for one, part in zip(given, structure, strict=True) for leaf in _spread(one, part, what, is_leaf)]


class OutputKeyError(ConfigError, KeyError):
    """A key that no output of the model has."""

    __str__ = ConfigError.__str__


def _is_one(value):
    """One loss, metric or weight, not a structure of them."""
    return not isinstance(value, (dict, list, tuple))


class CompileLoss:
    """The losses of the outputs, weighted and added up, each with a tracker of its mean where there are several."""

    losses: Any
    weights: Any

    def __init__(self, loss, loss_weights=None, reduction="sum_over_batch_size", output_names=None):
        self.loss, self.loss_weights, self.output_names = loss, loss_weights, output_names
        self.losses: Any = None
        self.weights: Any = None
        self.trackers = []

    def build(self, y_true, y_pred):
        """Match losses to outputs, once both are known by shape."""
        self.outputs = outputs = Outputs(y_pred, self.output_names)
        given = [_unlisted(one) for one in outputs.spread(self.loss, "loss", _is_one)]
        targets = outputs.targets(y_true, [one is not None for one in given])
        leaves = tree.flatten(y_pred)
        rows = zip(given, targets, leaves, strict=True)
        self.losses = [resolve_loss(one, y, p) if y is not None else None for one, y, p in rows]
        self.weights = outputs.spread(self.loss_weights, "loss_weights", _is_one)
        several = sum(loss is not None for loss in self.losses) > 1
        self.trackers = [
            metrics_module.Mean(name=f"{outputs.label(place) or place}_loss") if several and loss is not None else None
            for place, loss in enumerate(self.losses)
        ]

    @property
    def metrics(self):
        """The trackers of the losses of the outputs, where they are several."""
        return [tracker for tracker in self.trackers if tracker is not None]

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The total, or None where no output has a loss."""
        if self.losses is None:
            self.build(y_true, y_pred)
        losses: Any = self.losses
        outputs = self._outputs_of(y_pred)
        targets = outputs.targets(y_true, [loss is not None for loss in losses])
        weights = outputs.weights(sample_weight)
        total = None
        rows = zip(losses, targets, tree.flatten(y_pred), weights, self.weights, self.trackers, strict=True)
        for loss, target, output, sample, weight, tracker in rows:
            if loss is None:
                continue
            value = loss(target, output, sample)
            if tracker is not None:
                tracker.update_state(value, sample_weight=output.shape[0] if output.shape else 1)
            value = value if weight is None else value * weight
            total = value if total is None else total + value
        return total if total is None or not getattr(total, "ndim", 0) else total.mean()

    def _outputs_of(self, y_pred):
        """As at build; outputs that come as a dict now are put in order by their names."""
        same = tree.structure_of(y_pred) == tree.structure_of(self.outputs.structure)
        return self.outputs if same else Outputs(y_pred, self.output_names)

    def resolved(self):
        """name of the output -> its loss."""
        if self.losses is None:
            return {}
        return {self.outputs.label(place) or place: loss for place, loss in enumerate(self.losses)}


def _unlisted(value):
    """The loss in a list of one."""
    return value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value


class CompileMetrics(Metric):
    """The metrics of all outputs as one: `result()` is a dict."""

    rows: Any

    def __init__(self, metrics, weighted_metrics, name="compile_metrics", output_names=None):
        super().__init__(name=name)
        self.given, self.weighted, self.output_names = metrics, weighted_metrics, output_names
        self.rows: Any = None  # (place of the output, key in the results, metric, whether it takes sample weights)

    def build(self, y_true, y_pred):
        """Match metrics to outputs, once both are known by shape."""
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
        self.rows = _with_unique_keys(rows, outputs)

    @property
    def metrics(self):
        """The metrics of the outputs."""
        return [metric for _, _, metric, _ in self.rows or ()]

    @property
    def variables(self):
        return [variable for metric in self.metrics for variable in metric.variables]

    def update_state(self, y_true, y_pred, sample_weight=None):
        if self.rows is None:
            self.build(y_true, y_pred)
        rows: Any = self.rows
        leaves, targets = tree.flatten(y_pred), self.outputs.targets(y_true, [True] * self.outputs.count)
        weights = self.outputs.weights(sample_weight)
        for place, _, metric, weighted in rows:
            if weighted:
                metric.update_state(targets[place], leaves[place], sample_weight=weights[place])
            else:
                metric.update_state(targets[place], leaves[place])

    def reset_state(self):
        for metric in self.metrics:
            metric.reset_state()

    def result(self):
        results = {}
        for _, key, metric, _ in self.rows or ():
            value = metric.result()
            results.update(value if isinstance(value, dict) else {key: value})
        return results

    def resolved(self):
        """key in the results -> metric."""
        return {key: metric for _, key, metric, _ in self.rows or ()}


def _lists(given, outputs, what):
    """A list of metrics for each output."""
    if given is None:
        return [[] for _ in range(outputs.count)]
    if outputs.count == 1:
        given = _only(given, outputs.names)
        if isinstance(given, dict):
            given = outputs._by_name(given, what)
        given = given[0] if isinstance(given, (list, tuple)) and len(given) == 1 else given
        return [list(given) if isinstance(given, (list, tuple)) else [given]]
    found = outputs.spread(given, what, _is_one)
    return [list(one) if isinstance(one, (list, tuple)) else [one] for one in found]


def _with_unique_keys(rows, outputs):
    """Keys for the logs: the output's name where there are several, `weighted_` where a metric comes twice, or a
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

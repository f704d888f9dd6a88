"""What `compile` was told, matched to the outputs of the model: a loss, a weight and metrics for each."""

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
    """The Metric meant by a name, function or object, for targets and outputs of these shapes. It keeps the user's name."""
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
    return losses_module.loss.LossFunctionWrapper(loss, name=_function_name(loss))


def _function_name(function):
    name = getattr(function, "__name__", None) or getattr(getattr(function, "func", None), "__name__", None)
    return {"<lambda>": "lambda", None: type(function).__name__.lower()}.get(name, name)


def per_output(value, names, what):
    """One entry of `value` for each output: a dict goes by name, a list by place, anything else to all."""
    if value is None:
        return [None] * len(names)
    if isinstance(value, dict):
        unknown = sorted(set(value) - set(names))
        if unknown:
            raise ConfigError(f"{what} names {unknown}, which no output is called.", fix=f"The outputs are {list(names)}.")
        return [value.get(name) for name in names]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise ConfigError(
                f"{what} has {len(value)} entries for {len(names)} output{'s' * (len(names) > 1)} ({', '.join(names)}).",
                fix=f"Give one for each, or a dict: {what}={{{names[0]!r}: ...}}.",
            )
        return list(value)
    return [value] * len(names)


def output_names(y_pred, model_names=None):
    """A name for each output: the model's, else the keys of a dict, else output_0, output_1, ..."""
    leaves = tree.flatten(y_pred)
    if isinstance(y_pred, dict):
        keys = sorted(y_pred)
        if len(keys) == len(leaves):
            return keys
    if model_names and len(model_names) == len(leaves):
        return list(model_names)
    return [f"output_{index}" for index in range(len(leaves))]


def targets_per_output(y, y_pred, names):
    """The targets in the order of the outputs."""
    outputs = tree.flatten(y_pred)
    if isinstance(y, dict):
        missing = [name for name in names if name not in y]
        if len(missing) == len(names):
            raise DataError(f"The targets are called {sorted(y)}; the outputs are called {names}.")
        return [y.get(name) for name in names]
    targets = tree.flatten(y)
    if len(outputs) == 1 and len(targets) > 1:
        raise DataError(
            f"The model has one output; there are {len(targets)} targets.",
            fix="Pass the targets as one array: numpy.asarray(y).",
        )
    if len(targets) != len(outputs):
        raise DataError(f"The model has {len(outputs)} outputs ({', '.join(names)}); there are {len(targets)} targets.")
    return targets


class CompileLoss:
    """The losses of the outputs, weighted and added up, each with a tracker of its mean where there are several."""

    def __init__(self, loss, loss_weights=None, model_names=None):
        self.loss, self.loss_weights, self.model_names = loss, loss_weights, model_names
        self.losses = None
        self.trackers = []

    def build(self, y_true, y_pred):
        """Match losses to outputs, once both are known by shape."""
        self.names = output_names(y_pred, self.model_names)
        targets, outputs = targets_per_output(y_true, y_pred, self.names), tree.flatten(y_pred)
        given = per_output(self._flat(self.loss), self.names, "loss")
        self.losses = [resolve_loss(one, y, p) if y is not None else None for one, y, p in zip(given, targets, outputs, strict=True)]
        self.weights = per_output(self._flat(self.loss_weights), self.names, "loss_weights")
        several = len(self.names) > 1
        self.trackers = [
            metrics_module.Mean(name=f"{name}_loss") if several and loss is not None else None
            for name, loss in zip(self.names, self.losses, strict=True)
        ]
        if sum(tracker is not None for tracker in self.trackers) < 2:
            self.trackers = [None] * len(self.names)

    def _flat(self, value):
        """Nested lists (for nested outputs) as one list; one loss in a list for one output as it is."""
        return tree.flatten(value) if isinstance(value, (list, tuple)) else value

    @property
    def metrics(self):
        return [tracker for tracker in self.trackers if tracker is not None]

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The total, or None where no output has a loss."""
        if self.losses is None:
            self.build(y_true, y_pred)
        targets, outputs = targets_per_output(y_true, y_pred, self.names), tree.flatten(y_pred)
        weights = weights_per_output(sample_weight, self.names)
        total = None
        rows = zip(self.losses, targets, outputs, weights, self.weights, self.trackers, strict=True)
        for loss, target, output, sample, weight, tracker in rows:
            if loss is None:
                continue
            value = loss(target, output, sample)
            if tracker is not None:
                tracker.update_state(value, sample_weight=output.shape[0] if output.shape else 1)
            value = value if weight is None else value * weight
            total = value if total is None else total + value
        return total

    def resolved(self):
        """name of the output -> its loss."""
        return {} if self.losses is None else dict(zip(self.names, self.losses, strict=True))


def weights_per_output(sample_weight, names):
    """Sample weights in the order of the outputs; one array goes to all."""
    if isinstance(sample_weight, dict):
        return [sample_weight.get(name) for name in names]
    if isinstance(sample_weight, (list, tuple)):
        flat = tree.flatten(sample_weight)
        return flat * len(names) if len(flat) == 1 else flat
    return [sample_weight] * len(names)


class CompileMetrics(Metric):
    """The metrics of all outputs as one: `result()` is a dict."""

    def __init__(self, metrics, weighted_metrics, model_names=None, name="compile_metrics"):
        super().__init__(name=name)
        self.given, self.weighted, self.model_names = metrics, weighted_metrics, model_names
        self.rows = None  # (place of the output, key in the results, metric, whether it takes sample weights)

    def build(self, y_true, y_pred):
        """Match metrics to outputs, once both are known by shape."""
        names = self.names = output_names(y_pred, self.model_names)
        targets, outputs = targets_per_output(y_true, y_pred, names), tree.flatten(y_pred)
        rows = []
        for given, weighted in ((self.given, False), (self.weighted, True)):
            what = "weighted_metrics" if weighted else "metrics"
            for place, identifiers in enumerate(_lists(given, names, what)):
                for identifier in identifiers:
                    if targets[place] is None:
                        continue
                    metric = resolve_metric(identifier, targets[place], outputs[place])
                    key = f"{names[place]}_{metric.name}" if len(names) > 1 else metric.name
                    rows.append((place, key, metric, weighted))
        self.rows = _with_unique_keys(rows)

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
        targets, outputs = targets_per_output(y_true, y_pred, self.names), tree.flatten(y_pred)
        weights = weights_per_output(sample_weight, self.names)
        for place, _, metric, weighted in self.rows:
            if weighted:
                metric.update_state(targets[place], outputs[place], sample_weight=weights[place])
            else:
                metric.update_state(targets[place], outputs[place])

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


def _lists(given, names, what):
    """A list of metrics for each output."""
    if given is None:
        return [[] for _ in names]
    if not isinstance(given, (list, tuple, dict)):
        given = [given]
    if isinstance(given, (list, tuple)) and len(names) == 1 and not (len(given) == 1 and isinstance(given[0], (list, tuple))):
        given = [given]
    found = per_output(given, names, what)
    return [list(one) if isinstance(one, (list, tuple)) else [] if one is None else [one] for one in found]


def _with_unique_keys(rows):
    """Two metrics of one name: the second is called weighted_ if it is, else it gets a number."""
    counts, found = {}, []
    for place, key, metric, weighted in rows:
        if weighted and key in counts:
            key = f"weighted_{key}"
        counts[key] = counts.get(key, 0) + 1
        found.append((place, key if counts[key] == 1 else f"{key}_{counts[key] - 1}", metric, weighted))
    return found

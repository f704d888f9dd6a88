"""What rules look at: a model with its facts, its losses, and one batch."""

import functools

import jax
import numpy as np

from lamina.core import tree
from lamina.core.registry import is_builtin
from lamina.errors import CallError
from lamina.facts.activations import activation_name
from lamina.facts.layer_facts import facts_of
from lamina.losses import Loss
from lamina.training.data import make_batches, unpack_x_y_sample_weight
from lamina.training.data.leaves import as_arrays, looks_like_arrays

__all__ = ["Head", "Subject", "activation_of", "as_batch", "classes_of", "name_of", "some_rows"]

_ROWS = 4096  # the most of a data set that rules look at
_SHAPING = (
    "Reshape", "Flatten", "Dropout", "Permute", "Identity", "RepeatVector", "Squeeze", "Transpose", "ExpandDims",
    "Cropping1D", "Cropping2D", "UpSampling2D", "Resizing",
)  # fmt: skip
_ACTIVATION_LAYERS = {"Softmax": "softmax", "ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu", "PReLU": "prelu",
                      "Sigmoid": "sigmoid", "Relu": "relu", "Tanh": "tanh", "LogSoftmax": "log_softmax"}  # fmt: skip


class Head:
    """One output of a model: its name, fact, activation and units, its loss, and its labels where there are some."""

    def __init__(self, name, fact, shape, loss, labels):
        self.name, self.fact, self.shape, self.loss, self.labels = name, fact, shape, loss, labels
        self.layer = fact.name
        self.units = shape[-1] if len(shape) > 1 else 1
        self.activation = activation_of(_before_shaping(fact))  # None where it cannot be known

    @property
    def loss_name(self):
        """The snake-case name of the loss, "" where there is none."""
        return name_of(self.loss)

    @property
    def exclusive(self):
        """Whether the loss is one over classes of which one is true."""
        return self.loss_name in ("sparse_categorical_crossentropy", "categorical_crossentropy")

    @property
    def numbers(self):
        """The labels as an array of numbers, None where there are none."""
        return self.labels if self.labels is not None and self.labels.dtype.kind in "fiub" else None

    @property
    def from_logits(self):
        """Whether the loss takes logits; None where it has no such setting."""
        if isinstance(self.loss, Loss):
            return getattr(self.loss, "from_logits", None)
        return False if "crossentropy" in self.loss_name else None


_SHORT = {"mse": "mean_squared_error", "mae": "mean_absolute_error", "msle": "mean_squared_logarithmic_error",
          "mape": "mean_absolute_percentage_error", "bce": "binary_crossentropy", "acc": "accuracy"}  # fmt: skip


def name_of(thing):
    """The snake-case name of a loss or metric, given in any way; "" for None."""
    if thing is None:
        return ""
    if isinstance(thing, Loss):  # its own name may be the user's
        thing = getattr(thing, "fn", None) or type(thing).__name__
    name = thing if isinstance(thing, str) else getattr(thing, "__name__", None) or type(thing).__name__
    if name[:1].isupper():
        name = "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("_")
    return _SHORT.get(name.lower(), name)


def activation_of(fact):
    """The name of the activation that a call ends in; None where only its author knows."""
    layer = fact.layer
    while fact.is_a("TimeDistributed", "Bidirectional", "SpectralNormalization") and hasattr(layer, "layer"):
        layer = layer.layer
        if not isinstance(fact.layer, type(layer)):
            break
    kind = type(layer).__name__
    if not is_builtin(type(layer)):
        return None
    if kind in _ACTIVATION_LAYERS:
        return _ACTIVATION_LAYERS[kind] if getattr(layer, "axis", -1) in (-1, None) or kind != "Softmax" else None
    return activation_name(layer)


def _before_shaping(fact):
    """The call whose numbers these are, before layers that only move them, or change their type."""
    while len(fact.sources) == 1 and (
        fact.kind in _SHAPING or (fact.kind == "Activation" and activation_name(fact.layer) == "linear")
    ):
        fact = fact.sources[0].innermost
    return fact


class Subject:
    """A model under check. `x`, `y` and `sample_weight` are arrays (structures of them) or None."""

    def __init__(self, model, x=None, y=None, sample_weight=None, settings=None, numbers=2**22):
        self.model = model
        self.numbers = numbers  # of each array, that are looked at
        self.x, self.y, self.sample_weight = x, y, sample_weight
        self.settings = settings or {}  # of the call of fit: batch_size, epochs, validation_split, callbacks, ...

    @functools.cached_property
    def facts(self):
        """The facts of all calls of layers; none where the model has not seen data."""
        try:
            return facts_of(self.model)
        except CallError:
            return []

    @functools.cached_property
    def own_step(self):
        """Whether training is lamina's: no train_step or compute_loss of the user's own."""
        return all(is_builtin(getattr(type(self.model), name)) for name in ("train_step", "compute_loss"))

    @functools.cached_property
    def heads(self):
        """A Head for each output."""
        ends = [(place, fact, index) for fact in self.facts if fact.depth == 0 for place, index in fact.ends]
        ends.sort(key=lambda end: end[0])
        names = self._output_names(len(ends)) or [fact.name for _, fact, _ in ends]
        losses = self._losses(names)
        labels = self._labels(names, losses)
        return [
            Head(name, fact.innermost, fact.outputs[index], loss, label)
            for name, (_, fact, index), loss, label in zip(names, ends, losses, labels, strict=True)
        ]

    def _output_names(self, count):
        """As losses and labels are keyed: by the model's own dict, else by its layers; None where neither is known."""
        graph, loss = getattr(self.model, "_graph", None), self.model.loss
        structure = graph.outputs if graph is not None else loss if isinstance(loss, dict) else self.y
        if isinstance(structure, dict) and len(structure) == count:
            return sorted(structure)
        names = getattr(self.model, "output_names", None) or []
        return names if len(names) == count else None

    def _losses(self, names):
        given = self.model.loss if self.model.compiled and self.own_step else None
        if isinstance(given, dict):
            return [_only(given.get(name)) for name in names]
        if isinstance(given, (list, tuple)):
            return list(map(_only, given)) if len(given) == len(names) else [None] * len(names)
        return [given] * len(names)

    def _labels(self, names, losses):
        if self.y is None:
            return [None] * len(names)
        if isinstance(self.y, dict):
            return [None if self.y.get(name) is None else some_rows(self.y[name], self.numbers) for name in names]
        leaves = tree.flatten(self.y)
        if len(leaves) == len(names):
            return [None if leaf is None else some_rows(leaf, self.numbers) for leaf in leaves]
        with_loss = [loss is not None for loss in losses]
        if len(leaves) != sum(with_loss):
            return [None] * len(names)
        given = iter(leaves)
        return [some_rows(next(given), self.numbers) if has_loss else None for has_loss in with_loss]

    @functools.cached_property
    def inputs(self):
        """name of an Input -> its data, where x was given."""
        return self.named_inputs(self.x)

    def named_inputs(self, x):
        """name of an Input -> some rows of its data."""
        names = self.input_names
        if isinstance(x, dict) and set(names) <= set(x):
            return {name: some_rows(x[name], self.numbers) for name in names}
        leaves = [leaf for leaf in tree.flatten(x) if leaf is not None] if x is not None else []
        names = names if len(names) == len(leaves) else [f"input {place}" for place in range(len(leaves))]
        return {name: some_rows(leaf, self.numbers) for name, leaf in zip(names, leaves, strict=True)}

    @functools.cached_property
    def input_names(self):
        """The names of the model's Inputs, in their order; none where it has no graph."""
        graph = getattr(self.model, "_graph", None)
        return [] if graph is None else [tensor._keras_history.operation.name for tensor in graph.input_tensors]

    @functools.cached_property
    def readers(self):
        """name of an Input -> the facts that read it, those of models inside too."""
        outer = [fact for fact in self.facts if fact.depth == 0]
        return {name: list(_readers(outer, place)) for place, name in enumerate(self.input_names)}


def _readers(facts, place):
    """The calls that take the input at this place, looking into models inside that have one input."""
    for reader in facts:
        if place in reader.reads and reader.inner and len(reader.inputs) == 1:
            yield from _readers(reader.inner, 0)
        elif place in reader.reads:
            yield reader


def classes_of(subject):
    """The labels of a model of one output as class numbers, in their order; None where they are no classes."""
    if len(subject.heads) != 1 or subject.heads[0].numbers is None:
        return None
    head, labels = subject.heads[0], subject.heads[0].numbers
    if "crossentropy" not in head.loss_name or not labels.size:
        return None
    if labels.ndim == 2:
        labels = labels[:, 0] if labels.shape[1] == 1 else labels.argmax(-1) if head.exclusive else None
    if labels is None or labels.ndim != 1 or not np.isfinite(labels).all() or (labels != np.round(labels)).any():
        return None
    return labels.astype("int64")


def _only(value):
    return value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value


def some_rows(values, numbers):
    """At most so many rows and numbers, spread over all of them, as NumPy: enough to judge by, quickly."""
    values = values if isinstance(values, (np.ndarray, jax.Array)) else np.asarray(values)
    if not values.ndim or not values.size:
        return np.asarray(values)
    count = len(values)
    wanted = max(min(_ROWS, numbers * count // values.size), 1)
    step = max(-(-count // wanted), 1)
    return np.asarray(values)[::step]


def as_batch(x, y=None, sample_weight=None):
    """(x, y, sample_weight) as arrays: as they are, or the first batch of something that gives batches."""
    if x is not None and not looks_like_arrays(x):
        return unpack_x_y_sample_weight(make_batches(x).peek())
    given = ((x, "x"), (y, "y"), (sample_weight, "sample_weight"))
    return tuple(value if _is_array(value) else as_arrays(value, name, text=True) for value, name in given)


def _is_array(value):
    return value is None or isinstance(value, (np.ndarray, jax.Array))

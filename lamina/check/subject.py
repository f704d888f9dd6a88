"""What rules look at: a model with its facts, its losses, and one batch."""

import functools

import jax
import numpy as np

from lamina.core import tree
from lamina.errors import CallError
from lamina.facts.heads import heads_of, uses_builtin_step
from lamina.facts.layer_facts import facts_of
from lamina.training.data import make_batches, unpack_x_y_sample_weight
from lamina.training.data.leaves import as_arrays, looks_like_arrays

__all__ = ["Subject", "as_batch", "classes_of", "some_rows"]

_ROWS = 4096  # the most of a data set that rules look at


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
        return uses_builtin_step(self.model)

    @functools.cached_property
    def heads(self):
        """A Head for each output, with its labels."""
        heads = heads_of(self.model, self.facts, self.y)
        for head, labels in zip(heads, self._labels(heads), strict=True):
            head.labels = None if labels is None else some_rows(labels, self.numbers)
        return heads

    def _labels(self, heads):
        """The labels of each head; None where there are none or it is not known which."""
        unknown = [None] * len(heads)
        if self.y is None:
            return unknown
        if isinstance(self.y, dict):
            return [self.y.get(head.name) for head in heads]
        leaves = tree.flatten(self.y)
        if len(leaves) == len(heads):
            return leaves
        with_loss = [head.loss is not None for head in heads]
        given = iter(leaves)
        return [next(given) if has else None for has in with_loss] if len(leaves) == sum(with_loss) else unknown

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

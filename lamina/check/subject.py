"""What rules look at: a model with its facts, its losses, and one batch."""

import functools

import jax
import numpy as np

from lamina.core import tree
from lamina.explain.basic_layers import activation_name
from lamina.explain.facts import facts_of
from lamina.losses import Loss

__all__ = ["Head", "Subject"]

_ROWS = 4096  # of a data set that a rule looks at


class Head:
    """One output of a model: its name, fact, activation and units, its loss, and its labels where there are some."""

    def __init__(self, name, fact, loss, labels):
        self.name, self.fact, self.loss, self.labels = name, fact, loss, labels
        self.layer = fact.name
        self.shape = fact.output
        self.units = fact.output[-1] if len(fact.output) > 1 else 1
        self.activation = _activation_of(fact)

    @property
    def loss_name(self):
        """The snake-case name of the loss, "" where there is none."""
        if self.loss is None:
            return ""
        if isinstance(self.loss, str):
            return self.loss
        return getattr(self.loss, "name", None) or getattr(self.loss, "__name__", "")

    @property
    def from_logits(self):
        """Whether the loss takes logits; None where it has no such setting."""
        if isinstance(self.loss, Loss):
            settings = getattr(self.loss, "_fn_kwargs", None) or self.loss.get_config()
            return settings.get("from_logits", getattr(self.loss, "from_logits", None))
        return False if "crossentropy" in self.loss_name else None


def _activation_of(fact):
    """The activation of an output, through layers that only reshape."""
    while fact.sources and fact.kind in ("Reshape", "Flatten", "Dropout", "Permute", "Identity"):
        fact = fact.sources[0]
    return activation_name(fact.layer) or {"Softmax": "softmax", "ReLU": "relu"}.get(fact.kind, "linear")


class Subject:
    """A model under check. `x`, `y` and `sample_weight` are arrays (structures of them) or None."""

    def __init__(self, model, x=None, y=None, sample_weight=None, settings=None):
        self.model = model
        self.x, self.y, self.sample_weight = x, y, sample_weight
        self.settings = settings or {}  # of the call of fit: batch_size, epochs, validation_split, callbacks, ...

    @functools.cached_property
    def facts(self):
        """The facts of the layers, without Inputs."""
        return [fact for fact in facts_of(self.model) if not fact.is_input]

    @functools.cached_property
    def heads(self):
        """A Head for each output."""
        outer = [fact for fact in self.facts if fact.depth == 0]
        last = [_innermost(fact) for fact in outer if not fact.receivers]
        names = getattr(self.model, "output_names", None) or [fact.name for fact in last]
        losses = self._spread(self.model.loss, names, len(last)) if self.model.compiled else [None] * len(last)
        labels = self._labels(names, len(last))
        return [Head(*row) for row in zip(names, last, losses, labels, strict=False)]

    @staticmethod
    def _spread(given, names, count):
        if isinstance(given, dict):
            return [given.get(name) for name in names]
        if isinstance(given, (list, tuple)):
            return list(given) if len(given) == count else [None] * count
        return [given] * count

    def _labels(self, names, count):
        if self.y is None:
            return [None] * count
        if isinstance(self.y, dict):
            return [None if self.y.get(name) is None else _some(self.y[name]) for name in names]
        leaves = tree.flatten(self.y)
        return [_some(leaf) for leaf in leaves] if len(leaves) == count else [None] * count

    @functools.cached_property
    def inputs(self):
        """name of an Input -> its data, where x was given."""
        leaves = [leaf for leaf in tree.flatten(self.x) if leaf is not None] if self.x is not None else []
        names = getattr(self.model, "input_names", None) or []
        names = names if len(names) == len(leaves) else [f"input {place}" for place in range(len(leaves))]
        return {name: _some(leaf) for name, leaf in zip(names, leaves, strict=True)}


def _innermost(fact):
    """The last layer of a model inside, where a model is the last layer."""
    while fact.inner:
        fact = next(one for one in reversed(fact.inner) if not one.receivers)
    return fact


def _some(values):
    """At most so many rows, as NumPy."""
    values = values if isinstance(values, (np.ndarray, jax.Array)) else np.asarray(values)
    return np.asarray(values[:_ROWS])

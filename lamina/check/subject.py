"""What rules read: a model with its facts, its losses, and one batch."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from lamina.check.notes import meetings_of_rows
from lamina.check.traced import Traced
from lamina.core import tree
from lamina.core.registry import is_builtin
from lamina.errors import CallError
from lamina.facts.heads import ends_of, heads_of, uses_builtin_step
from lamina.facts.known_losses import OwnLoss
from lamina.facts.layer_facts import facts_of
from lamina.facts.loss_names import is_builtin_loss
from lamina.training.data import make_batches, unpack_x_y_sample_weight
from lamina.training.data.leaves import as_arrays, looks_like_arrays
from lamina.training.data.places import Part, parts_of

if TYPE_CHECKING:
    from lamina.core.typing import PyTree
    from lamina.facts.fact import Fact
    from lamina.facts.heads import Head

__all__ = ["Subject", "as_batch", "classes_of"]

_MOST_CALLS = 400  # of layers, in a model that is traced for a check


class Subject:
    """A model under check, with one batch of its data.

    Args:
        model: Model.
        x: Inputs, arrays or structures of them; None for none.
        y: Targets; None for none.
        sample_weight: Weight of each sample; None for none.
        settings: Arguments of `fit`: batch_size, epochs, validation_split, callbacks, ...; None for none.
        numbers: How many values of each array are read at most.
        parts: The arrays of x and y with their names; None names them "x" and "y".
        misfit: The error of a model that cannot run on x; None for none.
        may_trace: Whether the model may be traced on x, and run, for what its layers do not tell.
        source: The object that gives batches, of which x is the first; None where x was given as arrays.
    """

    def __init__(
        self, model: Any, x: PyTree = None, y: PyTree = None, sample_weight: PyTree = None,
        settings: dict[str, Any] | None = None, numbers: int = 2**22, parts: list[Part] | None = None,
        misfit: Exception | None = None, may_trace: bool = False, source: Any = None,
    ):  # fmt: skip
        self.model: Any = model
        self.numbers: int = numbers
        self.x: PyTree = x
        self.y: PyTree = y
        self.sample_weight: PyTree = sample_weight
        self.settings: dict[str, Any] = settings or {}
        self.misfit: Exception | None = misfit
        self.source: Any = source
        self.may_trace: bool = may_trace and x is not None and misfit is None
        self.parts: list[Part] = [*parts_of(x, x, "x"), *parts_of(y, y, "y")] if parts is None else parts

    def part_of(self, array: Any) -> Part:
        """A sample of an array of x or y, which knows its place.

        Args:
            array: The array.
        """
        part = next((part for part in self.parts if part.values is array), Part("the data", array))
        return part.sample(self.numbers)

    @functools.cached_property
    def facts(self) -> list[Fact]:
        """The facts of all calls of layers; none where the model has not seen data."""
        try:
            return facts_of(self.model)
        except CallError:
            return []

    @functools.cached_property
    def own_step(self) -> bool:
        """Whether training is lamina's: no train_step or compute_loss of the user's own."""
        return uses_builtin_step(self.model)

    @functools.cached_property
    def own_loss_alone(self) -> bool:
        """Whether training is lamina's but for a compute_loss of the user's own: its gradient can be traced."""
        return not self.own_step and is_builtin(type(self.model).train_step)

    @functools.cached_property
    def meetings(self) -> list[tuple[Any, Any]] | None:
        """Shapes of arrays whose rows meet all rows in training; None where the loss may not be traced."""
        traced = self.traced if (self.own_step or self.own_loss_alone) and self.model.compiled else None
        return None if traced is None else meetings_of_rows(traced, self.y)

    @functools.cached_property
    def heads(self) -> list[Head]:
        """A Head for each output, with its labels."""
        heads = heads_of(self.model, self.facts, self.y)
        traced = self.traced if not heads or any(head.activation is None for head in heads) else None
        if traced is not None:
            by_functions = len(heads) != len(traced.outputs)
            if by_functions:
                heads = heads_of(self.model, ends_of(self.facts, [output.shape for output in traced.outputs]), self.y)
            for head, activation in zip(heads, traced.activations, strict=False):
                head.activation = activation if by_functions or head.activation is None else head.activation
        for head, labels in zip(heads, self._labels(heads), strict=True):
            head.part = None if labels is None else self.part_of(labels)
            numbers = head.numbers if self.may_trace and head.loss is not None else None
            if numbers is not None and not is_builtin_loss(head.loss):
                head.own = OwnLoss(head.loss, numbers, head.shape)
                straight, swapped = head.own.known
                head.known = straight if swapped is None else None  # LAM123
        return heads

    @functools.cached_property
    def traced(self) -> Traced | None:
        """The model as a program on the first rows of x; None where it may not be traced, or cannot be."""
        if not self.may_trace or len(self.facts) > _MOST_CALLS:
            return None
        try:
            traced = Traced(self.model, self.x)
            return traced if traced.outputs else None
        except Exception:  # of the user's layers: what the rules on layers say must do
            return None

    @functools.cached_property
    def applied(self) -> dict[Any, str | None] | None:
        """Layer -> the activation that a function, and no layer, applies to its outputs, for the layers that nothing is
        added past; None where layers compute all that the model does, or this is not known."""
        whole = getattr(self.model, "_graph", None) is not None
        if self.traced is None or (whole and all(fact.is_builtin and not fact.is_a("Lambda") for fact in self.facts)):
            return None
        return self.traced.applied({fact.layer for fact in self.facts if fact.is_affine and fact.count})

    @functools.cached_property
    def penalty(self) -> tuple[float, float]:
        """(what is added to the loss of the first rows for the size of weights or activations, the rest of the loss);
        zeros where nothing is."""
        active = any(getattr(fact.layer, "activity_regularizer", None) for fact in self.facts)
        given = any(not fact.is_builtin for fact in self.facts) or any(
            map(_is_regularized, self.model._flatten_layers())
        )
        traced = (
            self.traced if given and self.own_step and self.model.compiled and self.model.loss is not None else None
        )
        return (0.0, 0.0) if traced is None else traced.penalty(self.y, active)

    @functools.cached_property
    def slopes(self) -> tuple[float, list[tuple[Any, np.ndarray]]] | None:
        """(the loss of some rows in training, (trainable weight, its gradient) pairs); None where this is not known."""
        traced = self.traced if (self.own_step or self.own_loss_alone) and self.model.compiled else None
        return None if traced is None else traced.slopes(self.y)

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

    @property
    def parts_of_batch(self) -> bool:
        """Whether only a batch of the data is known."""
        return any(part.batch is not None for part in self.parts) or not self.parts

    @functools.cached_property
    def inputs(self) -> dict[str, np.ndarray]:
        """name of an Input -> its data, where x was given."""
        return {name: part.values for name, part in self.input_parts.items()}

    @functools.cached_property
    def input_parts(self) -> dict[str, Part]:
        """name of an Input -> its data with their place, where x was given."""
        return {name: self.part_of(leaf) for name, leaf in self.named_inputs(self.x).items()}

    def named_inputs(self, x: PyTree) -> dict[str, Any]:
        """name of an Input -> its data.

        Args:
            x: Inputs, arrays or structures of them.
        """
        names = self.input_names
        if isinstance(x, dict) and set(names) <= set(x):
            return {name: x[name] for name in names}
        leaves = [leaf for leaf in tree.flatten(x) if leaf is not None] if x is not None else []
        names = names if len(names) == len(leaves) else [f"input {place}" for place in range(len(leaves))]
        return dict(zip(names, leaves, strict=True))

    @functools.cached_property
    def input_names(self) -> list[str]:
        """The names of the model's Inputs, in their order; none where it has no graph."""
        graph = getattr(self.model, "_graph", None)
        return [] if graph is None else [tensor._keras_history.operation.name for tensor in graph.input_tensors]

    @functools.cached_property
    def readers(self) -> dict[str, list[Fact]]:
        """name of an Input -> the calls that read it, those of models inside too."""
        outer = [fact for fact in self.facts if fact.depth == 0]
        names = self.input_names or list(self.named_inputs(self.x))
        return {name: list(_readers(outer, place)) for place, name in enumerate(names)}


def _is_regularized(layer):
    return any(name.endswith("_regularizer") and value is not None for name, value in vars(layer).items())


def _readers(facts, place):
    """The calls that take the input at this place, or the calls inside one of one input that take it as it is."""
    for reader in facts:
        if place in reader.reads:
            inside = list(_readers(reader.inner or (), 0)) if len(reader.inputs) == 1 else []
            yield from inside or [reader]


def classes_of(subject: Subject) -> np.ndarray | None:
    """The labels of a model of one output as class numbers, in their order; None where they are no classes.

    Args:
        subject: What is checked.
    """
    if len(subject.heads) != 1 or subject.heads[0].numbers is None:
        return None
    head, labels = subject.heads[0], subject.heads[0].numbers
    if "crossentropy" not in head.loss_name or not labels.size or len(head.shape) > 2:
        return None
    if labels.ndim == 2:
        several = (np.count_nonzero(labels, axis=-1) > 1).any() and bool(np.isin(labels, (0, 1)).all())
        exclusive = head.exclusive and not several
        labels = labels[:, 0] if labels.shape[1] == 1 else labels.argmax(-1) if exclusive else None
    if labels is None or labels.ndim != 1 or not np.isfinite(labels).all() or (labels != np.round(labels)).any():
        return None
    return labels.astype("int64")


def as_batch(x: PyTree, y: PyTree = None, sample_weight: PyTree = None) -> tuple[PyTree, PyTree, PyTree]:
    """(x, y, sample_weight) as arrays: as they are, or the first batch of an object that gives batches.

    Args:
        x: Inputs, or an object that gives batches.
        y: Targets.
        sample_weight: Weight of each sample.
    """
    if x is not None and not looks_like_arrays(x):
        return unpack_x_y_sample_weight(make_batches(x, steps=1).peek())
    return _as_arrays(x, "x"), _as_arrays(y, "y"), _as_arrays(sample_weight, "sample_weight")


def _as_arrays(value, name):
    return value if value is None or isinstance(value, (np.ndarray, jax.Array)) else as_arrays(value, name, text=True)

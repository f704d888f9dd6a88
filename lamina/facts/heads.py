"""Heads: the outputs of a model, with the activation that each ends in and the loss that it is compiled with."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.core import tree
from lamina.core.op import OpCall
from lamina.core.registry import is_builtin
from lamina.facts.activations import activation_of
from lamina.facts.fact import Fact
from lamina.facts.fits import Fit, fit_of
from lamina.facts.loss_names import EXCLUSIVE, name_of
from lamina.losses import Loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamina.core.typing import PyTree, Shape
    from lamina.facts.known_losses import OwnLoss

__all__ = ["Head", "ends_of", "heads_of", "uses_builtin_step"]

_REARRANGING_OPS = ("reshape", "transpose", "squeeze", "expand_dims")


@dataclasses.dataclass(eq=False)
class Head:
    """One output of a model.

    Attributes:
        name: Key of the output in dicts of losses and labels: that of the model's own dict, else a layer's name.
        fact: The call that computes it.
        shape: Shape of the output, with the batch.
        activation: Name of the activation that the output ends in, "linear" for none; None where it is not known.
        loss: Loss as it was passed to `compile`; None for none.
        each: Whether `compile` was given a loss for each output.
        part: Labels of one batch, as `values` of an object that knows their place; None where there are none.
        known: The loss of lamina's that a loss of the user's own computes; None where it is not known.
        own: The loss of the user's own with the labels; None for a loss of lamina's, or where nothing may be traced.
    """

    name: str
    fact: Fact
    shape: Shape
    activation: str | None
    loss: Any = None
    each: bool = False
    part: Any = None
    known: Loss | None = None
    own: OwnLoss | None = None

    @property
    def labels(self) -> np.ndarray | None:
        """Labels of one batch; None where there are none."""
        return None if self.part is None else self.part.values

    @property
    def layer(self) -> str:
        """The name of the layer that computes it."""
        return self.fact.name

    @property
    def units(self) -> int | None:
        """The size of the last axis, over which losses compute; 1 for a scalar per sample."""
        return self.shape[-1] if len(self.shape) > 1 else 1

    @property
    def loss_name(self) -> str:
        """The snake-case name of the loss, "" where there is none."""
        return name_of(self.known or self.loss)

    @property
    def exclusive(self) -> bool:
        """Whether the loss is one over classes of which exactly one is true."""
        return self.loss_name in EXCLUSIVE

    @property
    def from_logits(self) -> bool | None:
        """Whether the loss takes logits; None where it has no such setting."""
        loss = self.known or self.loss
        if isinstance(loss, Loss):
            return getattr(loss, "from_logits", None)
        return False if "crossentropy" in self.loss_name else None

    @property
    def fit(self) -> Fit:
        """Whether activation and loss go together."""
        return fit_of(self.activation, self.units, self.loss_name, self.from_logits)

    @property
    def numbers(self) -> np.ndarray | None:
        """The labels as an array of numbers, None where there are none."""
        return self.labels if self.labels is not None and self.labels.dtype.kind in "fiub" else None

    @property
    def has_class_numbers(self) -> bool:
        """Whether the labels are one whole number a sample for several units that are a distribution over classes."""
        if self.activation != "softmax" or (self.units or 0) < 2 or self.numbers is None or not self.numbers.size:
            return False
        shape = self.numbers.shape
        is_one = len(shape) == len(self.shape) - 1 or shape[-1] == 1
        return is_one and bool((self.numbers == np.round(self.numbers)).all())


def heads_of(model: Any, facts: Sequence[Fact], targets: PyTree = None) -> list[Head]:
    """A Head for each output that a layer or op computes, in their order.

    Args:
        model: Model.
        facts: Its facts.
        targets: Labels of a batch, whose keys name the outputs of a model without a graph.
    """
    ends = [(place, index, fact) for fact in facts if fact.depth == 0 for place, index in fact.ends]
    ends.sort(key=lambda end: end[0])
    names = _output_names(model, len(ends), targets)
    losses, each = _losses(model, names or [fact.name for _, _, fact in ends])
    return [
        Head(
            names[place] if names else fact.name, fact.innermost, fact.outputs[index],
            _final_activation(fact.innermost), losses[place], each,
        )
        for place, index, fact in ends
        if place < len(losses)
    ]  # fmt: skip


def ends_of(facts: Sequence[Fact], shapes: Sequence[Shape]) -> list[Fact]:
    """A Fact for each output of a model whose `call` ends in functions: of the last layer with weights, as the output
    is, since that is what its author would change. None where there is no such layer.

    Args:
        facts: The facts of the model.
        shapes: Shapes of the outputs, with a batch.
    """
    last = next((fact for fact in reversed(facts) if fact.is_affine and fact.count), None)
    if last is None:
        return []
    return [
        Fact(last.layer, last.inputs, [(None, *shape[1:])], last.owner, sources=[last], ends=[(place, 0)])
        for place, shape in enumerate(shapes)
    ]


def uses_builtin_step(model: Any) -> bool:
    """Whether the model trains by lamina's own train_step and compute_loss, so that its losses are what they say.

    Args:
        model: Model.
    """
    return all(is_builtin(getattr(type(model), name)) for name in ("train_step", "compute_loss"))


def _output_names(model, count, targets):
    """The keys of losses and labels in the order of the outputs; empty where they are not known."""
    graph, loss = getattr(model, "_graph", None), model.loss
    structure = graph.outputs if graph is not None else loss if isinstance(loss, dict) else targets
    count = len(tree.flatten(structure)) if graph is not None else count
    if isinstance(structure, dict):
        names = tree.flatten({name: name for name in structure})
    else:
        names = list(getattr(model, "output_names", None) or [])
    return names if len(names) == count else []


def _losses(model, names):
    """(the loss of each output, whether `compile` was given one for each); no losses where they are not known."""
    given = model.loss if model.compiled and uses_builtin_step(model) else None
    if isinstance(given, dict):
        known = set(given) <= set(names)
        return [_only(given.get(name)) if known else None for name in names], known
    if isinstance(given, (list, tuple)):
        known = len(given) == len(names)
        return [_only(loss) for loss in given] if known else [None] * len(names), known
    return [given] * len(names), False


def _only(value):
    return value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value


def _final_activation(fact):
    """The activation of the values of an output, before layers that only move them."""
    while len(fact.sources) == 1 and _keeps_values(fact):
        fact = fact.sources[0].innermost
    return fact.activation


def _keeps_values(fact):
    """Whether the values that a call returns are among those that it takes."""
    if isinstance(fact.layer, OpCall):
        return fact.layer.op_name in _REARRANGING_OPS
    if not fact.is_builtin:
        return False
    unchanged = fact.has("passes_through") and not fact.has("noise")
    linear = fact.has("activation") and activation_of(fact.layer) == "linear"
    return unchanged or linear or fact.has("rearranging", "dropout") or fact.is_a("Resizing")

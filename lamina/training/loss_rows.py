"""Which loss of `compile` applies to which part of a model's outputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax

from lamina.core import tree
from lamina.core.serialization import is_description
from lamina.training.outputs import Outputs, entries

__all__ = ["LossRow", "is_single", "loss_rows", "name_by_losses"]

_NESTED = (dict, list, tuple)


@dataclass
class LossRow:
    """A loss and the outputs that it takes: one, or those of a part of the structure, which it gets as a structure.

    Args:
        identifier: The loss as the user wrote it.
        weight: Its weight; None means 1.
        start: Index of its first output.
        count: Number of its outputs.
        name: Name in the logs, without "_loss".
        part: Tree definition of the outputs that it takes.
        is_numbered: Whether the name ends with the index of an output that has no name.
        loss: The Loss for the identifier.
    """

    identifier: Any
    weight: Any
    start: int
    count: int
    name: str
    part: Any
    is_numbered: bool
    loss: Any = None

    def of(self, values: list[Any]) -> Any:
        """The values of a list of one value per output, in the structure that the loss takes.

        Args:
            values: One value per output.
        """
        return tree.unflatten(self.part, values[self.start : self.start + self.count])


def loss_rows(outputs: Outputs, loss: Any, loss_weights: Any) -> list[LossRow]:
    """The losses of a model in the order of its outputs.

    `loss` has the structure of the outputs, or part of it. A loss at the place of a list or dict of outputs takes them
    all, as one structure; if it is a name, or the only loss, it applies to each of them. A list at the place of a
    single output, or a list of other structures than the outputs', is a group: each of its losses applies there.

    Args:
        outputs: Outputs of the model.
        loss: Losses, in any form that `compile` accepts.
        loss_weights: Weights of the losses: one for each loss, one for each output, or one for all.
    """
    losses, structure_of_losses = jax.tree_util.tree_flatten(loss, is_leaf=is_single)
    numbers = tree.unflatten(structure_of_losses, [_Number(place, one) for place, one in enumerate(losses)])
    given, structure = outputs.aligned(numbers, "loss")
    weights: Any = tree.flatten(loss_weights)
    each_loss = _same_kind(loss, loss_weights) and len(weights) == len(losses)
    if not each_loss:
        weights = outputs.broadcast(loss_weights, "loss_weights", is_single)
    rows = []
    for path, part, start, number in _walk(given, structure, losses):
        identifier = losses[number] if number is not None else None
        if identifier is not None:
            weight, count = weights[number if each_loss else start], len(tree.flatten(part))
            name = _name(path, part, start, outputs)
            is_numbered = not outputs.names and count == 1 and not (path and isinstance(path[-1], str))
            rows.append(LossRow(identifier, weight, start, count, name, tree.structure_of(part), is_numbered))
    return rows


def name_by_losses(rows: list[LossRow]) -> None:
    """Give losses of outputs without names their own names, as in Keras, where these differ.

    Args:
        rows: Losses, which are resolved.
    """
    names = [row.name for row in rows]
    for place, row in enumerate(rows):
        if row.is_numbered:
            own = row.identifier if isinstance(row.identifier, str) else row.loss.name
            names[place] = "/".join((*row.name.split("/")[:-1], own))
    if len(set(names)) == len(names):
        for row, name in zip(rows, names, strict=True):
            row.name = name


class _Number(int):
    """The place of a loss in the list of all; errors show the loss."""

    loss: Any

    def __new__(cls, place: int, loss: Any) -> _Number:
        self = int.__new__(cls, place)
        self.loss = loss
        return self

    def __repr__(self) -> str:
        return repr(self.loss) if isinstance(self.loss, str) else getattr(self.loss, "__name__", "...")


def is_single(value: Any) -> bool:
    """Whether it is a single loss, metric or weight (the config of one too), not a structure of them.

    Args:
        value: Part of an argument of `compile`.
    """
    return not isinstance(value, _NESTED) or is_description(value)


def _same_kind(a, b):
    if isinstance(a, dict):
        return isinstance(b, dict) and set(a) == set(b)
    return isinstance(a, (list, tuple)) and isinstance(b, (list, tuple))


def _walk(given, structure, losses, path=(), start=0, each=True) -> Iterator[tuple[tuple, Any, int, Any]]:
    """(path, part of the structure, index of its first leaf, number of the loss) for each loss."""
    nested = isinstance(structure, _NESTED)
    if not isinstance(given, _NESTED):
        each = each or given is None or isinstance(losses[given], str)
        if not nested or not each:
            yield path, structure, start, given
            return
        parts = [given] * len(structure)
    elif _is_group(given, structure):
        for one in given:
            yield from _walk(one, structure, losses, path, start, each=False)
        return
    else:
        parts, each = entries(given, structure, "loss"), False
    for key, one in zip(_keys(structure), parts, strict=True):
        yield from _walk(one, structure[key], losses, (*path, key), start, each)
        start += len(tree.flatten(structure[key]))


def _keys(structure):
    return sorted(structure) if isinstance(structure, dict) else range(len(structure))


def _is_group(given, structure):
    """Whether each loss of a list applies at the same place, for the list is not one loss for each output there."""
    if not isinstance(given, (list, tuple)):
        return False
    if not isinstance(structure, _NESTED):
        return True
    other = not isinstance(structure, type(given))
    return other and any(isinstance(one, _NESTED) for one in given) and not _fits(given, structure)


def _fits(given, structure):
    if not isinstance(given, _NESTED):
        return True
    if not isinstance(structure, _NESTED):
        return len(given) == 1 and isinstance(given, (list, tuple))
    if isinstance(given, dict):
        alike = isinstance(structure, dict) and set(given) <= set(structure)
        return alike and all(_fits(given[key], structure[key]) for key in given)
    parts = [structure[key] for key in _keys(structure)]
    return len(given) == len(parts) and all(map(_fits, given, parts))


def _name(path, part, start, outputs):
    """The path of a part. The names of the outputs replace the index of a single output and an empty path."""
    if path and (isinstance(path[-1], str) or isinstance(part, _NESTED)):
        return "/".join(map(str, path))
    places = range(start, start + len(tree.flatten(part)))
    return "/".join(map(str, (*path[:-1], "_".join(str(outputs.label(place) or place) for place in places))))

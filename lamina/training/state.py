"""TrainingState: the values of a model during training, checked out of its variables into one flat structure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax

from lamina.core.variable import own_copy
from lamina.errors import CallError

GROUPS = ("trainable", "others", "optimizer", "metrics")


class TrainingState:
    """The arrays of variables, checked out for training.

    The arrays are copied once, so steps may donate them. Until `release`, reading a variable returns a copy of its
    array here, and assigning it changes the array here.

    Args:
        groups: Name of each of the four groups -> its variables.
        read_only: Indices of the variables in "others" that the step does not donate. Their arrays are not copied,
            and are stored in the dict `values["read"]`.

    Attributes:
        values: Name of the group -> its arrays.
        released: Whether the arrays were returned to their variables.
    """

    def __init__(self, groups: Any, read_only: Any = ()) -> None:
        self.groups = groups
        self._places = {cell: (group, index) for group in GROUPS for index, cell in enumerate(groups[group])}
        self._places |= {groups["others"][index]: ("read", index) for index in read_only}
        for cell in self._places:
            owner = cell._owner
            if owner is not None:  # the layer is shared with another model, which was trained last
                owner.release()
        self.values: Any = {group: [None] * len(groups[group]) for group in GROUPS} | {"read": {}}
        self.released = False
        try:
            for cell, (group, index) in self._places.items():  # one by one, so that at most one array exists twice
                self.values[group][index] = cell._value if group == "read" else own_copy(cell._value)
                cell._owner = self
                cell._value = None
        except BaseException:  # Ctrl-C or out of memory: return what was checked out
            self.release()
            raise

    def get(self, cell: Any) -> Any:
        """A copy of a variable's array, or the array itself if no step overwrites it."""
        return self.peek(cell) if self._places[cell][0] == "read" else own_copy(self.peek(cell))

    def peek(self, cell: Any) -> Any:
        """A variable's array itself. It must be read before the next step."""
        group, index = self._places[cell]
        return self.values[group][index]

    def set(self, cell: Any, value: Any) -> None:
        """Replace the array of a variable by a copy of `value`."""
        group, index = self._places[cell]
        self.values[group][index] = own_copy(value)

    def put(self, cell: Any, value: Any) -> None:
        """Replace the array of a variable by one to which no one else has a reference."""
        group, index = self._places[cell]
        self.values[group][index] = value

    def release(self) -> None:
        """Return the arrays to their variables. Wherever Ctrl-C breaks this off, each variable has its array, here or
        there, and the next call returns the rest."""
        if self.released:
            return
        for cell, (group, index) in self._places.items():
            if cell._owner is self:
                cell._value = self.values[group][index]
                cell._owner = None
        self.released: bool = True


def peek(cells: Any) -> Any:
    """The arrays of variables without copying, for programs that donate nothing."""
    return [cell._value if cell._owner is None else cell._owner.peek(cell) for cell in cells]


def checked_logs(kind: str, results: Any) -> Any:
    """What a step of the user returned.

    Args:
        kind: "train", "test" or "predict".
        results: What it returned.

    Raises:
        CallError: A train_step or test_step returned something else than a dict.
    """
    if kind == "predict" or isinstance(results, Mapping):
        return results
    got = "a tensor" if isinstance(results, jax.Array) else repr(results)[:60]
    raise CallError(
        f"{kind}_step must return a dict of numbers by name; it returned {got}.", fix="return {'loss': loss}"
    )


def step_results(kind: str, results: Any, after: Any, before: Any, read: dict[int, Any]) -> Any:
    """The results of a step that the program returns. Of read-only variables, these are only the changed ones, by
    index."""
    if kind == "train":
        trainable, others, optimizer, metrics = after
        large = {index: others[index] for index, value in read.items() if others[index] is not value}
        others = [None if index in read else value for index, value in enumerate(others)]
        return results, (trainable, others, optimizer, metrics, large)
    others = changed_values(after[1], before[1])
    return (results, others) if kind == "predict" else (results, others, after[2])


def changed_values(after: Any, before: Any) -> dict[int, Any]:
    """The values that a step changed, by index."""
    return {index: new for index, (new, old) in enumerate(zip(after, before, strict=True)) if new is not old}

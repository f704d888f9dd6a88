"""The values of a model while it trains: checked out of its variables into one flat structure, returned at the end."""

from __future__ import annotations

from typing import Any

from lamina.core.variable import own_copy

GROUPS = ("trainable", "others", "optimizer", "metrics")


class TrainingState:
    """The arrays of variables, checked out for training.

    The arrays are copied once, so the step may donate them. Until `release` a variable that is read returns a copy of
    its array here, and one that is assigned changes it.

    Args:
        groups: Name of the group, one of four, -> its variables.
        read_only: Indices of the variables in "others" that the step does not donate. Their arrays are not copied, and
            stand in a dict `values["read"]`.

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
            if owner is not None:  # the layer is shared with another model, which trained it last
                owner.release()
        self.values: Any = {group: [None] * len(groups[group]) for group in GROUPS} | {"read": {}}
        self.released = False
        try:
            for cell, (group, index) in self._places.items():  # one by one, so that memory never holds all arrays twice
                self.values[group][index] = cell._value if group == "read" else own_copy(cell._value)
                cell._owner, cell._value = self, None
        except BaseException:  # Ctrl-C, or out of memory: return what was checked out
            self.release()
            raise

    def get(self, cell: Any) -> Any:
        """A copy of the array of a variable; the array itself if no step overwrites it."""
        return self.peek(cell) if self._places[cell][0] == "read" else own_copy(self.peek(cell))

    def peek(self, cell: Any) -> Any:
        """The array of a variable itself, to be read before the next step."""
        group, index = self._places[cell]
        return self.values[group][index]

    def set(self, cell: Any, value: Any) -> None:
        """Change the array of a variable."""
        group, index = self._places[cell]
        self.values[group][index] = own_copy(value)

    def put(self, cell: Any, value: Any) -> None:
        """Change the array of a variable to one that nobody else refers to."""
        group, index = self._places[cell]
        self.values[group][index] = value

    def release(self):
        """Return the arrays to their variables."""
        if self.released:
            return
        self.released: bool = True
        for cell, (group, index) in self._places.items():
            if cell._owner is self:
                cell._owner, cell._value = None, self.values[group][index]


def peek(cells: Any) -> Any:
    """The arrays of variables, not copied: for programs that donate nothing."""
    return [cell._value if cell._owner is None else cell._owner.peek(cell) for cell in cells]

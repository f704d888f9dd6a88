"""The values of a model while it trains: one flat structure, lent to the compiled step and given back when someone
looks."""

from typing import Any

from lamina.core.variable import own_copy

GROUPS = ("trainable", "others", "optimizer", "metrics")


class TrainingState:
    """Variables in four groups and, in `values`, their arrays.

    The arrays are the step's own (copied once when taken), so the step may donate them. A variable read meanwhile
    gives a copy, and one that is assigned changes the array here. `release` puts everything back.

    Args:
        only_read: which of the others the step does not donate: they are taken as they are, to a dict `values["read"]`.
    """

    def __init__(self, groups, only_read=()):
        self.groups = groups
        self._places = {cell: (group, index) for group in GROUPS for index, cell in enumerate(groups[group])}
        self._places |= {groups["others"][index]: ("read", index) for index in only_read}
        for cell in self._places:
            owner = cell._owner
            if owner is not None:  # another model that shares the layer trained it last
                owner.release()
        self.values: Any = {group: [None] * len(groups[group]) for group in GROUPS} | {"read": {}}
        self.released = False
        try:
            for cell, (group, index) in self._places.items():  # one after the other: the memory never holds all twice
                self.values[group][index] = cell._value if group == "read" else own_copy(cell._value)
                cell._owner, cell._value = self, None
        except BaseException:  # Ctrl-C or memory at its end: those that were taken go back
            self.release()
            raise

    def get(self, cell):
        """A copy of the array of a variable, where the next step will overwrite the original."""
        return self.peek(cell) if self._places[cell][0] == "read" else own_copy(self.peek(cell))

    def peek(self, cell):
        """The array of a variable itself, to be read before the next step."""
        group, index = self._places[cell]
        return self.values[group][index]

    def set(self, cell, value):
        """Change the array of a variable."""
        group, index = self._places[cell]
        self.values[group][index] = own_copy(value)

    def put(self, cell, value):
        """As `set`, for an array that is nobody else's."""
        group, index = self._places[cell]
        self.values[group][index] = value

    def release(self):
        """Give the arrays back to their variables."""
        if self.released:
            return
        self.released = True
        for cell, (group, index) in self._places.items():
            if cell._owner is self:
                cell._owner, cell._value = None, self.values[group][index]


def peek(cells):
    """The arrays of variables without copies, for programs that donate nothing."""
    return [cell._value if cell._owner is None else cell._owner.peek(cell) for cell in cells]

"""Derived: a variable whose value is computed from others."""

import copy

import numpy as np

from lamina.core.variable import Variable


class Derived(Variable):
    """A variable without an array of its own: `read` computes its value from `parts`, the variables by name.

    A layer that has one counts its parts among its variables, not the derived one.
    """

    def __init__(self, name, shape, parts=()):  # not Variable.__init__: there is nothing to keep
        self.name = self.path = name
        self.shape, self.parts = tuple(shape), dict(parts)
        self.regularizer = self.constraint = None
        self.overwrite_with_gradient = False

    def read(self):
        raise NotImplementedError(f"{type(self).__name__} does not say what its value is. Write read(self).")

    def write(self, value):
        raise NotImplementedError(f"{self.name} is computed from {', '.join(self.parts)}: assign to those.")

    @property
    def value(self):
        return self.read()

    @property
    def dtype(self):
        return str(self.read().dtype)

    @property
    def trainable(self):
        return any(part.trainable for part in self.parts.values())

    @trainable.setter
    def trainable(self, value):
        for part in self.parts.values():
            part.trainable = value

    def numpy(self):
        return np.array(self.read())

    def __deepcopy__(self, memo):
        twin = object.__new__(type(self))
        memo[id(self)] = twin
        twin.__dict__.update({key: copy.deepcopy(value, memo) for key, value in self.__dict__.items()})
        return twin

    def __repr__(self):
        return f"<{type(self).__name__} {self.name}, shape={self.shape}, of {', '.join(self.parts)}>"

"""Derived: a variable whose value is computed from other variables."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from lamina.core.array_types import Tensor
from lamina.core.placement import to_numpy
from lamina.core.stacked import each_slice
from lamina.core.variable import Variable
from lamina.errors import MissingMethodError, UnsupportedError, harmless


class Derived(Variable):
    """A variable that stores no array: `read` computes its value from other variables.

    If a layer has a derived variable, the layer's variables are its parts, not the derived variable.

    Args:
        name: Name, which is also its path.
        shape: Shape of the value.
        parts: The other variables by name.
    """

    is_derived = True

    def __init__(self, name: str, shape: Any, parts: Mapping[str, Variable] | Any = ()) -> None:
        # Variable.__init__ is not called, since there is no array.
        self.name: str = name
        self.path: str = name
        self.shape: tuple[int, ...] = tuple(shape)
        self.parts: dict[str, Variable] = dict(parts)
        self.regularizer: Any = None
        self.constraint: Any = None
        self.overwrite_with_gradient = False

    def read(self) -> Any:
        """Compute the value from the parts. Subclasses must override this method."""
        raise MissingMethodError(f"{type(self).__name__} does not compute its value.", fix="def read(self):")

    def write(self, value: Any) -> None:
        message = f"{self.name} is computed from {', '.join(self.parts)}, and cannot be assigned."
        raise UnsupportedError(message, fix=f"variable.parts[{next(iter(self.parts), '')!r}].assign(value)")

    @property
    def value(self) -> Tensor:
        """The value, computed from the parts; of all repetitions, where the layer is repeated."""
        return each_slice(self.read, self.sources)

    @property
    def sources(self) -> list[Variable]:
        """The variables that `read` reads."""
        return list(self.parts.values())

    @property
    def dtype(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The dtype of the value."""
        return str(self.read().dtype)

    @property
    def trainable(self) -> bool:
        """Whether an optimizer may update any of the parts."""
        return any(part.trainable for part in self.parts.values())

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for part in self.parts.values():
            part.trainable = value

    def numpy(self) -> np.ndarray[Any, Any]:
        return to_numpy(self.value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        twin = object.__new__(type(self))
        memo[id(self)] = twin
        twin.__dict__.update({key: copy.deepcopy(value, memo) for key, value in self.__dict__.items()})
        return twin

    def __repr__(self) -> str:
        return harmless(f"<{type(self).__name__} {self.name}, shape={self.shape}, of {', '.join(self.parts)}>")

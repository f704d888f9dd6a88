"""Lists of the parts of a layer that are kept until the structure changes: a loop of a user may ask for the variables
of a model in each step, and reading them off all attributes of 300 layers takes milliseconds."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from lamina.core import context
from lamina.core.registry import is_builtin
from lamina.layers.base.tracking import CONTAINERS, UNTRACKED

__all__ = ["kept_list", "known_lists"]


class _KnownLists:
    """The lists of the parts of a layer, as of a version of the structure.

    Attributes:
        of: The id of the layer. A copy of its attributes may belong to another.
        version: The version.
        is_fixed: Whether each change of the parts changes the version: no attribute is a list to which something may
            be appended, here and in the layers inside.
        lists: List by the name of its property.
    """

    __slots__ = ("is_fixed", "lists", "of", "version")

    def __init__(self, layer: Any) -> None:
        self.of, self.version, self.lists = id(layer), context.structure_version(), {}
        ours = is_builtin(type(layer))
        self.is_fixed = not any(
            isinstance(value, CONTAINERS) and not (ours and name[:1] == "_") and not _is_plain_tuple(value)
            for name, value in vars(layer).items() if name not in UNTRACKED
        ) and all(known_lists(inner).is_fixed for inner in layer._layers)  # fmt: skip

    def __deepcopy__(self, memo: Any) -> None:
        return None

    def __reduce__(self) -> Any:
        return type(None), ()


def _is_plain_tuple(value):
    return isinstance(value, tuple) and not any(isinstance(item, CONTAINERS) for item in value)


def known_lists(layer: Any) -> _KnownLists:
    """The lists of the parts of a layer that are known.

    Args:
        layer: Layer.
    """
    known = vars(layer).get("_known_lists")
    if known is None or known.version != context.structure_version() or known.of != id(layer):
        known = vars(layer)["_known_lists"] = _KnownLists(layer)
    return known


def kept_list(read: Callable[[Any], list[Any]]) -> property:
    """A property of a layer that reads a list off its parts: a loop of a user may ask for it in each step.

    Args:
        read: Function of the layer.
    """

    @functools.wraps(read)
    def known(self):
        lists = known_lists(self)
        if not lists.is_fixed:
            return read(self)
        if read.__name__ not in lists.lists:
            lists.lists[read.__name__] = read(self)
        return [*lists.lists[read.__name__]]

    return property(known)

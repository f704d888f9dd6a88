"""Objects that refer to their owner, kept by the owner without a cycle of references."""

from __future__ import annotations

import copy
import weakref
from types import MemberDescriptorType
from typing import Any, Generic, Self, TypeVar

__all__ = ["Kept", "KeptAttribute"]

T = TypeVar("T")


class Kept(Generic[T]):
    """An object that refers to its owner, held by that owner so that both are freed as soon as they are dropped.

    The object itself is held weakly, its attributes strongly. If nothing else holds it, `get` makes it again from the
    same attributes. The reference to the owner is not among them: it lies in a slot of the object's class.

    Args:
        item: Object.

    >>> class Part:
    ...     __slots__ = ("__dict__", "__weakref__", "owner")
    >>> part = Part()
    >>> part.size, part.owner = 3, "the owner"
    >>> kept = Kept(part)
    >>> kept.get(owner="the owner") is part
    True
    >>> del part
    >>> kept.get(owner="the owner").size
    3
    """

    __slots__ = ("_attributes", "_kind", "_ref")

    def __init__(self, item: T) -> None:
        self._kind, self._attributes, self._ref = type(item), vars(item), weakref.ref(item)

    def get(self, **links: Any) -> T:
        """The object.

        Args:
            **links: Slots of its class, to be filled if it is made again.
        """
        item = self._ref()
        if item is None:
            item = object.__new__(self._kind)
            item.__dict__ = self._attributes
            for name, value in links.items():
                setattr(item, name, value)
            self._ref = weakref.ref(item)
        return item

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return type(self)(copy.deepcopy(self.get(), memo))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.get(),)


class KeptAttribute:
    """An attribute that is held by `Kept` if its value refers to the owner by a slot; any other value is held as it is.

    Args:
        link: Name of the slot.
        made_by: Code that sets the attribute, for the error where it is missing.
    """

    def __init__(self, link: str, made_by: str) -> None:
        self.link, self.made_by = link, made_by

    def __set_name__(self, owner: type, name: str) -> None:
        self.name: str = name

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        if owner is None:
            return self
        try:
            value = vars(owner)[self.name]
        except KeyError:
            raise AttributeError(f"{type(owner).__name__!r} object has no attribute {self.name!r}") from None
        return value.get(**{self.link: owner}) if isinstance(value, Kept) else value

    def __set__(self, owner: Any, value: Any) -> None:
        linked = isinstance(getattr(type(value), self.link, None), MemberDescriptorType)
        vars(owner)[self.name] = Kept(value) if linked else value

    def __delete__(self, owner: Any) -> None:
        vars(owner).pop(self.name, None)

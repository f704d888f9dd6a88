"""Containers that a package fills, and lists that follow what is in them."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import jax

from lamina import tree
from lamina.errors import CallError

__all__ = ["TrackedDict", "TrackedList", "TrackedOrderedDict", "TrackedSet", "Tracker"]


class Tracker:
    """Lists in which a package collects what it assigns: `Tracker({"layers": (is_layer, self._layers)})`.

    Args:
        config: {name: (function that says whether an object is wanted, list)}.
        exclusions: {name: names of the lists whose objects it does not take}.
    """

    def __init__(self, config: Mapping[str, Any], exclusions: Mapping[str, Any] | None = None) -> None:
        self.config: Mapping[str, Any] = config
        self.exclusions: Mapping[str, Any] = exclusions or {}
        self.stored_ids: dict[str, set[int]] = {name: set[int]() for name in config}
        self.locked_by_default: bool = False
        self._locked = ""

    def track(self, attr: Any) -> Any:
        """Add an object, or those in a container, to the lists that want it. Returns what to keep in its place.

        Args:
            attr: Object, tuple, list, dict or set.
        """
        for name, (is_wanted, _) in self.config.items():
            if not is_wanted(attr):
                continue
            if any(id(attr) in self.stored_ids[other] for other in self.exclusions.get(name, ())):
                return attr
            if id(attr) not in self.stored_ids[name]:
                self.add_to_store(name, attr)
            return attr
        if isinstance(attr, tuple):
            parts = [self.track(part) for part in attr]
            return type(attr)(*parts) if hasattr(attr, "_fields") else tuple(parts)
        followed = _FOLLOWED.get(type(attr))
        return attr if followed is None else followed(attr, self)

    def untrack(self, value: Any) -> None:
        """Take an object out of all lists.

        Args:
            value: Object.
        """
        for name, (_, store) in self.config.items():
            if id(value) in self.stored_ids[name]:
                self.stored_ids[name].discard(id(value))
                store[:] = [kept for kept in store if kept is not value]

    def add_to_store(self, store_name: str, value: Any) -> None:
        """Add an object to one list.

        Args:
            store_name: Name of the list.
            value: Object.
        """
        if self._locked:
            raise CallError(self._locked, fix="Assign it before the tracker is locked.")
        self.config[store_name][1].append(value)
        self.stored_ids[store_name].add(id(value))

    def lock(self, msg: str | None = None) -> None:
        """Refuse further objects.

        Args:
            msg: What the error says.
        """
        self._locked = msg or "This tracker takes no more objects."

    def unlock(self) -> None:
        """Take further objects again."""
        self._locked = ""


class _Followed:
    """A container whose tracker hears of what comes and goes."""

    tracker: Any = None

    def __init__(self, values: Any = None, tracker: Any = None) -> None:
        self.tracker = tracker
        super().__init__(() if values is None else values)  # pyright: ignore[reportCallIssue]
        self._follow([])

    def __init_subclass__(cls) -> None:
        base = cls.__mro__[2]
        for name in _CHANGES & set(dir(base)):
            setattr(cls, name, _following(getattr(base, name)))

        def parts(box):
            pairs = tree._children(box)
            return [part for _, part in pairs], tuple(key for key, _ in pairs)

        def make(keys, values):
            return cls(zip(keys, values, strict=True) if issubclass(cls, dict) else values)

        jax.tree_util.register_pytree_node(cls, parts, make)
        tree.CONTAINERS[cls] = cls
        _FOLLOWED[base] = cls

    def _parts(self):
        return list(self.values()) if isinstance(self, dict) else list(self)  # pyright: ignore

    def _follow(self, before):
        if self.tracker is None:
            return
        now = self._parts()
        for part in before:
            if all(part is not other for other in now):
                self.tracker.untrack(part)
        for part in now:
            self.tracker.track(part)


def _following(change):
    @functools.wraps(change)
    def method(self, *args, **kwargs):
        before = self._parts()
        result = change(self, *args, **kwargs)
        self._follow(before)
        return result

    return method


_CHANGES = frozenset("""
    append insert extend remove pop clear popitem setdefault update add discard __setitem__ __delitem__ __iadd__
    """.split())  # fmt: skip
_FOLLOWED: dict[type, Any] = {}


class TrackedList(_Followed, list[Any]):
    """A list whose items a tracker follows."""


class TrackedDict(_Followed, dict[Any, Any]):
    """A dict whose values a tracker follows."""


class TrackedOrderedDict(_Followed, OrderedDict[Any, Any]):
    """An OrderedDict whose values a tracker follows."""


class TrackedSet(_Followed, set[Any]):
    """A set whose items a tracker follows."""

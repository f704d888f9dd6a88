"""How far a pickle grows: a few lists that hold each other many times have a billion items for whatever walks through
them. What pickle itself writes has neither such lists nor values that are left over."""

from __future__ import annotations

import math
import pickletools
from typing import Any

__all__ = ["Growth", "take"]

_MOST_ITEMS, _MOST_TIMES = 10**7, 1000  # items in all, and for each opcode: honest pickles repeat texts, not lists
_GROWS = frozenset(("APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD"))
_PLAIN = ("LIST", "TUPLE", "DICT", "SET")
_MARK = object()


def take(stack: list[Any], opcode: Any) -> list[Any]:
    """Pop what an opcode of a pickle takes.

    Args:
        stack: The stack; a mark on it is what `left` returns for one.
        opcode: Opcode, as pickletools describes it.

    Raises:
        ValueError: The stack has no such values, where every unpickler ends.
    """
    before, taken = opcode.stack_before, []
    if pickletools.markobject in before:
        place = len(stack) - 1
        while place >= 0 and stack[place] is not _MARK:
            place -= 1
        if place < 0:
            raise ValueError(f"{opcode.name} finds no mark")
        taken, stack[place:] = stack[place + 1 :], []
        before = before[: before.index(pickletools.markobject)]
    place = len(stack) - len(before)
    if place < 0:
        raise ValueError(f"{opcode.name} finds too few values")
    taken, stack[place:] = stack[place:] + taken, []
    return taken


def left(opcode: Any, value: Any) -> list[Any]:
    """What an opcode of a pickle puts on the stack.

    Args:
        opcode: Opcode, as pickletools describes it.
        value: Value for each place that is no mark.
    """
    return [_MARK if one is pickletools.markobject else value for one in opcode.stack_after]


class _Items:
    """A list, tuple, dict, set or object: how many single values it holds, and which others of its kind."""

    __slots__ = ("inside", "is_object", "singles")

    def __init__(self, taken, is_object=False):
        self.singles, self.inside, self.is_object = 1, [], is_object
        self.add(taken)

    def add(self, taken):
        """Put values in."""
        inside = [one for one in taken if isinstance(one, _Items)]
        self.inside += inside
        self.singles += len(taken) - len(inside)


class Growth:
    """The items of a pickle's value, counted as often as they are met on a walk through it. Nothing of it is made.

    Attributes:
        opcodes: How many opcodes were followed.
        over: How many values are on the stack beside that of the pickle, before its last opcode.
    """

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._is_shared = False
        self.opcodes = self.over = 0

    def follow(self, opcode: Any, argument: Any) -> None:
        """Follow an opcode.

        Args:
            opcode: Opcode, as pickletools describes it.
            argument: Its argument.
        """
        name, stack = opcode.name, self._stack
        self.opcodes, self.over = self.opcodes + 1, len(stack) - 1
        top = stack[-1] if stack else None
        if name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            self._memo[len(self._memo) if argument is None else argument] = top
        elif name in ("GET", "BINGET", "LONG_BINGET", "DUP"):
            stack.append(top if name == "DUP" else self._memo.get(argument))
            self._is_shared |= isinstance(stack[-1], _Items)
        elif name != "STOP":
            taken = take(stack, opcode)
            if name in _GROWS and taken and isinstance(taken[0], _Items):
                taken[0].add(taken[1:])
                value = taken[0]
            else:
                is_plain = name.endswith(_PLAIN) or name.startswith("TUPLE")
                value = _Items(taken, not is_plain) if taken or is_plain else None
            stack += left(opcode, value)

    def wrong(self) -> str:
        """What is wrong with the size of the value, as a sentence; "" where nothing is."""
        items = _walked(self._stack[-1]) if self._is_shared and self._stack else 0
        if items > max(_MOST_ITEMS, _MOST_TIMES * self.opcodes):
            many = "without end" if items == math.inf else f"of {items:.3g} items"
            return f"is a pickle whose lists hold each other: it is a value {many} for what walks through it"
        return ""


def _walked(top: Any) -> float:
    """How many items a walk meets; infinite where lists without any object hold themselves."""
    known: dict[int, float] = {}
    path: list[tuple[_Items, Any]] = []
    open_at: dict[int, int] = {}

    def enter(one):
        open_at[id(one)] = len(path)
        path.append((one, iter(one.inside)))
        known[id(one)] = one.singles

    if not isinstance(top, _Items):
        return 1
    enter(top)
    while path:
        one, rest = path[-1]
        inside = next(rest, None)
        if inside is None:
            path.pop()
            del open_at[id(one)]
            if path:
                known[id(path[-1][0])] += known[id(one)]
        elif id(inside) in open_at:
            if not any(part.is_object for part, _ in path[open_at[id(inside)] :]):
                return math.inf
        elif id(inside) in known:
            known[id(one)] += known[id(inside)]
        else:
            enter(inside)
    return known[id(top)]

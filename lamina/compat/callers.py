"""What depends on the line that asks: `variable.value`, which TensorFlow's programs call as a method."""

from __future__ import annotations

import dis
import sys
from types import CodeType
from typing import Any

from lamina.core.variable import Variable

__all__ = ["answer_callers"]


_judged: dict[
    tuple[int, int], tuple[CodeType, bool]
] = {}  # (id of code, place in it) -> (code, which keeps its id, verdict)


def _calls(frame):
    """Whether the attribute that a frame reads is called at once, without arguments; each place is judged once."""
    code, place = frame.f_code, frame.f_lasti
    found = _judged.get((id(code), place))
    if found is None:
        found = _judged[id(code), place] = code, _is_called(code, place)
    return found[1]


def _is_called(code, place):
    instructions = [one for one in dis.get_instructions(code) if one.opname not in ("CACHE", "PRECALL")]
    index = max(index for index, one in enumerate(instructions) if one.offset <= place)  # place may be a cache
    read, *after = instructions[index : index + 2]
    if not after or after[0].opname != "CALL" or after[0].arg != 0:
        return False
    return read.opname == "LOAD_METHOD" or (read.opname == "LOAD_ATTR" and bool((read.arg or 0) & 1))


def _or_method(value):
    """`variable.value` as an array, and as a method where a line calls it, as TensorFlow's."""

    def read(self: Any) -> Any:
        array = value.fget(self)
        return (lambda: array) if _calls(sys._getframe(1)) else array

    return property(read, value.fset, value.fdel, value.__doc__)


def answer_callers() -> None:
    """Let the answer depend on the line that asks, in this process."""
    setattr(Variable, "value", _or_method(Variable.__dict__["value"]))  # noqa: B010

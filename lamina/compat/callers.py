"""What depends on the line that asks: `variable.value`, which TensorFlow's programs call as a method."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

from lamina.core.variable import Variable

__all__ = ["answer_callers"]


def _by_place(judge: Callable[[Any, Any, Any], bool]) -> Callable[[Any], bool]:
    """The judgement on the instruction that a frame is at, and on the next one; each place is judged once."""
    known: dict[tuple[int, int], tuple[CodeType, bool]] = {}

    def of_frame(frame: Any) -> bool:
        code, place = frame.f_code, frame.f_lasti
        found = known.get((id(code), place))
        if found is None:
            instructions = [one for one in dis.get_instructions(code) if one.opname not in ("CACHE", "PRECALL")]
            index = max(index for index, one in enumerate(instructions) if one.offset <= place)  # place may be a cache
            verdict = judge(code, *(instructions[index : index + 2] if instructions[index + 1 :] else [None, None]))
            found = known[id(code), place] = code, verdict  # holding the code keeps its id
        return found[1]

    return of_frame


@_by_place
def _calls(_, read, after):
    """Whether an attribute is called at once, without arguments."""
    if after is None or after.opname != "CALL" or after.arg != 0:
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

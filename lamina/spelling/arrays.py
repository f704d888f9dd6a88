"""What PyTorch's and TensorFlow's arrays have and JAX's lack, which says here what to write in its place."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeAlias

from lamina.errors import UnknownNameError
from lamina.runtime.tracebacks import readable

__all__ = ["explain_missing_methods"]

OpAt: TypeAlias = Callable[[FrameType, int], "str | None"]


class _Missing:
    """An attribute that raises AttributeError, as one that is not there: `hasattr` is False, and reads no source."""

    def __init__(self, name: str, op_at: OpAt) -> None:
        self.name, self.op_at = name, op_at

    def __get__(self, array: Any, kind: type) -> Any:
        if array is None:
            raise AttributeError(f"type object {kind.__name__!r} has no attribute {self.name!r}")
        from lamina.spelling.names import unknown_attribute

        general, caller = unknown_attribute(array, self.name), sys._getframe(1)
        suggest = functools.partial(self.suggest, general, caller, caller.f_lasti)
        with readable(UnknownNameError(general.message, suggest)) as error:
            raise error

    def suggest(self, general: UnknownNameError, caller: FrameType, instruction: int) -> tuple[str, str | None]:
        """The op with the arguments of the line, or else what the table says."""
        op = self.op_at(caller, instruction)
        return "", op if op is not None and op.startswith("keras.ops.") else general.fix


def explain_missing_methods(op_at: OpAt) -> None:
    """Let arrays of JAX say what to write in place of the attributes that they lack.

    Args:
        op_at: Returns the op that does what a place of the program asks of a method, if there is one.
    """
    from jax._src.array import ArrayImpl  # pyright: ignore[reportPrivateImportUsage]

    from lamina.spelling.elsewhere import ATTRIBUTES

    with contextlib.suppress(TypeError):  # a class of C++ takes no attributes
        for name in ATTRIBUTES["array"]:
            if not hasattr(ArrayImpl, name):
                setattr(ArrayImpl, name, _Missing(name, op_at))

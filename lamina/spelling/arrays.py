"""What PyTorch's and TensorFlow's arrays have and JAX's lack, which says here what to write in its place."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from lamina.errors import UnknownNameError
from lamina.runtime.tracebacks import readable

__all__ = ["explain_missing_methods"]


class _Missing:
    """An attribute that raises AttributeError, as one that is not there: `hasattr` is False."""

    def __init__(self, name: str, op_here: Callable[[], str | None]) -> None:
        self.name, self.op_here = name, op_here

    def __get__(self, array: Any, kind: type) -> Any:
        if array is None:
            raise AttributeError(f"type object {kind.__name__!r} has no attribute {self.name!r}")
        from lamina.spelling.names import unknown_attribute

        op, general = self.op_here(), unknown_attribute(array, self.name)
        known = op is not None and op.startswith("keras.ops.")
        with readable(UnknownNameError(general.message, lambda: ("", op)) if known else general) as error:
            raise error


def explain_missing_methods(op_here: Callable[[], str | None]) -> None:
    """Let arrays of JAX say what to write in place of the attributes that they lack.

    Args:
        op_here: Returns the op that does what the line of the program asks of a method, if there is one.
    """
    from jax._src.array import ArrayImpl  # pyright: ignore[reportPrivateImportUsage]

    from lamina.spelling.elsewhere import ATTRIBUTES

    with contextlib.suppress(TypeError):  # a class of C++ takes no attributes
        for name in ATTRIBUTES["array"]:
            if not hasattr(ArrayImpl, name):
                setattr(ArrayImpl, name, _Missing(name, op_here))

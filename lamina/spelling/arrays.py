"""What PyTorch's and TensorFlow's arrays have and JAX's lack, which says here what to write in its place."""

from __future__ import annotations

import contextlib
from typing import Any

from lamina.runtime.tracebacks import readable

__all__ = ["explain_missing_methods"]


class _Missing:
    """An attribute that raises AttributeError, as one that is not there: `hasattr` is False."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, array: Any, kind: type) -> Any:
        if array is None:
            raise AttributeError(f"type object {kind.__name__!r} has no attribute {self.name!r}")
        from lamina.spelling.names import unknown_attribute

        with readable(unknown_attribute(array, self.name)) as error:
            raise error


def explain_missing_methods() -> None:
    """Let arrays of JAX say what to write in place of the attributes that they lack."""
    from jax._src.array import ArrayImpl  # pyright: ignore[reportPrivateImportUsage]

    from lamina.spelling.elsewhere import ATTRIBUTES

    with contextlib.suppress(TypeError):  # a class of C++ takes no attributes
        for name in ATTRIBUTES["array"]:
            if not hasattr(ArrayImpl, name):
                setattr(ArrayImpl, name, _Missing(name))

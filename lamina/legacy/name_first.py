"""Methods whose first argument was the name in Keras 1 and 2: `add_weight("kernel", (3, 4))`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

__all__ = ["name_first"]

Method = TypeVar("Method", bound=Callable[..., Any])


def name_first(*names: str) -> Callable[[Method], Method]:
    """Decorator for a method that takes positional arguments in their old order too, if the first of them is a text.

    Args:
        *names: The names of the arguments in the old order, which begins with "name".
    """

    def decorate(method: Method) -> Method:
        @functools.wraps(method)
        def either(self, *args, **kwargs):
            if args and isinstance(args[0], str):
                return method(self, **dict(zip(names, args, strict=False)), **kwargs)
            return method(self, *args, **kwargs)

        return cast(Any, either)

    return decorate

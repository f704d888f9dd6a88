"""LambdaCallback: hooks from functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamina.callbacks.callback import Callback
from lamina.errors import ArgumentError
from lamina.spelling.nearest import nearest

__all__ = ["LambdaCallback"]


class LambdaCallback(Callback):
    """A callback made of functions, each under the name of its hook.

    Args:
        on_epoch_begin: Function (epoch, logs), called before an epoch of `fit`.
        on_epoch_end: Function (epoch, logs), called after an epoch of `fit`.
        on_train_begin: Function (logs), called at the start of `fit`.
        on_train_end: Function (logs), called at the end of `fit`.
        on_train_batch_begin: Function (batch, logs), called before a step of `fit`.
        on_train_batch_end: Function (batch, logs), called after a step of `fit`.
        **kwargs: Functions for other hooks of `keras.callbacks.Callback`, by name.

    >>> LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs)).on_epoch_end(0, {"loss": 0.5})
    0 {'loss': 0.5}
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Callable[..., Any],
    ):
        for name in kwargs:
            near = [] if hasattr(self, name) else nearest(name, [one for one in dir(Callback) if one[:3] == "on_"], 1)
            if near:
                raise ArgumentError(f"LambdaCallback has no hook {name!r}.", fix=f"{near[0]}={_name_of(kwargs[name])}")
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        self.__dict__.update({name: hook for name, hook in hooks.items() if hook is not None})


def _name_of(function):
    name = getattr(function, "__name__", "")
    return name if name.isidentifier() else "function"

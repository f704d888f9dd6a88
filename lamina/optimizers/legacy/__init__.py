"""The optimizers that Keras 2 had under `optimizers.legacy`: the current ones under their former path."""

from __future__ import annotations

import types
from abc import ABCMeta
from typing import Any

from lamina.legacy import old_names_of
from lamina.optimizers import adagrad, adam, ftrl, optimizer, rmsprop, sgd

__all__ = ["SGD", "Adagrad", "Adam", "Ftrl", "Optimizer", "RMSprop"]


class _FormerPath(ABCMeta):
    """Metaclass of a class that makes objects of the class `current`, which count as instances of both."""

    current: Any

    def __new__(cls, name: str, bases: tuple[Any, ...], members: dict[str, Any], **kwargs: Any) -> Any:
        """The class; below it (`class Mine(legacy.Adam)`) one that derives from the current class."""
        if not bases:
            return super().__new__(cls, name, bases, members)
        bases = tuple(base.current if isinstance(base, _FormerPath) else base for base in bases)
        return types.new_class(name, bases, kwargs, lambda namespace: namespace.update(members))

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls.current(*args, **kwargs)

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls.current, name)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.current)

    def __subclasscheck__(cls, subclass: Any) -> bool:
        return issubclass(subclass, cls.current)


class Adagrad(metaclass=_FormerPath):
    """`optimizers.Adagrad`."""

    current = adagrad.Adagrad


class Adam(metaclass=_FormerPath):
    """`optimizers.Adam`.

    >>> import lamina as keras
    >>> optimizer = keras.optimizers.legacy.Adam(learning_rate=0.01)
    >>> type(optimizer).__module__, isinstance(optimizer, keras.optimizers.legacy.Adam)
    ('lamina.optimizers.adam', True)
    """

    current = adam.Adam


class Ftrl(metaclass=_FormerPath):
    """`optimizers.Ftrl`."""

    current = ftrl.Ftrl


class Optimizer(metaclass=_FormerPath):
    """`optimizers.Optimizer`."""

    current = optimizer.Optimizer


class RMSprop(metaclass=_FormerPath):
    """`optimizers.RMSprop`."""

    current = rmsprop.RMSprop


class SGD(metaclass=_FormerPath):
    """`optimizers.SGD`."""

    current = sgd.SGD


__getattr__ = old_names_of(__name__)

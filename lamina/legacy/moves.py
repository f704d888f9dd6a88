"""Classes and modules by the names and paths they had in Keras 1 and 2."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import types
from collections.abc import Callable
from typing import Any

from lamina.legacy.renames import warn_renamed
from lamina.legacy.table import FILES_WITH_OLD_PATHS, MODULES

__all__ = ["OldClass", "install_old_modules", "moved", "moved_from"]


class OldClass(type):
    """Type of a class under its name in Keras 1: calling it makes an object of its base class, which counts as its own.

    In Keras 1 each size of a kernel was an argument of its own, and the arguments after them had another order.

    >>> import lamina as keras
    >>> layer = keras.layers.Convolution2D(64, kernel_size=3)
    >>> type(layer).__name__, isinstance(layer, keras.layers.Convolution2D)
    ('Conv2D', True)
    """

    rank: int
    _after_kernel = ("init", "activation", "weights", "border_mode", "subsample", "dim_ordering")

    @property
    def _today(cls):
        return cls.__mro__[1] if type(cls.__mro__[1]) is type else cls

    @property
    def __signature__(cls) -> inspect.Signature:
        return inspect.signature(cls.__mro__[1])

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        args, named = cls._with_kernel(args)
        return type.__call__(cls._today, *args, **named, **kwargs)

    def _with_kernel(cls, args):
        """(64, 3, 3, "he_normal") as (64, (3, 3)) and {"init": "he_normal"}."""
        stop = 1 + cls.rank
        sizes = args[1:stop]
        if len(sizes) < cls.rank or not all(isinstance(size, int) for size in sizes):
            return args, {}
        name = cls._today.__name__
        warn_renamed(f"{cls.__name__}{(args[0], *sizes)} is called {name}({args[0]}, {sizes}) since Keras 2.")
        return (args[0], sizes), dict(zip(cls._after_kernel, args[stop:], strict=False))

    def __instancecheck__(cls, instance: Any) -> bool:
        return type.__instancecheck__(cls._today, instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return type.__subclasscheck__(cls._today, subclass)


class _OldModule(types.ModuleType):
    """An old path: its names are those of the module that has them today."""

    def __init__(self, name, target):
        super().__init__(name, f"Old path of {target}.")
        self.__path__ = []
        self._target = target

    def __getattr__(self, name):
        return moved(self.__name__, self._target, name)


def moved(module: str, target: str, name: str) -> Any:
    """A class or function that is in another module today, with a warning.

    Args:
        module: Path of the old module.
        target: Path of today's module.
        name: Name in both.
    """
    if name.startswith("__"):
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    try:
        found = getattr(importlib.import_module(target), name)
    except AttributeError:
        raise AttributeError(f"module {module!r} has no attribute {name!r}, nor has {target!r} today.") from None
    since = "2.6" if "experimental" in module else "2.4"
    warn_renamed(f"{module}.{name} is {target}.{name} since Keras {since}.")
    return found


def moved_from(module: str) -> Callable[[str], Any]:
    """A `__getattr__` for a file whose path is an old one too: it finds the names that moved out of it.

    Args:
        module: Path of the file.
    """
    return functools.partial(moved, module, MODULES[module])


def install_old_modules(package: str) -> None:
    """Make the old module paths below a package importable, but for files of today, which have `moved_from`.

    Args:
        package: Path of the package.
    """
    for path, target in MODULES.items():
        parent, _, name = path.rpartition(".")
        if parent != package and not (parent in MODULES and parent.rpartition(".")[0] == package):
            continue
        if path not in FILES_WITH_OLD_PATHS:
            module = sys.modules[path] = _OldModule(path, target)
            setattr(sys.modules[parent], name, module)

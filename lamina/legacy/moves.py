"""Classes and modules by the names and paths they had in Keras 1 and 2."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import types
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from typing import Any

from lamina.errors import ArgumentError, LaminaError
from lamina.legacy.gone import GONE, GONE_MODULES
from lamina.legacy.names import FILES_WITH_OLD_PATHS, INSTEAD, MODULES, NAMES, SHORT_LOSS_NAMES
from lamina.legacy.renames import warn_renamed
from lamina.runtime.tracebacks import filters_traceback
from lamina.spelling import missing_member

__all__ = ["OldClass", "OldNameError", "find_old_modules", "make_callable", "moved", "moved_from", "old_names_of"]


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


class OldNameError(LaminaError, AttributeError):
    """A name of an earlier Keras that is gone; the fix names what replaces it."""


class OldImportError(LaminaError, ImportError):
    """The import of a name or module of an earlier Keras that is gone; the fix names what replaces it."""


def old_names_of(module: str) -> Callable[[str], Any]:
    """A `__getattr__` for a module, which finds its functions, classes and submodules by their old names.

    Args:
        module: Path of the module.
    """
    _make_package(module)
    return functools.partial(_old_name, module)


def _make_package(module):
    """Let imports below a file, and of names that it lacks, reach the finder."""
    vars(sys.modules[module]).setdefault("__path__", [])


@filters_traceback
def _old_name(module, name):
    """What `module.name` is today, with a warning."""
    today = NAMES.get(module, {}).get(name)
    if today is not None:
        return _renamed(module, name, today)
    if f"{module}.{name}" in MODULES:
        return importlib.import_module(f"{module}.{name}")
    _refuse_what_is_gone(module, name)
    members = vars(sys.modules[module])
    raise missing_member(module, name, members.get("__all__", members))


def _renamed(module, name, today):
    home, _, new = today.rpartition(".")
    since = 2 if not home and name not in SHORT_LOSS_NAMES else 3
    found = getattr(importlib.import_module(home or module), new)
    if new != name and name not in INSTEAD:
        warn_renamed(f"{module}.{name} is called {today} since Keras {since}.")
    elif name in INSTEAD:
        warn_renamed(f"{module}.{name} is of an earlier Keras and works here; today's spelling is {INSTEAD[name]}.")
    return found


def _refuse_what_is_gone(module, name):
    fix = GONE.get(name.lstrip("_")) or GONE_MODULES.get(f"{module}.{name}")
    if fix is not None:
        raise OldNameError(f"{_shown(module)}.{name} is gone: Keras 3 has no {name}.", fix=fix)


def _shown(path):
    """The path of a module of lamina, as programs write it."""
    return path.replace("lamina", "keras", 1)


class _OldModule(types.ModuleType):
    """An old path: its names are those of the module that has them today."""

    @property
    def __all__(self):
        return [name for name in dir(importlib.import_module(MODULES[self.__name__])) if not name.startswith("_")]

    def __getattr__(self, name):
        return moved(self.__name__, MODULES[self.__name__], name)

    def __call__(self, *args, **kwargs):
        """Some were functions as well: `keras.layers.merge(inputs, mode="sum")`."""
        parent, _, name = self.__name__.rpartition(".")
        if name not in NAMES.get(parent, {}):
            shown = _shown(self.__name__)
            raise ArgumentError(f"{shown} is a module, which cannot be called.", fix=f"dir({shown})  # its functions")
        return _renamed(parent, name, NAMES[parent][name])(*args, **kwargs)


class _CallableModule(types.ModuleType):
    """A file with the name of a function of Keras 2: `keras.optimizers.adam(lr=0.1)`."""

    def __call__(self, *args, **kwargs):
        parent, _, name = self.__name__.rpartition(".")
        return _renamed(parent, name, NAMES[parent][name])(*args, **kwargs)


def make_callable(module: str) -> None:
    """Let a file be called, as the function of the same name in Keras 2.

    Args:
        module: Path of the file.
    """
    sys.modules[module].__class__ = _CallableModule


def moved(module: str, target: str, name: str) -> Any:
    """A class or function that is in another module today, with a warning.

    Args:
        module: Path of the old module.
        target: Path of today's module.
        name: Name in both.

    Raises:
        OldNameError: (an AttributeError) The name is gone.
    """
    if f"{module}.{name}" in MODULES:
        return importlib.import_module(f"{module}.{name}")
    if name.startswith("__"):
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    _refuse_what_is_gone(module, name)
    since = "2.6" if "experimental" in module else "2.4"
    for home in dict.fromkeys((target, *(() if name.startswith("_") else _OTHERS))):
        if name in NAMES.get(home, {}) and not _has(home, name):
            return _renamed(home, name, NAMES[home][name])
        if _has(home, name):
            warn_renamed(f"{module}.{name} is {home}.{name} since Keras {since}.")
            return getattr(importlib.import_module(home), name)
    if is_old_module(f"{module}.{name}"):
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    error = missing_member(target, name, dir(importlib.import_module(target)))
    if getattr(error, "fix", None) is None:
        today = _shown(target)
        raise OldNameError(f"{_shown(module)} is {today} today, which has no {name!r}.", fix=f"print(dir({today}))")
    raise error


_OTHERS = ("lamina", *(f"lamina.{name}" for name in (
    "layers", "models", "utils", "backend", "saving", "optimizers", "metrics", "losses", "callbacks", "initializers",
)))  # fmt: skip


def _has(module, name):
    try:
        return name in vars(importlib.import_module(module)) or name in dir(importlib.import_module(module))
    except ImportError:
        return False


def moved_from(module: str) -> Callable[[str], Any]:
    """A `__getattr__` for a file whose path is an old one too: it finds the names that moved out of it.

    Args:
        module: Path of the file.
    """
    _make_package(module)
    return functools.partial(moved, module, MODULES[module])


def is_old_module(path: str) -> bool:
    """Whether Keras 1 or 2 had a module at a path where there is none today.

    Files of one class count without being in the table: `keras.layers.pooling.max_pooling2d`.

    Args:
        path: Path below lamina.
    """
    parent, _, name = path.rpartition(".")
    if path in MODULES or parent not in MODULES:
        return path in MODULES and path not in FILES_WITH_OLD_PATHS
    plain = name.replace("_", "")
    return name.islower() and plain in {known.lower() for known in dir(importlib.import_module(MODULES[parent]))}


class _Finder:
    """Finds the modules of Keras 1 and 2. It is the last finder, so it sees only what is not there today."""

    @staticmethod
    def find_spec(fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """The spec of an old module, or None.

        Args:
            fullname: Path of the module.
            path: Not used.
            target: Not used.

        Raises:
            OldImportError: (an ImportError) It is gone.
        """
        parent, _, name = fullname.rpartition(".")
        if not fullname.startswith("lamina."):
            return None
        if fullname in GONE_MODULES:
            raise OldImportError(f"{_shown(fullname)} is gone: Keras 3 has no such module.", fix=GONE_MODULES[fullname])
        if is_old_module(fullname):
            MODULES.setdefault(fullname, MODULES.get(parent, ""))
            return ModuleSpec(fullname, _Loader, is_package=True)  # pyright: ignore[reportArgumentType]
        try:
            getattr(sys.modules.get(parent), name)
        except OldNameError as error:  # `from parent import name` would drop the words of an AttributeError
            raise OldImportError(error.message, fix=error.fix) from None
        except AttributeError:
            pass
        return None


class _Loader:
    @staticmethod
    def create_module(spec):
        return _OldModule(spec.name, f"Old path of {MODULES[spec.name]}.")

    @staticmethod
    def exec_module(module):
        """Nothing is executed."""


def find_old_modules() -> None:
    """Make the old module paths importable."""
    if _Finder not in sys.meta_path:
        sys.meta_path.append(_Finder)  # pyright: ignore[reportArgumentType]

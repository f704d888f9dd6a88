"""The modules below `keras.src`, from which packages import public things and a few helpers."""

from __future__ import annotations

import functools
import importlib
import types
from collections.abc import MutableSequence
from typing import Any

from lamina.compat import inside_helpers
from lamina.compat.inside_table import ADVICE, ALL_OBJECTS, MODULES, TODAY
from lamina.core import op
from lamina.core.registry import get_custom_objects
from lamina.errors import UnknownImportError, UnknownNameError
from lamina.legacy import MODULES as OLD_MODULES
from lamina.legacy import without_rename_warnings
from lamina.legacy.moves import OldImportError
from lamina.saving.formats.keras_archive import KERAS_VERSION
from lamina.spelling import public_names
from lamina.spelling.nearest import letters_of, nearest, or_list

__all__ = ["Inner", "public_module"]

_ELSEWHERE = ["", *"""
    ops backend layers models saving utils config random tree losses metrics optimizers activations initializers
    dtype_policies callbacks quantizers distribution utils.bounding_boxes preprocessing.image
    preprocessing.sequence preprocessing.text
    """.split()]  # fmt: skip


def public_module(path: str) -> Any:
    """The lamina module for a path below `keras`, including paths of earlier versions, or None.

    Args:
        path: Path without `keras.`.
    """
    try:
        return importlib.import_module(f"lamina.{path}".rstrip("."))
    except ModuleNotFoundError as error:
        if error.name is None or not f"lamina.{path}".startswith(error.name):
            raise
        return None


def _module_or_none(path):
    try:
        return public_module(path)
    except OldImportError:  # a place of earlier versions, where the name is not
        return None


class Inner(types.ModuleType):
    """An internal module of Keras, `keras.src.*`.

    A name is looked up in this order: the table of helpers; public modules along the path, deepest first; the modules
    with the most names; all public names.

    Args:
        name: Name of the module.
        path: Its path below `keras.src`.

    Raises:
        UnknownImportError: (an ImportError) Keras has no such module. The fix is today's public way.
    """

    __path__: MutableSequence[str] = []

    def __init__(self, name: str, path: str) -> None:
        super().__init__(name, "What packages take from the inside of Keras, on lamina.")
        self._parts = path.split(".") if path else []
        if self._parts and not _is_module(self._parts[-1]):
            home, _, leaf = name.rpartition(".")
            raise UnknownImportError(_missing(home, leaf), fix=_instead(home, leaf))

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            homes = filter(None, map(_module_or_none, self._paths()))
            return next(home.__all__ for home in homes if hasattr(home, "__all__"))
        if name == "__version__":
            return KERAS_VERSION
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        try:
            with without_rename_warnings():
                return self._found(name)
        except KeyError:
            suggest = functools.partial(_suggest, self.__name__, name)
            raise UnknownNameError(_missing(self.__name__, name), suggest) from None

    def _paths(self):
        return [*(".".join(self._parts[:stop]) for stop in range(len(self._parts), 0, -1)), ""]

    def _found(self, name):
        leaf = self._parts[-1] if self._parts else ""
        if self._parts[:1] == ["ops"] and name[:1].isupper():
            found = op.operation_class(name)
            if found is not None:
                return found
        target = TODAY.get(f"{leaf}.{name}", TODAY.get(name))
        if target is not None:
            return _at(target)
        if leaf == "module_utils":
            return inside_helpers.LazyModule(name)
        if name in ALL_OBJECTS:
            return ALL_OBJECTS[name](_public_objects(self._parts[0]))
        is_file = self._parts[:1] == ["layers"] and len(self._parts) == 2 and name.islower() and _is_module(name)
        if is_file or ".".join([*self._parts, name]) in ("dtype_policies.dtype_policy", "ops.function"):
            return Inner(f"{self.__name__}.{name}", ".".join([*self._parts, name]))  # the file `relu.py` has a class
        first = self._parts[: name not in ("get", "serialize", "deserialize")]
        if first == ["backend"]:  # `backend.image` has the functions of `ops.image`
            first = [f"ops.{leaf}", *first]
        for path in (*first, *self._paths(), *self._elsewhere()):
            try:
                found = getattr(public_module(path), name)
            except (AttributeError, ImportError):
                continue
            return importlib.import_module(f"{self.__name__}.{name}") if isinstance(found, types.ModuleType) else found
        if name not in _homes() and _is_module(name):
            return importlib.import_module(f"{self.__name__}.{name}")
        return getattr(public_module(_homes()[name].removeprefix("keras").strip(".")), name)

    def _elsewhere(self):
        """The public modules, those first whose name is in the path."""
        return sorted(_ELSEWHERE, key=lambda path: path.rpartition(".")[2] not in self._parts)


class _Objects(dict[str, Any]):
    """The classes and functions of a public module by name. What a package adds is then found by its name."""

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        get_custom_objects()[name] = value


@functools.cache
def _public_objects(package):
    home = public_module(package)
    members = ((name, getattr(home, name)) for name in home.__all__ if name not in ("get", "serialize", "deserialize"))
    return _Objects((name, member) for name, member in members if callable(member))


def _at(target):
    """What a row of the table names: something of `inside_helpers`, or a path with its module."""
    home, _, name = target.rpartition(":")
    return getattr(importlib.import_module(home) if home else inside_helpers, name)


@functools.cache
def _homes():
    """Public name -> its module."""
    return {name: home for names in public_names for name, home in names()}


@functools.cache
def _known_letters():
    """The letters of all public names: a file of Keras is called as what is in it."""
    return set(map(letters_of, _homes()))


@functools.cache
def _is_module(leaf):
    if leaf[:1].isupper():
        return False
    if leaf in MODULES or any(path.rpartition(".")[2] == leaf for path in OLD_MODULES):
        return True
    return any(_module_or_none(f"{home}.{leaf}".strip(".")) for home in ("", "layers", "ops", "core", "models")) or (
        letters_of(leaf) in _known_letters()
    )


def _missing(module, name):
    return f"{module}.{name} is of the inside of Keras, and lamina does not have it."


def _suggest(module, name):
    return "", _instead(module, name)


def _instead(module, name):
    """Today's public way to what an internal name gives."""
    if name in ADVICE:
        return ADVICE[name]
    near = nearest(name.strip("_"), _homes(), strict=True)
    if near:
        return f"Use {or_list([f'{_homes()[key]}.{key}' for key in near])}."
    part = module.removeprefix("keras.src").strip(".").partition(".")[0]
    public = f"keras.{part}" if part in dir(importlib.import_module("lamina")) else "keras.ops and keras.layers"
    return f"Use the public names of {public}."

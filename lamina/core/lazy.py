"""Packages that import a submodule when one of its names is first used (PEP 562), which makes importing them fast.

The stub of such a package, `__init__.pyi`, is the only table of its public names. Editors, type checkers and `lazy`
read it.
"""

from __future__ import annotations

import importlib
import pathlib
import re
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType
from typing import Any

from lamina.errors import CallTypeError, LaminaError
from lamina.runtime.gc_pause import no_collection
from lamina.runtime.tracebacks import explain_errors_by, filters_traceback, readable
from lamina.spelling import missing_member, public_names

__all__ = ["lazy", "missing_from", "names_in_stub"]

_ROOT = pathlib.Path(__file__).parents[2]  # the folder that contains the package lamina
_IMPORT = re.compile(r"^from (lamina[\w.]*) import (\*|\([^)]*\)|.*)$", re.MULTILINE)
_LISTED = re.compile(r"^__all__ = \[(.*?)\]", re.MULTILINE | re.DOTALL)


def lazy(
    package: str,
    otherwise: Callable[[str], Any] | None = None,
    unlisted: Iterable[str] = (),
    is_public: bool = True,
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__, __dir__, __all__ = lazy(__name__)`: provide the names in the stub of a package.

    Args:
        package: Name of the package. Its folder contains `__init__.pyi`.
        otherwise: Function that is called with names that are not in the stub, for names of earlier versions.
        unlisted: Names that the package has but that `__all__` and `dir` omit.
        is_public: Whether users call its functions, whose errors then show the user's lines alone.

    >>> import lamina
    >>> get, _, names = lazy("lamina.models")
    >>> "clone_model" in names, get("clone_model").__module__
    (True, 'lamina.models.clone')
    """
    homes = dict(names_in_stub(package))

    def get(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            try:
                return _of_earlier_versions(package, name, homes, otherwise)
            except (AttributeError, ImportError) as error:
                try:
                    with readable(error) as shown:
                        raise shown from None
                finally:
                    shown = None  # else error and frame, and with it those of all callers, would hold each other
        with no_collection():
            module = importlib.import_module(str(home))
        if home == f"{package}.{name}":
            setattr(sys.modules[package], name, module)
            return _readable(package, sys.modules[package], name) if is_public else module
        value = _readable(package, module, name) if is_public else getattr(module, name)
        file = str(home).rpartition(".")[2]
        is_attribute = file in vars(sys.modules[package])  # since the import of the module
        if is_public and homes.get(file) == home and is_attribute:
            _readable(package, sys.modules[package], file)
        setattr(sys.modules[package], name, value)  # later lookups do not call this function
        return value

    names = sorted(homes.keys() - set(unlisted))
    return get, lambda: names, names


def _of_earlier_versions(package, name, homes, otherwise):
    try:
        if otherwise is not None:
            return otherwise(name)
    except AttributeError as error:
        if isinstance(error, LaminaError):  # it says what replaces the name
            raise
    raise missing_member(package, name, homes)


_filtered: dict[FunctionType, Any] = {}  # function of a module -> the same with errors that show the user's lines alone


class _Module(types.ModuleType):
    """A module that says which of its members was meant when it is called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from lamina.spelling.nearest import letters_of, nearest

        short, names = self.__name__.rpartition(".")[2], [key for key in dir(self) if key[0] != "_"]
        meant = [key for key in names if letters_of(key) == letters_of(short)] or nearest(short, names, 1)
        meant = meant or [key for key in names if key[0].isupper()]
        path = self.__name__.replace("lamina", "keras", 1)
        error = CallTypeError(f"{path} is a module, which is not called.", fix=f"{path}.{meant[0]}(...)")
        with readable(error) as shown:
            raise shown


def _readable(package: str, owner: Any, name: str) -> Any:
    """A member of a module, whose errors from now on show the user's lines alone: a function, the functions of a
    file, or the `__init__` of a class."""
    from lamina.core import registry  # importing lamina does not need it

    value = getattr(owner, name)
    if isinstance(value, FunctionType):
        if (
            not hasattr(value, "__wrapped__") and value not in registry.FUNCTIONS.values()
        ):  # files know them by identity
            value.__dict__.setdefault("_shown", f"{package}.{name}")
            setattr(owner, name, _filtered.setdefault(value, filters_traceback(value)))  # the same object by each name
    elif isinstance(value, types.ModuleType):
        members = vars(value)
        if type(value) is types.ModuleType:
            value.__class__ = _Module
        if "__getattr__" not in members:
            value.__getattr__ = missing_from(value.__name__)  # pyright: ignore[reportAttributeAccessIssue]
        listed = members.get("__all__", ())
        for key in list(members) if not hasattr(value, "__path__") else ():
            is_function = isinstance(members[key], FunctionType) and not key.startswith("_")
            if is_function and (key in listed or members[key].__module__ == value.__name__):
                _readable(f"{package}.{name}", value, key)
    elif isinstance(value, type):
        for base in value.__mro__:
            init: Any = base.__dict__.get("__init__")
            is_ours = isinstance(init, FunctionType) and base.__module__.startswith("lamina.")
            if is_ours and not hasattr(init, "__wrapped__"):
                type.__setattr__(base, "__init__", filters_traceback(init))
    return getattr(owner, name)


def show_user_lines(module: Any) -> None:
    """Let the errors of the functions of a file, and of the methods of its classes, show the user's lines alone.

    Args:
        module: The file, which has `__all__`.
    """
    for name in module.__all__:
        if not getattr(getattr(module, name), "__module__", "").startswith(module.__name__.rpartition(".")[0]):
            continue
        value = _readable(module.__name__, module, name)
        for key, method in list(vars(value).items()) if isinstance(value, type) else ():
            if isinstance(method, FunctionType) and key[0] != "_" and not hasattr(method, "__wrapped__"):
                setattr(value, key, filters_traceback(method))


def _refused_call(error: BaseException) -> BaseException | None:
    """The error that says which arguments were meant, for a call that failed by them."""
    if not isinstance(error, (TypeError, ValueError)):
        return None
    from lamina.spelling.arguments import explain_error

    return explain_error(error)


explain_errors_by(_refused_call)


def missing_from(module: str) -> Callable[[str], Any]:
    """`__getattr__ = missing_from(__name__)`: says what was meant by a name that a file does not have.

    Args:
        module: Path of the file.
    """

    def get(name: str) -> Any:
        names = vars(sys.modules[module])
        with readable(missing_member(module, name, names.get("__all__", names))) as error:
            raise error

    return get


def names_in_stub(package: str) -> Iterator[tuple[str, str]]:
    """(name, its module) for each import in the stub of `package`. `import *` is expanded to the module's `__all__`.

    Args:
        package: The name of a package with a stub.
    """
    for module, names in _IMPORT.findall((_ROOT / package.replace(".", "/") / "__init__.pyi").read_text("utf-8")):
        if names == "*":
            yield from ((name, module) for name in _all_of(module))
            continue
        for entry in names.strip("()").split(","):
            if entry.strip():
                name = entry.split()[-1]
                yield name, f"{module}.{name}" if module == package else module


def _all_names():
    """(name, public module) of every public name, those that programs use most first."""
    for package in _PUBLIC:
        path = _ROOT / "lamina" / package.replace(".", "/")
        if (path / "__init__.pyi").exists():
            names = (name for name, _ in names_in_stub(f"lamina.{package}".rstrip(".")))
        else:
            names = _all_of(f"lamina.{package}" if path.with_suffix(".py").exists() else f"lamina.{package}.__init__")
        yield from ((name, f"keras.{package}".rstrip(".")) for name in names if name not in _IN_ALL)


public_names.append(_all_names)
_PUBLIC = (
    "", "layers", "optimizers", "losses", "metrics", "callbacks", "activations", "initializers", "regularizers",
    "constraints", "utils", "ops", "random", "optimizers.schedules", "applications", "datasets", "models", "saving",
    "config",
)  # fmt: skip
_IN_ALL = ("get", "serialize", "deserialize")


def _all_of(module: str) -> list[str]:
    """The names in `__all__` of a file, which is parsed but not executed."""
    listed = _LISTED.search((_ROOT / (module.replace(".", "/") + ".py")).read_text("utf-8"))
    if listed is None:
        raise ImportError(f"{module} has no list __all__, so `import *` in a stub cannot be resolved.")
    return re.findall(r'"(\w+)"', listed[1])

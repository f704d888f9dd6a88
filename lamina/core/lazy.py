"""Packages that import a submodule when one of its names is first used (PEP 562), which makes importing them fast.

The stub of such a package, `__init__.pyi`, is the only table of its public names. Editors, type checkers and `lazy`
read it.
"""

from __future__ import annotations

import importlib
import pathlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType
from typing import Any

from lamina.runtime.gc_pause import no_collection
from lamina.runtime.tracebacks import filters_traceback

__all__ = ["lazy", "names_in_stub"]

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
        if home is None and otherwise is not None:
            return otherwise(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        with no_collection():
            module = importlib.import_module(home)
        value = module if home == f"{package}.{name}" else getattr(module, name)
        if is_public and isinstance(value, FunctionType) and not hasattr(value, "__wrapped__"):
            value = filters_traceback(value)
            setattr(module, name, value)  # the same object by either name
        setattr(sys.modules[package], name, value)  # later lookups do not call this function
        return value

    names = sorted(homes.keys() - set(unlisted))
    return get, lambda: names, names


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


def _all_of(module: str) -> list[str]:
    """The names in `__all__` of a file, which is parsed but not executed."""
    listed = _LISTED.search((_ROOT / (module.replace(".", "/") + ".py")).read_text("utf-8"))
    if listed is None:
        raise ImportError(f"{module} has no list __all__, so `import *` in a stub cannot be resolved.")
    return re.findall(r'"(\w+)"', listed[1])

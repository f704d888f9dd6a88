"""Packages that read a file when a name in it is first used (PEP 562), so that importing them costs next to nothing.

Such a package imports its files for type checkers alone, and has a table of which name stands in which file.
"""

import importlib
import sys
from typing import Any

from lamina.core.garbage import no_collection

__all__ = ["lazy"]


def lazy(package, files, otherwise=None, unlisted=()) -> Any:
    """`__getattr__, __dir__, __all__ = lazy(__name__, files)`: the names of a package.

    Args:
        files: name of a file below the package (or the whole name of a module that starts with `lamina.`) -> the names
            in it that the package gives, with spaces between them. A file named among them is given itself.
        otherwise: a function of any other name, for those of old.
        unlisted: names that the package gives and does not list.

    >>> get, _, names = lazy("lamina", {"errors": "ShapeError CallError", "tree": "tree"})
    >>> names, get("ShapeError").__name__, get("tree").__name__
    (['CallError', 'ShapeError', 'tree'], 'ShapeError', 'lamina.tree')
    """
    homes = {
        name: file if file.startswith("lamina.") else f"{package}.{file}"
        for file, names in files.items()
        for name in names.split()
    }

    def get(name):
        home = homes.get(name)
        if home is None and otherwise is not None:
            return otherwise(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        with no_collection():
            module = importlib.import_module(home)
        value = module if home == f"{package}.{name}" else getattr(module, name)
        setattr(sys.modules[package], name, value)  # found at once from now on
        return value

    names = sorted(homes.keys() - set(unlisted))
    return get, lambda: names, names

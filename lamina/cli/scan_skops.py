"""What the schema of a skops file would import: its nodes name the classes and functions that are made or called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lamina.cli.scan_pickles import HARMLESS

__all__ = ["skops_findings"]

# As in pickles, all else is reported. Parts of scikit-learn that open files or hold other packages are left out.
_KNOWN = re.compile(r"sklearn\.(?!datasets|externals|utils|tests)\S+|scipy\.sparse\S*|scipy\.special\S*")
_MORE = {
    ("functools", "partial"), ("operator", "itemgetter"), ("operator", "attrgetter"),  # of what is named below them
    ("numpy.random.mtrand", "RandomState"), ("numpy.random._generator", "Generator"),
}  # fmt: skip


def skops_findings(schema: Any) -> Iterator[tuple[str, str]]:
    """(rule, sentence) for each name that honest files of estimators and arrays do not have.

    Args:
        schema: The file `schema.json` of the archive, as JSON gives it.
    """
    row = [schema]
    while row:
        value = row.pop()
        if isinstance(value, dict):
            for module, name in (("__module__", "__class__"), ("module_path", "function")):
                if name in value and not _is_harmless(value.get(module), value[name]):
                    yield "code", f"is a skops file that imports {value.get(module)}.{value[name]}"
            if value.get("__loader__") == "MethodNode":
                content = value.get("content")
                method = content.get("func") if isinstance(content, dict) else None
                if not isinstance(method, str) or method.startswith("_"):
                    yield "code", f"is a skops file that takes the method {method!r} of an object"
        row += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _is_harmless(module, name):
    import numpy as np  # it takes a while to import

    if not (isinstance(module, str) and isinstance(name, str)):
        return module is None and name is None
    if module == "numpy" and name.isidentifier():
        found = getattr(np, name, None)
        if isinstance(found, np.ufunc) or (isinstance(found, type) and issubclass(found, np.generic)):
            return True
    return (module, name) in HARMLESS | _MORE or _KNOWN.fullmatch(f"{module}.") is not None

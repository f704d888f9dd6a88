"""Arrays in the place of other arguments of `fit`, `evaluate` and `predict`: fit(x_train, x_test, y_train, y_test)."""

from __future__ import annotations

import ast
from typing import Any

from lamina.core.arguments import shown
from lamina.core.call_sites import site_above
from lamina.errors import DataError

__all__ = ["refuse_data"]

_ORDER = {"fit": "x, y, batch_size, epochs", "evaluate": "x, y, batch_size", "predict": "x, batch_size"}


def refuse_data(batch_size: Any, epochs: Any = None) -> None:
    """Raise the error for a call whose batch_size is an array.

    Args:
        batch_size: What was given.
        epochs: What `fit` was given for that.

    Raises:
        DataError: Always.
    """
    site = site_above()
    calls = [] if site is None else [one for one in site.nodes(ast.Call) if _name(one) in _ORDER]
    method, owner, args = "fit", "model.fit", []
    if calls:
        method, owner, args = _name(calls[0]), ast.unparse(calls[0].func), [*map(ast.unparse, calls[0].args)]
    count = len(_ORDER[method].split(", ")) - 1 - (method == "fit")
    parts = args if len(args) >= count + 1 else ["x", "y", "weights"]
    fix = f"{owner}({', '.join(parts[:count])})"
    if method == "fit" and hasattr(epochs, "__len__"):
        x, y, x_test, y_test = args if len(args) == 4 else ("x_train", "y_train", "x_test", "y_test")
        if len(args) == 4 and x_test.lower().startswith("y"):  # as train_test_split returns them
            y, x_test = x_test, y
        fix = f"{owner}({x}, {y}, validation_data=({x_test}, {y_test}))"
    elif method == "fit":
        fix = f"{fix[:-1]}, sample_weight={parts[2]})"
    raise DataError(f"{method} takes {_ORDER[method]} in this order; got {shown(batch_size)} for batch_size.", fix=fix)


def _name(call):
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""

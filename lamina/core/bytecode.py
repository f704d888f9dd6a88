"""Lambdas in configs, stored as Python bytecode. They are loaded only if the caller passes safe_mode=False."""

from __future__ import annotations

import codecs
import marshal
import types
from typing import Any

from lamina.core import registry
from lamina.errors import UnsafeFileError


def serialize_lambda(function: Any) -> dict[str, Any]:
    """Convert a lambda to the format of Keras 3: base64 of the marshalled code, defaults and closure values.

    Args:
        function: Python function.
    """
    code = codecs.encode(marshal.dumps(function.__code__), "base64").decode("ascii")
    closure = [cell.cell_contents for cell in function.__closure__] if function.__closure__ else None
    return {"class_name": "__lambda__", "config": {"code": code, "defaults": function.__defaults__, "closure": closure}}


def deserialize_lambda(config: dict[str, Any]) -> Any:
    """Recreate the function that `serialize_lambda` stored. Its bytecode can do anything that the process can do.

    Args:
        config: Code, defaults and closure.

    Raises:
        UnsafeFileError: In safe mode.
    """
    if registry.in_safe_mode():
        raise UnsafeFileError(
            "The config holds a Python lambda (of a Lambda layer, say) as bytecode, that is, arbitrary code execution.",
            fix="If you trust where it came from, pass safe_mode=False; better, use a named, registered function.",
        )
    code = marshal.loads(codecs.decode(config["code"].encode("ascii"), "base64"))
    closure = config.get("closure")
    cells = None if closure is None else tuple(types.CellType(value) for value in closure)
    defaults = config.get("defaults")
    return types.FunctionType(code, globals(), code.co_name, None if defaults is None else tuple(defaults), cells)

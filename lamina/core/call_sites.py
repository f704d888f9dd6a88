"""The place in a user's program where something failed: its line, its expression, and the function that it calls."""

from __future__ import annotations

import ast
import builtins
import dis
import importlib
import itertools
import linecache
import os
import re
import sys
import textwrap
from types import FrameType, ModuleType, TracebackType
from typing import Any

from lamina.errors import is_internal, is_library
from lamina.runtime.tracebacks import user_frames

__all__ = ["CallSite", "op_of", "package_of", "site_above", "site_in"]


class CallSite:
    """A line of a user's program, read from its source where there is one.

    Args:
        frame: Frame of the program.
        instruction: Index of the instruction (`tb_lasti`, `f_lasti`).

    Attributes:
        text: The expression or statement that was being executed, "" if it is not known.
        node: The same as a syntax tree, or None.
        statement: The whole line, without indentation.
    """

    text: str
    node: Any

    def __init__(self, frame: FrameType, instruction: int) -> None:
        self.frame = frame
        code = frame.f_code
        positions = next(itertools.islice(code.co_positions(), instruction // 2, None), (None,) * 4)
        line, last, start, end = positions
        self.line: int = line or frame.f_lineno
        lines = linecache.getlines(code.co_filename, frame.f_globals)[self.line - 1 : last or self.line]
        self.statement: str = lines[0].strip() if lines else ""
        self.text = ""
        if lines and start is not None and end is not None:
            cut = [text.encode() for text in lines]  # columns count bytes
            cut[-1] = cut[-1][:end]
            cut[0] = cut[0][start:]
            self.text = textwrap.dedent(" ".join(text.decode().strip() for text in cut))
            self.statement = _statement_at(self.statement, start - len(lines[0]) + len(lines[0].lstrip()))
        self.node = _parsed(self.text)
        self._names = _names_in(code, self.line) if not self.text else []

    @property
    def place(self) -> str:
        """The function, the line and the file: "Mine.call, line 6 of train.py"."""
        code = self.frame.f_code
        cell = re.match(r"<ipython-input-(\d+)|.*ipykernel_\d+.", code.co_filename)
        file = os.path.basename(code.co_filename) if cell is None else f"cell {cell[1]}" if cell[1] else "the cell"
        line = f"line {self.line} of {file}"
        name = code.co_qualname.rpartition("<locals>.")[2]
        return line if name.startswith("<") else f"{name}, {line}"

    @property
    def callee(self) -> str:
        """The function that is called, as it is written: "np.log". "" if none is."""
        return ast.unparse(self.node.func) if isinstance(self.node, ast.Call) else ""

    @property
    def described(self) -> str:
        """The expression and its place: "`np.log(x)` (Mine.call, line 6 of train.py)"."""
        shown = self.text or self.statement
        return f"`{shown}` ({self.place})" if shown else f"The program ({self.place})"

    def nodes(self, kind: Any) -> list[Any]:
        """The parts of the line that are of a kind of syntax tree.

        Args:
            kind: Class of `ast`.
        """
        tree = _parsed(self.statement) or _parsed(f"{self.statement.removeprefix('el')} pass") or self.node
        return [] if tree is None else [node for node in ast.walk(tree) if isinstance(node, kind)]

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """The tensors that the expression names, with their shapes."""
        nodes = ast.walk(self.node) if self.node is not None else ()
        names = dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name))
        shapes = {name: getattr(self.value_of(name), "shape", None) for name in names}
        return {name: shape for name, shape in shapes.items() if isinstance(shape, tuple)}

    def shapes(self) -> str:
        """The shapes of the tensors that the expression names: "x has shape (32, 4)"."""
        return ", ".join(f"{name} has shape {shape}" for name, shape in self.tensors().items())

    def number(self, node: ast.expr) -> Any:
        """The number that a part of the line is, a literal or an attribute of `self`; None for other parts."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return vars(self.frame.f_locals.get(node.value.id, object)).get(node.attr)
        return node.value if isinstance(node, ast.Constant) else self.value_of(ast.unparse(node))

    @property
    def arguments(self) -> str:
        """The arguments of the call, as they are written."""
        if not isinstance(self.node, ast.Call):
            return ""
        return ", ".join([*map(ast.unparse, self.node.args), *map(ast.unparse, self.node.keywords)])

    @property
    def function(self) -> Any:
        """The function that is called, or a NumPy function that the line names; None if there is none."""
        if self.callee:
            return self.value_of(self.callee)
        found = (getattr(self.value_of(owner), name, None) for owner, name in itertools.pairwise(self._names))
        return next(
            (value for value in found if callable(value) and package_of(value).startswith(("numpy", "math"))), None
        )

    def value_of(self, name: str) -> Any:
        """The value of a name with dots, read only through modules and classes; None if it cannot be found."""
        first, *rest = name.split(".")
        for names in (self.frame.f_locals, self.frame.f_globals, vars(builtins)):
            if first in names:
                value = names[first]
                break
        else:
            return None
        for part in rest:
            if not isinstance(value, (ModuleType, type)):
                return None
            value = getattr(value, part, None)
        return value


def _parsed(text):
    try:
        tree = ast.parse(text).body
    except (SyntaxError, ValueError):
        return None
    return (tree[0].value if isinstance(tree[0], ast.Expr) else tree[0]) if len(tree) == 1 else None


def _statement_at(line, column):
    """The one of several statements in a line that is at a column."""
    try:
        body = ast.parse(line).body
    except (SyntaxError, ValueError):
        return line
    found = [one for one in body if one.col_offset <= column < (one.end_col_offset or 0)]
    return ast.get_source_segment(line, found[0]) or line if len(body) > 1 and found else line


def _names_in(code, line):
    """The names that the instructions of a line load, for programs without source."""
    found = []
    for instruction in dis.get_instructions(code):
        positions = instruction.positions
        if positions is not None and positions.lineno == line and isinstance(instruction.argval, str):
            found.append(instruction.argval)
    return found


def site_in(traceback: TracebackType | None) -> CallSite | None:
    """The innermost place of a traceback that belongs to the user's program, or None.

    Args:
        traceback: Traceback.
    """
    own = [entry for entry in user_frames(traceback) if not is_library(entry.tb_frame)]
    return CallSite(own[-1].tb_frame, own[-1].tb_lasti) if own else None


def site_above(through: str | tuple[str, ...] = "") -> CallSite | None:
    """The innermost place of the user's program among the callers of this function, or None.

    Args:
        through: The modules that the callers in between may belong to, by the beginning of their names.
    """
    frame = sys._getframe(1)
    while frame is not None and (is_internal(frame) or is_library(frame)):
        if not str(frame.f_globals.get("__name__")).startswith(through):
            return None
        frame = frame.f_back
    return CallSite(frame, frame.f_lasti) if frame is not None else None


# What NumPy, Python, PyTorch and TensorFlow call otherwise than keras.ops.
_OTHER_NAMES = {
    "array": "convert_to_tensor", "asarray": "convert_to_tensor", "tensor": "convert_to_tensor", "bmm": "matmul",
    "cat": "concatenate", "clamp": "clip", "concat": "concatenate", "clip_by_value": "clip", "expit": "sigmoid",
    "div": "divide",
    "gather": "take", "list_to_tensor": "convert_to_tensor", "lrelu": "leaky_relu", "masked_fill": "where",
    "mm": "matmul", "mul": "multiply", "numel": "size", "permute": "transpose", "pow": "power", "rsub": "subtract",
    "sorted": "sort", "sub": "subtract", "unbind": "unstack", "unsqueeze": "expand_dims", "fill": "full_like",
    "argwhere": "nonzero", "size": "shape", "dim": "ndim", "t": "transpose", "to": "cast", "type": "cast",
    "astype": "cast", "float": "cast", "int": "cast", "long": "cast", "double": "cast", "half": "cast",
    "reshape_as": "reshape", "flatten": "reshape", "contiguous": "copy", "clone": "copy", "detach": "stop_gradient",
    "assign": "scatter_update", "index_select": "take", "top_k": "top_k", "topk": "top_k", "normal": "normal",
    "set_shape": "reshape", "get_shape": "shape", "matmul": "matmul", "invert": "logical_not",
}  # fmt: skip
_OF_BUILTINS = {"max": "maximum", "min": "minimum"}  # of two values


def op_of(name: str, package: str = "") -> str | None:
    """The function of keras.ops, or of keras.random, that does the same as one of another library.

    Args:
        name: Name of the other function or method, "np.random.normal" or "log".
        package: The library, as "numpy"; "builtins" for functions of Python.

    >>> op_of("reduce_mean"), op_of("cat"), op_of("max", "builtins"), op_of("frexp")
    ('keras.ops.mean', 'keras.ops.concatenate', 'keras.ops.maximum', None)
    """
    *owners, name = name.split(".")
    if "random" in owners or package.startswith("numpy.random"):
        random = importlib.import_module("lamina.random")
        name = {"rand": "uniform", "randn": "normal", "random": "uniform", "permutation": "shuffle"}.get(name, name)
        return f"keras.random.{name}" if name in random.__all__ else None
    if package == "builtins" and name in _OF_BUILTINS:
        return f"keras.ops.{_OF_BUILTINS[name]}"
    operations = importlib.import_module("lamina.ops")
    stem = name.rstrip("_")
    for known in (stem, _OTHER_NAMES.get(stem), stem.removeprefix("reduce_"), f"arc{stem[1:]}", stem.replace("_", "")):
        if known and known in operations.__all__ and callable(getattr(operations, known)):
            return f"keras.ops.{known}"
    return None


def package_of(function: Any) -> str:
    """The module that a function comes from, or the class whose method it is; "" if it is not known.

    Args:
        function: Function, method or None.
    """
    module = getattr(function, "__module__", None)
    owner = getattr(function, "__self__", None)
    return module or (type(owner).__module__ if owner is not None else "")

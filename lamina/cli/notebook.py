"""Notebooks as programs: the code cells, one after the other, each with the numbers of its own lines."""

from __future__ import annotations

import ast
import json
import linecache
import pathlib
import re
import sys
import types
from typing import Any

from lamina.errors import FileError

__all__ = ["code_cells", "run_notebook"]

_MAGIC = re.compile(r"^(\s*)([%!?].*|[\w., ]+ = [%!].*|[\w.]+\?{1,2}\s*)$")
_TIMED = re.compile(r"^(\s*)%(?:time|prun)\s+(?!-)(\S.*)$")  # magics that run a statement
_CELL_OF_ANOTHER_LANGUAGE = re.compile(r"%%(?!time\b|timeit\b|capture\b)(\w+)")


def run_notebook(path: pathlib.Path, cells: list[tuple[int, str]]) -> dict[str, Any]:
    """Run the code cells of a notebook as the main program. Returns its global variables.

    Lines with magics and shell commands (`%matplotlib inline`, `!pip install x`) are skipped, and named on stderr.
    An error names the cell and the line in it.

    Args:
        path: File that ends in `.ipynb`.
        cells: Its code cells, from `code_cells`.
    """
    main = types.ModuleType("__main__")
    main.__dict__.update(__file__=str(path), display=print)
    before, sys.modules["__main__"] = sys.modules["__main__"], main
    try:
        for number, source in cells:
            text = _as_python(source, number)
            name = f"{path.name}, cell {number}"
            lines = [str(line) for line in text.splitlines(keepends=True)]
            linecache.cache[name] = len(text), None, lines, name
            _run_cell(ast.parse(text, name), name, main.__dict__, text.rstrip().endswith(";"))
    finally:
        sys.modules["__main__"] = before
    return dict(main.__dict__)


def _run_cell(tree, name, variables, is_quiet):
    """Run a cell and, as a notebook does, print the value of the expression at its end."""
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) and not is_quiet else None
    exec(compile(tree, name, "exec"), variables)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), name, "eval"), variables)
        if value is not None:
            print(repr(value))


def code_cells(path: pathlib.Path) -> list[tuple[int, str]]:
    """(number among all cells, counted from 1; source) of each code cell.

    Args:
        path: File that ends in `.ipynb`.

    Raises:
        FileError: The file is no notebook.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [
            (number, "".join(cell["source"])) for number, cell in enumerate(cells, 1) if cell["cell_type"] == "code"
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(
            f"{path} cannot be read as a notebook: {type(error).__name__}: {error}.",
            fix="Save it with Jupyter as .ipynb, format 4.",
        ) from error


def _as_python(source, number):
    """The source with the lines that only IPython understands taken out; all lines keep their numbers."""
    other = _CELL_OF_ANOTHER_LANGUAGE.match(source.lstrip())
    if other and other[1] == "writefile":
        name, _, text = source.lstrip().removeprefix("%%writefile").partition("\n")
        pathlib.Path(name.replace("-a ", "").strip()).write_text(text, encoding="utf-8")
        return ""
    if other:
        print(f"Cell {number} is skipped: %%{other[1]}", file=sys.stderr)
        return ""
    lines = []
    for line in source.splitlines():
        line = _TIMED.sub(r"\1\2", line)
        magic = _MAGIC.match(line)
        if magic and not _is_inside_text(lines):
            print(f"Cell {number}, line {len(lines) + 1} is skipped: {line.strip()}", file=sys.stderr)
            line = f"{magic[1]}pass"
        lines.append(line)
    return "\n".join([*lines, ""])


def _is_inside_text(lines):
    """Whether a text in triple quotes or an open bracket goes on after these lines."""
    try:
        compile("\n".join([*lines, ""]), "cell", "exec")
    except SyntaxError as error:
        return "unterminated" in str(error) or "was never closed" in str(error)
    return False

"""Runs one program cell by cell, as a notebook does, and writes what each cell printed and showed as JSON.

    python run_program.py PROGRAM.py RESULT.json

A cell begins with a line `# %%`. The value of its last expression is shown, and so is every open figure of matplotlib.
"""

import ast
import base64
import contextlib
import io
import json
import os
import pathlib
import re
import sys
import time

OPTIONAL = ("keras_hub",)  # packages that a program of the gallery may need and the extra `docs` does not have
CELL = re.compile(r"^# %%.*\n", re.MULTILINE)


def cells(source):
    """(text, code, first line) of each cell; the docstring of the program is the text of the first."""
    docstring = ast.get_docstring(ast.parse(source)) or ""
    start, found = 0, []
    for match in [*CELL.finditer(source), None]:
        end = match.start() if match else len(source)
        found.append((source[start:end], source.count("\n", 0, start)))
        start = match.end() if match else end
    first, line = found[0]
    body = ast.parse(first).body
    lines = first.splitlines(keepends=True)
    skipped = body[0].end_lineno if docstring else 0
    yield docstring, *trimmed("".join(lines[skipped:]), line + skipped)
    for text, line in found[1:]:
        comment = re.match(r"(?:#.*\n)*", text)[0]
        prose = re.sub(r"^# ?", "", comment, flags=re.MULTILINE).strip()
        yield prose, *trimmed(text[len(comment) :], line + comment.count("\n"))


def trimmed(code, line):
    """Code without empty lines around it, and the number of lines before it."""
    return code.strip("\n"), line + len(code) - len(code.lstrip("\n"))


def shown(value):
    """What a notebook would show of a value: HTML, a picture, or its text."""
    parts = {}
    for kind in ("html", "svg"):
        method = getattr(value, f"_repr_{kind}_", None)
        if method is not None and not isinstance(value, type):
            parts[kind] = method()
    return parts or {"text": repr(value) + "\n"}


def figures():
    """What matplotlib showed, and its open figures, as PNG; `MPLBACKEND` names the module that keeps them."""
    capture = sys.modules.get("matplotlib_capture")
    if capture is None:
        return []
    capture.show()
    pictures = [{"png": base64.b64encode(png).decode()} for png in capture.SHOWN]
    capture.SHOWN.clear()
    return pictures


def run_cell(code, path, line, names):
    """Run one cell; returns what it shows."""
    tree = ast.parse("\n" * line + code, path)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    text, value = io.StringIO(), None
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        exec(compile(tree, path, "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), path, "eval"), names)
    said = text.getvalue().replace(path, pathlib.Path(path).name)  # warnings name the file
    outputs = [{"text": said}] if said else []
    if value is not None:
        outputs.append(shown(value))
    return outputs + figures()


def main(path, result):
    """Run all cells of a program."""
    sys.argv = [path]
    names, done, start = {"__name__": "__main__", "__file__": path}, [], time.perf_counter()
    missing = None  # a package that a program needs and this environment lacks
    for prose, code, line in cells(pathlib.Path(path).read_text()):
        try:
            outputs = run_cell(code, path, line, names) if code and missing is None else []
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] not in OPTIONAL:
                raise
            missing, outputs = error.name, [{"text": f"Not run when this page was made: {error}.\n"}]
        done.append({"prose": prose, "code": code, "outputs": outputs})
    seconds = time.perf_counter() - start
    processor = sum(os.times()[:4])  # of this process and of those that it started and that ended
    pathlib.Path(result).write_text(json.dumps({"cells": done, "seconds": seconds, "processor": processor}))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A mistake is two programs: the wrong one, and the same with what the error says done.

A `Paste` is a mistake whose fix is Python: the test runs the printed text itself.

`fixes_work(MISTAKES)` is a test that runs both. `fixes_are_tried("lamina/layers", MISTAKES)` is a test that finds every
`fix=` below a folder and fails where no wrong program leads there, so a fix cannot be added without being tried.
"""

import ast
import contextlib
import functools
import linecache
import sys
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

import lamina as keras
from lamina.errors import LaminaError
from lamina.runtime import tracebacks

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Mistake:
    """One mistake and its repair. The programs see `keras` and `np`, and run in an empty folder.

    `says` is a part of the printed fix. As it is code to paste, it stands in `right` too; where the fix is words,
    `prose` is True and `right` does what they say. `right` is None where a program cannot do it (install a package):
    `because` says why.
    """

    wrong: str
    right: str | None
    says: str
    prose: bool = False
    because: str = ""


@dataclass(frozen=True)
class Paste:
    """A mistake whose printed fix is run as it stands, after the program `before` the `line` that raised the error."""

    before: str
    line: str
    says: str = ""

    @property
    def wrong(self):
        return f"{self.before}\n{self.line}"


def run(program, names=None):
    """Run a program, as a user's script would. Returns its variables."""
    names = {"__name__": "__main__", "keras": keras, "np": np} if names is None else names
    linecache.cache["program.py"] = (len(program), None, program.splitlines(True), "program.py")  # errors quote it
    with warnings.catch_warnings(), contextlib.redirect_stdout(None):
        warnings.simplefilter("ignore")
        exec(compile(program, "program.py", "exec"), names)
    return names


@functools.cache
def make(mistake):
    """The error of the wrong program, and the lines (file, number) that were being executed when a fix was written."""
    lines = set()

    def noted(self, message="", fix=None, *args, **kwargs):
        if fix is not None:
            frame = sys._getframe(1)
            while frame is not None:
                lines.add((frame.f_code.co_filename, frame.f_lineno))
                frame = frame.f_back
        return first(self, message, fix, *args, **kwargs)

    first = LaminaError.__init__
    keras.utils.clear_session(free_memory=False)  # names in messages count from the start, whatever ran before
    as_users_see_it = mock.patch.dict(tracebacks._state, enabled=True)
    with mock.patch.object(LaminaError, "__init__", noted), as_users_see_it:
        try:
            run(mistake.wrong)
        except Exception as error:
            return error, frozenset(lines)
    return None, frozenset(lines)


@functools.cache
def fixes(folder):
    """(file, first line, last line) of every statement below a folder, or in a file, in which a fix is written."""
    found = []
    for path in sorted((ROOT / folder).rglob("*.py")) if (ROOT / folder).is_dir() else [ROOT / folder]:
        tree = ast.parse(path.read_text())
        parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and any(k.arg == "fix" and not _is_handed_on(k.value) for k in node.keywords):
                while not isinstance(node, ast.stmt):
                    node = parents[node]
                found.append((str(path), node.lineno, node.end_lineno))
    return found


def _is_handed_on(value):
    return (isinstance(value, ast.Constant) and value.value is None) or (
        isinstance(value, ast.Name) and value.id == "fix"
    )


def fixes_work(mistakes):
    """A test that each wrong program raises an error with the fix, and that the program with it done runs."""

    @pytest.mark.parametrize("mistake", mistakes, ids=lambda m: " ".join(m.wrong.split())[-60:])
    def test(mistake, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        error, _ = make(mistake)
        assert error is not None, "the wrong program ran"
        assert isinstance(error, LaminaError), "".join(traceback.format_exception(error)[-6:])
        # What users call: the parts inside show their frames, as does scikit-learn, which calls us; the command line
        # cuts those of what it runs.
        if not any(words in mistake.wrong for words in ("from lamina", "tests.compat", "lamina(", "model_selection")):
            assert len(shown := _lines_before_message(error)) <= 12, "\n".join(shown)
        assert mistake.says in (error.fix or ""), f"{mistake.says!r} is not in {error.fix!r} of: {error}"
        if isinstance(mistake, Paste):
            names = run(mistake.before)
            run(error.fix, names)
            run(mistake.line, names)
            return
        if mistake.right is None:
            assert mistake.because
            return
        assert mistake.prose or mistake.says in mistake.right, "what the fix says is not done"
        keras.utils.clear_session(free_memory=False)
        run(mistake.right)

    return test


def _lines_before_message(error):
    """The lines of a traceback from the program's first one to the message; those of a chain of errors all count."""
    text = "".join(traceback.format_exception(error))
    text = text[: text.rindex(str(error).partition("\n")[0])]
    start = 0 if "During handling" in text or "direct cause" in text else text.index('File "program.py"')
    return text[start:].rstrip("\n").split("\n")


def fixes_are_tried(folder, mistakes, but=()):
    """A test that some mistake leads to every fix below a folder, but for (part of the statement or path, why)."""

    def test(tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        lines = set().union(*(make(mistake)[1] for mistake in mistakes))
        untried = []
        for file, start, end in fixes(folder):
            statement = "\n".join(Path(file).read_text().splitlines()[start - 1 : end])
            if any(part in statement or part in file for part, why in but if why):
                continue
            if not any((file, line) in lines for line in range(start, end + 1)):
                untried.append(f"{Path(file).relative_to(ROOT)}:{start}: {statement.strip()}")
        assert not untried, f"{len(untried)} fixes that no mistake of the list leads to:\n" + "\n".join(untried)

    return test

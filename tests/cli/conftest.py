"""One process runs all programs: a process a program would import JAX each time."""

import json
import pathlib

import pytest

from tests.cli.processes import python

collect_ignore_glob = ["programs/*"]  # they are run, not imported
PROGRAMS = pathlib.Path(__file__).parent / "programs"
RUN_ALL = """
import contextlib, io, json, pathlib, sys, warnings
from lamina.cli import main
found = {}
for path in sys.argv[1:]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["run", path])
    found[pathlib.Path(path).stem] = [code, out.getvalue(), err.getvalue()]
print(json.dumps(found))
"""


@pytest.fixture(scope="session")
def ran():
    """name of a program -> (exit code, output, errors), as `lamina run` gave them."""
    done = python("-c", RUN_ALL, *map(str, sorted(PROGRAMS.glob("*.py"))))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(autouse=True)
def errors_in_a_line(monkeypatch):
    """Commands print errors in a line, as they do for a user."""
    monkeypatch.delenv("LAMINA_TRACEBACK", raising=False)

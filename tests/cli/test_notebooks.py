"""`lamina run` and `lamina check` take notebooks."""

import json

import pytest

from lamina.cli import main
from tests.cli.processes import python

CELLS = [
    ("markdown", "# A notebook"),
    ("code", "%matplotlib inline\n!pip install keras\nimport keras\nfrom keras import layers\nfiles = !ls"),
    ("code", "%%bash\nls"),
    ("code", "%%time\nmodel = keras.Sequential([keras.Input((4,)), layers.Dense(3, 'sigmoid', name='head')])\n"
             "model.compile('adam', 'sparse_categorical_crossentropy')\ntext = '''\n%in a text\n'''\n"
             "model.count_params()"),
    ("code", "%time text = text.strip()\nmodel?\nlayers.Dense??\ndisplay(text)\nmodel.count_params();"),
]  # fmt: skip


RUN_ALL = """
import contextlib, io, json, sys
from lamina.cli import main
found = []
for command in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(command)
    found.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """command -> (exit code, output, errors), all from one process."""
    folder = tmp_path_factory.mktemp("notebooks")

    def write(name, *cells):
        cells = [{"cell_type": kind, "source": text.splitlines(keepends=True)} for kind, text in (*CELLS, *cells)]
        (folder / name).write_text(json.dumps({"cells": cells, "nbformat": 4}))

    write("nb.ipynb")
    write("fails.ipynb", ("code", "x = 1\nmodel.fit(x, y)"))
    (folder / "none.ipynb").write_text('{"model": null}')
    commands = [["run", "nb.ipynb"], ["run", "fails.ipynb"], ["check", "none.ipynb"]]
    commands += [[command, "nb.ipynb"] for command in ("check", "explain", "summary")]
    done = python("-c", RUN_ALL, json.dumps(commands), cwd=folder, env={"LAMINA_TRACEBACK": ""})
    assert done.returncode == 0, done.stderr
    return dict(zip(map(" ".join, commands), json.loads(done.stdout.splitlines()[-1]), strict=True))


def test_runs_code_cells_and_names_what_it_skips(ran):
    code, out, err = ran["run nb.ipynb"]
    assert (code, out) == (0, "15\n%in a text\n")
    assert err.splitlines() == [
        "Cell 2, line 1 is skipped: %matplotlib inline", "Cell 2, line 2 is skipped: !pip install keras",
        "Cell 2, line 5 is skipped: files = !ls", "Cell 3 is skipped: %%bash", "Cell 4, line 1 is skipped: %%time",
        "Cell 5, line 2 is skipped: model?", "Cell 5, line 3 is skipped: layers.Dense??",
    ]  # fmt: skip


def test_an_error_names_the_cell_and_the_line(ran):
    code, _, err = ran["run fails.ipynb"]
    assert code == 1 and 'File "fails.ipynb, cell 6", line 2' in err and "model.fit(x, y)" in err and "cli" not in err


def test_other_commands_take_them(ran):
    assert ran["check nb.ipynb"][0] == 1 and "LAM101" in ran["check nb.ipynb"][1]
    assert "head (Dense)" in ran["explain nb.ipynb"][1] and "15" in ran["summary nb.ipynb"][1]


def test_a_file_that_is_no_notebook(ran):
    code, _, err = ran["check none.ipynb"]
    assert code == 2 and "none.ipynb cannot be read as a notebook: KeyError: 'cells'" in err


def test_explains_a_code(capsys, monkeypatch):
    monkeypatch.delenv("LAMINA_TRACEBACK", raising=False)
    assert main(["explain", "LAM402"]) == 0
    assert "NaN or infinity in the data" in capsys.readouterr().out
    assert main(["explain", "lam402", "--format", "html"]) == 0
    assert "<h3>Corrected</h3>" in capsys.readouterr().out
    assert main(["explain", "LAM999"]) == 2
    assert "lamina explain LAM" in capsys.readouterr().err

"""The gallery: its programs, their cells and notebooks. All of them are run when the site is built (.ci/run)."""

import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
RUNNER = ROOT / "docs/hooks/run_program.py"
GROUPS = json.loads((ROOT / "examples/gallery/groups.json").read_text())
NAMES = [name for names in GROUPS.values() for name in names]

sys.path.insert(0, str(ROOT / "docs"))
from hooks import gallery, run_program  # noqa: E402
from hooks.run_program import cells  # noqa: E402


def test_every_program_is_in_one_group():
    files = [path.stem for folder in ("examples", "examples/gallery") for path in (ROOT / folder).glob("*.py")]
    assert sorted(NAMES) == sorted(files) and len(NAMES) >= 30


@pytest.mark.parametrize("name", NAMES)
def test_programs_have_a_title_and_cells_that_parse(name):
    path = gallery.source(name)
    parts = list(cells(path.read_text()))
    title, intro = gallery.title_of(parts[0][0])
    assert 0 < len(title) <= 60 and intro
    for _, code, line in parts:
        compile("\n" * line + code, path, "exec")


def test_a_program_becomes_a_page_and_a_notebook(tmp_path, monkeypatch):
    program = (
        '"""A title\n\nIt says more.\n"""\nprint(1 + 1)\n\n# %%\n# Words.\n\nimport lamina\nlamina.Input((3,)).shape\n'
    )
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, RUNNER, "program.py", "result.json"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"},
    )
    assert done.returncode == 0
    result = json.loads((tmp_path / "result.json").read_text())
    assert [cell["outputs"] for cell in result["cells"]] == [[{"text": "2\n"}], [{"text": "(None, 3)\n"}]]
    monkeypatch.setattr(gallery, "source", lambda name: ROOT / "examples" / f"{name}.py")
    text, picture = gallery.page("program", result)
    assert "# A title" in text and "```python\nprint(1 + 1)\n```" in text and "Words." in text and picture is None
    book = gallery.notebook(result)
    assert [cell["cell_type"] for cell in book["cells"]] == ["markdown", "code", "markdown", "code"]
    assert book["cells"][3]["outputs"][0]["text"] == "(None, 3)\n" and book["nbformat"] == 4


def test_a_program_may_need_a_package_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(run_program, "OPTIONAL", ("no_such_package",))
    monkeypatch.setattr(sys, "argv", [])
    (tmp_path / "program.py").write_text('"""A title\n\nMore.\n"""\n1\n\n# %%\nimport no_such_package\n\n# %%\n2\n')
    run_program.main(str(tmp_path / "program.py"), str(tmp_path / "result.json"))
    first, second, third = json.loads((tmp_path / "result.json").read_text())["cells"]
    assert first["outputs"] == [{"text": "1\n"}] and third["outputs"] == []
    assert "No module named 'no_such_package'" in second["outputs"][0]["text"]

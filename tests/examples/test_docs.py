"""Every Python block of the documentation runs, in order, and prints the text block that follows it.

In a text block `...` stands for anything, such as the time of a step.
"""

import contextlib
import io
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PAGES = [
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "checks").glob("*.md")),
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
]
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```)?", re.MULTILINE | re.DOTALL)
WITH_CODE = [page for page in PAGES if BLOCK.search(page.read_text())]


def test_there_are_pages_with_code():
    assert {"index.md", "CONTRIBUTING.md"} <= {page.name for page in WITH_CODE}


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, text = {"__name__": "program"}, page.read_text()
    for match in BLOCK.finditer(text):
        line = text[: match.start()].count("\n") + 1
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * line + match[1], page, "exec"), names)
        if match[2]:
            wanted = ".*".join(re.escape(part) for part in match[2].strip().split("..."))
            assert re.fullmatch(wanted, printed.getvalue().strip(), re.DOTALL), (
                f"{page.name}:{line}: {printed.getvalue()}"
            )

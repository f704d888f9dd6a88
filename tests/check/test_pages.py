"""docs/checks has a page a code, in step with the rules; their programs run in tests/examples/test_docs.py."""

import pathlib
import re

import pytest

from lamina.check import RULES

PAGES = pathlib.Path(__file__).parents[2] / "docs" / "checks"


@pytest.mark.parametrize("code", sorted(RULES))
def test_page(code):
    rule, page = RULES[code], (PAGES / f"{code}.md").read_text()
    assert page.startswith(f"# {code}: {rule.title}\n\n*{rule.severity}*\n\n{rule.why}\n")
    assert page.rstrip().endswith(f"Source: {rule.source}.")
    wrong, mended = re.findall(r"^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert code in wrong and mended.strip() in ("No findings.", "[]")


def test_index_and_pages_are_those_of_the_rules():
    rows = re.findall(
        r"^\| \[(LAM\d+)\]\(\1\.md\) \| (\w+) \| (.*?) \|", (PAGES / "index.md").read_text(), re.MULTILINE
    )
    assert sorted(rows) == [(code, rule.severity, rule.title) for code, rule in sorted(RULES.items())]
    assert {path.stem for path in PAGES.glob("LAM*.md")} == set(RULES)

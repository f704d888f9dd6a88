"""docs/checks has a page a code, in step with the rules; their programs run in tests/examples/test_docs.py."""

import importlib.metadata
import pathlib
import re
from types import SimpleNamespace

import pytest

import lamina as keras
from lamina.check import RULES, page

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


def test_a_finding_has_the_web_address_once_there_is_one(monkeypatch):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="softmax")])
    (finding,) = found = model.check()
    read = page._site.__wrapped__  # not the answer that is kept
    monkeypatch.setattr(page, "_site", lambda: None)
    assert finding.address is None and found.text.endswith("More: lamina explain LAM102")
    urls = ["Source, https://example.org/code", "Documentation, https://example.org/lamina/"]
    monkeypatch.setattr(page, "_site", read)
    monkeypatch.setattr(importlib.metadata, "metadata", lambda name: SimpleNamespace(get_all=lambda key: urls))
    address = "https://example.org/lamina/checks/LAM102.html"
    assert finding.address == address and str(finding).endswith(f"(lamina explain LAM102, {address})")
    assert found.as_dicts()[0]["address"] == address and address in found.html() and address in model._repr_html_()

"""The built site: links, search, widths, accessibility. `sphinx-build docs build/site` builds it, as .ci/run does."""

import html.parser
import importlib.util
import json
import pathlib
import time
import urllib.parse

import pytest

from tests.view.browser import PROGRAM, Browser

SITE = pathlib.Path(__file__).parents[2] / "build/site"
pytestmark = pytest.mark.skipif(not (SITE / "llms.txt").is_file(), reason="the site is not built (CONTRIBUTING.md)")
in_browser = pytest.mark.skipif(PROGRAM is None, reason="needs Chromium (Debian: apt-get install chromium)")
FIXED = "index gallery/index guides old_names from_pytorch view checks/index checks/LAM101 search".split()
API = """index layers/index layers/Dense models/Model optimizers/Adam ops/index applications/index preprocessing/index
wrappers/index backend/index mixed_precision/index quantizers/index""".split()


def pages(kinds):
    names = FIXED + [f"api/{name}" for name in API]
    if kinds == "all":
        names += sorted(f"gallery/{path.stem}" for path in (SITE / "gallery").glob("*.html") if path.stem != "index")
    return [SITE / f"{name}.html" for name in dict.fromkeys(names)]


class Links(html.parser.HTMLParser):
    """The ids of a page, and what it refers to."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.loaded = set(), [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids |= {attrs[key] for key in ("id", "name") if attrs.get(key)}
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])
        source = attrs.get("src") or (attrs.get("href") if tag == "link" else None)
        if source:
            self.loaded.append(source)


@pytest.fixture(scope="module")
def parsed():
    return {path: Links(path) for path in SITE.rglob("*.html") if "_static" not in path.parts}


def test_no_link_is_broken(parsed):
    broken = []
    for path, page in parsed.items():
        for link in page.links + page.loaded:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or link.startswith("//") or path.parent.name == "pictures":
                continue
            target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
            name = urllib.parse.unquote(parts.fragment)
            if not target.is_file():
                broken.append(f"{path.relative_to(SITE)}: {link}")
            elif name and target in parsed and name not in parsed[target].ids:
                broken.append(f"{path.relative_to(SITE)}: {link} (no such place)")
    assert not broken, "\n".join(broken[:40])


def test_nothing_is_loaded_from_elsewhere(parsed):
    outside = {link for page in parsed.values() for link in page.loaded if urllib.parse.urlsplit(link).netloc}
    assert not outside


def test_llms_txt_names_every_page():
    text = (SITE / "llms.txt").read_text()
    assert text.startswith("# lamina\n\n> ")
    assert "(gallery/what_is_dense.html)" in text and "(api/layers/Dense.html)" in text
    assert "jax.grad" in (SITE / "llms-full.txt").read_text()


def test_each_program_has_output_and_a_notebook():
    groups = json.loads((SITE.parents[1] / "examples/gallery/groups.json").read_text())
    names = [name for group in groups.values() for name in group]
    for name in names:
        text = (SITE / "gallery" / f"{name}.html").read_text()
        assert ".ipynb" in text and ('class="output' in text or 'class="shown' in text or "<img" in text), name
    assert len(names) >= 30
    assert sum("<svg" in (SITE / "gallery" / f"{name}.html").read_text() for name in names) >= 20


@pytest.fixture(scope="module")
def browser():
    browser = Browser()
    yield browser
    browser.close()


def show(browser, path, width, dark):
    size = dict(width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
    browser.send("Emulation.setDeviceMetricsOverride", **size)
    browser.open(path, dark)
    assert browser.run("document.documentElement.dataset.theme") == ("dark" if dark else "light")
    browser.run(
        "document.head.append(document.createElement('style')); "
        "document.head.lastChild.textContent = '* { transition: none !important }'"
    )


@in_browser
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_scrolls_sideways(browser, width):
    wide = []
    for path in pages("all"):
        show(browser, path, width, dark=width == 390)
        if browser.run("document.documentElement.scrollWidth > innerWidth"):
            wide.append(str(path.relative_to(SITE)))
        assert [one for one in browser.complaints if not str(one).startswith("data:")] == [], path
    assert not wide


@in_browser
@pytest.mark.skipif(importlib.util.find_spec("axe_core_python") is None, reason="needs axe-core-python")
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False)])
def test_axe_finds_nothing(browser, width, dark):
    folder = pathlib.Path(importlib.util.find_spec("axe_core_python").origin).parent
    axe = (folder / "axe.min.js").read_text(encoding="utf-8")
    found = {}
    programs = [SITE / f"gallery/{name}.html" for name in ("what_checks_find", "feature_space", "quickstart")]
    for path in pages("some") + programs:
        show(browser, path, width, dark)
        browser.run(axe + "; 0")
        violations = browser.run(
            "axe.run({ iframes: false }).then((found) => found.violations.map("
            "(one) => [one.id, one.nodes.map((node) => node.html).slice(0, 3)]))"
        )
        if violations:
            found[str(path.relative_to(SITE))] = violations
    assert not found, json.dumps(found, indent=1)


SEARCHES = {
    "GradientTape": "from_tensorflow",
    "ImageDataGenerator": "old_names",
    "K.relu": "keras.backend.relu",
    "input_shape": "old_names",
    "state_dict": "from_pytorch",
    "fit_generator": "old_names",
    "Dense": "api/layers/Dense",
    "confusion matrix": "gallery/",
}


@in_browser
@pytest.mark.parametrize("words", SEARCHES)
def test_search_leads_to_the_answer(browser, words):
    browser.send("Emulation.setEmulatedMedia", features=[])
    browser.events.clear()
    address = f"{(SITE / 'search.html').as_uri()}?q={urllib.parse.quote(words)}"
    browser.send("Page.navigate", url=address)
    links = "[...document.querySelectorAll('#search-results li > a')].map((link) => link.href)"
    arrived, end = f"location.href === {json.dumps(address)}", time.monotonic() + 20
    while time.monotonic() < end and not (browser.run(arrived) and browser.run(links)):
        time.sleep(0.2)
    time.sleep(0.5)
    found = browser.run(links)[:5]
    assert any(SEARCHES[words] in link for link in found), found


@in_browser
def test_the_switch_changes_light_and_dark(browser):
    show(browser, SITE / "index.html", 1280, dark=False)
    browser.run("document.querySelector('.theme-switch-button').click()")
    assert browser.run("document.querySelectorAll('.theme-switch-button').length") >= 1

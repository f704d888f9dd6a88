"""The page in a headless Chromium: clicks, folds, search, keys, accessibility, speed."""

import importlib.util
import json
import pathlib

import pytest

from lamina.view import view
from tests.view.browser import PROGRAM, Browser
from tests.view.conftest import WICKED

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs Chromium (Debian: apt-get install chromium)")


@pytest.fixture(scope="module")
def browser():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def pages(trained, branched, inception, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    model, x, y = trained
    return {
        "trained": view(model, folder / "trained.html", x=x, y=y).path,
        "branched": view(branched, folder / "branched.html").path,
        "compared": view(branched, folder / "compared.html", compare=branched).path,
        "inception": view(inception, folder / "inception.html").path,
    }


@pytest.fixture
def show(browser, pages):
    def show(name, dark=False):
        browser.open(pages[name], dark)
        return browser

    yield show
    assert browser.complaints == []


def names(browser, selector=".box"):
    return browser.run(f"[...document.querySelectorAll('{selector} > .name')].map((name) => name.textContent)")


def title(browser):
    return browser.run("document.getElementById('panel-title').textContent")


def focused(browser):
    return browser.run("document.activeElement.querySelector('.name')?.textContent ?? document.activeElement.id")


def box(browser, name):
    """A selector of the box of this name."""
    return f'[data-id="{browser.run(f"boxes.find((one) => one.id && one.name === {json.dumps(name)}).id")}"]'


def test_a_click_shows_details(show):
    browser = show("trained")
    assert names(browser) == ["image", "conv", "flat", WICKED]
    assert "LAM101" in browser.run("document.getElementById('panel').textContent")
    assert browser.run("training.isConnected && training.querySelectorAll('svg').length") == 1
    browser.click(box(browser, "conv"))
    assert title(browser) == "conv" and not browser.run("training.isConnected")
    text = browser.run("document.getElementById('panel').innerText")
    assert "3 x 3" in text and "kernel" in text and "On this data" in text
    assert browser.run("document.querySelectorAll('#panel .histogram').length") == 3
    assert browser.run("document.querySelectorAll('#panel canvas').length") == 8  # filters and maps
    assert browser.run("document.querySelectorAll('.arrow.lit').length") == 2
    browser.click("#show-model")
    assert title(browser) == 'a "model" & <more>'


def test_colours(show):
    browser = show("trained")
    options = browser.run("[...document.getElementById('colour').options].map((one) => [one.value, one.disabled])")
    assert options == [
        ["", False],
        ["findings", False],
        *([one, False] for one in ("time", "memory", "flops", "weights")),
    ]
    heat = "[...document.querySelectorAll('#boxes .box')].map((box) => Number(box.style.getPropertyValue('--heat')))"
    assert browser.run(heat) == [0] * 4
    for value in ("time", "memory", "flops", "weights"):
        browser.run(f"$('colour').value = '{value}'; $('colour').dispatchEvent(new Event('change'))")
        found = browser.run(heat)
        assert found[0] == 0 and abs(sum(one**2 for one in found) - 1) < 0.01
        assert "100%" in browser.run("document.getElementById('legend').textContent")
    browser.run("setColour('findings')")
    assert len(names(browser, ".box.error")) == 1
    browser.run("setColour('')")
    assert browser.run("document.getElementById('legend').hidden")


def test_a_comparison(show):
    browser = show("compared")
    assert {"A: tickets", "B: tickets"} <= set(names(browser, ".frame"))
    assert browser.run("document.querySelectorAll('.wide tbody tr').length == pairs.length && pairs.length") == 9
    browser.run("select(boxes.find((one) => one.name === 'read'))")
    assert names(browser, ".paired") == ["read"] and "equal" in browser.run(
        "document.querySelector('.beside').innerText"
    )
    browser.click(".beside .links button")
    assert title(browser) == "read" and focused(browser) == "panel-title"
    browser.run("setColour('apartWeights')")
    assert browser.run("document.getElementById('legend').textContent").startswith("How far the weights")


def test_findings_lead_to_their_layer(show):
    browser = show("trained")
    assert browser.run("document.querySelector('.badge').parentElement.getAttribute('aria-label')").endswith("1 error")
    browser.click(".finding .links button")
    assert title(browser) == WICKED and focused(browser) == "panel-title"


def test_folding_with_the_pointer(show):
    browser = show("inception")
    assert len(names(browser)) < 30
    browser.run("show(boxes.find((one) => one.name === 'mixed0'))")
    browser.click(f"{box(browser, 'mixed0')} > .hit")
    assert "mixed0" in names(browser, ".frame") and "average_pooling2d" in [
        name.rstrip("_0123456789") for name in names(browser)
    ]
    browser.click("#fold")
    assert not names(browser, ".frame")
    browser.click("#unfold")
    assert len(names(browser, ".box:not(.frame)")) == 311


def test_no_box_lies_on_another(show):
    browser = show("inception")
    browser.click("#unfold")
    middles = "boxes.filter((b) => b.id && !b.open).map((b) => [b.middle, b.boxWidth / 2, b.top, b.top + b.height])"
    places = [(middle - half, top, middle + half, bottom) for middle, half, top, bottom in browser.run(middles)]
    for number, (left, top, right, bottom) in enumerate(places):
        for other in places[:number]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top


def test_search(show):
    browser = show("inception")
    browser.key("/")
    assert focused(browser) == "search"
    browser.write("mixed7")
    assert browser.run("document.getElementById('matches').textContent").endswith("found")
    assert "mixed7" in names(browser, ".match")
    browser.key("Enter")
    assert title(browser) == "mixed7" and focused(browser) == "search"
    browser.key("Escape")
    assert browser.run("document.getElementById('search').value") == "" and not names(browser, ".searching .match")


def test_search_opens_what_is_folded(show):
    browser = show("inception")
    browser.key("/")
    browser.write("averagepooling2d")
    browser.key("Enter")
    found = title(browser)
    assert found.startswith("average_pooling2d") and found in names(browser, ".box:not(.frame)")


def test_keys_go_along_the_arrows(show):
    browser = show("branched")
    browser.run("document.querySelector('#graph [tabindex=\"0\"]').focus()")
    start = focused(browser)
    assert start in ("title", "text")
    browser.key("ArrowRight")
    browser.key("ArrowLeft")
    browser.run("elementOf(boxes.find((one) => one.name === 'words')).focus()")
    browser.key("ArrowDown")
    assert focused(browser) == "read"
    browser.key("ArrowUp")
    assert focused(browser) == "words"
    browser.key("Enter")
    assert title(browser) == "words" and focused(browser) == "words"
    assert browser.run("document.querySelectorAll('#graph [tabindex=\"0\"]').length") == 1
    browser.run("elementOf(boxes.find((one) => one.name === 'inside')).focus()")
    browser.key(" ")
    assert focused(browser) == "inside" and "hidden" not in names(browser)
    assert browser.run("document.activeElement.getAttribute('aria-expanded')") == "false"
    browser.key("Escape")
    assert focused(browser) == "inside"


def test_tab_reaches_everything_in_order(show):
    browser = show("branched")
    expected = [
        "search",
        "show-model",
        "colour",
        "unfold",
        "fold",
        "smaller",
        "larger",
        "fit",
        "theme",
        "canvas",
        "boxes",
        "panel",
    ]
    for place in expected:
        browser.key("Tab")
        assert browser.run("document.activeElement.id || document.activeElement.closest('[id]').id") == place


def test_themes(show):
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = show("branched").run(ground)
    browser = show("branched", dark=True)
    assert browser.run(ground) != light
    browser.click("#theme")
    assert browser.run(ground) == light


def test_zoom(show):
    browser = show("branched")
    width = float(browser.run("document.getElementById('graph').getAttribute('width')"))
    browser.click("#larger")
    assert float(browser.run("document.getElementById('graph').getAttribute('width')")) == pytest.approx(1.2 * width)


def test_three_hundred_layers_are_painted_at_once(show):
    browser = show("inception")
    paint = browser.run(
        "new Promise((done) => new PerformanceObserver((list) => done(list.getEntries()[0].startTime))"
        ".observe({ type: 'paint', buffered: true }))"
    )
    assert 0 < paint < 2000


@pytest.mark.skipif(importlib.util.find_spec("axe_core_python") is None, reason="needs axe-core-python")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["trained", "branched", "compared", "inception"])
def test_accessibility(show, name, dark):
    browser = show(name, dark)
    folder = pathlib.Path(importlib.util.find_spec("axe_core_python").origin).parent
    browser.run((folder / "axe.min.js").read_text(encoding="utf-8") + "; 0")
    for step in ("0", "setColour('findings')", "setColour('memory'); select(boxes[3])", "toggleAll(true)"):
        browser.run(f"{step}; 0")
        found = browser.run(
            "axe.run().then((found) => found.violations.map((one) => [one.id, one.nodes.map((node) => node.html)]))"
        )
        assert found == []

"""The page of the gallery that computes a model in the browser: its numbers, and a digit drawn with the mouse."""

import os
import pathlib
import re

import numpy as np
import pytest

import lamina as keras
from lamina import layers
from tests.view.browser import PROGRAM, Browser

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs Chromium (Debian: apt-get install chromium)")
PLACES = os.environ.get("NODE_PATH", "").split(os.pathsep)
SOURCE = pathlib.Path(__file__).parents[2] / "examples/gallery/digits_in_the_browser.py"


@pytest.fixture(scope="module")
def page_of():
    """The function of the program that writes the page; the training before it is left out."""
    source = SOURCE.read_text(encoding="utf-8")
    names = {"pathlib": pathlib}
    code = re.search(r"^PAGE = .*?(?=^page = )", source, re.MULTILINE | re.DOTALL)[0]
    exec(compile(f"import base64, html, json\n{code}", str(SOURCE), "exec"), names)
    return names["page_of"]


@pytest.mark.parametrize("by", ["the page", "TensorFlow.js"])
def test_the_page_computes_what_predict_computes_and_reads_what_is_drawn(by, page_of, tmp_path):
    places = [pathlib.Path(place, "@tensorflow/tfjs/dist/tf.min.js") for place in PLACES]
    library = next((str(place) for place in places if place.is_file()), None) if by == "TensorFlow.js" else None
    if by == "TensorFlow.js" and library is None:
        pytest.skip("npm install @tensorflow/tfjs in a folder of NODE_PATH (.ci/run does), to run it")
    keras.utils.set_random_seed(0)
    _, (images, _) = keras.datasets.digits.load_data()
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.export(tmp_path / "digits", format="tfjs", verbose=False)
    path = tmp_path / "digits.html"
    path.write_text(page_of(tmp_path / "digits", library), encoding="utf-8")
    browser = Browser(700, 500)
    try:
        browser.open(path)
        assert browser.run("Promise.resolve(ready).then(() => Boolean(window.tf))") == bool(library)
        assert ("loaded" in browser.run("predict.toString()")) == bool(library)
        found = browser.run(f"{(images[:5] / 16).reshape(5, 64).tolist()}.map(predict)")
        np.testing.assert_allclose(found, model.predict(images[:5, ..., None] / 16, verbose=0), atol=1e-5)
        left, top = browser.run("(() => { const b = board.getBoundingClientRect(); return [b.x, b.y]; })()")

        def mouse(kind, x, y):
            browser.send("Input.dispatchMouseEvent", type=kind, x=left + x, y=top + y, button="left", buttons=1)

        mouse("mousePressed", 128, 30)
        for step in range(30, 230, 10):
            mouse("mouseMoved", 128, step)
        mouse("mouseReleased", 128, 230)
        drawn = np.reshape(browser.run("image()"), (8, 8))
        assert drawn[:, 3:5].min() > 0.2 and drawn[:, :3].max() == drawn[:, 5:].max() == 0  # a line in the middle
        answer = model.predict(drawn[None, ..., None], verbose=0)[0]
        assert browser.run("document.getElementById('digit').textContent") == str(answer.argmax())
        np.testing.assert_allclose(browser.run("bars.map((bar) => bar.value)"), answer, atol=1e-5)
        browser.click("#clear")
        assert browser.run("document.getElementById('digit').textContent") == ""
        assert browser.complaints == []
    finally:
        browser.close()

"""Training curves."""

import math
import xml.etree.ElementTree

import pytest
from PIL import Image

from lamina.callbacks import History
from lamina.callbacks.curves import Curves
from lamina.errors import ConfigError, DataError


@pytest.fixture
def history():
    history = History()
    history.epoch = [3, 4, 5]
    history.history = {"loss": [4.0, math.nan, 1.0], "val_loss": [4.0, 3.0, 3.5], "accuracy": [0.1, 0.5, 0.9]}
    return history


def test_in_a_terminal(history):
    assert str(history.plot()).splitlines() == [
        "loss      4 -> 1  █!▁  best 1 in epoch 6",
        "val_loss  4 -> 3.5  █▁▅  best 3 in epoch 5",
        "accuracy  0.1 -> 0.9  ▁▅█  best 0.9 in epoch 6",
    ]
    assert len(str(Curves({"loss": list(range(1000))}))) < 120
    assert str(Curves({"learning_rate": [1.0, 1.0]})) == "learning_rate  1 -> 1  ▁▁"


def test_in_a_notebook(history):
    root = xml.etree.ElementTree.fromstring(history.plot()._repr_svg_())
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert words.count("training") == words.count("validation") == 1 and {"loss", "accuracy", "epoch"} <= set(words)
    assert "loss from 4 to 1" in root.get("aria-label")


@pytest.mark.parametrize("ending", ["svg", "html", "png"])
def test_in_a_file(history, tmp_path, ending):
    history.plot(tmp_path / f"a.{ending}")
    if ending == "png":
        with Image.open(tmp_path / "a.png") as image:
            assert image.size == (1360, 440)
    else:
        assert "<svg" in (tmp_path / f"a.{ending}").read_text()


def test_a_figure_follows_the_theme_of_its_page(history, tmp_path):
    figure = history.plot()
    assert "currentColor" in figure._repr_html_() and "prefers-color-scheme" not in figure._repr_html_()
    assert "prefers-color-scheme: dark" in figure.svg()
    figure.save(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text("utf-8") == figure.text + "\n"
    with pytest.raises(ConfigError, match=r"saved as \.svg"):
        figure.save(tmp_path / "a.xyz")


def test_higher_is_drawn_higher():
    lines = [
        places
        for kind, places, style in Curves({"a": [0.0, 2.0]}).picture()._shapes
        if kind == "line" and style["width"] == 2
    ]
    ((x0, y0), (x1, y1)) = lines[0]
    assert x0 < x1 and y0 > y1


def test_one_epoch_and_constants():
    assert Curves({"loss": [1.0]}).svg() and Curves({"loss": [0.0, 0.0]}).svg()
    assert str(Curves({"loss": [math.nan]})) == "loss  never finite"


def test_nothing_to_draw():
    with pytest.raises(DataError, match="nothing to draw"):
        History().plot()

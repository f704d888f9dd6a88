"""Names come from files: none reaches a terminal as an escape sequence, a page as markup, a table as a formula."""

import contextlib
import io
import json
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.errors import ConfigError, warn
from lamina.runtime.terminal import harmless
from lamina.view.page import page_of

ESCAPE, MARKUP = "\x1b[2J", "<img src=x>"
CONTROLS = "\u202e\u2066\u200f\u061c\u2028\x9b\x9d\x07\x08\r\x7f\x85\U000e0041"  # turn, hide, break or command
NAME = f"a{ESCAPE}[red]{MARKUP}{CONTROLS}"
x, y = np.ones((4, 3), "float32"), np.zeros(4, "int32")


class Formula(lamina.metrics.Mean):
    def update_state(self, y_true, y_pred, sample_weight=None):
        return super().update_state(y_pred)


@pytest.fixture(scope="module")
def model():
    rows = [layers.Dense(2, name=NAME), layers.Dense(2, activation="softmax", name=f"b{ESCAPE}")]
    made = lamina.Sequential([lamina.Input((3,), name=f"i{ESCAPE}"), *rows], name=f"m{NAME}")
    made.compile("sgd", "sparse_categorical_crossentropy", metrics=[Formula(name=f"=cmd|'{ESCAPE}")])
    return made


PLACES = {
    "summary": lambda m: m.summary(),
    "repr": lambda m: print(m, repr(m), m.layers),
    "explain": lambda m: (m.explain().print(), print(m.explain(), m.explain()[NAME], m.explain().markdown())),
    "check": lambda m: (m.check(x, y).print(), print(m.check(x, y))),
    "fit": lambda m: m.fit(x, y, verbose=1),
    "fit in lines": lambda m: print(m.fit(x, y, verbose=2)),
    "the page": lambda m: print(page_of(m)),
    "an error of a layer": lambda m: m(np.ones((2, 7), "float32")),
    "an error of a model": lambda m: m.get_layer("no"),
    "an error of a config": lambda m: lamina.saving.deserialize_keras_object(
        {"class_name": f"X{ESCAPE}", "module": f"k{ESCAPE}", "config": {}}
    ),
    "the words of a vocabulary": lambda m: (
        words := lamina.Sequential([lamina.Input((2,), dtype="string"), layers.StringLookup(vocabulary=[NAME])]),
        words.explain().print(), print(words.explain(), words.layers),
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("place", PLACES)
def test_names_do_not_command_a_terminal(place, model):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            PLACES[place](model)
        except Exception as error:
            print(error, *getattr(error, "__notes__", []))
    told = out.getvalue()
    assert told and ESCAPE not in told and not set(CONTROLS).intersection(told)


def test_names_are_no_markup_in_pages(model, tmp_path):
    assert ESCAPE not in model.explain().html() and MARKUP not in model.explain().html()
    model.view(str(tmp_path / "m.html"), open=False)
    history = model.fit(x, y, verbose=0)
    history.plot(tmp_path / "curves.svg")
    ElementTree.parse(tmp_path / "curves.svg")
    for text in ((tmp_path / "m.html").read_text(), history._repr_html_(), model._repr_html_()):
        assert MARKUP not in text and not set(CONTROLS + "\x1b").intersection(text)
    model.export(tmp_path / "hub", format="huggingface", verbose=False)
    card = (tmp_path / "hub/README.md").read_text()
    assert MARKUP not in card.partition("# m")[2] and not set(CONTROLS).intersection(card)
    assert json.loads(card.splitlines()[6].removeprefix("- name: ")) == harmless(model.name)


def test_names_are_no_formulas_in_tables(model, tmp_path):
    model.fit(x, y, verbose=0, callbacks=[lamina.callbacks.CSVLogger(tmp_path / "log.csv")])
    header = (tmp_path / "log.csv").read_text().splitlines()[0]
    assert ESCAPE not in header and not any(cell.startswith(("=", "+", "-", "@")) for cell in header.split(","))


def test_warnings_and_reports(model, tmp_path):
    with pytest.warns(UserWarning) as caught:
        warn(f"a {NAME}")
    assert ESCAPE not in str(caught[0].message)
    model.save_weights(tmp_path / "m.safetensors")
    other = lamina.Sequential([lamina.Input((3,)), layers.Dense(5, name=NAME)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert ESCAPE not in repr(other.load_weights(tmp_path / "m.safetensors", skip_mismatch=True))


def test_ordinary_texts_are_as_they_were():
    assert harmless("日本語 Ω é\n\tλ→") == "日本語 Ω é\n\tλ→"
    assert str(ConfigError("a\nb", fix="c")) == "a\nb\nc"

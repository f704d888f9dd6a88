"""Names come from files: none reaches a terminal as an escape sequence, a page as markup, a table as a formula."""

import contextlib
import html
import io
import json
import pickle
import shlex
import types
import warnings
import zipfile
from xml.etree import ElementTree

import h5py
import numpy as np
import pytest
from rich.console import Console

import lamina
from lamina import cli, layers, saving
from lamina.callbacks.csv_logger import _text
from lamina.check.findings import Finding, Findings
from lamina.errors import ConfigError, UnsafeFileError, warn
from lamina.runtime.terminal import harmless
from lamina.serve.page import page
from lamina.serve.served import ServedModel
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
    "repr": lambda m: print(m, repr(m), m.layers, m.variables, m.inputs, m.outputs, m.metrics, m.optimizer.variables),
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


def test_names_are_no_commands_in_the_page_of_a_server():
    """The page shows a command to copy, with the names of inputs in it."""
    a, b = (lamina.Input((1,), name=f"{letter}'; touch canary; '{MARKUP}{ESCAPE}") for letter in "ab")
    served = ServedModel(lamina.Model([a, b], layers.Concatenate()([a, b])))
    text = page(served, types.SimpleNamespace(body=2**20, seconds=1, batch=1), False)
    assert MARKUP not in text and not set(CONTROLS + "\x1b").intersection(text)
    command = next(line for line in text.splitlines() if "curl localhost:8000/predict -d" in line)
    words = shlex.split(html.unescape(command.removeprefix("<pre>")))
    assert len(words) == 4 and words[3].startswith('{"instances"') and "touch canary" in words[3]


def test_names_are_no_formulas_in_tables(model, tmp_path):
    model.fit(x, y, verbose=0, callbacks=[lamina.callbacks.CSVLogger(tmp_path / "log.csv")])
    header = (tmp_path / "log.csv").read_text().splitlines()[0]
    assert ESCAPE not in header and not any(cell.startswith(("=", "+", "-", "@")) for cell in header.split(","))


@pytest.mark.parametrize("name", ["=1", "\t=1", "\n=1", "＝1", "@SUM(1)"])  # noqa: RUF001
def test_each_beginning_of_a_formula(name):
    assert _text(name).startswith(("'", "\\n"))


LINK = "[link=https:evil]a[b]"  # rich would make an address of it


def test_names_are_no_markup_of_rich(monkeypatch, tmp_path):
    monkeypatch.setenv("FORCE_COLOR", "1")
    said = io.StringIO()
    findings = Findings([Finding("LAM101", "error", LINK, 1, LINK, LINK, LINK)])
    findings.print(said, width=200)
    Console(file=said, width=200).print(findings)
    repeated = lamina.Sequential([lamina.Input((3,), name=LINK), layers.Dense(2, name=f"{LINK}[c]")], name=LINK)
    repeated.summary(line_length=150, print_fn=said.write)
    repeated.save_weights(tmp_path / "m.weights.h5")
    with contextlib.redirect_stdout(said):
        saving.KerasFileEditor(tmp_path / "m.weights.h5").summary()
    assert said.getvalue().count(LINK) >= 6 and "\x1b]8" not in said.getvalue()


def test_names_in_the_editor_of_files(tmp_path, capsys):
    model = lamina.Sequential([lamina.Input((3,)), layers.Dense(2)])
    model.save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5", "a") as file:
        file.move("layers/dense", f"layers/x{ESCAPE}The file fits")
    saving.KerasFileEditor(tmp_path / "m.weights.h5").compare(model)
    told = capsys.readouterr().out
    assert ESCAPE not in told and "The file fits" in told
    with h5py.File(tmp_path / "m.weights.h5", "a") as file:
        file.move(f"layers/x{ESCAPE}The file fits", f"layers/x{ESCAPE}\nThe file fits")
    with pytest.raises(UnsafeFileError, match="not one line of text"):
        saving.KerasFileEditor(tmp_path / "m.weights.h5")


def test_names_in_the_settings_of_the_projector(tmp_path):
    """Such a name could give TensorBoard another file to show."""
    name = 'e" metadata_path: "..\\secret'
    model = lamina.Sequential([lamina.Input((1,)), layers.Embedding(2, 2, name=name), layers.Flatten()])
    model.compile("sgd", "mse")
    board = lamina.callbacks.TensorBoard(tmp_path, embeddings_freq=1, write_graph=False)
    model.fit(np.zeros((2, 1)), np.zeros((2, 2)), verbose=0, callbacks=[board])
    lines = (tmp_path / "projector_config.pbtxt").read_text().splitlines()
    assert [line.split(":")[0].strip() for line in lines] == ["embeddings {", "tensor_name", "tensor_path", "}"]
    (table,) = tmp_path.glob("*.tsv")
    assert f'"{table.name}"' in lines[2] and not set(table.name).intersection('"\\\n:')


def test_a_name_has_one_line():
    """Else it could look like lines of lamina's own: that a file is fine, that a command should be run."""
    text = lamina.Sequential([lamina.Input((3,)), layers.Dense(2, name="line")]).to_json()
    for name in ('"a\\nb"', '"a\\u0000b"', '"a\\ud800b"'):
        with pytest.raises(UnsafeFileError, match="not one line of text"):
            saving.model_from_json(text.replace('"line"', name))
    with pytest.raises(ConfigError, match="one line"):
        layers.Dense(2, name="a\nb")
    with pytest.raises(ConfigError, match="one line"):
        layers.Dense(2, name="a\0b")


def test_names_in_the_report_of_a_scan(tmp_path, capsys):
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr(f"a{ESCAPE}\nm.keras: Keras 3, nothing found [b](https:evil).pkl", pickle.dumps(print))
    for options in ([], ["--sarif"]):
        assert cli.main(["scan", str(tmp_path / "m.zip"), *options]) == 1
        told = capsys.readouterr().out
        assert ESCAPE not in told and "\nm.keras" not in told
    assert "\\[b\\](https" in json.loads(told)["runs"][0]["results"][0]["message"]["text"]


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

"""What editors and type checkers know: every public name of Keras, its signature and the text of each argument."""

import ast
import importlib
import inspect
import json
import os
import pathlib
import re
import subprocess
import sys

import keras
import pytest

import lamina
from tests.editors.language_server import LanguageServer

ROOT = pathlib.Path(__file__).parents[2]
API = pathlib.Path(keras.__file__).parent


def public_names():
    """(module, name) of everything that Keras exports, read from the files of its wheel."""
    for path in sorted(API.rglob("__init__.py")):
        folder = path.parent.relative_to(API)
        if folder.parts[:1] in (("src",), ("_tf_keras",)):
            continue
        module = ".".join(("keras", *folder.parts))
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("keras.src"):
                yield from ((module, alias.asname) for alias in node.names if alias.asname)


NAMES = sorted(set(public_names()))


def run(*command):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # pyright --verifytypes does not follow an editable install
    command = [str(part) for part in command]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)


def pyright(*arguments):
    command = pathlib.Path(sys.executable).with_name("pyright"), "--pythonpath", sys.executable, "--outputjson"
    return json.loads(run(*command, *arguments).stdout)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A program that imports every name from its module, and reads it from the package."""
    lines = ["import lamina as keras"]
    for number, (module, name) in enumerate(NAMES):
        lines.append(f"from {module.replace('keras', 'lamina', 1)} import {name} as name_{number}")
        lines.append(f"reveal_type({module}.{name})")
    path = tmp_path_factory.mktemp("names") / "program.py"
    path.write_text("\n".join(lines))
    return path


def test_the_names_are_those_of_keras():
    assert len(NAMES) == 1440


def test_pyright_knows_every_name(program):
    found = pyright(program)["generalDiagnostics"]
    errors = [d["message"] for d in found if d["severity"] == "error"]
    assert not errors, "\n".join(errors)
    types = {d["range"]["start"]["line"]: d["message"] for d in found if d["severity"] == "information"}
    assert len(types) == len(NAMES)
    unknown = [text for text in types.values() if re.search(r'is "(Unknown|Any|Module\(.*)"$', text)]
    assert not unknown, "\n".join(unknown)


def test_mypy_knows_every_name(program):
    options = "--follow-imports=silent", "--cache-dir", program.parent / "cache"
    done = run(sys.executable, "-m", "mypy", *options, program)
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert not errors and "Revealed type" in done.stdout, "\n".join(errors) or done.stdout + done.stderr


def test_the_types_of_the_package_are_complete():
    found = pyright("--verifytypes", "lamina", "--ignoreexternal")["typeCompleteness"]
    unclear = [symbol["name"] for symbol in found["symbols"] if symbol["isExported"] and not symbol["isTypeKnown"]]
    assert found["completenessScore"] >= 0.95, "\n".join(unclear)


MISTAKES = """\
import lamina as keras
keras.layers.Densee(3)
keras.layers.Dense(3, activaton="relu")
keras.Sequential().fitt()
keras.Input((3,)).shap
"""


def test_misspellings_are_errors(tmp_path):
    path = tmp_path / "mistakes.py"
    path.write_text(MISTAKES)
    lines = {d["range"]["start"]["line"] for d in pyright(path)["generalDiagnostics"] if d["severity"] == "error"}
    assert lines == {1, 2, 3, 4}


TENSORS = """\
import numpy as np
import lamina as keras
symbol = keras.Input((3,))
reveal_type(symbol)
reveal_type(keras.layers.Dense(3)(symbol))
reveal_type(keras.ops.relu(symbol))
reveal_type(keras.ops.add(1.0, symbol))
reveal_type(keras.ops.sum(symbol, axis=1))
reveal_type(keras.layers.Dense(3)(np.ones((2, 3))))
reveal_type(keras.ops.relu(np.ones(3)))
reveal_type(keras.ops.add(1.0, [2.0]))
reveal_type(keras.ops.sum(x=np.ones(3), axis=0))
first, second = keras.layers.LSTM(3, return_state=True)(keras.Input((4, 3)))
"""


def test_symbolic_tensors_give_symbolic_tensors_and_arrays_arrays(tmp_path):
    path = tmp_path / "tensors.py"
    path.write_text(TENSORS)
    found = pyright(path)["generalDiagnostics"]
    assert not [d for d in found if d["severity"] == "error"]
    types = [re.search(r'is "(.*)"$', d["message"])[1] for d in found]
    assert types == ["KerasTensor"] * 5 + ["Array"] * 4


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with LanguageServer(tmp_path_factory.mktemp("program")) as server:
        yield server


IMPORT = "import lamina as keras\n"


@pytest.mark.parametrize("package", ["", ".layers", ".ops", ".optimizers", ".losses", ".metrics", ".callbacks",
                                     ".applications", ".datasets", ".utils", ".initializers"])  # fmt: skip
def test_packages_complete_their_names(server, package):
    module = importlib.import_module(f"lamina{package}")
    assert set(module.__all__) <= server.completions(f"{IMPORT}keras{package}.")


def test_models_and_layers_complete_their_members(server):
    model = server.completions(f"{IMPORT}m = keras.Sequential([keras.layers.Dense(1)])\nm.")
    assert {"fit", "compile", "evaluate", "predict", "summary", "save", "layers", "add", "explain", "check"} <= model
    inside = f"{IMPORT}class Mine(keras.layers.Layer):\n    def build(self, input_shape):\n        self."
    members = "add_weight add_loss built name trainable_variables get_config call losses dtype".split()
    assert set(members) <= server.completions(inside)


CALLS = {
    "keras.layers.Dense": lamina.layers.Dense,
    "keras.layers.Conv2D": lamina.layers.Conv2D,
    "keras.layers.LSTM": lamina.layers.LSTM,
    "keras.optimizers.Adam": lamina.optimizers.Adam,
    "keras.losses.BinaryCrossentropy": lamina.losses.BinaryCrossentropy,
    "keras.metrics.AUC": lamina.metrics.AUC,
    "keras.callbacks.EarlyStopping": lamina.callbacks.EarlyStopping,
    "keras.ops.relu": lamina.ops.relu,
    "keras.utils.to_categorical": lamina.utils.to_categorical,
    "m = keras.Sequential()\nm.fit": lamina.Model.fit,
    "m = keras.Sequential()\nm.compile": lamina.Model.compile,
}


@pytest.mark.parametrize("call", CALLS)
def test_calls_show_what_help_shows_with_a_text_for_each_argument(server, call):
    shown = server.signatures(f"{IMPORT}{call}(")[-1]
    parameters = [p.name for p in inspect.signature(CALLS[call]).parameters.values() if p.name != "self"]
    names = [name.lstrip("*") for name in shown["parameters"] if name not in ("/", "*")]
    if "kwargs" in parameters and "kwargs" not in names:  # the editor lists what every layer takes in their place
        names = [*(name for name in names if name in parameters), "kwargs"]
    assert names == parameters
    missing = [name for name in parameters if not re.search(rf"\b{name}(, \w+)*: ", shown["documentation"])]
    assert not missing


def test_hover_says_what_a_layer_is(server):
    text = server.hover(f"{IMPORT}keras.layers.Dense")
    assert "class Dense(" in text and "units" in text and "activation(inputs @ kernel + bias)" in text

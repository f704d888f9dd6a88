# ruff: noqa: E501
"""Errors of Python's own that lamina's objects lead to: what the interpreter prints behind them, and that it works."""

import subprocess
import sys

import pytest

import lamina as keras
from lamina.core.python_errors import fix_of
from tests.mistakes import ordinary, unseen
from tests.mistakes.mistake import ROOT, Mistake, run

X = "x = keras.Input((6, 3)); "
DATA = "x, y = np.ones((4, 3)), np.array([0, 1, 0, 1]); "
MODEL = DATA + "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]); model.compile('sgd', 'mse'); "
LOSS = "def loss(y_true, y_pred): return (y_true - y_pred) ** 2\n" + MODEL
STOP = (
    "class Stop(keras.callbacks.Callback):\n    def on_epoch_end(self, epoch, logs=None):\n        if CONDITION > 0.9: return\n"
    + MODEL
    + "model.fit(x, y, verbose=0, callbacks=[Stop()])"
)
MISTAKES = [
    Mistake("import tensorflow.nothing", None, "lamina run program.py", because="a command"),
    Mistake(
        X + "outputs, h, c = keras.layers.Bidirectional(keras.layers.LSTM(2, return_state=True))(x)",
        X + "outputs, forward_h, forward_c, backward_h, backward_c = keras.layers.Bidirectional(keras.layers.LSTM(2, return_state=True))(x)",
        "outputs, forward_h, forward_c, backward_h, backward_c = keras.layers.Bidirectional(keras.layers.LSTM(2, return_state=True))(x)",
    ),
    Mistake(
        X + "layer = keras.layers.GRU(2, return_state=True); outputs, h, c = layer(x)",
        X + "layer = keras.layers.GRU(2, return_state=True); outputs, state = layer(x)",
        "outputs, state = layer(x)",
    ),
    Mistake(MODEL + "loss, accuracy = model.evaluate(x, y, verbose=0)", MODEL + "loss = model.evaluate(x, y, verbose=0)", "loss = model.evaluate(x, y"),
    Mistake(X + "keras.layers.Dense(2)(x)(x)", X + "x = keras.layers.Dense(8)(x)", "x = layers.Dense(8)(x)", prose=True),
    Mistake(
        "model = keras.Sequential().add(keras.layers.Dense(2))\nmodel.compile('sgd')",
        "model = keras.Sequential(); model.add(keras.layers.Dense(2))  # .add() returns None\nmodel.compile('sgd')",
        "model = keras.Sequential(); model.add(keras.layers.Dense(2))  # .add() returns None",
    ),
    Mistake(
        "net = keras.Sequential([keras.layers.Dense(2)]).compile('sgd', 'mse')\nnet.fit(np.ones((2, 2)), np.ones((2, 2)))",
        "net = keras.Sequential([keras.layers.Dense(2)]); net.compile('sgd', 'mse')",
        "net = keras.Sequential([keras.layers.Dense(2)]); net.compile('sgd', 'mse')",
    ),
    Mistake(X + "x.shape[0] * 2", X + "keras.ops.shape(x)[0]", "keras.ops.shape(x)[0]"),
    Mistake(STOP.replace("CONDITION", "logs.get('los')"), STOP.replace("CONDITION", "logs['loss']"), "logs['loss']"),
    Mistake(
        "import json; " + MODEL + "history = model.fit(x, y, verbose=0); json.dumps(history)",
        "import json; " + MODEL + "history = model.fit(x, y, verbose=0); json.dumps(history.history)",
        "json.dumps(history.history)",
    ),
    Mistake(LOSS + "model.compile('sgd', loss())", LOSS + "model.compile('sgd', loss)", "loss, without ()", prose=True),
    Mistake(X + "layer = keras.layers.Dense(2); layer[0]", X + "layer = keras.layers.Dense(3); layer(x)[0]", "layer(x)", prose=True),
    Mistake(
        "from sklearn.metrics import accuracy_score; " + MODEL + "accuracy_score(y, model.predict(x, verbose=0))",
        "from sklearn.metrics import accuracy_score; " + MODEL + "accuracy_score(y, (model.predict(x, verbose=0) > 0.5).astype(int))",
        "(model.predict(x) > 0.5).astype(int)", prose=True,
    ),
    Mistake(
        "y = keras.ops.ones((2, 6)); y.view(-1, 2, 3)", "y = keras.ops.ones((2, 6)); keras.ops.reshape(y, (-1, 2, 3))",
        "keras.ops.reshape(y, (-1, 2, 3))",
    ),
    *ordinary.PYTHON,
    *unseen.PYTHON,
]  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.says[:40])
def test_what_is_printed_behind_the_error_works(mistake):
    keras.utils.clear_session(free_memory=False)
    with pytest.raises(Exception) as raised:
        run(mistake.wrong)
    fix = fix_of(raised.value)
    assert fix is not None and mistake.says in fix, fix
    if mistake.right is None:
        assert mistake.because
        return
    assert mistake.prose or mistake.says in mistake.right
    run(mistake.right)


def test_of_errors_that_are_not_about_lamina_nothing_is_printed():
    for program in (
        "a, b = 1, 2, 3",
        "None.compile()",
        "{}['a']",
        "import json; json.dumps({1, 2})",
        "sorted([1, 'a'])",
    ):
        with pytest.raises(Exception) as raised:
            run(program)
        assert fix_of(raised.value) is None, program


def test_the_interpreter_prints_it_and_hides_the_frames_of_lamina(tmp_path):
    def printed(program):
        (tmp_path / "program.py").write_text(f"import lamina as keras\n{program}\n")
        command = [sys.executable, str(tmp_path / "program.py")]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stderr.strip().splitlines()

    lines = printed("model = keras.Sequential().add(keras.layers.Dense(2))\nmodel.compile()")
    assert lines[-2] == "AttributeError: 'NoneType' object has no attribute 'compile'"
    assert lines[-1].startswith("model = keras.Sequential(); model.add(")
    lines = printed("keras.config.set_image_data_format('channel_first')")
    assert not any("lamina/" in line for line in lines) and "'channel_first'" in lines[-2]

"""What a user sees of an error: the lines of the program and the message, without the frames of lamina and JAX."""

import os
import re
import runpy
import subprocess
import sys
import traceback
import warnings

import numpy as np
import pytest

import lamina as keras
from lamina.runtime import tracebacks

X, Y = np.ones((8, 4), "float32"), np.ones((8, 3), "float32")
ops = keras.ops


@pytest.fixture(autouse=True)
def filtered():
    was = keras.config.is_traceback_filtering_enabled()
    keras.config.enable_traceback_filtering()
    yield
    tracebacks.set_enabled(was)


def shown(function):
    """(what is printed before the message, the error) of a function that fails."""
    with pytest.raises(Exception) as caught:
        function()
    error = caught.value
    error.__traceback__ = error.__traceback__.tb_next  # the frame of this function
    text = "".join(traceback.format_exception(error))
    return text[: text.rindex(str(error).partition("\n")[0])], error


def compiled(*layers, loss="mse", **kwargs):
    model = keras.Sequential([*layers, keras.layers.Dense(3)])
    model.compile("sgd", loss, **kwargs)
    return model


class Fails(keras.layers.Layer):
    def call(self, inputs):
        return inputs + {}["nothing"]


class Holds(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.inner = Fails()

    def call(self, inputs):
        return self.inner(inputs)


class FailingCallback(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise KeyError("mine")


def failing_batches():
    yield X, Y
    raise KeyError("mine")


def failing_loss(y_true, y_pred):
    return ops.reshape(y_pred, (5, 7))


class FailingStep(keras.Model):
    def call(self, inputs):
        return inputs

    def train_step(self, data):
        return {"loss": {}["nothing"]}


def failing_step():
    model = FailingStep()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)


def saved_elsewhere():
    compiled(keras.Input((4,))).save_weights("w.weights.h5")
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(5)]).load_weights("w.weights.h5")


PROGRAMS = {
    "fit": lambda: compiled(keras.Input((4,))).fit(X, np.ones((8, 5)), verbose=0),
    "evaluate": lambda: compiled(keras.Input((4,))).evaluate(X, np.ones((8, 5)), verbose=0),
    "predict": lambda: compiled(keras.Input((4,))).predict(Y, verbose=0),
    "predict with bars": lambda: compiled(keras.Input((4,))).predict(Y),
    "train_on_batch": lambda: compiled(keras.Input((4,))).train_on_batch(X, np.ones((8, 5))),
    "predict_on_batch": lambda: compiled(keras.Input((4,))).predict_on_batch(Y),
    "validation": lambda: compiled(keras.Input((4,))).fit(X, Y, validation_data=(X, Y[:, :2]), verbose=0),
    "a tensor for settings": lambda: keras.layers.Flatten(keras.Input((4,))),
    "no weights yet": lambda: keras.Sequential([keras.layers.Dense(3)]).count_params(),
    "a layer": lambda: keras.layers.Conv2D(3, 3)(X),
    "a graph": lambda: keras.layers.Conv2D(3, 3)(keras.Input((4,))),
    "a model": lambda: keras.Model(keras.Input((4,)), keras.layers.Dense(3)(keras.Input((4,)))),
    "add": lambda: keras.Sequential([keras.Input((4,))]).add(keras.layers.Conv2D(3, 3)),
    "an argument": lambda: keras.layers.Bidirectional(keras.layers.LSTM(3, activation="nothing")),
    "an op": lambda: ops.matmul(X, Y),
    "an op of symbols": lambda: ops.matmul(keras.Input((4,)), keras.Input((5, 6))),
    "an operator of symbols": lambda: keras.Input((4,)) @ keras.Input((5, 6)),
    "a symbol": lambda: np.log(keras.Input((4,))),
    "a loss": lambda: keras.losses.MeanSquaredError()(X, Y),
    "a metric": lambda: keras.metrics.Accuracy()(X, Y),
    "a name": lambda: keras.activations.get("nothing"),
    "no file": lambda: keras.models.load_model("nothing.keras"),
    "no JSON": lambda: keras.models.model_from_json("{"),
    "weights": saved_elsewhere,
    "a data set": lambda: list(keras.utils.Dataset.range(3).map(lambda x: ops.matmul(x, x))),
    "an old module": lambda: keras.backend.clear_sesion(),
    "a function of utils": lambda: keras.utils.to_categorical([1, 2, 3], 3),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_only_the_users_lines_stand_before_the_message(program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before, _ = shown(PROGRAMS[program])
    assert len(before.splitlines()) <= 12, before
    assert os.path.basename(__file__) in before
    assert os.path.dirname(keras.__file__) not in before and "site-packages" not in before, before
    assert "was the direct cause" not in before, before


USERS = {
    "a layer in a layer": (lambda: compiled(Holds()).fit(X, Y, verbose=0), ("in call", "in call")),
    "a callback": (
        lambda: compiled(keras.Input((4,))).fit(X, Y, verbose=0, callbacks=[FailingCallback()]),
        ("in on_epoch_end",),
    ),
    "a generator": (
        lambda: compiled(keras.Input((4,))).fit(failing_batches(), steps_per_epoch=4, verbose=0),
        ("in failing_batches",),
    ),
    "a loss": (lambda: compiled(keras.Input((4,)), loss=failing_loss).fit(X, Y, verbose=0), ("in failing_loss",)),
    "a step": (failing_step, ("in failing_step", "in train_step")),
}


@pytest.mark.parametrize("program", USERS)
def test_functions_of_the_user_stay(program):
    function, names = USERS[program]
    before, _ = shown(function)
    found = re.findall(r'^  File ".*", line \d+, (in \w+)$', before, re.MULTILINE)
    assert [name for name in found if name in names] == list(names), before
    assert len(before.splitlines()) <= 12, before


def test_causes_of_the_user_stay():
    class Mine(keras.layers.Layer):
        def call(self, inputs):
            try:
                return inputs + {}["nothing"]
            except KeyError as error:
                raise RuntimeError("mine") from error

    before, error = shown(lambda: Mine()(X))
    assert isinstance(error.__cause__, KeyError) and "direct cause" in before
    assert "lamina/layers" not in before


def test_a_program_and_the_variable_for_all_frames(tmp_path):
    script = tmp_path / "program.py"
    script.write_text(
        "import numpy as np\nimport lamina as keras\n"
        "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])\n"
        "model.compile('sgd', 'mse')\n"
        "model.fit(np.ones((8, 4)), np.ones((8, 5)), verbose=0)\n"
    )

    def run(**environment):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment}
        done = subprocess.run([sys.executable, script], capture_output=True, text=True, env=environment)
        return done.stderr[done.stderr.index("Traceback") :].splitlines()

    short = run(LAMINA_TRACEBACK="")
    assert short[:3] == [
        "Traceback (most recent call last):",
        f'  File "{script}", line 5, in <module>',
        "    model.fit(np.ones((8, 4)), np.ones((8, 5)), verbose=0)",
    ]
    message = next(line for line in short[3:] if line.strip("~^ "))  # Python 3.13 marks the call
    assert message.startswith("lamina.errors.ShapeError: ")
    assert len(run(LAMINA_TRACEBACK="full")) > 20


CELLS = {
    "fit": ("x = 1\n\nmodel.fit(np.ones((8, 4)), np.ones((8, 5)), verbose=0)", "----> 3 model.fit"),
    "a layer": ("keras.layers.Conv2D(3, 3)(np.ones((8, 4)))", "----> 1 keras.layers.Conv2D"),
    "an argument": ("keras.layers.Dense(8, activaton='relu')", "----> 1 keras.layers.Dense"),
    "a function": (
        "def f():\n    return keras.ops.matmul(np.ones((2, 3)), np.ones(2))\nf()",
        "----> 2     return keras.ops",
    ),
    "a layer of the user": (
        "class Mine(keras.layers.Layer):\n    def call(self, x):\n        return x + {}['a']\nMine()(np.ones((2, 2)))",
        "----> 3     return x + {}['a']",
    ),
}


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_of_a_notebook(cell, capsys):
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell(colors="nocolor")
    shell.user_ns.update(np=np, keras=keras, model=compiled(keras.Input((4,))))
    program, line = CELLS[cell]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # IPython shows the findings as warnings of the cell
        error = shell.run_cell(program).error_in_exec
    printed = re.sub(r"\x1b\[[0-9;]*m", "", "".join(capsys.readouterr()))
    before = printed[printed.index("Traceback") : printed.rindex(str(error).partition("\n")[0])]
    assert line in before and len(before.splitlines()) <= 12, before
    places = re.findall(r"^(?:File|Cell) (.*)", before, re.MULTILINE)
    assert places and all(re.match(r"<ipython-input|In\[", place) for place in places), before


def test_runpy_and_pytest_show_only_the_program(tmp_path):
    script = tmp_path / "program.py"
    script.write_text("import lamina as keras\n\nkeras.ops.matmul([[1.0, 2.0]], [[1.0, 2.0]])\n")
    before, _ = shown(lambda: runpy.run_path(str(script)))
    assert 'program.py", line 3, in <module>' in before and len(before.splitlines()) <= 12, before
    with pytest.raises(keras.errors.ShapeError) as caught:
        keras.ops.matmul(X, Y)
    assert [str(entry.path) for entry in caught.traceback] == [__file__]  # what pytest prints of a test that fails


def test_filtering_can_be_switched():
    keras.config.disable_traceback_filtering()
    assert not keras.config.is_traceback_filtering_enabled()
    before, _ = shown(lambda: keras.layers.Conv2D(3, 3)(X))
    assert "lamina/layers/base/layer.py" in before.replace(os.sep, "/")
    keras.config.enable_traceback_filtering()
    assert keras.config.is_traceback_filtering_enabled()


def test_an_error_in_a_later_batch_says_which():
    model = compiled(keras.Input((4,)))
    with pytest.raises(ValueError, match=r"got \(8, 3\)\. This is batch 2 of the epoch\."):
        model.fit(iter([(X, Y), (Y, Y)]), verbose=0)


def test_warnings_name_the_users_line():
    model = compiled(keras.Input((4,)))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        model.fit(X, Y, verbose=0, callbacks=[keras.callbacks.EarlyStopping("nothing")])
        model.fit(iter([(X, Y)]), steps_per_epoch=2, verbose=0)
    assert [one.filename for one in seen] == [__file__, __file__], seen


class Printing(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        print("call", inputs.shape)
        return self.dense(inputs)


def test_print_in_call_runs_once_with_real_sizes(capsys):
    model = Printing()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert capsys.readouterr().out == "call (8, 4)\n"
    Printing()(keras.Input((4,)))
    assert capsys.readouterr().out == "call (None, 4)\n"


def test_sizes_that_tracing_made_up_are_not_seen(capsys):
    class Builds(keras.layers.Layer):
        def build(self, input_shape):
            self.seen = input_shape

        def call(self, inputs):
            print("inner", inputs.shape)
            return inputs

    class Outer(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Builds()

        def call(self, inputs):
            inputs = self.inner(ops.reshape(inputs, (-1, 2)))
            raise ValueError(f"Mine: {inputs.shape}")

    outer = Outer()
    _, error = shown(lambda: outer(keras.Input((4,))))
    assert str(error) == "Mine: (None, 2)"
    assert error.__notes__ == ["In outer (Outer), called with float32(None, 4)."]
    assert outer.inner.seen == (None, 2)
    assert capsys.readouterr().out == "inner (None, 2)\n"

"""fit looks once, says errors and warnings in a line each, and trains; or raises, or is silent, as it is told."""

import jax
import numpy as np
import pytest

import lamina as keras
from lamina import layers
from lamina.callbacks import EarlyStopping
from lamina.check import look_before_fit
from lamina.errors import CheckError, ConfigError
from lamina.training.data import make_batches
from tests.check.cases import QUANTITY, THREE, X, head, net

SPARSE = "sparse_categorical_crossentropy"


@pytest.fixture(autouse=True)
def setting_as_it_was():
    yield
    keras.config.set_checks("warn")


def lines(capsys):
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("LAM")]


def test_says_each_finding_in_a_line_once(capsys):
    model = head(3, "sigmoid", SPARSE)
    model.fit(X, THREE, verbose=2)
    (line,) = lines(capsys)
    assert line == (
        "LAM101 error: head has sigmoid over 3 units, and the loss is sparse_categorical_crossentropy. Use "
        "activation='softmax' there; or loss='binary_crossentropy', if several classes may be true at once. "
        "(lamina explain LAM101)"
    )
    model.fit(X, THREE, verbose=2)
    assert not lines(capsys)
    model.compile("sgd", SPARSE)
    model.fit(X, THREE, verbose=2)
    assert len(lines(capsys)) == 1


def test_verbose_0_warns_of_errors_at_the_line_of_the_user_and_is_silent_about_the_rest(capsys):
    with pytest.warns(UserWarning, match="LAM101 error: head has sigmoid") as caught:
        head(3, "sigmoid", SPARSE).fit(X, THREE, verbose=0)
    assert [one.filename for one in caught] == [__file__]
    head(1, loss="mse", metrics=["accuracy"]).fit(X, QUANTITY, verbose=0)  # LAM113, a warning
    assert capsys.readouterr().out == ""
    net(layers.Dense(3, "softmax"), layers.Flatten(), loss=SPARSE).fit(X, THREE, verbose=2)
    assert not lines(capsys)


def test_off(capsys):
    keras.config.set_checks("off")
    head(3, "sigmoid", SPARSE).fit(X, THREE, verbose=2)
    assert keras.config.checks() == "off"
    assert not lines(capsys)


def test_error_raises_before_the_first_step_each_time():
    keras.config.set_checks("error")
    model = head(3, "sigmoid", SPARSE)
    before = model.get_weights()
    for _ in range(2):
        with pytest.raises(CheckError, match="LAM101 error: head has sigmoid over 3 units"):
            model.fit(X, THREE, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_error_lets_warnings_through(capsys):
    keras.config.set_checks("error")
    head(1, loss="mse", metrics=["accuracy"]).fit(X, QUANTITY, verbose=2)
    assert [line[:14] for line in lines(capsys)] == ["LAM113 warning"]


def test_looks_at_the_first_batch_of_a_generator(capsys):
    batches = ((X[:8], THREE[:8] + 3) for _ in range(4))
    head(3, "softmax", SPARSE).fit(batches, steps_per_epoch=2, verbose=2)
    assert [line[:12] for line in lines(capsys)] == ["LAM106 error"]


def test_looks_at_arguments_of_fit_and_at_a_model_that_is_not_built(capsys):
    model = keras.Sequential([layers.Dense(5, "relu"), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, QUANTITY, verbose=2, epochs=2, callbacks=[EarlyStopping("loss", patience=3)])
    assert [line[:14] for line in lines(capsys)] == ["LAM306 warning"]


def test_says_the_code_before_an_error_of_shapes(capsys):
    with pytest.raises(ValueError, match="sparse_categorical"):
        head(3, "softmax", "categorical_crossentropy").fit(X, THREE, verbose=2)
    assert [line[:12] for line in lines(capsys)] == ["LAM109 error"]


def test_another_setting_is_an_error():
    with pytest.raises(ConfigError, match="'off', 'warn' or 'error'"):
        keras.config.set_checks("loud")


def test_a_rule_that_fails_does_not_stop_training(capsys, monkeypatch):
    def broken(model):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("lamina.check.subject.facts_of", broken)
    head(1).fit(X, QUANTITY, verbose=2)
    assert "The checks failed on" in capsys.readouterr().out


def test_neither_traces_nor_compiles_a_built_model():
    heard = []
    model = net(layers.Dense(64, "relu"), layers.Dense(3, "softmax"), loss=SPARSE)
    jax.monitoring.register_event_duration_secs_listener(listener := lambda event, *_, **__: heard.append(event))
    try:
        look_before_fit(model, make_batches(X, THREE), (X, THREE, None), 0, {"batch_size": 32})
        assert model._checked is not None and not [event for event in heard if "trace" in event or "compile" in event]
        model.fit(X, THREE, verbose=0)
        assert [event for event in heard if "trace" in event]  # the listener hears
    finally:
        jax.monitoring.unregister_event_duration_listener(listener)


def test_looks_again_when_the_data_differ(capsys):
    model, labels, holes = head(3, "softmax", SPARSE), THREE.copy(), X.copy()
    holes[5, 2], labels[61] = np.nan, 7
    model.fit(X, THREE, verbose=2)
    assert not lines(capsys)
    model.fit(holes, THREE, verbose=2)
    (line,) = lines(capsys)
    assert line.startswith("LAM402 error: x[5, 2] is NaN (1 NaN in 256 values). keep = np.isfinite(x).all(axis=1);")
    model.fit(holes, THREE, verbose=2)
    assert not lines(capsys)
    model.fit(X, labels, validation_split=0.25, verbose=2)
    (line,) = lines(capsys)
    assert "the labels go from 0 to 7: y[61] is 7. Give head 8 units" in line
    model.fit(X, THREE, validation_data=(X, labels), verbose=2)
    (line,) = lines(capsys)
    assert "validation_data[1][61] is 7." in line
    assert np.isnan(model.evaluate(X, THREE + 5, verbose=2))
    (line,) = lines(capsys)
    assert "y[0] is" in line and "(63 more)" in line
    with pytest.warns(UserWarning, match=r"LAM106 error: .* y\[0\] is"):
        model.train_on_batch(X, THREE + 9)


def test_a_model_of_own_class_that_takes_indices_is_traced_with_indices(capsys):
    class Rows(keras.Model):
        def __init__(self):
            super().__init__()
            self.rows, self.head = keras.ops.ones((8, 4)), keras.layers.Dense(2)

        def call(self, indices):
            return keras.ops.take(self.head(self.rows), indices, axis=0)

    model = Rows()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(np.arange(8), np.arange(8) % 2, verbose=2)
    assert "checks failed" not in capsys.readouterr().out


def test_names_the_batch_of_a_generator(capsys):
    def batches():
        for number in range(5):
            x = X[:8].copy()
            x[2, 1] = np.inf if number == 3 else 0
            yield x, THREE[:8]

    head(3, "softmax", SPARSE).fit(batches(), verbose=2)
    (line,) = lines(capsys)
    assert "x[2, 1] (batch 3, row 2) is infinite (1 infinite in 32 values). Drop such rows" in line


def test_names_the_column_of_a_table(capsys):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X.astype("float64"), columns=list("abcd"), index=range(7, 71))
    table.iloc[[3, 9], 2] = np.nan
    model = head(1)
    assert "x['c'], row 3 (index 10) is NaN (2 NaN in 256 values)." in str(model.check(table, QUANTITY))
    with pytest.warns(UserWarning, match=r"x\['c'\], row 3"):
        callback = keras.callbacks.StopOnNonFinite()
        model.fit(table, QUANTITY, callbacks=[callback], verbose=0)
    assert "; x['c'], row 3 (index 10) is NaN (1 more)" in callback.diagnosis.message

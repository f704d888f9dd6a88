"""StopOnNonFinite: where a run went wrong first, why, and that the weights are the last good ones."""

import numpy as np
import pytest

import lamina as keras

pytestmark = pytest.mark.filterwarnings("ignore:LAM402")  # which says so too, before the first step

X = np.random.default_rng(0).normal(size=(48, 3)).astype("float32")
Y = X.sum(-1, keepdims=True)


def make_model(*layers, optimizer="sgd", loss="mse"):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), *(layers or (keras.layers.Dense(1, name="dense"),))])
    model.compile(optimizer, loss)
    return model


def diagnosis(model, x=X, y=Y, **kwargs):
    stop = keras.callbacks.StopOnNonFinite()
    model.fit(x, y, batch_size=4, epochs=kwargs.pop("epochs", 1), shuffle=False, verbose=0, callbacks=[stop], **kwargs)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    return stop.diagnosis


def with_value(array, row, value):
    changed = array.copy()
    changed[row] = value
    return changed


def test_a_sound_run_is_the_same_with_and_without():
    plain, watched = make_model(), make_model()
    expected = plain.fit(X, Y, batch_size=4, epochs=2, verbose=0, shuffle=False).history
    history = watched.fit(X, Y, batch_size=4, epochs=2, verbose=0, shuffle=False, stop_on_nonfinite=True).history
    assert history == expected
    for one, other in zip(plain.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert watched._runner.guard is None


@pytest.mark.parametrize(
    "x, y, weight, cause",
    [
        (with_value(X, 21, np.nan), Y, None, "inputs"),
        (X, with_value(Y, 21, np.inf), None, "labels"),
        (X, Y, with_value(np.ones(48, "float32"), 21, np.nan), "sample_weight"),
    ],
)
def test_data(x, y, weight, cause):
    before, model = make_model(), make_model()
    before.fit(X[:20], Y[:20], batch_size=4, verbose=0, shuffle=False)
    found = diagnosis(model, x, y, sample_weight=weight)
    assert (found.step, found.cause) == (5, cause)
    assert "first at (1" in found.message
    for one, other in zip(model.get_weights(), before.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_layer():
    logarithm = keras.layers.Lambda(keras.ops.log, name="logarithm")
    found = diagnosis(make_model(keras.layers.Dense(2, name="first"), logarithm, keras.layers.Dense(1)))
    assert (found.step, found.cause, found.where) == (0, "layer", "logarithm (Lambda)")


def test_the_loss():
    def log_loss(y_true, y_pred):
        return keras.ops.log(y_pred - 1e9)

    found = diagnosis(make_model(loss=log_loss))
    assert (found.cause, found.where) == ("loss", "the loss")


def test_a_gradient():
    root = keras.layers.Lambda(lambda x: keras.ops.sqrt(x * 0.0))
    found = diagnosis(make_model(keras.layers.Dense(1, name="dense"), root))
    assert found.cause == "gradient"
    assert "dense/kernel" in found.where


def test_the_learning_rate():
    found = diagnosis(make_model(optimizer=keras.optimizers.SGD(1e6)), epochs=5)
    assert found.cause == "learning_rate"
    assert found.learning_rate == pytest.approx(1e6)
    assert found.largest_weight > 1e4
    assert "ten times smaller" in found.message


def test_inputs_that_were_never_scaled():
    assert diagnosis(make_model(), X * 1e20).cause == "inputs"


def test_a_train_step_of_ones_own():
    class Own(keras.Sequential):
        def train_step(self, data):
            x, _ = data
            return {"loss": keras.ops.sum(self(x, training=True)) * np.nan}

    model = Own([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd")
    assert diagnosis(model).where == "train_step"


def test_it_stops_or_raises_and_says_so(capsys):
    model = make_model()
    history = model.fit(with_value(X, 0, np.nan), Y, epochs=3, verbose=0, shuffle=False, stop_on_nonfinite=True)
    assert len(history.history["loss"]) == 1
    assert "Clean the data" in capsys.readouterr().out
    with pytest.raises(ArithmeticError, match="Step 1 was not finite"):
        stop = keras.callbacks.StopOnNonFinite(raise_error=True)
        model.fit(with_value(X, 0, np.nan), Y, verbose=0, shuffle=False, callbacks=[stop])

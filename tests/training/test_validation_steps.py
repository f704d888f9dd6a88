"""fit(validation_steps_every=): validations inside epochs."""

import numpy as np
import pytest

import lamina as keras
from lamina.errors import CallError

X = np.random.default_rng(0).normal(size=(48, 4)).astype("float32")
Y = (X.sum(1, keepdims=True) > 0).astype("float32")
DATA = {"batch_size": 4, "epochs": 2, "verbose": 0, "validation_data": (X[:20], Y[:20])}


def make():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.2), keras.layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


class Watch(keras.callbacks.Callback):
    def __init__(self):
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append((batch, "val_loss" in logs))

    def on_test_begin(self, logs=None):
        self.seen.append("begin")

    def on_test_end(self, logs=None):
        self.seen.append(("end", sorted(logs)))


@pytest.fixture(scope="module")
def plain():
    model = make()
    return model.fit(X, Y, **DATA).history, model.get_weights()


def test_training_is_the_same_and_the_history_too(plain):
    model, watch = make(), Watch()
    history = model.fit(X, Y, callbacks=[watch], validation_steps_every=5, **DATA)
    assert history.history == plain[0]
    for one, other in zip(model.get_weights(), plain[1], strict=True):
        np.testing.assert_array_equal(one, other)
    places = [(one["epoch"], one["batch"]) for one in history.validations]
    assert places == [(0, 5), (0, 10), (0, 12), (1, 5), (1, 10), (1, 12)]
    assert sorted(history.validations[0]) == ["batch", "epoch", "val_accuracy", "val_loss"]
    assert [one["val_loss"] for one in history.validations[2::3]] == history.history["val_loss"]
    assert watch.seen[5:8] == ["begin", ("end", ["accuracy", "loss"]), (4, True)] or watch.seen[4:7] == [
        "begin", ("end", ["accuracy", "loss"]), (4, True),
    ]  # fmt: skip
    assert (5, False) in watch.seen and watch.seen.count("begin") == 6


def test_the_values_are_those_of_evaluate():
    model, found = make(), []

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 6:
                found.append(logs["val_loss"])
                self.model.stop_training = True

    history = model.fit(X, Y, callbacks=[Stop()], validation_steps_every=7, **{**DATA, "validation_data": (X, Y)})
    assert history.validations[0]["val_loss"] == found[0]
    np.testing.assert_allclose(model.evaluate(X, Y, batch_size=4, verbose=0)[0], found[0], 1e-6)


def test_a_killed_run_resumes_to_the_bit(plain, tmp_path):
    class Kill(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 8:
                raise KeyboardInterrupt

    def resume():
        return keras.callbacks.Resume(tmp_path, save_freq=3)

    with pytest.raises(KeyboardInterrupt):
        make().fit(X, Y, callbacks=[Kill()], resume=resume(), validation_steps_every=5, **DATA)
    model = make()
    history = model.fit(X, Y, resume=resume(), validation_steps_every=5, **DATA)
    assert history.history == plain[0] and [one["batch"] for one in history.validations] == [5, 10, 12] * 2
    for one, other in zip(model.get_weights(), plain[1], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "arguments", [{"validation_data": None}, {"validation_steps_every": 0}, {"validation_steps_every": 2.5}]
)
def test_mistakes(arguments):
    with pytest.raises(CallError, match="validation_steps_every"):
        make().fit(X, Y, **{**DATA, "validation_steps_every": 5, **arguments})

"""OrbaxCheckpoint: what is written is read back, by lamina and by Orbax."""

import json
import os

import numpy as np
import pytest

import lamina as keras
from lamina.callbacks.orbax_checkpoint import load_orbax_checkpoint

orbax = pytest.importorskip("orbax.checkpoint", reason="needs orbax-checkpoint").v1
pytestmark = pytest.mark.filterwarnings("ignore")  # Orbax's own

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
Y = X.sum(-1, keepdims=True)


def make_model():
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dropout(0.1), keras.layers.Dense(1, name="dense")])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


def fit(folder, epochs=2, **kwargs):
    model = make_model()
    callback = keras.callbacks.OrbaxCheckpoint(folder, **kwargs)
    model.fit(X, Y, batch_size=4, epochs=epochs, verbose=0, validation_data=(X, Y), callbacks=[callback])
    return model


def test_a_model_comes_back(tmp_path):
    model, other = fit(tmp_path), make_model()
    assert sorted(os.listdir(tmp_path)) == ["1"]
    other.build((None, 3))
    other.optimizer.build(other.trainable_variables)
    saved = orbax.load_checkpointables(tmp_path / "1")
    assert json.loads(saved["model_config"]["config"])["class_name"] == "Sequential"
    assert set(saved["pytree"]) == {
        "metrics_variables", "non_trainable_variables", "optimizer_variables", "trainable_variables"
    }  # fmt: skip
    kernel = next(iter(saved["pytree"]["trainable_variables"].values()))["dense"]["kernel"]
    np.testing.assert_array_equal(kernel, model.layers[-1].kernel)
    with pytest.raises(ValueError, match="needs"):  # its path has the name of another model
        load_orbax_checkpoint(other, tmp_path)
    expected = model.get_weights()
    model.set_weights([np.zeros_like(value) for value in expected])
    load_orbax_checkpoint(model, tmp_path)
    for one, two in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(one, two)


def test_batches_and_how_many_are_kept(tmp_path):
    fit(tmp_path, epochs=3, save_freq=2, max_to_keep=2, save_on_background=False, save_weights_only=True)
    assert sorted(os.listdir(tmp_path)) == ["4", "6"]
    assert set(orbax.load_checkpointables(tmp_path / "6")) == {"pytree"}


def test_the_best_alone_is_saved(tmp_path):
    fit(tmp_path, save_best_only=True, initial_value_threshold=0.0)
    assert not [name for name in os.listdir(tmp_path) if name.isdigit()]
    with pytest.raises(ValueError, match="no checkpoint"):
        load_orbax_checkpoint(make_model(), tmp_path)
    with pytest.raises(ValueError, match="save_freq"):
        keras.callbacks.OrbaxCheckpoint(tmp_path, save_freq="batch")

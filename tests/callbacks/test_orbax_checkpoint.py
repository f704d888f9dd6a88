"""OrbaxCheckpoint: what is written is read back, by lamina and by Orbax."""

import json
import os

import keras as oracle
import numpy as np
import pytest

import lamina as keras
from lamina.saving.formats.orbax import load_orbax_weights

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


def all_values(model):
    return [*model.get_weights(), *(variable.numpy() for variable in model.optimizer.variables)]


def assert_equal(model, other):
    for one, two in zip(all_values(model), all_values(other), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_model_comes_back(tmp_path):
    model = fit(tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["1"]
    saved = orbax.load_checkpointables(tmp_path / "1")
    assert json.loads(saved["model_config"]["config"])["class_name"] == "Sequential"
    assert set(saved["pytree"]) == {
        "metrics_variables", "non_trainable_variables", "optimizer_variables", "trainable_variables"
    }  # fmt: skip
    loaded = keras.models.load_model(tmp_path)
    assert_equal(loaded, model)
    assert loaded.compiled and not keras.models.load_model(tmp_path / "1", compile=False).compiled
    renumbered = make_model()  # called sequential_1 or later, with the seed generator of a later number
    renumbered.load_weights(tmp_path)
    assert_equal(renumbered, model)
    loaded.fit(X, Y, batch_size=4, verbose=0, callbacks=[keras.callbacks.OrbaxCheckpoint(tmp_path, save_freq=1)])
    assert os.listdir(tmp_path) == ["6"]  # batches are counted on


def test_weights_alone_and_other_models(tmp_path):
    model = fit(tmp_path, save_weights_only=True)
    with pytest.raises(ValueError, match="weights but no model"):
        keras.models.load_model(tmp_path)
    other = make_model()
    other.load_weights(tmp_path)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    wide = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dropout(0.1), keras.layers.Dense(2, name="dense")])
    with pytest.raises(ValueError, match="the model needs"):
        wide.load_weights(tmp_path)
    named = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dropout(0.1), keras.layers.Dense(1, name="head")])
    with pytest.raises(ValueError, match=r"only one of the two has .*head/"):
        named.load_weights(tmp_path)


def test_a_state_tree():
    model = make_model()
    tree = model.get_state_tree(value_format="numpy_array")
    model.set_state_tree({"trainable_variables": {"sequential": {"dense": {"bias": [7.0]}}}})
    assert model.layers[-1].bias.numpy().tolist() == [7.0]
    model.set_state_tree(tree)
    assert model.layers[-1].bias.numpy().tolist() == [0.0]
    with pytest.raises(ValueError, match="no tense/bias"):
        model.set_state_tree({"trainable_variables": {"tense": {"bias": [7.0]}}})
    with pytest.raises(ValueError, match="value_format"):
        model.get_state_tree("torch")


def test_batches_and_how_many_are_kept(tmp_path):
    fit(tmp_path, epochs=3, save_freq=2, max_to_keep=2, save_on_background=False, save_weights_only=True)
    assert sorted(os.listdir(tmp_path)) == ["4", "6"]
    assert set(orbax.load_checkpointables(tmp_path / "6")) == {"pytree"}


def test_the_best_alone_is_saved(tmp_path):
    fit(tmp_path, save_best_only=True, initial_value_threshold=0.0)
    assert not [name for name in os.listdir(tmp_path) if name.isdigit()]
    with pytest.raises(ValueError, match="no Orbax checkpoint"):
        load_orbax_weights(make_model(), tmp_path)
    with pytest.raises(ValueError, match="save_freq"):
        keras.callbacks.OrbaxCheckpoint(tmp_path, save_freq="batch")


def test_files_of_layers_come_along(tmp_path):
    words = keras.layers.StringLookup(name="words")
    words.adapt(["a", "b", "b"])
    model = keras.Sequential([keras.Input((1,), dtype="string"), words, keras.layers.Embedding(4, 2)])
    model.compile("sgd", "mse")
    text = np.array([["a"], ["b"], ["c"]], object)
    callback = keras.callbacks.OrbaxCheckpoint(tmp_path)
    model.fit(text, np.zeros((3, 1, 2), "float32"), verbose=0, callbacks=[callback])
    loaded = keras.models.load_model(tmp_path)
    assert loaded.get_layer("words").get_vocabulary() == words.get_vocabulary()
    np.testing.assert_array_equal(loaded.predict(text, verbose=0), model.predict(text, verbose=0))


@pytest.mark.parametrize(
    ("writes", "reads"), [(oracle, keras), (keras, oracle)], ids=["Keras's are read", "Keras reads ours"]
)
def test_folders_are_those_of_keras(writes, reads, tmp_path):
    inputs = writes.Input((3,), name="inputs")
    hidden = writes.layers.BatchNormalization(name="norm")(writes.layers.Dense(4, name="hidden")(inputs))
    model = writes.Model(inputs, writes.layers.Dense(1, name="head")(hidden), name="both")
    model.compile("adam", "mse")
    folder = str(tmp_path / "checkpoints")
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[writes.callbacks.OrbaxCheckpoint(folder)])
    loaded = reads.saving.load_model(folder)
    assert loaded.name == "both"
    np.testing.assert_allclose(loaded.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-5, atol=1e-6)
    for one, two in zip(loaded.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), two.numpy())

"""Files of Keras 2 by names without an ending: checkpoints of TensorFlow as weights, SavedModels as models."""

import os

import numpy as np
import pytest

import lamina as keras
from lamina.compat.checkpoint_files import latest_checkpoint
from lamina.compat.keras_files import KERAS_FILES
from lamina.compat.saved_models import load
from lamina.errors import ConfigError, FileError
from lamina.saving.formats.further import further

X, Y = np.arange(12, dtype="float32").reshape(4, 3), np.ones((4, 2), "float32")


@pytest.fixture
def in_tensorflow(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name, function in KERAS_FILES.items():
        monkeypatch.setitem(further, name, function)


def model(begins=True):
    first = [keras.Input((3,))] if begins else []
    made = keras.Sequential([*first, keras.layers.Dense(4, "relu"), keras.layers.Dense(2)])
    made.compile("adam", "mse")
    return made


def test_weights_as_checkpoints(in_tensorflow):
    trained = model()
    path = "new_folder/cp-{epoch:04d}.ckpt"
    trained.save_weights(path.format(epoch=0))
    before = trained(X)
    kept = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
    trained.fit(X, Y, epochs=2, callbacks=[kept], verbose=0)
    assert sorted(name for name in os.listdir("new_folder") if name.endswith(".index")) == [
        f"cp-000{n}.ckpt.index" for n in range(3)
    ]
    assert latest_checkpoint("new_folder") == os.path.join("new_folder", "cp-0002.ckpt")
    other = model()
    other.load_weights(latest_checkpoint("new_folder")).expect_partial()
    np.testing.assert_array_equal(other(X), trained(X))
    unbuilt = model(begins=False)
    unbuilt.load_weights(path.format(epoch=0))
    np.testing.assert_array_equal(unbuilt(X), before)
    trained.save_weights("another/a.weights.h5")


def test_models_as_folders(in_tensorflow):
    trained = model()
    best = keras.callbacks.ModelCheckpoint("best", "loss", save_best_only=True)
    trained.fit(X, Y, epochs=2, callbacks=[best], verbose=0)
    trained.save("folder/whole/")
    again = keras.models.load_model("folder/whole")
    np.testing.assert_array_equal(again(X), trained(X))
    again.fit(X, Y, verbose=0)
    signature = load("folder/whole").signatures["serving_default"]
    np.testing.assert_allclose(next(iter(signature(X).values())), trained(X), rtol=1e-6)
    assert keras.models.load_model("best").optimizer.iterations == 2


def test_a_model_of_texts_as_a_folder(in_tensorflow):
    words = keras.Input((1,), dtype="string")
    trained = keras.Model(words, keras.layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot")(words))
    with pytest.warns(UserWarning, match="is not in the files of texts"):
        trained.save("texts")
    assert keras.models.load_model("texts").predict(np.array([["b"], ["c"]]), verbose=0).tolist() == [
        [0, 0, 1], [1, 0, 0],
    ]  # fmt: skip


def test_states_of_layers_are_in_no_checkpoint(in_tensorflow):
    def recurrent(batch_size):
        layer = keras.layers.GRU(2, stateful=True)
        return keras.Sequential([keras.Input((3, 2), batch_size=batch_size), layer, keras.layers.Dense(1)])

    trained = recurrent(4)
    trained.save_weights("ckpt")
    one = recurrent(1)
    one.load_weights("ckpt").assert_existing_objects_matched()
    np.testing.assert_allclose(one(np.ones((1, 3, 2)))[0], trained(np.ones((4, 3, 2)))[0], rtol=1e-6)


def test_other_programs_name_the_format(tmp_path):
    with pytest.raises(FileError, match="Weights are saved as"):
        model().save_weights(tmp_path / "a")
    with pytest.raises(FileError, match="A model is saved as"):
        model().save(tmp_path / "a")
    with pytest.raises(ConfigError, match="filepath ends in"):
        keras.callbacks.ModelCheckpoint("a")

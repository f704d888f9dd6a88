"""The transfer learning program: weights that Keras wrote, the network frozen and cut at 'mixed7', two steps."""

import functools
import runpy
from pathlib import Path

import keras as reference
import numpy as np
import pytest
from keras.src.initializers import constant_initializers, random_initializers

import lamina as keras

# Keras's own variables, read by NumPy
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PROGRAM = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "transfer_learning_inception.py"))
frozen_network, with_new_top = PROGRAM["frozen_network"], PROGRAM["with_new_top"]
images_of_two_kinds = PROGRAM["images_of_two_kinds"]


@pytest.fixture
def quick_draws(monkeypatch):
    """Keras's first values from NumPy: its own draws compile for each new shape."""
    draw = np.random.RandomState(0)

    def uniform(self, shape, dtype=None):
        return np.float32(draw.uniform(-1, 1, shape) * np.sqrt(6 / np.prod(shape[:-1])))

    monkeypatch.setattr(random_initializers.VarianceScaling, "__call__", uniform)
    for kind, value in ((constant_initializers.Zeros, 0), (constant_initializers.Ones, 1)):
        filled = functools.partial(np.full, fill_value=np.float32(value))
        monkeypatch.setattr(kind, "__call__", lambda self, shape, dtype=None, filled=filled: filled(shape))


def test_features_of_keras_and_no_frozen_weight_moves(quick_draws, tmp_path):
    theirs = reference.applications.InceptionV3(input_shape=(150, 150, 3), include_top=False, weights=None)
    theirs.save_weights(tmp_path / "inception.weights.h5")
    theirs.save(tmp_path / "inception.h5")
    images, kinds = images_of_two_kinds(4)
    expected = reference.Model(theirs.input, theirs.get_layer("mixed7").output).predict(images, verbose=0)

    ours = frozen_network(tmp_path / "inception.h5")
    for written, read in zip(theirs.get_weights(), ours.get_weights(), strict=True):
        np.testing.assert_array_equal(written, read)
    features = keras.Model(ours.input, ours.get_layer("mixed7").output).predict(images, verbose=0)
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(features, expected, atol=1e-4, rtol=1e-4)

    before = ours.get_weights()
    model = with_new_top(ours)
    kernel = model.layers[-3].get_weights()[0]
    assert len(model.trainable_weights) == 4
    history = model.fit(images, kinds, batch_size=2, epochs=1, verbose=0, shuffle=False)
    assert np.isfinite(history.history["loss"]).all()
    assert int(model.optimizer.iterations) == 2
    assert np.any(model.layers[-3].get_weights()[0] != kernel)
    for old, new in zip(before, ours.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)

    for file in ("inception.weights.h5", "inception.h5"):
        again = keras.applications.InceptionV3(
            input_shape=(150, 150, 3), include_top=False, weights=tmp_path / file
        ).get_weights()
        np.testing.assert_array_equal(again[0], before[0])
        np.testing.assert_array_equal(again[-1], before[-1])


@pytest.mark.parametrize("file", ["network.keras", "network.h5", "network.weights.h5"])
def test_files_of_keras_by_their_path(quick_draws, tmp_path, file):
    arguments = {"input_shape": (32, 32, 3), "alpha": 0.25, "classes": 3}
    theirs = reference.applications.MobileNet(weights=None, **arguments)
    (theirs.save_weights if ".weights" in file else theirs.save)(tmp_path / file)
    ours = keras.applications.MobileNet(weights=str(tmp_path / file), **arguments)
    for written, read in zip(theirs.get_weights(), ours.get_weights(), strict=True):
        np.testing.assert_array_equal(written, read)

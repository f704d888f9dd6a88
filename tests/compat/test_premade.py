"""`tf.keras.experimental.LinearModel` and `WideDeepModel`."""

import numpy as np
import pytest

import lamina as keras
from lamina.compat.premade import LinearModel, WideDeepModel
from lamina.legacy.renames import OldSpelling
from lamina.optimizers import schedules

X = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
Z = np.random.default_rng(1).normal(size=(64, 2)).astype("float32")
Y = (X @ [[1.0], [-2.0], [0.5]] + 3.0 + np.abs(Z[:, :1])).astype("float32")


def test_linear_models_are_weighted_sums():
    one = LinearModel(2, activation="relu", kernel_initializer="ones", bias_initializer="ones")
    np.testing.assert_allclose(one(X), np.maximum(X.sum(1, keepdims=True) + np.ones((1, 2)), 0), rtol=1e-5)
    several = LinearModel(kernel_initializer="ones", use_bias=False)
    np.testing.assert_allclose(several([X, Z])[:, 0], X.sum(1) + Z.sum(1), rtol=1e-4, atol=1e-5)
    named = LinearModel(kernel_initializer="ones")
    np.testing.assert_allclose(named({"b": X, "a": Z})[:, 0], X.sum(1) + Z.sum(1), rtol=1e-4, atol=1e-5)
    assert {tuple(one.shape) for one in named.weights} == {(2, 1), (3, 1), (1,)}
    with pytest.warns(OldSpelling):
        assert schedules.LinearModel is LinearModel  # tf.keras.experimental


def test_two_optimizers_train_a_part_each():
    linear, network = LinearModel(), keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
    model = WideDeepModel(linear, network)
    model.compile([keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.0)], "mse", metrics=["mae"])
    model.evaluate([X, Z], Y, verbose=0)
    before = [np.asarray(one.value) for one in network.weights]
    history = model.fit([X, Z], Y, batch_size=64, epochs=40, verbose=0).history
    assert history["loss"][-1] < history["loss"][0] / 10 and history["mae"][-1] < history["mae"][0]
    for one, other in zip(network.weights, before, strict=True):
        np.testing.assert_array_equal(one.value, other)
    np.testing.assert_allclose(model.predict([X, Z], verbose=0), linear(X) + network(Z), rtol=1e-5, atol=1e-5)


def test_one_optimizer_trains_both_on_the_same_inputs():
    model = WideDeepModel(LinearModel(), keras.Sequential([keras.layers.Dense(1)]), activation="sigmoid")
    model.compile("sgd", "binary_crossentropy")
    model.fit(X, X[:, :1] > 0, epochs=1, verbose=0)
    assert len(model.trainable_weights) == 4 and np.abs(model.predict(X, verbose=0) - 0.5).max() < 0.5
    with pytest.raises(ValueError, match="has two parts"):
        model.compile(["sgd"] * 3, "mse")

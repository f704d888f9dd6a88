"""Rematerialization: the same numbers, computed again in the backward pass."""

import copy

import jax
import numpy as np
import pytest

import lamina as keras
from lamina.core.keras_tensor import get_mask

X = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)


def recomputations(layer):
    """How many checkpoints are in the program of a layer's call."""
    return str(jax.make_jaxpr(lambda x: layer(x))(X)).count("prevent_cse=")


def made_in(make, **scope):
    with keras.RematScope(**scope):
        layer = make()
    layer(X)
    return layer


def dense(**kwargs):
    return keras.layers.Dense(5, activation="tanh", kernel_initializer="ones", **kwargs)


@pytest.mark.parametrize(
    "scope, expected",
    [
        ({}, 1),
        ({"mode": "activations"}, 1),
        ({"mode": "larger_than", "output_size_threshold": 19}, 1),
        ({"mode": "larger_than", "output_size_threshold": 20}, 0),
        ({"mode": "list_of_layers", "layer_names": ["chosen"]}, 1),
        ({"mode": "list_of_layers", "layer_names": ["other"]}, 0),
        ({"mode": None}, 0),
    ],
    ids=str,
)
def test_modes(scope, expected):
    layer = made_in(lambda: dense(name="chosen"), **scope)
    assert recomputations(layer) == expected
    plain = dense()
    np.testing.assert_array_equal(layer(X), plain(X))
    assert recomputations(plain) == 0
    gradient = jax.grad(lambda x, layer: (layer(x) ** 2).sum())
    np.testing.assert_allclose(gradient(X, layer), gradient(X, plain), rtol=1e-5)


def test_activations_mode_recomputes_the_activation_alone():
    layer = made_in(dense, mode="activations")
    program = str(jax.make_jaxpr(lambda x: layer(x))(X))
    assert program.index("product[") < program.index("differentiated=") < program.index("tanh")
    assert layer.activation is keras.activations.tanh


def test_scopes_nest_and_end():
    with keras.RematScope():
        outer = dense()
        with keras.RematScope(mode=None):
            inner = dense()
        copied = copy.deepcopy(outer)
    for layer, expected in ((outer, 1), (inner, 0), (copied, 1), (dense(), 0)):
        layer(X)
        assert recomputations(layer) == expected
    with pytest.raises(ValueError, match="mode"):
        keras.RematScope(mode="all")


def test_state_and_draws_survive():
    def make():
        return keras.Sequential([keras.layers.BatchNormalization(), keras.layers.Dropout(0.5, seed=3)])

    plain, recomputed = make(), made_in(make)
    plain(X)
    for _ in range(2):
        np.testing.assert_allclose(recomputed(X, training=True), plain(X, training=True), rtol=1e-5)
    for one, other in zip(plain.variables, recomputed.variables, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-5)


def test_the_global_seed_moves_on():
    keras.utils.set_random_seed(1)
    first, plain = keras.remat(keras.random.normal)((2,)), keras.random.normal((2,))
    keras.utils.set_random_seed(1)
    np.testing.assert_array_equal(first, keras.random.normal((2,)))
    np.testing.assert_array_equal(plain, keras.random.normal((2,)))


def test_fit_gives_the_same_weights():
    def train(**scope):
        keras.utils.set_random_seed(7)
        with keras.RematScope(**scope):
            dense = keras.layers.Dense(4, activation="relu", activity_regularizer="l2")
            drop = keras.layers.Dropout(0.5, seed=2)
            model = keras.Sequential([dense, keras.layers.BatchNormalization(), drop, keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        losses = model.fit(X, X[:, :1], epochs=2, verbose=0).history["loss"]
        return losses, model.get_weights()

    losses, weights = train(mode=None)
    again, others = train()
    np.testing.assert_allclose(again, losses, rtol=1e-5)
    for one, other in zip(weights, others, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-6)


def test_masks_pass_through():
    with keras.RematScope():
        model = keras.Sequential([keras.layers.Embedding(5, 2, mask_zero=True), keras.layers.LSTM(3)])
        embedding = keras.Sequential([keras.layers.Embedding(5, 2, mask_zero=True)])
    assert model(np.array([[1, 2, 0]])).shape == (1, 3)
    outputs = embedding(np.array([[1, 2, 0]]))
    np.testing.assert_array_equal(get_mask(outputs), [[True, True, False]])


def test_remat_of_a_function_that_changes_a_variable():
    count = keras.Variable(0.0)

    @keras.remat
    def count_and_double(x, twice=True):
        count.assign_add(1.0)
        return 2 * x if twice else x

    np.testing.assert_array_equal(count_and_double(X), 2 * X)
    np.testing.assert_array_equal(count_and_double(X, twice=False), X)
    assert float(count) == 2.0

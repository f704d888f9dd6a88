"""Modules of other libraries among the attributes of a layer: their arrays are variables of the layer."""

import jax
import numpy as np
import pytest
from flax import nnx

import lamina as keras


class Own(keras.layers.Layer):
    def __init__(self, modules, run):
        super().__init__()
        self.held, self.run = modules, run

    def call(self, x):
        return self.run(self.held, x)


class Block(nnx.Module):
    def __init__(self):
        rngs = nnx.Rngs(0)
        self.linear, self.norm = nnx.Linear(3, 4, rngs=rngs), nnx.BatchNorm(4, rngs=rngs)
        self.dropout, self.shared = nnx.Dropout(0.5, rngs=rngs), self.linear

    def __call__(self, x):
        return self.dropout(nnx.relu(self.norm(self.linear(x))))


X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")


def fitted(layer):
    """The model after a step, and which of its weights the step changed."""
    model = keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    before = {w.path: w.numpy() for w in layer.weights}
    model.fit(X, X.sum(1, keepdims=True), verbose=0)
    return model, {
        path: not np.array_equal(before[path], w.numpy()) for path, w in zip(before, layer.weights, strict=True)
    }


def test_a_module_of_nnx_is_trained(tmp_path):
    layer = Own([Block(), nnx.Param(np.ones(4, "float32"))], lambda held, x: held[0](x) * held[1][...])
    model, changed = fitted(layer)
    assert {w.path for w in layer.trainable_variables} == {
        f"held/{one}" for one in ("0/linear/kernel", "0/linear/bias", "0/norm/scale", "0/norm/bias", "1")
    }
    assert {path for path, moved in changed.items() if not moved} <= {"held/0/linear/bias"}  # the norm subtracts it
    assert changed["held/0/norm/mean"] and changed["held/0/dropout/rngs/count"]
    block = layer.held[0]
    np.testing.assert_array_equal(block.linear.kernel[...], layer.held[0].shared.kernel[...])
    block.dropout.deterministic = block.norm.use_running_average = True
    expected = np.asarray(layer(X))
    model.save_weights(tmp_path / "m.weights.h5")
    for variable in layer.variables:
        variable.assign(variable * 0)
    assert not np.allclose(layer(X), expected)
    model.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_allclose(layer(X), expected, rtol=1e-6)


def test_writes_to_a_part_of_a_variable_of_nnx():
    layer = Own(nnx.Param(np.zeros(3, "float32")), lambda held, x: x)
    layer.held[1] = 2.0
    assert layer.weights[0].numpy().tolist() == [0, 2, 0]
    layer.held[...] = np.ones(3, "float32")
    layer.held.set_value(layer.held[...] * 3)
    assert layer.weights[0].numpy().tolist() == [3, 3, 3]


def test_a_module_of_equinox_is_trained():
    equinox = pytest.importorskip("equinox", reason="a package of the test extra")
    layer = Own([equinox.nn.MLP(3, 4, 5, 1, key=jax.random.key(0))], lambda held, x: jax.vmap(held[0])(x))
    _, changed = fitted(layer)
    assert len(changed) == len(layer.trainable_variables) == 4 and all(changed.values())
    assert isinstance(layer.held, tuple)
    np.testing.assert_array_equal(layer.held[0].layers[0].weight, layer.weights[0].value)
    assert not hasattr(layer, "other")

"""keras.mixed_precision: the names it has, and a model that trains under each policy."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest

import lamina
from lamina import mixed_precision


@pytest.fixture(autouse=True)
def float32_afterwards():
    yield
    mixed_precision.set_global_policy("float32")


def test_names_are_those_of_keras():
    public = {name for name in dir(keras.mixed_precision) if not name.startswith("_")}
    assert public <= set(mixed_precision.__all__)
    assert mixed_precision.Policy is lamina.DTypePolicy
    assert mixed_precision.LossScaleOptimizer is lamina.optimizers.LossScaleOptimizer


@pytest.mark.parametrize("name", ["mixed_bfloat16", "mixed_float16", "bfloat16"])
def test_a_model_trains_under_a_global_policy(name):
    """Types of weights, outputs and optimizer as in Keras; the loss falls."""
    mixed_precision.set_global_policy(name)
    assert mixed_precision.global_policy().name == name == mixed_precision.dtype_policy().name
    model = lamina.Sequential([lamina.Input((4,)), lamina.layers.Dense(8, activation="relu"), lamina.layers.Dense(1)])
    model.compile(lamina.optimizers.SGD(0.05), "mse")
    policy = keras.DTypePolicy(name)
    assert model.layers[0].compute_dtype == policy.compute_dtype == model.output.dtype
    assert {weight.dtype for weight in model.weights} == {policy.variable_dtype}
    assert isinstance(model.optimizer, mixed_precision.LossScaleOptimizer) == (name == "mixed_float16")
    x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    losses = model.fit(x, x.sum(1, keepdims=True), epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0] and np.all(np.isfinite(losses))

"""Activations against Keras: values, gradients, types, names and configs."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lamina
from lamina import activations
from lamina.core import registry

X = np.concatenate([np.linspace(-7.3, 7.4, 40), [-1e3, -30.0, -0.25, 0.1, 0.49, 0.51, 30.0, 1e3]]).astype("float32")
X = X.reshape(6, 8)
WEIGHTS = np.random.default_rng(0).normal(size=X.shape).astype("float32")
ELEMENTWISE = [
    ("celu", {}), ("celu", {"alpha": 0.3}), ("elu", {}), ("elu", {"alpha": 2.0}), ("gelu", {}),
    ("gelu", {"approximate": True}), ("glu", {}), ("glu", {"axis": 0}), ("hard_shrink", {}),
    ("hard_shrink", {"threshold": 2.0}), ("hard_sigmoid", {}), ("hard_silu", {}), ("hard_swish", {}), ("hard_tanh", {}),
    ("leaky_relu", {}), ("leaky_relu", {"negative_slope": 0.01}), ("linear", {}), ("log_sigmoid", {}),
    ("log_softmax", {}), ("log_softmax", {"axis": 0}), ("mish", {}), ("relu", {}), ("relu", {"max_value": 3.0}),
    ("relu", {"negative_slope": 0.2}), ("relu", {"threshold": 1.1}),
    ("relu", {"negative_slope": 0.2, "threshold": 1.1, "max_value": 4.0}), ("relu", {"threshold": -1.1}), ("relu6", {}),
    ("selu", {}), ("sigmoid", {}), ("silu", {}), ("soft_shrink", {}), ("soft_shrink", {"threshold": 2.0}),
    ("softmax", {}), ("softmax", {"axis": 0}), ("softplus", {}), ("softsign", {}), ("sparse_plus", {}),
    ("sparse_sigmoid", {}), ("squareplus", {}), ("squareplus", {"b": 1}), ("swish", {}),
    ("tanh", {}), ("tanh_shrink", {}), ("threshold", {"threshold": 0.5, "default_value": 2.0}),
]  # fmt: skip
INTEGERS_FAIL = ("log_softmax", "sigmoid", "silu", "swish")


@pytest.mark.parametrize(("name", "arguments"), ELEMENTWISE)
def test_values_and_gradients_are_those_of_keras(name, arguments):
    ours, theirs = getattr(activations, name), getattr(keras.activations, name)
    values, gradients = [], []
    for function in (ours, theirs):
        value, pull = jax.vjp(lambda x, f=function: f(x, **arguments), jnp.asarray(X))
        values.append(value)
        gradients.append(pull(jnp.asarray(WEIGHTS[: value.shape[0], : value.shape[1]]))[0])
    np.testing.assert_allclose(*values, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(*gradients, rtol=1e-4, atol=1e-4)


def test_exponential():
    np.testing.assert_allclose(activations.exponential(X / 100), np.exp(X / 100), rtol=1e-5)


def test_sparsemax_is_the_nearest_point_of_the_simplex():
    """Keras 3.15 is right only where one value stays above 0 (its issue 23425): the mathematics checks the rest."""
    clear = np.array([[5.0, 1.0, 2.0], [-4.0, 0.0, -1.5]], "float32")
    theirs = jax.jit(keras.activations.sparsemax)(clear)
    np.testing.assert_allclose(jax.jit(activations.sparsemax)(clear), theirs, atol=1e-6)
    x = jnp.array([1.0, 0.8, 0.6, -3.0])
    np.testing.assert_allclose(jax.jit(activations.sparsemax)(x), [1.6 / 3, 1 / 3, 0.4 / 3, 0], rtol=1e-5)
    upstream = jnp.array([1.0, 2.0, 6.0, 5.0])
    gradient = jax.jit(jax.grad(lambda x: jnp.sum(upstream * activations.sparsemax(x))))(x)
    np.testing.assert_allclose(gradient, [-2, -1, 3, 0], atol=1e-5)  # minus the mean of the three that are above 0


@pytest.mark.parametrize("name", sorted({name for name, _ in ELEMENTWISE} - {"glu", "threshold"}))
@pytest.mark.parametrize("dtype", ["bfloat16", "int32"])
def test_types_are_those_of_keras(name, dtype):
    if dtype == "int32" and name in INTEGERS_FAIL:
        pytest.skip(f"{name} of integers is an error or a warning of JAX in Keras too.")
    x = jnp.asarray([[-3, 1, 2]], dtype)
    expected = getattr(keras.activations, name)(x)
    result = getattr(activations, name)(x)
    assert result.dtype == expected.dtype
    np.testing.assert_allclose(np.asarray(result, "float32"), np.asarray(expected, "float32"), rtol=1e-2, atol=1e-2)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(-4, 3), st.integers(0, 2**31 - 1))
@settings(max_examples=5, deadline=None)
def test_softmax_family_sums_to_one_along_any_axis(shape, axis, seed):
    axis = axis % len(shape) - (len(shape) if axis < 0 else 0)
    x = np.random.default_rng(seed).normal(size=shape).astype("float32") * 3
    family = jax.jit(lambda x: [activations.softmax(x, axis), activations.sparsemax(x, axis)])
    for probabilities in family(x):
        assert probabilities.shape == tuple(shape)
        np.testing.assert_allclose(np.sum(probabilities, axis), 1, rtol=1e-5)
        assert np.min(probabilities) >= 0


def test_softmax_over_several_axes_is_that_of_keras():
    x = X.reshape(2, 3, 8)
    np.testing.assert_allclose(activations.softmax(x, (0, 2)), keras.ops.softmax(x, (0, 2)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(activations.softmax(x, (0, -1)), activations.softmax(x, (0, 2)))
    np.testing.assert_allclose(activations.log_softmax(x, (0, 2)), keras.ops.log_softmax(x, (0, 2)), rtol=1e-5)
    np.testing.assert_allclose(activations.softmax(x, None), keras.ops.softmax(x, None), rtol=1e-5, atol=1e-6)


def test_symbolic_tensors_give_symbolic_tensors():
    x = lamina.Input((3, 4))
    assert activations.relu(x, max_value=6.0).shape == (None, 3, 4)
    assert activations.gelu(x).shape == (None, 3, 4)
    assert activations.glu(x).shape == (None, 3, 2)
    assert activations.sparsemax(x, axis=1).shape == (None, 3, 4)


def test_get_finds_every_name_of_keras():
    for name in sorted({name for name, _ in ELEMENTWISE} | {"exponential", "sparsemax"}):
        assert activations.get(name) is getattr(activations, name)
    assert activations.get(None) is activations.linear
    assert activations.get(jnp.tanh) is jnp.tanh
    assert activations.get(jax.nn.relu) is jax.nn.relu
    mine = lambda x: x + 1
    assert activations.get(mine) is mine


@pytest.mark.parametrize("name", sorted(set(activations.__all__) - {"get", "serialize", "deserialize"}))
def test_serialized_name_is_that_of_keras(name):
    ours, theirs = (package.activations.serialize(getattr(package.activations, name)) for package in (lamina, keras))
    assert ours == theirs
    assert activations.deserialize(name) is getattr(activations, name)


def test_a_function_of_the_user_is_described_and_found_again():
    def doubled(x):
        return 2 * x

    described = activations.serialize(doubled)
    assert described["class_name"] == "function" and described["config"] == "doubled"
    assert activations.deserialize(described, {"doubled": doubled}) is doubled
    with registry.CustomObjectScope({"doubled": doubled}):
        assert activations.get("doubled") is doubled


def test_unknown_names_say_the_nearest():
    with pytest.raises(ValueError, match=r"Did you mean 'relu'\?"):
        activations.get("relo")
    with pytest.raises(ValueError, match="activation"):
        activations.get(3)

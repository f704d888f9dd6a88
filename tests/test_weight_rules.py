"""Regularizers and constraints: values, gradients, names and configs against Keras."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import lamina
from lamina import constraints, regularizers

W = np.random.default_rng(0).normal(size=(5, 4)).astype("float32") * 2
KERNEL = np.random.default_rng(1).normal(size=(3, 3, 2, 4)).astype("float32")
REGULARIZERS = [
    ("L1", {}), ("L1", {"l1": 0.3}), ("L2", {}), ("L2", {"l2": 0.3}), ("L1L2", {}), ("L1L2", {"l1": 0.1, "l2": 0.2}),
    ("L1L2", {"l2": 0.2}), ("OrthogonalRegularizer", {}), ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}),
]  # fmt: skip
CONSTRAINTS = [
    ("MaxNorm", {}), ("MaxNorm", {"max_value": 0.5, "axis": 1}), ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 1.0, "max_value": 3.0, "rate": 0.4, "axis": 1}), ("NonNeg", {}), ("UnitNorm", {}),
    ("UnitNorm", {"axis": -1}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), REGULARIZERS)
def test_penalties_and_gradients_are_those_of_keras(name, arguments):
    ours, theirs = (getattr(package.regularizers, name)(**arguments) for package in (lamina, keras))
    np.testing.assert_allclose(ours(W), theirs(jnp.asarray(W)), rtol=1e-5)
    np.testing.assert_allclose(ours(lamina.Variable(W)), theirs(jnp.asarray(W)), rtol=1e-5)
    np.testing.assert_allclose(jax.grad(ours)(jnp.asarray(W)), jax.grad(theirs)(jnp.asarray(W)), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(("name", "arguments"), CONSTRAINTS)
def test_constrained_weights_are_those_of_keras(name, arguments):
    ours, theirs = (getattr(package.constraints, name)(**arguments) for package in (lamina, keras))
    for w in (W, KERNEL, np.zeros((3, 2), "float32")):
        np.testing.assert_allclose(ours(w), theirs(jnp.asarray(w)), rtol=1e-5, atol=1e-6)
    half = ours(jnp.asarray(W, "bfloat16"))
    assert half.dtype == "bfloat16" and half.shape == W.shape


def test_norms_over_the_axes_of_a_filter():
    constrained = np.asarray(constraints.UnitNorm(axis=(0, 1, 2))(KERNEL))
    np.testing.assert_allclose(np.sqrt(np.sum(constrained**2, (0, 1, 2))), 1, rtol=1e-5)


def rows(cases, family):
    return [(family, *case) for case in cases]


@pytest.mark.parametrize(
    ("family", "name", "arguments"), rows(REGULARIZERS, "regularizers") + rows(CONSTRAINTS, "constraints")
)
def test_configs_are_those_of_keras_and_come_back(family, name, arguments):
    ours, theirs = (getattr(getattr(package, family), name)(**arguments) for package in (lamina, keras))
    serialize, deserialize = getattr(lamina, family).serialize, getattr(lamina, family).deserialize
    described, expected = serialize(ours), getattr(keras, family).serialize(theirs)
    for key, value in expected["config"].items():
        assert described["config"][key] == (pytest.approx(value) if isinstance(value, float) else value)
    assert {**described, "config": None} == {**expected, "config": None}
    assert described["config"].keys() == expected["config"].keys()
    assert deserialize(described).get_config() == deserialize(expected).get_config() | ours.get_config()
    assert type(getattr(keras, family).deserialize(described)) is type(theirs)


def test_get_finds_every_name_of_keras():
    from keras.src.constraints import ALL_OBJECTS_DICT as CONSTRAINT_NAMES
    from keras.src.regularizers import ALL_OBJECTS_DICT as REGULARIZER_NAMES

    for module, names in ((constraints, CONSTRAINT_NAMES), (regularizers, REGULARIZER_NAMES)):
        for name, theirs in names.items():
            assert type(module.get(name)).__name__ == theirs.__name__
        assert module.get(None) is None
    assert isinstance(regularizers.get("l1_l2"), regularizers.L1L2)
    assert isinstance(constraints.get(constraints.NonNeg), constraints.NonNeg)
    mine = lambda w: w
    assert constraints.get(mine) is mine and regularizers.get(mine) is mine


def test_the_base_classes_change_nothing():
    assert regularizers.Regularizer()(W) == 0.0
    assert constraints.Constraint()(W) is W


def test_a_regularizer_of_the_user():
    class Cubes(regularizers.Regularizer):
        def __init__(self, factor):
            self.factor = factor

        def __call__(self, x):
            return self.factor * jnp.sum(jnp.abs(x) ** 3)

    described = regularizers.serialize(Cubes(2.0))
    assert regularizers.deserialize(described, {"Cubes": Cubes}).factor == 2.0


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: regularizers.L1(-1.0), "l1 is a number of 0 or more"),
        (lambda: regularizers.L2("a"), "l2 is a number of 0 or more"),
        (lambda: regularizers.L1L2(l2=float("nan")), "l2 is a number of 0 or more"),
        (lambda: regularizers.OrthogonalRegularizer(None), "factor is a number"),
        (lambda: regularizers.OrthogonalRegularizer(mode="both"), "'rows' or 'columns'"),
        (lambda: regularizers.OrthogonalRegularizer()(KERNEL), "needs a matrix"),
        (lambda: regularizers.get("l3"), "regularizer identifier 'l3'"),
        (lambda: constraints.get("max_nrm"), "Did you mean 'max_norm'"),
    ],
)
def test_errors(make, match):
    with pytest.raises(ValueError, match=match):
        make()

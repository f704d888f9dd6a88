"""Dropout and its kin against Keras: the same draws for the same seed, states, gradients, shapes of noise."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.core.keras_tensor import get_mask
from lamina.errors import ConfigError, ShapeError
from lamina.layers.dense import Masking
from lamina.layers.regularization import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from tests.layers import layer_checks as check

EXAMPLES = {
    "Dropout": (lambda: dict(rate=0.5, seed=1), (4,)),
    "SpatialDropout1D": (lambda: dict(rate=0.5, seed=1), (3, 4)),
    "SpatialDropout2D": (lambda: dict(rate=0.5, seed=1), (3, 3, 4)),
    "SpatialDropout3D": (lambda: dict(rate=0.5, seed=1), (2, 3, 3, 4)),
    "GaussianNoise": (lambda: dict(stddev=0.5, seed=1), (4,)),
    "GaussianDropout": (lambda: dict(rate=0.5, seed=1), (4,)),
    "AlphaDropout": (lambda: dict(rate=0.5, seed=1), (4,)),
    "ActivityRegularization": (lambda: dict(l1=0.1), (4,)),
}

CASES = [
    (Dropout, dict(rate=0.4, seed=3), (4, 5)),
    (Dropout, dict(rate=0.4, seed=3, noise_shape=(None, 1, None)), (4, 3, 5)),
    (Dropout, dict(rate=0.5, seed=3, noise_shape=(1, 1, 5)), (4, 3, 5)),
    (Dropout, dict(rate=0.5, seed=3, noise_shape=[1, 5]), (4, 5)),
    (Dropout, dict(rate=0.0, seed=3), (4, 5)),
    (SpatialDropout1D, dict(rate=0.5, seed=3), (4, 3, 5)),
    (SpatialDropout2D, dict(rate=0.5, seed=3, data_format="channels_first"), (4, 3, 2, 2)),
    (SpatialDropout3D, dict(rate=0.5, seed=3), (4, 2, 2, 2, 3)),
    (GaussianNoise, dict(stddev=0.3, seed=3), (4, 5)),
    (GaussianDropout, dict(rate=0.3, seed=3), (4, 5)),
    (AlphaDropout, dict(rate=0.3, seed=3), (4, 5)),
    (AlphaDropout, dict(rate=0.3, seed=3, noise_shape=(4, 1, 5)), (4, 3, 5)),
]


@pytest.mark.parametrize(("layer", "kwargs", "shape"), CASES)
def test_like_keras(layer, kwargs, shape):
    check.assert_same(layer, kwargs, shape, training=True)


@pytest.mark.parametrize(("layer", "kwargs", "shape"), CASES)
def test_configs_like_keras(layer, kwargs, shape):
    if not issubclass(layer, (SpatialDropout1D, SpatialDropout2D, SpatialDropout3D)):
        check.assert_same_config(layer, kwargs)
        return
    mine, theirs = check.pair(layer, kwargs, name="layer", dtype="mixed_bfloat16")
    config = theirs.get_config()  # Keras writes the type of the variables and loses the policy; we write the policy
    assert {**mine.get_config(), "dtype": config["dtype"]} == config
    assert layer.from_config(config).get_config()["rate"] == kwargs["rate"]
    assert type(theirs).from_config(mine.get_config()).dtype_policy.name == "mixed_bfloat16"


@pytest.mark.parametrize(("layer", "kwargs"), [(Dropout, dict(rate=0.4)), (GaussianNoise, dict(stddev=0.4))])
def test_several_calls_draw_like_keras_and_move_the_state(layer, kwargs):
    mine, theirs = check.pair(layer, dict(**kwargs, seed=11))
    x = check.draw((3, 4))
    seen = []
    for _ in range(3):
        seen.append(np.asarray(mine(x, training=True)))
        np.testing.assert_allclose(seen[-1], theirs(x, training=True), 1e-6, 1e-6)
    assert not np.array_equal(seen[0], seen[1])
    np.testing.assert_array_equal(mine.seed_generator.state.value, theirs.seed_generator.state.value)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_under_other_policies(policy):
    for layer in (Dropout, GaussianDropout):
        check.assert_same(layer, dict(rate=0.4, seed=3), (4, 5), 1e-2, dtype=policy, training=True)


@pytest.mark.parametrize(("layer", "kwargs", "shape"), [case for case in CASES if case[2] == (4, 5)])
def test_nothing_happens_out_of_training(layer, kwargs, shape):
    x = check.draw(shape)
    for call in ({}, {"training": False}):
        np.testing.assert_array_equal(layer(**kwargs)(x, **call), x)


@pytest.mark.parametrize("layer", [Dropout, AlphaDropout, SpatialDropout1D])
def test_rate_one_gives_zeros_and_zero_gradients(layer):
    dropout = layer(1.0)
    outputs, gradient = jax.value_and_grad(lambda x: (dropout(x, training=True) ** 2).sum())(check.draw((2, 3, 4)))
    assert outputs == 0
    np.testing.assert_array_equal(gradient, np.zeros((2, 3, 4)))


@settings(max_examples=15, deadline=None)
@given(st.floats(0.1, 0.9), st.integers(0, 1000))
def test_what_stays_is_scaled_up(rate, seed):
    outputs = np.asarray(Dropout(rate, seed=seed)(np.ones((8, 8), "float32"), training=True))
    np.testing.assert_allclose(outputs[outputs != 0], 1 / (1 - rate), 1e-5)


def test_noise_shape_says_what_falls_together():
    x = np.ones((4, 6, 5), "float32")
    outputs = np.asarray(Dropout(0.5, noise_shape=(4, 1, 5), seed=0)(x, training=True))
    assert (outputs == outputs[:, :1]).all() and not (outputs == outputs[:1]).all()
    outputs = np.asarray(Dropout(0.5, noise_shape=(1, 1, 5), seed=0)(x, training=True))
    assert (outputs == outputs[:1, :1]).all() and len(np.unique(outputs)) == 2
    outputs = np.asarray(Dropout(0.5, noise_shape=(5,), seed=0)(x, training=True))
    assert (outputs == outputs[:1, :1]).all()


def test_alpha_dropout_keeps_mean_and_variance():
    x = np.random.default_rng(0).normal(size=(200, 200)).astype("float32")
    outputs = np.asarray(AlphaDropout(0.2, seed=0)(x, training=True))
    assert abs(outputs.mean()) < 0.02 and abs(outputs.std() - 1) < 0.02


def test_activity_regularization_like_keras():
    kwargs = dict(l1=0.2, l2=0.3)
    check.assert_same_config(ActivityRegularization, kwargs)
    mine, theirs = check.pair(ActivityRegularization, kwargs)
    x = check.draw((2, 3))
    np.testing.assert_array_equal(mine(x), x)
    theirs(x)
    np.testing.assert_allclose(mine.losses, theirs.losses, 1e-6)
    np.testing.assert_allclose(mine.losses[0], (0.2 * np.abs(x).sum() + 0.3 * (x**2).sum()) / 2, 1e-5)


def test_masks_pass():
    x = Masking()(np.array([[[1.0], [0.0]]], "float32"))
    for layer in (Dropout(0.5), GaussianNoise(0.5), SpatialDropout1D(0.5), ActivityRegularization(0.1)):
        np.testing.assert_array_equal(get_mask(layer(x)), [[True, False]])


def test_bad_arguments_and_shapes():
    for make in (Dropout, GaussianNoise, AlphaDropout, SpatialDropout2D):
        for amount in (-0.1, 1.5, None, "half"):
            with pytest.raises(ConfigError, match="from 0 to 1"):
                make(amount)
    with pytest.raises(ConfigError, match="1 not included"):
        GaussianDropout(1.0)
    for noise_shape in ("abc", 3, (0, 1), (1.5, None)):
        with pytest.raises(ConfigError, match="noise_shape"):
            Dropout(0.5, noise_shape=noise_shape)
    with pytest.raises(ShapeError, match="None stands for"):
        Dropout(0.5, noise_shape=(8, 1, 5))(np.ones((4, 3, 5), "float32"), training=True)
    with pytest.raises(ShapeError, match="noise_shape"):
        Dropout(0.5, noise_shape=(1, 1, 5))(np.ones((4, 5), "float32"), training=True)
    with pytest.raises(ShapeError, match="rank 4"):
        SpatialDropout2D(0.5)(np.ones((4, 5), "float32"))

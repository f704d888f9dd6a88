"""The normalization layers against Keras: training and inference, masks, states over several steps, types, errors."""

import json

import jax
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.errors import ConfigError, ShapeError
from lamina.layers.batch_normalization import BatchNormalization
from lamina.layers.dense import Dense, Masking
from lamina.layers.embedding import Embedding
from lamina.layers.normalization import GroupNormalization, LayerNormalization, RMSNormalization, UnitNormalization
from lamina.layers.spectral_normalization import SpectralNormalization
from tests.layers import layer_checks as check

EXAMPLES = {
    "BatchNormalization": (dict, (4,)),
    "LayerNormalization": (dict, (4,)),
    "GroupNormalization": (lambda: dict(groups=2), (3, 4)),
    "RMSNormalization": (dict, (4,)),
    "UnitNormalization": (dict, (4,)),
    "SpectralNormalization": (lambda: dict(layer=Dense(2)), (4,)),
}

BATCH_CASES = [
    (dict(), (4, 3)),
    (dict(axis=1, momentum=0.6, epsilon=1e-2), (2, 3, 4, 2)),
    (dict(center=False, gamma_initializer="ones", gamma_regularizer="l2"), (2, 4, 3)),
    (dict(scale=False, moving_variance_initializer="ones", beta_constraint="non_neg"), (4, 3)),
    (dict(renorm=True, momentum=0.5, renorm_momentum=0.7), (4, 3)),
    (dict(renorm=True, scale=False, renorm_clipping=dict(rmax=1.1, rmin=0.9, dmax=0.1)), (4, 3)),
]


@pytest.mark.parametrize(("kwargs", "shape"), BATCH_CASES)
def test_batch_normalization_like_keras(kwargs, shape):
    check.assert_same(BatchNormalization, kwargs, shape, training=True)
    check.assert_same_config(BatchNormalization, kwargs)


def test_batch_normalization_like_keras_out_of_training():
    check.assert_same(BatchNormalization, dict(axis=1, renorm=True), (2, 3, 4), training=False)


OTHER_CASES = [
    (LayerNormalization, dict(), (2, 3, 4)),
    (LayerNormalization, dict(axis=[-1, -3], beta_initializer="ones"), (2, 3, 2, 4)),
    (LayerNormalization, dict(axis=1, center=False), (2, 3, 4)),
    (LayerNormalization, dict(scale=False, epsilon=0.1), (2, 4)),
    (GroupNormalization, dict(groups=2), (2, 3, 4)),
    (GroupNormalization, dict(groups=-1, axis=1), (2, 4, 3, 3)),
    (GroupNormalization, dict(groups=1, axis=-2, scale=False), (2, 3, 4)),
    (RMSNormalization, dict(), (2, 3, 4)),
    (RMSNormalization, dict(axis=(-2, -1), epsilon=1e-2), (2, 3, 4)),
    (UnitNormalization, dict(), (2, 3, 4)),
    (UnitNormalization, dict(axis=[1, 2]), (2, 3, 4)),
]


@pytest.mark.parametrize(("layer", "kwargs", "shape"), OTHER_CASES)
def test_others_like_keras(layer, kwargs, shape):
    if kwargs.get("groups") != -1:  # Keras writes the size in place of -1 once it is built; both mean the same
        check.assert_same_config(layer, kwargs)
    check.assert_same(layer, kwargs, shape)


@pytest.mark.parametrize(
    ("layer", "kwargs", "policy"),
    [
        (BatchNormalization, {}, "mixed_bfloat16"),
        (BatchNormalization, {}, "mixed_float16"),
        (BatchNormalization, {}, "float16"),
        (LayerNormalization, {}, "mixed_bfloat16"),
        (LayerNormalization, {}, "float16"),
        (GroupNormalization, dict(groups=2), "mixed_float16"),
        (RMSNormalization, {}, "mixed_bfloat16"),
        (UnitNormalization, {}, "mixed_bfloat16"),
    ],
)
def test_under_other_policies(layer, kwargs, policy):
    call = dict(training=True) if layer is BatchNormalization else {}
    check.assert_same(layer, kwargs, (6, 4), 2e-2 if "bf" in policy else 2e-3, dtype=policy, **call)


def test_half_precision_does_not_overflow():
    x = np.array([[300.0, -300.0, 30000.0, 100.0]], "float16")
    for layer in (LayerNormalization, RMSNormalization, BatchNormalization, UnitNormalization):
        assert np.isfinite(np.asarray(layer(dtype="float16")(x), "float32")).all()


@pytest.mark.parametrize("renorm", [False, True])
def test_moving_statistics_after_several_steps_with_and_without_masks(renorm):
    mine, theirs = check.pair(BatchNormalization, dict(momentum=0.8, renorm=renorm))
    mask = np.array([[True, True, False], [True, False, False]])
    for seed in range(3):
        x = check.draw((2, 3, 4), seed)
        for given_mask in (None, mask):
            outputs = mine(x, training=True, mask=given_mask)
            expected = theirs(x, training=True, mask=given_mask)
            np.testing.assert_allclose(outputs, expected, 1e-5, 1e-5)
    for got, wanted in zip(mine.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(got.value, wanted.value, 1e-5, 1e-5)
    np.testing.assert_allclose(mine(x), theirs(x), 1e-5, 1e-5)


def test_a_mask_that_comes_with_the_inputs_counts_in_batch_normalization():
    x = check.draw((2, 3, 4))
    x[1, 2] = 0.0
    layer = BatchNormalization(momentum=0.0)
    layer(Masking()(x), training=True)
    np.testing.assert_allclose(layer.moving_mean.numpy(), x.reshape(6, 4)[:5].mean(0), 1e-5)


def test_frozen_batch_normalization_runs_in_inference_mode_and_keeps_its_state():
    layer = BatchNormalization()
    x = check.draw((4, 3)) + 5
    layer(x, training=True)
    before = layer.get_weights()
    layer.trainable = False
    np.testing.assert_array_equal(layer(x, training=True), layer(x, training=False))
    for kept, weight in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, weight)
    layer.trainable = True
    assert not np.allclose(layer(x, training=True), layer(x, training=False))


def test_batch_moments_by_hand():
    x = check.draw((5, 3))
    outputs = BatchNormalization(epsilon=1e-3)(x, training=True)
    np.testing.assert_allclose(outputs, (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3), 1e-5, 1e-5)


@settings(max_examples=5, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.data())
def test_layer_normalization_keeps_any_shape(sizes, data):
    axis = data.draw(st.integers(-len(sizes), -1))
    shape = (2, *sizes)
    outputs = LayerNormalization(axis=axis)(check.draw(shape))
    assert outputs.shape == shape
    np.testing.assert_allclose(np.mean(outputs, axis), 0.0, atol=1e-5)


@pytest.mark.parametrize("power_iterations", [1, 3])
@pytest.mark.parametrize("inner", ["Dense", "Embedding"])
def test_spectral_normalization_like_keras(inner, power_iterations):
    made = {"Dense": lambda m: m.Dense(3, name="in"), "Embedding": lambda m: m.Embedding(5, 3, name="in")}[inner]
    ours = type("Ours", (), {"Dense": Dense, "Embedding": Embedding})
    mine = SpectralNormalization(made(ours), power_iterations, name="layer")
    theirs = keras.layers.SpectralNormalization(made(keras.layers), power_iterations, name="layer")
    x = check.draw((2, 4)) if inner == "Dense" else np.array([[1, 4], [0, 2]], "int32")
    mine(x), theirs(x)
    assert check.described(mine) == check.described(theirs)
    check.share_weights(mine, theirs)
    for _ in range(3):
        np.testing.assert_allclose(mine(x, training=True), theirs(x, training=True), 1e-5, 1e-5)
    for got, wanted in zip(mine.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(got.value, wanted.value, 1e-5, 1e-5)
    assert mine.get_config() == theirs.get_config()
    stored = json.dumps(theirs.get_config(), sort_keys=True)
    assert json.dumps(SpectralNormalization.from_config(json.loads(stored)).get_config(), sort_keys=True) == stored


def test_spectral_normalization_brings_the_largest_singular_value_to_one():
    layer = SpectralNormalization(Dense(3, use_bias=False), power_iterations=50)
    layer(check.draw((1, 4)), training=True)
    np.testing.assert_allclose(np.linalg.svd(layer.kernel.numpy())[1].max(), 1.0, 1e-4)


def test_spectral_normalization_leaves_a_kernel_of_zeros():
    layer = SpectralNormalization(Dense(3, kernel_initializer="zeros"))
    outputs, gradient = jax.value_and_grad(lambda x: layer(x, training=True).sum())(np.ones((1, 4), "float32"))
    assert outputs == 0 and not np.isnan(gradient).any()


def test_bad_arguments_and_shapes():
    with pytest.raises(ConfigError, match="groups"):
        GroupNormalization(0)
    with pytest.raises(ConfigError, match="axis"):
        LayerNormalization(axis="last")
    with pytest.raises(ConfigError, match="renorm_clipping"):
        BatchNormalization(renorm=True, renorm_clipping={"rmin": 2.0, "rmax": 1.0})
    with pytest.raises(ConfigError, match="wraps a layer"):
        SpectralNormalization("dense")
    with pytest.raises(ConfigError, match="kernel"):
        SpectralNormalization(LayerNormalization())(check.draw((2, 3)))
    with pytest.raises(ShapeError, match=r"groups=2"):
        GroupNormalization(3)(check.draw((2, 4)))
    with pytest.raises(ShapeError, match="axis=3"):
        LayerNormalization(axis=3)(check.draw((2, 4)))
    with pytest.raises(ShapeError, match="known size"):
        BatchNormalization(axis=1).build((None, None, 3))
    layer = BatchNormalization()
    layer.build((None, 3))
    with pytest.raises(ShapeError, match="3 on axis -1"):
        layer(check.draw((2, 4)))
    with pytest.raises(ShapeError, match="one axis less"):
        BatchNormalization()(check.draw((2, 4)), training=True, mask=np.ones((2, 4), bool))


def test_scaling_by_the_deviation_alone_warns():
    with pytest.warns(UserWarning, match="RMSNormalization"):
        layer = LayerNormalization(rms_scaling=True)
    x = check.draw((2, 4))
    np.testing.assert_allclose(layer(x), x / np.sqrt(x.var(-1, keepdims=True) + 1e-3), 1e-5, 1e-5)
    assert len(layer.weights) == 1

"""Pooling against Keras: outputs, gradients, shapes, configs; masks, formats, and errors that name the fix."""

import warnings

import jax
import keras
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lamina import layers
from lamina.core.keras_tensor import get_mask, set_mask
from lamina.errors import ConfigError, ShapeError
from tests.layers import spatial_checks as check

SPACE = {1: (7, 3), 2: (6, 7, 2), 3: (4, 5, 3, 2)}
WINDOWED = ("MaxPooling", "AveragePooling")
GLOBAL = ("GlobalMaxPooling", "GlobalAveragePooling")
ADAPTIVE = ("AdaptiveMaxPooling", "AdaptiveAveragePooling")
EXAMPLES = {
    **{f"{name}{rank}D": (lambda: dict(pool_size=2), SPACE[rank]) for name in WINDOWED for rank in SPACE},
    **{f"{name}{rank}D": (dict, SPACE[rank]) for name in GLOBAL for rank in SPACE},
    **{f"{name}{rank}D": (lambda: dict(output_size=2), SPACE[rank]) for name in ADAPTIVE for rank in SPACE},
}

CASES = [
    *((name, dict(pool_size=3, strides=2, padding="same")) for name in ("MaxPooling1D", "AveragePooling1D")),
    *((name, dict(pool_size=(2, 3), strides=(1, 2))) for name in ("MaxPooling2D", "AveragePooling2D")),
    *((name, dict(pool_size=2, padding="same")) for name in ("MaxPooling3D", "AveragePooling3D")),
    *((f"{name}2D", dict(pool_size=2, padding="same", data_format="channels_first")) for name in WINDOWED),
    *((f"{name}{rank}D", dict(keepdims=rank > 1)) for name in GLOBAL for rank in SPACE),
    ("GlobalAveragePooling1D", dict(data_format="channels_first", keepdims=True)),
    ("AdaptiveAveragePooling1D", dict(output_size=3)),
    ("AdaptiveAveragePooling2D", dict(output_size=(4, 2))),
    ("AdaptiveMaxPooling1D", dict(output_size=9)),
    ("AdaptiveMaxPooling2D", dict(output_size=3, data_format="channels_first")),
    ("AdaptiveAveragePooling3D", dict(output_size=(2, 3, 1))),
    ("AdaptiveMaxPooling3D", dict(output_size=2)),
]


@pytest.mark.parametrize("name, kwargs", CASES, ids=lambda case: case if isinstance(case, str) else None)
def test_like_keras(name, kwargs):
    check.assert_same(getattr(layers, name), kwargs, SPACE[int(name[-2])])


@pytest.mark.parametrize("name", EXAMPLES)
def test_unknown_sizes_and_both_formats(name):
    layer, (kwargs, shape) = getattr(layers, name), EXAMPLES[name]
    check.assert_same_symbolic_shapes(layer, kwargs(), (*[None] * (len(shape) - 1), shape[-1]))
    check.assert_both_formats_agree(layer, kwargs(), shape)


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(1, 12),
    window=st.integers(1, 5),
    stride=st.none() | st.integers(1, 4),
    padding=st.sampled_from(["valid", "same"]),
)
def test_shapes(size, window, stride, padding):
    assume(padding == "same" or window <= size)
    mine, theirs = check.pair(layers.MaxPooling1D, dict(pool_size=window, strides=stride, padding=padding))
    assert mine.compute_output_shape((None, size, 3)) == theirs.compute_output_shape((None, size, 3))


@pytest.mark.parametrize("size, windows", [(1, 3), (7, 3), (9, 3), (5, 8)])
def test_adaptive_windows(size, windows):
    steps = np.arange(size, dtype="float32")
    outputs = layers.AdaptiveAveragePooling1D(windows)(steps[None, :, None])[0, :, 0]
    expected = [steps[i * size // windows : -(-(i + 1) * size // windows)].mean() for i in range(windows)]
    np.testing.assert_allclose(outputs, expected, 1e-6)


def test_by_hand():
    steps = np.array([1, 3, 2, 8, 5], "float32")[None, :, None]
    assert layers.MaxPooling1D(2)(steps)[0, :, 0].tolist() == [3, 8]
    assert layers.AveragePooling1D(2, padding="same")(steps)[0, :, 0].tolist() == [2, 5, 5]
    assert layers.GlobalAveragePooling1D()(steps)[0].tolist() == [np.float32(3.8)]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_masked_mean(keepdims, data_format):
    mine, theirs = check.pair(layers.GlobalAveragePooling1D, dict(keepdims=keepdims, data_format=data_format))
    inputs = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    mask = np.array([[True, True, False, False], [False, True, True, True]])
    given_inputs = inputs if data_format == "channels_last" else np.moveaxis(inputs, -1, 1)
    outputs = mine(given_inputs, mask=mask)
    np.testing.assert_allclose(outputs, theirs(given_inputs, mask=mask), 1e-5, 1e-6)
    np.testing.assert_allclose(np.ravel(outputs[0]), inputs[0, :2].mean(0), 1e-5, 1e-6)


def test_mask_ends_at_the_mean():
    inputs = jax.numpy.ones((1, 3, 2)) * jax.numpy.arange(3.0)[None, :, None]
    set_mask(inputs, jax.numpy.array([[True, True, False]]))
    outputs = layers.GlobalAveragePooling1D()(inputs)
    assert outputs.tolist() == [[0.5, 0.5]] and get_mask(outputs) is None


def test_nothing_left_by_the_mask_is_zero():
    layer, mask = layers.GlobalAveragePooling1D(), np.zeros((1, 3), bool)
    outputs, gradient = jax.value_and_grad(lambda x: layer(x, mask=mask).sum())(np.ones((1, 3, 2), "float32"))
    assert outputs == 0 and not np.any(gradient)


def test_a_dropped_mask_is_told():
    inputs = jax.numpy.ones((1, 4, 2))
    set_mask(inputs, jax.numpy.ones((1, 4), bool))
    with pytest.warns(UserWarning, match="does not support masking"):
        layers.MaxPooling1D(2)(inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layers.MaxPooling1D(2)(np.ones((1, 4, 2), "float32"))


def test_integers_keep_their_type():
    images = np.arange(16).reshape(1, 4, 4, 1)
    outputs = layers.MaxPooling2D(2)(images)
    assert outputs.dtype == "int32" and outputs[0, :, :, 0].tolist() == [[5, 7], [13, 15]]


def test_aliases_are_the_same_classes():
    names = [name for name in layers.__all__ if "Pool" in name]
    assert len(names) == 30
    for name in names:
        assert getattr(layers, name).__name__ == getattr(keras.layers, name).__name__


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: layers.MaxPooling2D(0), "pool_size: a whole number of 1 or more"),
        (lambda: layers.MaxPooling2D((2, 2, 2)), r"pool_size=\(2, 2\)"),
        (lambda: layers.AveragePooling1D(2, strides=1.5), "strides: a whole number"),
        (lambda: layers.MaxPooling1D(2, padding="causal"), "'valid' or 'same'; got 'causal'"),
        (lambda: layers.AdaptiveMaxPooling2D(0), "output_size: a whole number"),
        (lambda: layers.GlobalMaxPooling1D("nwc"), "channels_last"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_bad_inputs():
    with pytest.raises(ShapeError, match=r"(?s)The window covers \(7, 7\).*In max_pooling2d.*padding='same'"):
        layers.MaxPooling2D(7)(np.ones((1, 5, 5, 3), "float32"))
    with pytest.raises(ShapeError, match=r"GlobalAveragePooling2D needs inputs of rank 4; got shape \(5, 5, 3\)"):
        layers.GlobalAveragePooling2D()(np.ones((5, 5, 3), "float32"))

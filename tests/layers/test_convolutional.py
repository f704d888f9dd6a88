"""Convolutions against Keras: weights, outputs, gradients, shapes, configs, and errors that name the fix."""

import jax
import keras
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lamina import layers
from lamina.errors import ConfigError, ShapeError
from lamina.layers import (
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)  # fmt: skip
from lamina.layers.input_layer import Input
from lamina.legacy import OldClass
from tests.layers import spatial_checks as check

EXAMPLES = {
    "Conv1D": (lambda: dict(filters=2, kernel_size=3), (5, 3)),
    "Conv2D": (lambda: dict(filters=2, kernel_size=3), (5, 5, 3)),
    "Conv3D": (lambda: dict(filters=2, kernel_size=2), (3, 3, 3, 2)),
    "Conv1DTranspose": (lambda: dict(filters=2, kernel_size=3, strides=2), (5, 3)),
    "Conv2DTranspose": (lambda: dict(filters=2, kernel_size=3, strides=2), (4, 4, 3)),
    "Conv3DTranspose": (lambda: dict(filters=2, kernel_size=2, strides=2), (2, 3, 2, 2)),
    "DepthwiseConv1D": (lambda: dict(kernel_size=3, depth_multiplier=2), (5, 3)),
    "DepthwiseConv2D": (lambda: dict(kernel_size=3, depth_multiplier=2), (5, 5, 3)),
    "SeparableConv1D": (lambda: dict(filters=2, kernel_size=3, depth_multiplier=2), (5, 3)),
    "SeparableConv2D": (lambda: dict(filters=2, kernel_size=3, depth_multiplier=2), (5, 5, 3)),
}

CASES = [
    (Conv1D, dict(filters=4, kernel_size=3, activation="relu", kernel_regularizer="l2"), (6, 3)),
    (Conv1D, dict(filters=4, kernel_size=3, padding="causal", dilation_rate=2), (6, 3)),
    (Conv1D, dict(filters=4, kernel_size=2, padding="causal", data_format="channels_first"), (4, 6)),
    (Conv1D, dict(filters=4, kernel_size=5, padding="same", strides=2, groups=2, use_bias=False), (20, 2)),
    (Conv2D, dict(filters=2, kernel_size=(3, 2), strides=(1, 2), bias_constraint="non_neg"), (6, 7, 3)),
    (Conv2D, dict(filters=6, kernel_size=3, padding="SAME", dilation_rate=(2, 1), groups=2), (6, 7, 4)),
    (Conv2D, dict(filters=3, kernel_size=3, padding="same", strides=2, data_format="channels_first"), (2, 6, 7)),
    (Conv3D, dict(filters=2, kernel_size=(1, 2, 3), padding="same", strides=(1, 2, 1)), (3, 4, 3, 2)),
    (Conv3D, dict(filters=2, kernel_size=2, data_format="channels_first", groups=2), (2, 3, 4, 3)),
    (Conv1DTranspose, dict(filters=2, kernel_size=3, strides=2, activation="tanh"), (5, 3)),
    (Conv1DTranspose, dict(filters=2, kernel_size=3, dilation_rate=2, padding="same"), (5, 3)),
    (Conv1DTranspose, dict(filters=2, kernel_size=2, strides=3, padding="same", data_format="channels_first"), (3, 5)),
    (Conv2DTranspose, dict(filters=2, kernel_size=3, strides=2, padding="same", output_padding=1), (3, 4, 3)),
    (Conv2DTranspose, dict(filters=2, kernel_size=(2, 4), strides=(3, 2), output_padding=(2, 0)), (3, 4, 3)),
    (Conv2DTranspose, dict(filters=2, kernel_size=3, strides=2, data_format="channels_first"), (3, 4, 3)),
    (Conv3DTranspose, dict(filters=2, kernel_size=2, strides=(1, 2, 2), padding="same"), (2, 3, 2, 2)),
    (DepthwiseConv1D, dict(kernel_size=3, strides=2, padding="same", depth_multiplier=2), (7, 3)),
    (DepthwiseConv2D, dict(kernel_size=3, depth_multiplier=2, dilation_rate=2, depthwise_regularizer="l2"), (6, 7, 3)),
    (DepthwiseConv2D, dict(kernel_size=(3, 2), padding="same", strides=2, data_format="channels_first"), (3, 6, 6)),
    (SeparableConv1D, dict(filters=2, kernel_size=3, depth_multiplier=2, padding="same"), (7, 3)),
    (SeparableConv2D, dict(filters=4, kernel_size=3, strides=2, pointwise_constraint="unit_norm"), (6, 7, 3)),
    (SeparableConv2D, dict(filters=4, kernel_size=2, use_bias=False, data_format="channels_first"), (3, 5, 5)),
]


@pytest.mark.parametrize("layer, kwargs, shape", CASES, ids=lambda case: getattr(case, "__name__", None))
def test_like_keras(layer, kwargs, shape):
    check.assert_same(layer, kwargs, shape)


@pytest.mark.parametrize("name", EXAMPLES)
def test_unknown_sizes_and_both_formats(name):
    layer, (kwargs, shape) = getattr(layers, name), EXAMPLES[name]
    check.assert_same_symbolic_shapes(layer, kwargs(), (*[None] * (len(shape) - 1), shape[-1]))
    check.assert_same_symbolic_shapes(layer, dict(kwargs(), padding="same"), (None, *shape[1:]))
    check.assert_both_formats_agree(layer, kwargs(), shape)


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(3, 12),
    window=st.integers(1, 4),
    stride=st.integers(1, 3),
    dilation_rate=st.integers(1, 3),
    padding=st.sampled_from(["valid", "same", "causal"]),
)
def test_shapes_of_conv(size, window, stride, dilation_rate, padding):
    assume(stride == 1 or dilation_rate == 1)
    assume(padding != "valid" or (window - 1) * dilation_rate < size)
    kwargs = dict(filters=2, kernel_size=window, strides=stride, padding=padding, dilation_rate=dilation_rate)
    mine, theirs = check.pair(Conv1D, kwargs)
    shape = mine.compute_output_shape((None, size, 1))
    assert shape == theirs.compute_output_shape((None, size, 1))
    spread = (window - 1) * dilation_rate if padding == "valid" else 0
    assert shape[1] == (size - spread - 1) // stride + 1


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(1, 6),
    window=st.integers(1, 5),
    stride=st.integers(1, 4),
    extra=st.none() | st.integers(0, 3),
    dilation_rate=st.integers(1, 2),
    padding=st.sampled_from(["valid", "same"]),
)
def test_shapes_of_transposed_conv(size, window, stride, extra, dilation_rate, padding):
    assume((stride == 1 or dilation_rate == 1) and (extra is None or extra < stride))
    sizes = dict(kernel_size=window, strides=stride, output_padding=extra, dilation_rate=dilation_rate)
    mine, theirs = check.pair(Conv1DTranspose, dict(sizes, filters=2, padding=padding))
    expected = theirs.compute_output_shape((None, size, 1))
    assume(expected[1] > 0)
    assert mine.compute_output_shape((None, size, 1)) == tuple(expected)


@pytest.mark.parametrize(
    "window, stride, extra, padding",
    [(1, 3, None, "valid"), (2, 4, None, "same"), (5, 2, 1, "same"), (5, 2, 0, "same"), (4, 3, 2, "same")],
)
def test_transposed_conv_is_the_transpose(window, stride, extra, padding):
    """Where the sizes fit, <conv(x), y> = <x, conv_transpose(y)>; elsewhere the numbers are Keras's."""
    kwargs = dict(filters=2, kernel_size=window, strides=stride, padding=padding, output_padding=extra, use_bias=False)
    mine, theirs = check.pair(Conv1DTranspose, kwargs)
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(1, 4, 3)).astype("float32")
    check.draw_nothing(theirs)
    theirs.build(inputs.shape)
    mine.build(inputs.shape)
    theirs.set_weights(mine.get_weights())
    outputs = np.asarray(mine(inputs))
    np.testing.assert_allclose(outputs, theirs(inputs), 1e-5, 1e-6)
    forward = Conv1D(3, window, strides=stride, padding=padding, use_bias=False)
    forward.build(outputs.shape)
    forward.set_weights([mine.kernel.numpy()])
    large = draw.normal(size=outputs.shape).astype("float32")
    small = np.asarray(forward(large))
    if small.shape == inputs.shape and (padding == "valid" or extra is None):
        np.testing.assert_allclose(np.vdot(small, inputs), np.vdot(large, outputs), 1e-4)


def test_numpys_whole_numbers_are_taken():
    layer = Conv2D(np.int64(2), np.int32(3), strides=(np.int64(1), 2))
    assert layer.get_config() == Conv2D(2, 3, strides=(1, 2), name=layer.name).get_config()
    assert type(layer.get_config()["filters"]) is type(layer.get_config()["strides"][0]) is int


def test_convolution_by_hand():
    layer = Conv1D(1, 2, use_bias=False)
    layer.build((1, 4, 1))
    layer.set_weights([np.array([[[1.0]], [[10.0]]], "float32")])
    np.testing.assert_array_equal(layer(np.arange(4, dtype="float32").reshape(1, 4, 1))[0, :, 0], [10, 21, 32])


def test_causal_sees_no_later_step():
    layer = Conv1D(2, 3, padding="causal", dilation_rate=2)
    inputs = np.ones((1, 8, 3), "float32")
    layer(inputs)
    later = jax.grad(lambda x: layer(x)[0, 3].sum())(inputs)[0]
    assert np.all(later[4:] == 0) and np.any(later[3] != 0)


def test_subclass_replaces_the_convolution():
    class Standardized(Conv2D):
        def convolution_op(self, inputs, kernel):
            return super().convolution_op(inputs, kernel - kernel.mean((0, 1), keepdims=True))

    layer = Standardized(2, 3, use_bias=False)
    np.testing.assert_allclose(layer(np.ones((1, 5, 5, 1), "float32")), 0, atol=1e-5)


def test_activity_regularizer_and_mixed_precision():
    mine, theirs = check.pair(Conv2D, dict(filters=2, kernel_size=2, activity_regularizer="l2", dtype="mixed_bfloat16"))
    inputs = np.ones((2, 3, 3, 1), "float32")
    theirs.build(inputs.shape)
    mine.build(inputs.shape)
    theirs.set_weights(mine.get_weights())
    outputs, expected = mine(inputs), theirs(inputs)
    assert outputs.dtype == "bfloat16" and mine.kernel.dtype == "float32"
    np.testing.assert_array_equal(np.asarray(outputs, "float32"), np.asarray(expected, "float32"))
    np.testing.assert_allclose(float(mine.losses[0]), float(theirs.losses[0]), 1e-5)


def test_aliases_are_the_same_classes():
    names = [
        name for name in layers.__all__ if name.startswith(("Conv", "Depthwise", "Separable")) and "LSTM" not in name
    ]
    for name in names:
        cls = getattr(layers, name)
        made = cls.__base__ if isinstance(cls, OldClass) else cls  # by its name in Keras 1 it makes today's
        assert made.__name__ == getattr(keras.layers, name).__name__


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Conv2D(3, 3, groups=2), "filters=4"),
        (lambda: Conv2D(3, 3, strides=2, dilation_rate=2), "dilation_rate=1"),
        (lambda: Conv1DTranspose(3, 3, strides=2, dilation_rate=2), "dilation_rate=1"),
        (lambda: Conv2D(3, (1, 2, 3)), r"kernel_size=\(1, 2\)"),
        (lambda: Conv2D(3, 0), "kernel_size: a whole number of 1 or more"),
        (lambda: Conv2D(0, 3), "`filters` must be a positive integer"),
        (lambda: Conv2D(3, 3, padding="causal"), "Causal padding is for Conv1D"),
        (lambda: Conv2D(3, 3, padding="full"), "'valid' or 'same'; got 'full'"),
        (lambda: Conv2D(3, 3, data_format="nhwc"), "channels_last"),
        (lambda: Conv2DTranspose(3, 3, strides=2, output_padding=2), "output_padding below strides"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


@pytest.mark.parametrize(
    "layer, shape, message",
    [
        (Conv2D(2, 7), (1, 5, 5, 3), r"(?s)covers \(7, 7\).*In conv2d.*padding='same'"),
        (Conv1D(2, 3, dilation_rate=3), (1, 5, 3), r"covers \(7,\)"),
        (SeparableConv2D(2, 7), (1, 5, 5, 3), r"covers \(7, 7\)"),
        (Conv2D(3, 3, groups=3), (1, 5, 5, 4), "groups=1"),
        (Conv2D(3, 3), (5, 5, 3), r"(?s)needs inputs of rank 4; got shape \(5, 5, 3\).*x\[None\]"),
        (DepthwiseConv1D(3), (5, 5, 3, 1), "needs inputs of rank 3"),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "call") else None,
)
def test_bad_inputs(layer, shape, message):
    with pytest.raises(ShapeError, match=message):
        layer(np.zeros(shape, "float32"))
    assert not layer.weights or layer.built


def test_other_channels_than_built_for():
    layer = Conv2D(2, 1)
    layer.build((None, 5, 5, 3))
    with pytest.raises(ShapeError, match="needs inputs with 3 on axis -1"):
        layer(np.zeros((1, 5, 5, 4), "float32"))
    with pytest.raises(ShapeError, match="known number of channels"):
        Conv2D(2, 1)(Input((5, 5, None)))

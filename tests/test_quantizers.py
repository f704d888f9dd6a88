"""Quantizers: the numbers and configs of Keras."""

import json

import jax
import jax.numpy as jnp
import keras as oracle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lamina as keras
from lamina import quantizers

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
CONSTANT = np.full((3, 2), 3.0, "float32")


def same(function, *args, rtol=1e-6, **kwargs):
    ours = jax.tree_util.tree_leaves(getattr(quantizers, function)(*args, **kwargs))
    theirs = jax.tree_util.tree_leaves(getattr(oracle.quantizers, function)(*args, **kwargs))
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert np.asarray(one).dtype == np.asarray(other).dtype or function == "compute_float8_scale"
        exact = np.asarray(one).dtype.kind in "iu"
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=0 if exact else rtol, atol=0)
    return ours


@pytest.mark.parametrize("to_numpy", [False, True])
@pytest.mark.parametrize("axis", [0, -1, (0, 1), None])
def test_abs_max_quantize(axis, to_numpy):
    quantized, scale = same("abs_max_quantize", X, axis=axis, to_numpy=to_numpy)
    np.testing.assert_allclose(quantized / scale, X, atol=0.51 / np.asarray(scale).min())


def test_abs_max_quantize_with_settings():
    same("abs_max_quantize", X, axis=0, value_range=(-8, 7), epsilon=0.5)
    same("abs_max_quantize", X.astype("float16"), axis=-1)
    same("abs_max_quantize", np.zeros((2, 2), "float32"), axis=0)


@pytest.mark.parametrize("to_numpy", [False, True])
@pytest.mark.parametrize("inputs", [X, CONSTANT], ids=["random", "constant"])
@pytest.mark.parametrize("block_size", [2, 9])
def test_abs_max_quantize_grouped(inputs, block_size, to_numpy):
    name = "abs_max_quantize_grouped_with_zero_point"
    if not to_numpy:
        same(name, inputs, block_size, epsilon=0.01)
    elif inputs is X or block_size == 9:
        same(name, inputs, block_size, epsilon=0.01, to_numpy=True)
    else:  # Keras leaves a flat block as it is with NumPy alone; here both ways give the same
        on_device = getattr(quantizers, name)(inputs, block_size, epsilon=0.01)
        for one, other in zip(
            getattr(quantizers, name)(inputs, block_size, epsilon=0.01, to_numpy=True), on_device, strict=True
        ):
            np.testing.assert_allclose(one, other, rtol=1e-6)


def test_symbolic_tensors_are_quantized():
    x = keras.Input((3,))
    quantized, scale = quantizers.abs_max_quantize(x, axis=-1)
    assert (quantized.shape, quantized.dtype, scale.shape) == ((None, 3), "int8", (None, 1))
    assert quantizers.fake_quant_with_min_max_vars(x, -1.0, 1.0).shape == (None, 3)


@settings(max_examples=4, deadline=None)
@given(st.sampled_from([(3, 2), (2, 3), (1, 1), (2, 3, 2)]), st.integers(-2, 1), st.sampled_from(["int8", "uint8"]))
def test_int4_is_packed_as_by_keras_and_comes_back(shape, axis, dtype):
    low = -8 if dtype == "int8" else 0
    array = np.random.default_rng(1).integers(low, low + 16, shape).astype(dtype)
    packed, packed_shape, size = quantizers.pack_int4(array, axis, dtype)
    expected, expected_shape, expected_size = oracle.quantizers.pack_int4(array, axis, dtype)
    np.testing.assert_array_equal(packed, expected)
    assert (packed.dtype, tuple(packed_shape), size) == (dtype, tuple(expected_shape), expected_size)
    np.testing.assert_array_equal(quantizers.unpack_int4(packed, size, axis, dtype), array)


def test_packing_refuses_other_types():
    for function in (quantizers.pack_int4, lambda *a, **k: quantizers.unpack_int4(a[0], 2, **k)):
        with pytest.raises(ValueError, match="'int8' or 'uint8'"):
            function(np.zeros((2, 2), "int8"), dtype="int4")
        with pytest.raises(ValueError, match="int32"):
            function(np.zeros((2, 2), "int32"))


@pytest.mark.parametrize("amax", [3.0, 0.0, -1.0, np.inf, np.nan])
@pytest.mark.parametrize("margin", [0, 2])
def test_float8_scale(amax, margin):
    same("compute_float8_scale", np.float32(amax), np.float32(7.0), 448.0, margin)


@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float8_e5m2"])
def test_float8(dtype):
    same("quantize_and_dequantize", X * 1000, np.float32(0.5), dtype, "float32")
    same("compute_float8_amax_history", X, np.arange(4, dtype="float32"))


@pytest.mark.parametrize("kwargs", [{}, {"num_bits": 4}, {"narrow_range": True}, {"num_bits": 2}], ids=str)
def test_fake_quant(kwargs):
    same("fake_quant_with_min_max_vars", X * 3, -2.0, 3.5, rtol=1e-5, **kwargs)
    low, high = -np.arange(1.0, 5.0, dtype="float32") / 4, np.full(4, 0.7, "float32")
    same("fake_quant_with_min_max_vars", X, low, high, axis=1, rtol=1e-5, **kwargs)


@pytest.mark.parametrize("axis", [None, 1])
def test_gradients_of_fake_quant(axis):
    low, high = np.float32([-0.5] * 4), np.float32([0.4, 0.5, 0.6, 0.7])
    low, high = (low, high) if axis is not None else (low[0], high[0])

    def gradients(function):
        return jax.grad(lambda *args: (function(*args, axis=axis) * X).sum(), argnums=(0, 1, 2))(X, low, high)

    ours, theirs = (gradients(q.fake_quant_with_min_max_vars) for q in (quantizers, oracle.quantizers))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_fake_quant_takes_floats():
    with pytest.raises(ValueError, match="floats"):
        quantizers.fake_quant_with_min_max_vars(np.arange(3), 0.0, 1.0)


CONFIGS = [
    lambda q: q.AbsMaxQuantizer(),
    lambda q: q.AbsMaxQuantizer(axis=0, value_range=(-8, 7), epsilon=1e-3, output_dtype="uint8"),
    lambda q: q.AbsMaxQuantizer(axis=(0, 1)),
    lambda q: q.QuantizationConfig(),
    lambda q: q.Int8QuantizationConfig(),
    lambda q: q.Int8QuantizationConfig(q.AbsMaxQuantizer(axis=0), None),
    lambda q: q.Int4QuantizationConfig(),
    lambda q: q.Int4QuantizationConfig(
        q.AbsMaxQuantizer(axis=0, value_range=(-8, 7)), q.AbsMaxQuantizer(axis=-1), None
    ),
    lambda q: q.Float8QuantizationConfig(),
    lambda q: q.GPTQConfig(
        ["a"], len, weight_bits=3, symmetric=True, quantization_layer_structure={"pre_block_layers": []}
    ),
    lambda q: q.AWQConfig(["a"], len, group_size=-1),
]


@pytest.mark.parametrize("make", CONFIGS)
def test_configs(make):
    ours, theirs = make(quantizers), make(oracle.quantizers)
    assert json.dumps(ours.get_config(), sort_keys=True) == json.dumps(theirs.get_config(), sort_keys=True)
    description = oracle.quantizers.serialize(theirs)
    assert json.dumps(quantizers.serialize(ours), sort_keys=True) == json.dumps(description, sort_keys=True)
    again = quantizers.deserialize(description)
    assert type(again) is type(ours)
    assert again.get_config() == ours.get_config()
    if hasattr(theirs, "dtype_policy_string"):
        assert ours.dtype_policy_string() == theirs.dtype_policy_string()
    if type(ours) is not quantizers.QuantizationConfig and hasattr(theirs, "mode"):
        assert ours.mode == theirs.mode


WRONG = [
    lambda q: q.Int4QuantizationConfig(q.AbsMaxQuantizer(axis=0)),
    lambda q: q.Int4QuantizationConfig(q.AbsMaxQuantizer(axis=0), block_size=-1),
    lambda q: q.Int8QuantizationConfig(q.AbsMaxQuantizer(axis=0, output_dtype="uint8")),
    *(lambda q, size=size: q.Int4QuantizationConfig(block_size=size) for size in (0, -2)),
    *(
        lambda q, kwargs=kwargs: q.GPTQConfig(["a"], None, **kwargs)
        for kwargs in (
            {"weight_bits": 5},
            {"num_samples": 0},
            {"hessian_damping": 1.5},
            {"group_size": 0},
            {"group_size": -2},
        )
    ),
    *(
        lambda q, kwargs=kwargs: q.AWQConfig(["a"], None, **kwargs)
        for kwargs in ({"weight_bits": 8}, {"num_grid_points": 0}, {"sequence_length": -1}, {"group_size": 0})
    ),
    lambda q: q.get("unknown"),
    lambda q: q.get(3),
]


@pytest.mark.parametrize("make", WRONG)
def test_what_keras_refuses_is_refused(make):
    for q in (oracle.quantizers, quantizers):
        with pytest.raises(ValueError):
            make(q)


def test_get_and_defaults():
    quantizer = quantizers.get("abs_max_quantizer", axis=0)
    assert (quantizer.axis, quantizers.get(None), quantizers.get(quantizer)) == ((0,), None, quantizer)
    assert quantizers.get(quantizers.serialize(quantizer)).axis == (0,)
    assert isinstance(quantizers.get(quantizers.AbsMaxQuantizer), quantizers.AbsMaxQuantizer)
    assert keras.Quantizer is quantizers.Quantizer
    assert quantizers.Quantizer()(1.0) == 1.0
    np.testing.assert_array_equal(quantizer(X)[0], quantizers.abs_max_quantize(X, 0)[0])
    np.testing.assert_array_equal(quantizer(X, axis=1, to_numpy=True)[0], quantizers.abs_max_quantize(X, 1)[0])
    base, none = quantizers.QuantizationConfig, quantizers.Int8QuantizationConfig(activation_quantizer=None)
    assert (
        base.weight_quantizer_or_default(None, quantizer)
        is base.weight_quantizer_or_default(none, quantizer)
        is quantizer
    )
    assert base.activation_quantizer_or_default(None, quantizer) is quantizer
    assert base.activation_quantizer_or_default(none, quantizer) is None


def test_fake_quant_has_the_digits_in_halves_and_takes_bounds_of_one():
    x, low, high = jnp.array([[-1.0, 0.0], [127.5, 999.0]], "bfloat16"), jnp.zeros(1), jnp.full(1, 127.5)
    quantize = quantizers.fake_quant_with_min_max_vars
    np.testing.assert_array_equal(quantize(x, low, high).astype("float32"), [[0, 0], [127.5, 127.5]])
    total = jax.grad(lambda x, low, high: quantize(x, low, high).sum(), argnums=(0, 1, 2))
    back = total(x.astype("float32"), low, high)
    np.testing.assert_array_equal(back[0], [[0, 1], [1, 0]])
    np.testing.assert_array_equal([back[1], back[2]], [[1], [1]])

"""Dense, Activation, Identity and Masking against Keras."""

import json

import jax
import keras
import numpy as np
import pytest

from lamina.core.keras_tensor import KerasTensor, get_mask
from lamina.errors import ConfigError, ShapeError
from lamina.layers.dense import Activation, Dense, Identity, Masking
from lamina.layers.embedding import Embedding
from lamina.layers.input_layer import Input
from lamina.layers.recurrent import GRU
from tests.layers import layer_checks as check

EXAMPLES = {
    "Dense": (lambda: dict(units=3), (4,)),
    "Activation": (lambda: dict(activation="relu"), (4,)),
    "Identity": (dict, (4,)),
    "Masking": (dict, (3, 2)),
}

CASES = [
    (Dense, dict(units=3, activation="tanh"), (2, 4)),
    (Dense, dict(units=3, use_bias=False, kernel_regularizer="l2"), (2, 5, 4)),
    (Activation, dict(activation="softmax"), (2, 4)),
    (Activation, dict(activation="hard_silu"), (2, 3, 4)),
    (Identity, {}, (2, 4)),
    (Masking, dict(mask_value=0.5), (2, 3, 4)),
]


@pytest.mark.parametrize(("layer", "kwargs", "shape"), CASES)
def test_like_keras(layer, kwargs, shape):
    check.assert_same(layer, kwargs, shape)
    check.assert_same_config(layer, kwargs)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float16"])
def test_dense_under_other_policies(policy):
    mine, theirs = check.assert_same(Dense, dict(units=3), (2, 4), 1e-2 if "bf" in policy else 1e-3, dtype=policy)
    assert mine.compute_dtype == theirs.compute_dtype and mine.variable_dtype == theirs.variable_dtype


@pytest.mark.parametrize("function", [jax.nn.gelu, jax.numpy.tanh, lambda x: x**2])
def test_any_function_is_an_activation(function):
    x = check.draw((2, 3))
    np.testing.assert_allclose(Activation(function)(x), function(x), 1e-6)


def test_activation_keeps_the_config_of_a_function_by_name():
    assert Activation("swish").get_config()["activation"] == "silu"
    assert Activation(None).get_config()["activation"] == keras.layers.Activation(None).get_config()["activation"]


def test_unknown_activation_names_the_nearest():
    with pytest.raises(ConfigError, match="relu"):
        Activation("rleu")


def test_masking_masks_and_zeroes_the_steps_that_hold_the_value():
    x = np.array([[[1.0, 2.0], [9.0, 9.0], [9.0, 1.0]]], "float32")
    outputs, expected = Masking(9.0)(x), keras.layers.Masking(9.0)(x)
    np.testing.assert_array_equal(outputs, expected)
    np.testing.assert_array_equal(get_mask(outputs), expected._keras_mask)
    np.testing.assert_array_equal(get_mask(outputs), [[True, False, True]])


def test_a_mask_passes_through_symbolic_and_real_calls():
    x = np.array([[[1.0], [0.0]]], "float32")
    masked = Masking()(x)
    np.testing.assert_array_equal(get_mask(Identity()(masked)), [[True, False]])
    np.testing.assert_array_equal(get_mask(Activation("relu")(Dense(2)(masked))), [[True, False]])
    assert get_mask(Activation("relu")(Masking()(Input((3, 1))))).shape == (None, 3)


def test_identity_takes_any_structure():
    x = {"a": np.ones((2, 3), "float32"), "b": [np.zeros((2, 1), "int32")]}
    outputs = Identity()(x)
    assert outputs["a"].shape == (2, 3) and outputs["b"][0].dtype == "int32"
    assert Identity()(Input((3,), dtype="int32")).dtype == "int32"


@pytest.mark.parametrize("units", [0, -1, 2.5, None])
def test_dense_refuses_units(units):
    with pytest.raises(ConfigError, match="(must be a positive integer|is a whole number); got"):
        Dense(units)


@pytest.mark.parametrize("whole", [np.int64, np.uint8])
def test_sizes_may_be_numbers_of_numpy(whole):
    for layer in (Dense(whole(3)), Embedding(whole(5), whole(3)), GRU(whole(3))):
        sizes = json.loads(json.dumps(layer.get_config()))  # NumPy's numbers are none of JSON's
        assert 3 in (sizes.get("units"), sizes.get("output_dim"))


def test_dense_without_an_activation_set_later():
    layer = Dense(3)
    layer.activation = None
    inputs = np.ones((2, 4), "float32")
    outputs = layer(inputs)
    assert np.allclose(outputs, inputs @ layer.kernel.numpy(), atol=1e-6)
    assert layer(Input((4,))).shape == (None, 3)


@pytest.mark.parametrize("layer", [Activation("relu"), Identity(), Masking()])
def test_layers_with_nothing_to_make_are_built(layer):
    assert layer.built and layer.count_params() == 0 and not Dense(3).built


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "pass a `shape` argument"),
        (dict(shape=(3,), batch_shape=(2, 3)), "cannot pass both `shape` and `batch_shape`"),
        (dict(batch_size=2, batch_shape=(2, 3)), "cannot pass both `batch_size` and `batch_shape`"),
        (dict(tensor=np.zeros((2, 3))), "`input_tensor` must be a KerasTensor; got ndarray"),
        (dict(shape=(4,), tensor=KerasTensor((2, 3))), r"incompatible `shape`.*got \(4,\) for a tensor with shape .3"),
        (dict(batch_size=5, tensor=KerasTensor((2, 3))), "incompatible `batch_size`"),
        (dict(dtype="float16", tensor=KerasTensor((2, 3))), "incompatible `dtype`"),
        (dict(sparse=True, tensor=KerasTensor((2, 3))), "incompatible `sparse`"),
    ],
)
def test_input_refuses(arguments, message):
    with pytest.raises(ConfigError, match=message):
        Input(**arguments)


def test_input_of_a_tensor_takes_what_is_true_of_it():
    assert Input(shape=[3], batch_size=2, dtype="float32", tensor=KerasTensor((2, 3))).shape == (2, 3)


def test_dense_names_the_shape_it_cannot_take():
    with pytest.raises(ShapeError, match=r"rank 2 or more; got shape \(4,\), which is incompatible with the layer"):
        Dense(3)(np.ones(4, "float32"))
    layer = Dense(3)
    layer(np.ones((1, 4), "float32"))
    with pytest.raises(ShapeError, match="4 on axis -1"):
        layer(np.ones((1, 5), "float32"))

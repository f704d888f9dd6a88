"""Lambda against Keras: arguments, masks, shapes, configs with names and with bytecode."""

import keras
import numpy as np
import pytest

from lamina.core import registry
from lamina.core.keras_tensor import get_mask
from lamina.errors import ConfigError, UnsafeFileError
from lamina.layers.dense import Masking
from lamina.layers.input_layer import Input
from lamina.layers.lambda_layer import Lambda
from tests.layers import layer_checks as check

EXAMPLES = {"Lambda": (lambda: dict(function=double), (4,))}


@registry.register_keras_serializable("test_lambda")
def double(x):
    return x * 2


def test_outputs_and_arguments_like_keras():
    x = check.draw((2, 3))
    kwargs = dict(function=lambda x, power, shift=1.0: x**power + shift, arguments={"power": 2})
    mine, theirs = check.pair(Lambda, kwargs)
    np.testing.assert_allclose(mine(x), theirs(x), 1e-6)
    assert mine(Input((3,))).shape == (None, 3)
    assert mine.compute_output_shape((None, 3)) == (None, 3)


def test_functions_of_training_and_mask_get_them():
    def function(x, training=None, mask=None):
        return x * (2 if training else 1) * mask[..., None]

    layer = Lambda(function, mask=lambda x, mask: mask)
    x = np.array([[[1.0], [0.0]]], "float32")
    outputs = layer(Masking()(x), training=True)
    np.testing.assert_array_equal(outputs, 2 * x)
    np.testing.assert_array_equal(get_mask(outputs), [[True, False]])


def test_output_shape_is_believed():
    def on_numbers(x):
        raise AssertionError("not traced")

    assert Lambda(on_numbers, output_shape=(7, 2))(Input((3,))).shape == (None, 7, 2)
    assert Lambda(on_numbers, output_shape=lambda shape: (shape[0], 4))(Input((3,))).shape == (None, 4)
    assert Lambda(on_numbers, output_shape=(5,)).compute_output_shape([(2, 3), (2, 4)]) == (2, 5)


@pytest.mark.parametrize("extra", [{}, dict(output_shape=(3,)), dict(arguments={"a": [1, 2.0]})])
def test_bytecode_like_keras(extra):
    kwargs = dict(function=lambda x: x + 1, **extra)
    check_config = check.pair(Lambda, kwargs, name="layer")
    assert check_config[0].get_config() == check_config[1].get_config()


def test_bytecode_is_read_on_trust_only():
    bound = 3.0
    config = keras.layers.Lambda(lambda x: x + bound, name="layer").get_config()
    with pytest.raises(UnsafeFileError, match="safe_mode=False"):
        Lambda.from_config(config)
    layer = Lambda.from_config(config, safe_mode=False)
    np.testing.assert_array_equal(layer(np.ones((1, 2), "float32")), [[4.0, 4.0]])
    theirs = keras.layers.Lambda.from_config(layer.get_config(), safe_mode=False)
    np.testing.assert_array_equal(theirs(np.ones((1, 2), "float32")), [[4.0, 4.0]])


def test_a_registered_function_is_read_always():
    config = Lambda(double, name="layer").get_config()
    assert config["function"]["config"] == "test_lambda>double"  # where Keras looks for it
    assert Lambda.from_config(config).function is double


def test_custom_objects():
    def triple(x):
        return x * 3

    config = Lambda(triple).get_config()
    assert Lambda.from_config(config, custom_objects={"triple": triple}).function is triple
    with pytest.raises(ConfigError, match="triple"):
        Lambda.from_config(config)

"""Embedding against Keras: numbers of any type, masks, given weights, gradients, configs."""

import jax
import keras
import numpy as np
import pytest

from lamina.core.keras_tensor import get_mask
from lamina.errors import ConfigError
from lamina.layers.embedding import Embedding
from lamina.layers.input_layer import Input
from lamina.legacy import OldSpelling
from lamina.models.sequential import Sequential
from tests.layers import layer_checks as check

EXAMPLES = {"Embedding": (lambda: dict(input_dim=5, output_dim=3), (4,))}

NUMBERS = np.array([[0, 2, 4], [1, 1, 3]])


@pytest.mark.parametrize(
    "kwargs",
    [
        dict(input_dim=5, output_dim=3),
        dict(input_dim=5, output_dim=3, mask_zero=True, embeddings_initializer="normal", embeddings_regularizer="l2"),
        dict(input_dim=5, output_dim=3, embeddings_constraint="unit_norm", dtype="mixed_bfloat16"),
    ],
)
def test_like_keras(kwargs):
    check.assert_same_config(Embedding, kwargs)
    mine, theirs = check.pair(Embedding, kwargs, name="layer")
    mine.build((2, 3)), theirs.build((2, 3))
    assert check.described(mine) == check.described(theirs)
    check.share_weights(mine, theirs)
    check.assert_same_shape(mine, theirs, (2, 3))
    for numbers in (NUMBERS, NUMBERS.astype("uint8"), NUMBERS + 0.7, NUMBERS + 3, NUMBERS - 2):
        outputs, expected = mine(numbers), theirs(numbers)
        check.assert_close(outputs, expected, 0)
        np.testing.assert_array_equal(get_mask(outputs), getattr(expected, "_keras_mask", None))


def test_gradients_are_counts():
    layer = Embedding(5, 3)
    layer.build()
    gradient = jax.grad(lambda table: layer.stateless_call([table], [], NUMBERS)[0].sum())(layer.embeddings.value)
    np.testing.assert_array_equal(gradient[:, 0], [1, 2, 1, 1, 1])


def test_weights_that_are_given():
    table = check.draw((5, 3))
    for weights in (table, [table]):
        layer = Embedding(5, 3, weights=weights)
        np.testing.assert_array_equal(layer.get_weights()[0], table)
        assert "weights" not in layer.get_config()
    np.testing.assert_array_equal(layer(NUMBERS), table[NUMBERS])


def test_a_number_out_of_range_gives_nan():
    assert np.isnan(Embedding(5, 3)(np.array([[7]]))).all()


def test_large_numbers_survive_a_half_precision_policy():
    layer = Embedding(5000, 2, dtype="float16")
    np.testing.assert_array_equal(layer(np.array([[4099.0]])), layer(np.array([[4099]])))


def test_symbolic_calls_know_shape_and_mask():
    outputs = Embedding(5, 3, mask_zero=True)(Input((None,), dtype="int32"))
    assert outputs.shape == (None, None, 3) and get_mask(outputs).shape == (None, None)
    assert outputs.shape == tuple(keras.layers.Embedding(5, 3)(keras.Input((None,), dtype="int32")).shape)


def test_the_length_that_keras_2_took():
    with pytest.warns(OldSpelling, match="input_length"):
        model = Sequential([Embedding(5, 3, input_length=7)])
    assert model.output_shape == (None, 7, 3) and model.inputs[0].dtype == "int32"


@pytest.mark.parametrize("sizes", [(0, 3), (5, -1), (5.0, 3), (True, 3)])
def test_refuses_sizes(sizes):
    with pytest.raises(ConfigError, match="(must be a positive integer|is a whole number); got"):
        Embedding(*sizes)

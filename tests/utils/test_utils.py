"""The small utilities, against the Keras wheel."""

import random

import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina import utils
from lamina.core.variable import Variable
from lamina.errors import ConfigError, DataError


@pytest.mark.parametrize(
    "labels", [[0, 2, 1], np.array([[1], [0]]), np.array([[0, 1], [3, 2]]), [1.0, 2.0], 2, [[[1]]]]
)
@pytest.mark.parametrize("num_classes", [None, 5])
def test_to_categorical(labels, num_classes):
    found, wanted = utils.to_categorical(labels, num_classes), keras.utils.to_categorical(labels, num_classes)
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


def test_to_categorical_of_jax_arrays():
    labels = jnp.array([[1], [0], [3]])
    np.testing.assert_array_equal(utils.to_categorical(labels, 4), keras.utils.to_categorical(labels, 4))
    assert utils.to_categorical(labels).shape == (3, 4)
    assert utils.to_categorical(Variable(np.array([0, 1]), dtype="int32")).shape == (2, 2)


@pytest.mark.parametrize("labels", [[0, 3], [-4]])
def test_to_categorical_names_labels_out_of_range(labels):
    with pytest.raises(DataError, match="labels must be from 0 to 2"):
        utils.to_categorical(labels, 3)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("order", [1, 2, np.inf])
def test_normalize(axis, order):
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    x[1] = 0
    found, wanted = utils.normalize(x, axis, order), keras.utils.normalize(x, axis or -2, order)  # Keras takes 0 for -1
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    np.testing.assert_allclose(utils.normalize(jnp.asarray(x), axis, order), wanted, rtol=1e-6)


rows = st.lists(st.lists(st.integers(-9, 9), max_size=6), min_size=1, max_size=5)
sides = st.sampled_from(["pre", "post"])


@settings(max_examples=100, deadline=None)
@given(rows, st.none() | st.integers(1, 7), sides, sides, st.integers(-2, 2), st.sampled_from(["int32", "float32"]))
def test_pad_sequences(sequences, maxlen, padding, truncating, value, dtype):
    arguments = {"maxlen": maxlen, "padding": padding, "truncating": truncating, "value": value, "dtype": dtype}
    found, wanted = (module.pad_sequences(sequences, **arguments) for module in (utils, keras.utils))
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


def test_pad_sequences_of_vectors_and_words():
    vectors = [np.ones((2, 3)), np.ones((1, 3)), []]
    np.testing.assert_array_equal(utils.pad_sequences(vectors), keras.utils.pad_sequences(vectors))
    words = [["a"], ["b", "c"]]
    found = utils.pad_sequences(words, dtype=object, value="", padding="post")
    assert found.tolist() == [["a", ""], ["b", "c"]]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (([1, 2],), "one of them is 1"),
        (([[1]], None, "int32", "left"), "`padding` must be"),
        (([[1]], None, "int32", "pre", "left"), "`truncating` must be"),
        (([[1]], None, "int32", "pre", "pre", "x"), "does not fit dtype"),
        (([np.ones((2, 3)), np.ones((2, 2))],), "sequence 1"),
    ],
)
def test_pad_sequences_refuses(arguments, message):
    with pytest.raises((ConfigError, DataError), match=message):
        utils.pad_sequences(*arguments)


def test_one_seed_for_all():
    def draw():
        utils.set_random_seed(7)
        return random.random(), np.random.rand(), np.random.permutation(9).tolist()

    first = draw()
    assert draw() == first
    keras.utils.set_random_seed(7)
    assert (random.random(), np.random.rand(), np.random.permutation(9).tolist()) == first
    with pytest.raises(ConfigError, match="whole number"):
        utils.set_random_seed("7")


def test_sequence_is_the_old_name_of_py_dataset():
    assert utils.Sequence is utils.PyDataset

"""Mistakes that were written down before any error was read: the fixes work, and what is legal is warned of."""

import numpy as np
import pytest

import lamina as keras
from lamina import errors
from tests.mistakes import unseen
from tests.mistakes.mistake import fixes_work

test_fixes_work = fixes_work(unseen.CORE + unseen.LAYERS + unseen.OPTIMIZERS + unseen.DATA + unseen.DISTRIBUTION)


def test_validation_data_of_different_lengths_are_named_as_such():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(errors.DataError, match=r"got x: 4, y: 8\. This is in the validation data"):
        model.fit(np.ones((8, 3)), np.ones(8), validation_data=(np.ones((4, 3)), np.ones(8)), verbose=0)


def test_one_array_for_two_inputs_is_not_judged_by_its_labels(recwarn):
    a, b = keras.Input((4,)), keras.Input((4,))
    model = keras.Model([a, b], keras.layers.Dense(1)(keras.layers.Add()([a, b])))
    model.compile("sgd", "mse")
    with pytest.raises(errors.ShapeError, match="has 2 inputs"):
        model.fit(np.ones((8, 4)), np.ones((8, 3)), verbose=0)
    assert not [str(one.message) for one in recwarn if "LAM108" in str(one.message)]


def test_sizes_that_are_given_one_by_one_to_a_draw_are_warned_of(recwarn):
    keras.random.normal(3, mean=4)
    keras.random.normal((3, 4))
    keras.random.uniform(3, 0, 4)
    assert not recwarn.list
    with pytest.warns(UserWarning, match=r"keras.random.normal\(\(3, 4\)\)"):
        keras.random.normal(3, 4)
    with pytest.warns(UserWarning, match=r"keras.random.uniform\(\(2, 3\)\)"):
        keras.random.uniform(2, 3)


def test_negative_class_numbers_are_warned_of(recwarn):
    keras.utils.to_categorical([0, 2])
    assert not recwarn.list
    with pytest.warns(UserWarning, match=r"x\[1\] is -1, which counts as 1"):
        keras.utils.to_categorical([0, -1, 1])


def test_channels_of_the_inputs_in_place_of_the_filters_are_found():
    def findings(*arguments):
        convolution = keras.layers.Conv2D(*arguments, activation="relu")
        layers = [keras.Input((64, 64, 3)), convolution, keras.layers.Flatten(), keras.layers.Dense(1)]
        return [one for one in keras.Sequential(layers).check() if "as many as its inputs have channels" in one.message]

    (found,) = findings(3, 16, 3)
    assert found.code == "LAM227" and found.fix.startswith("Use Conv2D(16, 3)")
    assert not findings(16, 3) and not findings(3, 3, 2) and not findings(8, 16, 16) and not findings(3, 8, 8)

"""Mistakes that were written down before any error was read: the fixes work, and what is legal is warned of."""

import numpy as np
import pytest

import lamina as keras
from lamina import errors
from tests.mistakes import unseen
from tests.mistakes.mistake import fixes_work

test_fixes_work = fixes_work(
    unseen.CORE + unseen.OWN + unseen.CALLBACKS + unseen.LAYERS + unseen.OPTIMIZERS + unseen.DATA + unseen.DISTRIBUTION
)


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


def test_devices_that_are_not_there_are_named_where_they_are_used():
    with (
        keras.distribution.DataParallel(devices=["tpu:0", "tpu:1"]).scope(),
        pytest.raises(errors.ConfigError, match="There is no device 'tpu'"),
    ):
        keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


def test_a_repair_of_gaps_knows_columns_with_pandas_na():
    import pandas as pd

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = pd.DataFrame({"a": pd.array([1, None, 3], dtype="Int64"), "b": [1.0, 2.0, 3.0]}), np.ones(3)
    with pytest.warns(UserWarning, match=r"keep = x.notna\(\).all\(axis=1\); x, y = x\[keep\], y\[keep\]"):
        model.fit(x, y, verbose=0)
    keep = x.notna().all(axis=1)
    assert len(model.fit(x[keep], y[keep], verbose=0).history["loss"]) == 1


def test_labels_that_skip_numbers_are_numbered_anew():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="softmax", name="head")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = np.random.default_rng(0).normal(size=(6, 2)), np.array([10, 20, 30, 10, 20, 30])
    (found,) = [one for one in model.check(x, y) if one.code == "LAM106"]
    assert found.fix == "Number the classes from 0: np.unique(y, return_inverse=True)[1]; or give head 31 units."
    assert not [one for one in model.check(x, np.unique(y, return_inverse=True)[1]) if one.code == "LAM106"]


def test_a_negative_sample_weight_in_the_place_of_0_is_found():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y, weights = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40.0), np.resize([1.0, 1.0, -1.0, 1.0], 40)
    (found,) = [one for one in model.check(x, y, sample_weight=weights, epochs=1) if one.code == "LAM309"]
    assert found.message == "sample_weight[2] is -1 (9 more): rows of negative weight are unlearned."
    advantages = np.random.default_rng(1).normal(size=40)  # of a policy: some are below 0
    for sound in (np.maximum(weights, 0), advantages):
        assert not [one for one in model.check(x, y, sample_weight=sound, epochs=1) if "unlearned" in one.message]


def test_channels_of_the_inputs_in_place_of_the_filters_are_found():
    def findings(*arguments):
        convolution = keras.layers.Conv2D(*arguments, activation="relu")
        layers = [keras.Input((64, 64, 3)), convolution, keras.layers.Flatten(), keras.layers.Dense(1)]
        return [one for one in keras.Sequential(layers).check() if "as many as its inputs have channels" in one.message]

    (found,) = findings(3, 16, 3)
    assert found.code == "LAM227" and found.fix.startswith("Use Conv2D(16, 3)")
    assert not findings(16, 3) and not findings(3, 3, 2) and not findings(8, 16, 16) and not findings(3, 8, 8)

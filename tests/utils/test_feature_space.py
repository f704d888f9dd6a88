"""FeatureSpace: each kind of column, crosses, adapting, files, in models and in data pipelines.

Keras's own needs TensorFlow; the expected order and numbers are those of Keras 3.15 on TensorFlow.
"""

import json

import numpy as np
import pandas as pd
import pytest

import lamina
from lamina import layers
from lamina.core.serialization import deserialize, serialize
from lamina.errors import CallError, ConfigError, DataError
from lamina.utils import FeatureSpace
from lamina.utils.features import Cross, Feature

COLUMNS = {
    "f1": [0.0, 0.1, 0.2, 0.3], "f2": [0.0, 1.0, 2.0, 3.0], "f3": [0.0, 1.0, 2.0, 3.0], "f4": [1.0, 2.0, 3.0, 4.0],
    "i1": [0, 1, 2, 2], "i2": [5, 6, 7, 8], "s1": ["a", "b", "a", "c"], "s2": ["x", "y", "z", "x"],
}  # fmt: skip


def space(**kwargs):
    return FeatureSpace(
        {
            "f1": "float",
            "f2": "float_normalized",
            "f3": FeatureSpace.float_discretized(num_bins=3),
            "i1": "integer_categorical",
            "i2": FeatureSpace.integer_hashed(num_bins=4),
            "s1": FeatureSpace.string_categorical(num_oov_indices=2),
            "s2": "string_hashed",
            "f4": FeatureSpace.float_rescaled(0.5, 1.0),
        },
        crosses=[("s1", "i2"), FeatureSpace.cross(("f3", "i1"), crossing_dim=7)],
        crossing_dim=16,
        **kwargs,
    )


@pytest.fixture
def adapted():
    made = space()
    made.adapt(COLUMNS)
    return made


def hot(place, size):
    return np.eye(size)[place]


SECOND = np.concatenate(
    [
        [0.1, -0.4472136], hot(1, 3), [2.0], hot(2, 4), hot(3, 4), hot(4, 5), hot(17, 32),  # columns in order of names
        hot(0, 7), hot(2, 16),  # crosses too
    ]
)  # fmt: skip


def test_all_kinds_like_keras(adapted):
    outputs = adapted(COLUMNS)
    assert outputs.shape == (4, 74)
    np.testing.assert_allclose(outputs[1], SECOND, 1e-5)
    single = adapted({name: column[1] for name, column in COLUMNS.items()})
    np.testing.assert_allclose(single, SECOND, 1e-5)


def batches():
    for start in (0, 2):
        yield {name: np.array(column[start : start + 2]) for name, column in COLUMNS.items()}, np.zeros(2)


def rows():
    for index in range(4):
        yield {name: np.array(column[index]) for name, column in COLUMNS.items()}


@pytest.mark.parametrize("data", [batches, rows, lambda: pd.DataFrame(COLUMNS), lambda: [COLUMNS]])
def test_adapt_takes_every_kind_of_data(adapted, data):
    other = space()
    other.adapt(data())
    np.testing.assert_allclose(other(COLUMNS), adapted(COLUMNS), 1e-5)


def test_dicts_and_numbers_of_categories():
    made = FeatureSpace(
        {"job": FeatureSpace.string_categorical(output_mode="int"), "age": "float"},
        crosses=[FeatureSpace.cross(("job", "job"), 5, output_mode="int")],
        output_mode="dict",
    )
    made.adapt({"job": ["a", "b", "a"], "age": [1.0, 2.0, 3.0]})
    outputs = made({"job": ["b", "q"], "age": [1.0, 2.0]})
    assert list(outputs) == ["age", "job", "job_X_job"] and outputs["job"].tolist() == [[2], [0]]
    assert made({"job": "b", "age": 1.0})["job"].tolist() == [2]


def test_layers_of_the_users_own():
    text = layers.TextVectorization(vocabulary=["this", "is"], output_sequence_length=3)
    scaled = layers.Normalization(mean=1.0, variance=4.0)
    made = FeatureSpace(
        {
            "text": FeatureSpace.feature("string", text, "int"),
            "size": FeatureSpace.feature("float32", scaled, "float"),
            "bins": FeatureSpace.float_discretized(2, bin_boundaries=[0.0, 1.0]),
        },
        output_mode="dict",
    )
    outputs = made({"text": ["this is it", "is"], "size": [1.0, 5.0], "bins": [0.5, 3.0]})  # there is nothing to adapt
    assert outputs["text"].tolist() == [[2, 3, 1], [3, 0, 0]] and outputs["size"].tolist() == [[0], [2]]
    assert outputs["bins"].tolist() == [[0, 1, 0], [0, 0, 1]]


def test_in_a_model_and_before_one(adapted, tmp_path):
    arrays = {name: np.array(column) for name, column in COLUMNS.items()}
    model = lamina.Model(adapted.get_inputs(), layers.Dense(1)(adapted.get_encoded_features()))
    model.compile("adam", "mse")
    model.fit(arrays, np.arange(4.0), verbose=0)
    expected = model.predict(arrays, verbose=0)
    model.save(tmp_path / "model.keras")
    again = lamina.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(arrays, verbose=0), expected, 1e-5)
    encoded = adapted.get_encoded_features()
    before = lamina.Model(encoded, model.layers[-1](encoded))
    np.testing.assert_allclose(before.predict(map(adapted, [arrays]), verbose=0), expected, 1e-5)


def test_files(adapted, tmp_path):
    expected = adapted(COLUMNS)
    adapted.save(tmp_path / "space.keras")
    again = lamina.models.load_model(tmp_path / "space.keras")
    again.save(tmp_path / "again.keras")
    for made in (again, lamina.models.load_model(tmp_path / "again.keras")):
        np.testing.assert_allclose(made(COLUMNS), expected, 1e-6)
        assert list(made.get_inputs()) == list(adapted.get_inputs())


def test_configs_of_features_and_crosses(adapted):
    for thing in (Cross(("a", "b"), 3, "int"), FeatureSpace.float_rescaled(2.0, name="x")):
        described = json.loads(json.dumps(serialize(thing)))
        assert described["module"] == "keras.src.layers.preprocessing.feature_space"
        assert serialize(deserialize(described)) == serialize(thing)
    assert Cross(("a", "b"), 3).name == "a_X_b"
    assert FeatureSpace.float(name="x").preprocessor.name == "x_preprocessor"
    config = json.loads(json.dumps(serialize(adapted)))["config"]
    again = FeatureSpace.from_config(config)
    assert [cross.name for cross in again.crosses] == ["s1_X_i2", "f3_X_i1"]
    assert again.features["i2"].preprocessor.num_bins == 4


def test_errors(adapted):
    kinds = {"f1": "integer_categorical", "f2": "integer_categorical"}
    for make, told in (
        (lambda: FeatureSpace({}), "cannot be None or empty"),
        (lambda: FeatureSpace({"a": "zzz"}), "Invalid feature type: 'zzz'"),
        (lambda: FeatureSpace(kinds, crosses=[("f1", "f2")], crossing_dim=None), "`crossing_dim`"),
        (lambda: FeatureSpace(kinds, crosses=[("f1", "other")]), "should be present in"),
        (lambda: FeatureSpace(kinds, output_mode="other"), "`output_mode`"),
        (lambda: Feature("float32", layers.Rescaling(1.0), "other"), "`output_mode`"),
        (lambda: Cross(("a",), 2, "other"), "`output_mode`"),
    ):
        with pytest.raises(ConfigError, match=told):
            make()
    for use in (lambda: FeatureSpace(kinds)({"f1": [0], "f2": [0]}), FeatureSpace(kinds).get_encoded_features):
        with pytest.raises(CallError, match="You need to call `.adapt"):
            use()
    numbers = FeatureSpace({"a": FeatureSpace.integer_hashed(3, output_mode="int"), "b": "float"})
    with pytest.raises(ConfigError, match="Cannot concatenate features because feature 'a'"):
        numbers({"a": [1], "b": [1.0]})
    hot = FeatureSpace({"a": FeatureSpace.feature("float32", layers.Rescaling(1.0), "one_hot")})
    with pytest.raises(ConfigError, match="How many categories"):
        hot({"a": [1.0]})
    with pytest.raises(DataError, match="no column 'f2'"):
        adapted({"f1": [1.0]})
    with pytest.raises(DataError, match="dict of columns"):
        space().adapt(3)

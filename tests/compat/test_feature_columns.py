"""tf.feature_column and DenseFeatures."""

import numpy as np
import pytest

import lamina as keras
from lamina.compat.feature_columns import COLUMNS, DenseFeatures

numeric, bucketized, crossed = (COLUMNS[f"{name}_column"] for name in ("numeric", "bucketized", "crossed"))
indicator, embedding = COLUMNS["indicator_column"], COLUMNS["embedding_column"]
vocabulary = COLUMNS["categorical_column_with_vocabulary_list"]
AGE = np.array([[0.5], [2.0], [-1.0]], "float32")
SEA = np.array([["near"], ["island"], ["moon"]])
FEATURES = {"age": AGE, "sea": SEA}


def values(column, features=None):
    return np.asarray(DenseFeatures(column)(features or FEATURES)).tolist()


def test_numbers_and_buckets():
    age = numeric("age", normalizer_fn=lambda x: x * 2)
    assert values(age) == [[1.0], [4.0], [-2.0]]
    assert values(bucketized(numeric("age"), [0.0, 2.0])) == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    pairs = bucketized(numeric("pair", shape=(2,)), [0.0])
    assert values(pairs, {"pair": np.array([[1.0, -1.0]])}) == [[0, 1, 1, 0]]


def test_categories():
    assert values(indicator(vocabulary("sea", ["island", "near"]))) == [[0, 1], [1, 0], [0, 0]]
    behind = vocabulary("sea", ["island", "near"], num_oov_buckets=1)
    assert values(indicator(behind)) == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    several = {"tags": np.array([["a", "b", "a"], ["b", "", ""]])}
    assert values(indicator(vocabulary("tags", ["a", "b"])), several) == [[2, 1], [0, 1]]
    number = COLUMNS["categorical_column_with_identity"]("n", 3)
    assert values(indicator(number), {"n": np.array([2, 7])}) == [[0, 0, 1], [0, 0, 0]]
    assert values(indicator(vocabulary("n", [2, 7])), {"n": np.array([[7], [3]])}) == [[0, 1], [0, 0]]


def test_hashes_are_those_of_the_layers(tmp_path):
    hashed = COLUMNS["categorical_column_with_hash_bucket"]("sea", 5)
    places = np.asarray(keras.layers.Hashing(5)(SEA)).ravel()
    assert np.argmax(values(indicator(hashed)), 1).tolist() == places.tolist()
    both = crossed(["sea", bucketized(numeric("age"), [0.0])], 7)
    places = keras.layers.HashedCrossing(7)((SEA, np.array([[1], [1], [0]])))
    assert np.argmax(values(indicator(both)), 1).tolist() == np.asarray(places).ravel().tolist()
    assert both.name == "age_bucketized_X_sea"
    (tmp_path / "words").write_text("island\nnear\n")
    read = COLUMNS["categorical_column_with_vocabulary_file"]("sea", str(tmp_path / "words"))
    assert values(indicator(read)) == [[0, 1], [1, 0], [0, 0]]


def test_columns_side_by_side_by_name_and_trained():
    words = vocabulary("tags", [5, 7])
    columns = [numeric("z"), embedding(words, 3, combiner="sum"), indicator(words)]
    layer = DenseFeatures(columns)
    features = {"z": np.array([[9.0], [8.0]]), "tags": np.array([[5, 7], [7, -1]])}
    found = np.asarray(layer(features))
    (table,) = (np.asarray(one.value) for one in layer.trainable_variables)
    assert found.shape == (2, 6) and found[:, -1].tolist() == [9.0, 8.0]
    np.testing.assert_allclose(found[:, :3], [table[0] + table[1], table[1]], rtol=1e-6)
    assert found[:, 3:5].tolist() == [[1, 1], [0, 1]]
    for combiner, scale in (("mean", 2.0), ("sqrtn", np.sqrt(2.0))):
        one = DenseFeatures(embedding(words, 3, combiner, initializer="ones"))
        np.testing.assert_allclose(np.asarray(one(features))[0], 2 / scale, rtol=1e-6)
    inputs = {"z": keras.Input((1,), name="z"), "tags": keras.Input((2,), dtype="int32", name="tags")}
    model = keras.Model(inputs, keras.layers.Dense(1)(layer(inputs)))
    model.compile(keras.optimizers.Adam(0.1), "mse")
    losses = model.fit(features, np.array([[1.0], [0.0]]), epochs=12, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 3 and np.abs(np.asarray(layer.trainable_variables[0].value) - table).max() > 0


def test_columns_that_are_refused():
    with pytest.raises(ValueError, match="got the categories 'sea'") as error:
        DenseFeatures([vocabulary("sea", ["near"])])
    assert "indicator_column" in error.value.fix
    with pytest.raises(ValueError, match="hash_key"):
        crossed(["a", "b"], 5, hash_key=3)


def columns_of_texts():
    kind = vocabulary("kind", ["cat", "dog"])
    age = bucketized(numeric("age"), [0.0])
    hashed = COLUMNS["categorical_column_with_hash_bucket"]("kind", 3)
    return [numeric("age"), indicator(kind), embedding(hashed, 2), indicator(crossed([kind, age], 4)),
            indicator(crossed(["kind", age], 4))]  # fmt: skip


@pytest.mark.parametrize("shape", [(), (1,)])
@pytest.mark.parametrize("form", ["functional", "sequential"])
def test_columns_of_texts_in_a_model(form, shape):
    kinds = np.array(["cat", "dog", "", "cow"] * 2, object).reshape(8, *shape)
    features = {"age": np.arange(-4.0, 4.0, dtype="float32").reshape(8, *shape), "kind": kinds, "other": kinds}
    y = (kinds.reshape(8, 1) == "dog").astype("float32")
    layer, last = DenseFeatures(columns_of_texts()), keras.layers.Dense(1)
    if form == "sequential":
        model = keras.Sequential([layer, last])
    else:
        inputs = {
            name: keras.Input(shape, name=name, dtype="float32" if name == "age" else "string") for name in features
        }
        model = keras.Model(inputs, last(layer(inputs)))
    model.compile(keras.optimizers.Adam(0.1), "mse")
    losses = model.fit(features, y, batch_size=4, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 4
    found = np.asarray(DenseFeatures(columns_of_texts()[:2])(features))
    assert found[:, :1].ravel().tolist() == features["age"].ravel().tolist()
    assert found[:4, 1:].tolist() == [[1, 0], [0, 1], [0, 0], [0, 0]]
    np.testing.assert_allclose(model.predict(features, verbose=0), last(layer(features)), rtol=1e-5, atol=1e-6)
    assert model.evaluate(features, y, verbose=0) < losses[0] / 4

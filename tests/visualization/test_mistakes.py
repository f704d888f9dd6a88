"""plot_mistakes and model.explain(mistakes=): pairs, rates, and the surest mistakes."""

import numpy as np
import pytest

import lamina as keras
from lamina.errors import ConfigError, DataError

show = keras.visualization.plot_mistakes
ROWS = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.0, 0.99, 0.01], [0.3, 0.1, 0.6], [0.4, 0.35, 0.25]])


def test_several_classes():
    found = show([0, 1, 2, 2, 2], ROWS, class_names=["cat", "dog", "owl"])
    numbers = found.numbers
    assert (numbers["kind"], numbers["wrong"]) == ("multi-class", 2)
    assert numbers["pairs"] == [("owl", "cat", 1, 1 / 3), ("owl", "dog", 1, 1 / 3)]
    assert numbers["index"].tolist() == [2, 4] and numbers["confidence"].tolist() == [0.99, 0.4]
    np.testing.assert_allclose(numbers["recall"], [1, 1, 1 / 3])
    np.testing.assert_allclose(numbers["precision"], [0.5, 0.5, 1])
    one_hot = show(np.eye(3)[[0, 1, 2, 2, 2]], np.log(ROWS + 1e-9), from_logits=True, class_names=["cat", "dog", "owl"])
    assert str(one_hot) == str(found) and max(map(len, str(found).splitlines())) < 80


@pytest.mark.parametrize(
    "pred", [[[0.9], [0.2], [0.8]], [0.9, 0.2, 0.8], [1, 0, 1], [[0.1, 0.9], [0.8, 0.2], [0.2, 0.8]]]
)
def test_two_classes(pred):
    numbers = show([1, 0, 0], pred).numbers
    assert numbers["kind"] == "binary" and numbers["pairs"] == [("0", "1", 1, 0.5)] and numbers["index"].tolist() == [2]
    assert numbers["recall"].tolist() == [0.5, 1] and numbers["precision"].tolist() == [1, 0.5]


def test_several_labels():
    true = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]])
    found = show(true, [[0.9, 0.2, 0.95], [0.1, 0.8, 0.3], [0.7, 0.1, 0.2]], class_names=["red", "round", "big"])
    numbers = found.numbers
    assert (numbers["kind"], numbers["wrong"], numbers["index"].tolist()) == ("multi-label", 2, [0, 2])
    assert numbers["pairs"] == [("round", "big", 1, 0.5)]
    assert (numbers["true"], numbers["predicted"]) == (["red, round", "none"], ["red, big", "red"])
    np.testing.assert_array_equal(numbers["recall"], [1, 0.5, np.nan])


def test_a_model_with_pictures_and_texts(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.random((12, 8, 8, 1)).astype("float32"), np.arange(12) % 3
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])
    said = model.explain(mistakes=(x, y))
    assert said.numbers["kind"] == "multi-class" and len(said.numbers["index"]) == min(5, said.numbers["wrong"])
    assert "<image" in said.svg() and "Most often" in said.svg()
    texts = np.array([["<b>good</b> film"], ["bad film"], ["fine"]])
    vectors = keras.layers.TextVectorization(output_mode="multi_hot", vocabulary=["good", "bad", "film"])
    reader = keras.Sequential([keras.Input((1,), dtype="string"), vectors, keras.layers.Dense(1, "sigmoid")])
    right = (reader.predict(texts, verbose=0)[:, 0] > 0.5).astype(int)
    shown = reader.explain(mistakes=(texts, 1 - right))
    assert "film" in str(shown) and "<b>good" not in shown.html()


def test_what_is_no_classifier():
    with pytest.raises(DataError, match="0 to 2"):
        show([0, 7], ROWS[:2])
    with pytest.raises(ConfigError, match="count"):
        show([0, 1], ROWS[:2], count=0)

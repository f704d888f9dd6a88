"""TextVectorization: standardizing, splitting, runs of tokens, modes, shapes, configs.

Keras's own needs TensorFlow; the expected numbers are those of Keras 3.15 on TensorFlow.
"""

import numpy as np
import pytest

from lamina.errors import ConfigError, FileError, ShapeError
from lamina.layers.input_layer import Input
from lamina.layers.text.vectorization import TextVectorization

EXAMPLES = {"TextVectorization": (lambda: dict(vocabulary=["a", "b", "c"], output_mode="multi_hot"), (1,))}


def adapted(data, **kwargs):
    layer = TextVectorization(**kwargs)
    layer.adapt(data)
    return layer


def test_text_to_numbers():
    layer = adapted(["foo bar", "bar baz", "baz bada boom"], max_tokens=5000, output_sequence_length=4)
    assert layer([["foo qux bar"], ["qux baz"]]).tolist() == [[4, 1, 3, 0], [1, 2, 0, 0]]
    assert layer(["foo qux bar baz baz"]).tolist() == [[4, 1, 3, 2]]
    layer = TextVectorization(vocabulary=["a", "b"])
    assert layer([["a"], ["b b b"]]).tolist() == [[2, 0, 0], [3, 3, 3]]
    assert layer("a b").tolist() == [2, 3]
    assert layer(np.array([b"a", "é".encode()], object)).tolist() == [[2], [1]]


def test_standardize():
    text = ["\u00c9A \u00a0x\u2003y z-w don't"]  # ASCII alone is lowered, stripped and split at
    assert adapted(text).get_vocabulary(False) == ["\u00c9a", "\u00a0x\u2003y", "zw", "dont"]
    words = ["Hello,", "World!"]
    for standardize, expected in (
        ("lower", {"hello,", "world!"}),
        ("strip_punctuation", {"Hello", "World"}),
        (None, {"Hello,", "World!"}),
        (lambda texts: np.char.replace(np.char.lower(texts), ",", ""), {"hello", "world!"}),
    ):
        assert set(adapted(words, standardize=standardize).get_vocabulary(False)) == expected


def test_split():
    assert adapted(["A b!é"], split="character").get_vocabulary(False) == ["é", "b", "a", " "]
    bars = TextVectorization(split=lambda texts: np.char.split(texts, "|"), standardize=None, vocabulary=["foo", "bar"])
    assert bars(["foo|bar", "bar"]).tolist() == [[2, 3], [3, 0]]
    whole = TextVectorization(split=None, vocabulary=["x y", "q"])
    assert whole(["x y", "q"]).tolist() == [2, 3]
    assert whole([["x y", "q"]]).tolist() == [[2, 3]]
    padded = TextVectorization(split=None, vocabulary=["x y", "q"], output_sequence_length=3)
    assert padded([["x y", "q"]]).tolist() == [[2, 3, 0]]


def test_ngrams():
    pairs = adapted(["x y z", "q"], ngrams=2)
    assert pairs.get_vocabulary(False) == ["z", "y z", "y", "x y", "x", "q"]
    assert pairs(["x y z", "q", "x"]).tolist() == [[6, 4, 2, 5, 3], [7, 0, 0, 0, 0], [6, 0, 0, 0, 0]]
    assert adapted(["x y z"], ngrams=(1, 3)).get_vocabulary(False) == ["z", "y", "x y z", "x"]
    tokens = adapted([["x", "q", "r"]], ngrams=2, split=None)
    assert tokens.get_vocabulary(False) == ["x q", "x", "r", "q r", "q"]
    assert tokens([["x", "q", "r"]]).tolist() == [[3, 6, 4, 2, 5]]


def test_modes():
    texts = ["b a a c", "c d"]
    assert adapted(texts, output_mode="multi_hot")(["a b q a"]).tolist() == [[1, 0, 1, 0, 1]]
    count = adapted(texts, output_mode="count", max_tokens=7, pad_to_max_tokens=True)
    assert count(["a b q a", "c"]).tolist() == [[1, 0, 2, 0, 1, 0, 0], [0, 1, 0, 0, 0, 0, 0]]
    weighed = adapted(texts, output_mode="tf_idf")
    np.testing.assert_allclose(weighed(["a b q a"]), [[0.6475668, 0, 1.3862944, 0, 0.6931472]], 1e-6)
    np.testing.assert_allclose(weighed("a b"), [0, 0, 0.6931472, 0, 0.6931472], 1e-6)
    assert adapted(texts, output_mode="one_hot")(["a b", "c"]).shape == (2, 2, 5)


def test_shapes_and_types():
    text = Input((1,), dtype="string")
    for kwargs, shape in (
        (dict(), (None, None)),
        (dict(output_sequence_length=4), (None, 4)),
        (dict(output_mode="count"), (None, 3)),
        (dict(output_mode="one_hot"), (None, None, 3)),
    ):
        layer = TextVectorization(vocabulary=["a", "b"], **kwargs)
        assert layer(text).shape == shape
        assert layer(text).dtype == str(layer(["a"]).dtype)
    assert TextVectorization(vocabulary=["a"])(Input((), dtype="string")).shape == (None, None)


def test_vocabulary():
    layer = adapted(["a b", "a"])
    assert layer.get_vocabulary() == ["", "[UNK]", "a", "b"] and layer.vocabulary_size() == 4
    layer.set_vocabulary(["q"])
    assert layer.get_vocabulary() == ["", "[UNK]", "q"]
    assert adapted(["a b c d e"], max_tokens=4).vocabulary_size() == 4
    assert adapted(iter([["a"], ["b"]])).get_vocabulary(False) == ["b", "a"]
    endless = TextVectorization()
    endless.adapt((["a b"] for _ in iter(int, 1)), steps=2)
    assert endless.get_vocabulary(False) == ["b", "a"]


def test_configs(tmp_path):
    layer = TextVectorization(
        vocabulary=["a", "b"], ngrams=(1, 2), output_mode="tf_idf", idf_weights=[1.0, 2.0], name="text"
    )
    config = layer.get_config()
    assert config["vocabulary"] == ["a", "b"] and config["vocabulary_size"] == 3
    again = TextVectorization.from_config({**config, "ngrams": [1, 2]})  # as JSON has it
    assert again.get_config() == config
    assert again(["a b"]).tolist() == layer(["a b"]).tolist()
    with pytest.raises(FileError, match="never read"):
        TextVectorization.from_config({**config, "vocabulary": str(tmp_path / "words")})


@pytest.mark.parametrize(
    ("kwargs", "told"),
    [
        (dict(standardize="x"), "`standardize`"),
        (dict(split="x"), "`split`"),
        (dict(ngrams="x"), "`ngrams` must be None"),
        (dict(ngrams=(1, "a")), "`ngrams` must be None"),
        (dict(output_mode="x"), "must be 'int'"),
        (dict(ragged=True), "ragged"),
        (dict(output_mode="count", output_sequence_length=5), "`output_sequence_length` must not be set"),
        (dict(max_tokens=0), "greater than 1"),
    ],
)
def test_arguments(kwargs, told):
    with pytest.raises(ConfigError, match=told):
        TextVectorization(**kwargs)


def test_texts_of_several_columns_are_refused():
    with pytest.raises(ShapeError, match="input rank must be 1"):
        TextVectorization(vocabulary=["a"])([["a", "b"]])

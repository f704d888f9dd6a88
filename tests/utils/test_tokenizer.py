"""Tokenizer of Keras 2 against Keras's own."""

import json

import numpy as np
import pytest
from keras.src.legacy.preprocessing import text as theirs

from lamina.errors import CallError, ConfigError
from lamina.preprocessing import text as ours

TEXTS = ["The cat sat, the CAT ran.", "A dog\tand a cat; not a cow!", "cow-boys and dogs", ""]
MORE = ["the dog flew", "cat cat cow unknown", "nothing at all"]


@pytest.mark.parametrize(
    "settings",
    [
        {}, {"num_words": 4}, {"num_words": 5, "oov_token": "<OOV>"}, {"oov_token": "?"}, {"lower": False},
        {"char_level": True}, {"filters": ",.", "split": " "}, {"analyzer": lambda text: text.split("a")},
    ],
)  # fmt: skip
def test_numbers_are_those_of_keras(settings):
    mine, other = ours.Tokenizer(**settings), theirs.Tokenizer(**settings)
    for tokenizer in (mine, other):
        tokenizer.fit_on_texts(TEXTS)
        tokenizer.fit_on_texts([["already", "words"]])
    assert mine.word_index == other.word_index and mine.index_word == other.index_word
    assert dict(mine.word_counts) == dict(other.word_counts) and mine.document_count == other.document_count
    sequences = mine.texts_to_sequences(MORE)
    assert sequences == other.texts_to_sequences(MORE)
    assert mine.sequences_to_texts(sequences) == other.sequences_to_texts(sequences)
    for mode in ("binary", "count", "freq", "tfidf"):
        np.testing.assert_allclose(mine.texts_to_matrix(MORE, mode), other.texts_to_matrix(MORE, mode))
    if "analyzer" not in settings:
        back = ours.tokenizer_from_json(mine.to_json())
        assert back.texts_to_sequences(MORE) == sequences and back.get_config() == mine.get_config()
        from_theirs = ours.tokenizer_from_json(other.to_json())
        np.testing.assert_allclose(from_theirs.texts_to_matrix(MORE, "tfidf"), mine.texts_to_matrix(MORE, "tfidf"))


def test_errors():
    with pytest.raises(CallError, match="no words yet"):
        ours.Tokenizer().texts_to_matrix(TEXTS)
    with pytest.raises(CallError, match="counts of words"):
        ours.Tokenizer(num_words=3).sequences_to_matrix([[1]], "tfidf")
    with pytest.raises(ConfigError, match="`mode` must be"):
        ours.Tokenizer(num_words=3).sequences_to_matrix([[1]], "other")
    with pytest.raises(ConfigError, match="no argument 'words'"):
        ours.Tokenizer(words=3)


@pytest.mark.parametrize("text", ["[1]", "5", "{}", '{"config": 5}', "[" * 100_000, "null", "words"])
def test_texts_of_no_tokenizer_are_refused(text):
    with pytest.raises(ConfigError, match="config of Tokenizer"):
        ours.tokenizer_from_json(text)


def test_tables_of_another_kind_are_refused():
    made = ours.Tokenizer()
    made.fit_on_texts(["a b"])
    for name, value in (("word_counts", "5"), ("index_word", '{"x": 1}'), ("word_index", "[1]"), ("num_words", "many")):
        described = json.loads(made.to_json())
        described["config"][name] = value
        with pytest.raises(ConfigError):
            ours.tokenizer_from_json(json.dumps(described))

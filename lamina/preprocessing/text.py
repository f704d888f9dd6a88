"""keras.preprocessing.text of Keras 1 and 2: words to numbers, in Python. Today that is `layers.TextVectorization`."""

import json
from collections import Counter

import numpy as np

from lamina.errors import CallError, ConfigError

__all__ = ["FILTERS", "Tokenizer", "text_to_word_sequence", "tokenizer_from_json"]

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_MODES = ("binary", "count", "freq", "tfidf")


def text_to_word_sequence(input_text, filters=FILTERS, lower=True, split=" "):
    """The words of a text, without the characters of `filters`.

    >>> text_to_word_sequence("Well, well: a word!")
    ['well', 'well', 'a', 'word']
    """
    text = input_text.lower() if lower else input_text
    return [word for word in text.translate(str.maketrans(dict.fromkeys(filters, split))).split(split) if word]


class Tokenizer:
    """Numbers for words, the most frequent first, from 1 on; 0 is for padding.

    Args:
        num_words: keep the words of numbers below this one.
        filters, lower, split: as of `text_to_word_sequence`.
        char_level: each character is a word.
        oov_token: what stands for words that are not known; it gets the number 1.
        analyzer: a function from a text to its words.

    >>> tokenizer = Tokenizer(oov_token="?")
    >>> tokenizer.fit_on_texts(["a cat", "a dog"])
    >>> tokenizer.texts_to_sequences(["a dog and a cat"])
    [[2, 4, 1, 2, 3]]
    """

    def __init__(self, num_words=None, filters=FILTERS, lower=True, split=" ", char_level=False, oov_token=None,
                 analyzer=None, **kwargs):  # fmt: skip
        self.document_count = kwargs.pop("document_count", 0)
        if kwargs:
            raise ConfigError(f"Tokenizer has no argument {', '.join(kwargs)}.")
        self.num_words, self.filters, self.lower, self.split = num_words, filters, lower, split
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.word_counts, self.word_docs, self.index_docs = Counter(), Counter(), {}
        self.word_index, self.index_word = {}, {}

    def _words(self, text):
        if isinstance(text, list) or self.char_level:
            return [word.lower() for word in text] if self.lower else list(text)
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts):
        """Count the words of texts (or of lists of words) and number them."""
        for text in texts:
            words = self._words(text)
            self.document_count += 1
            self.word_counts.update(words)
            self.word_docs.update(set(words))
        first = [] if self.oov_token is None else [self.oov_token]
        ranked = sorted(self.word_counts, key=lambda word: -self.word_counts[word])
        self.word_index = {word: number for number, word in enumerate([*first, *ranked], 1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        self.index_docs = {self.word_index[word]: count for word, count in self.word_docs.items()}

    def fit_on_sequences(self, sequences):
        """Count in how many of the lists of numbers each stands, for "tfidf"."""
        self.document_count += len(sequences)
        counts = Counter(number for sequence in sequences for number in set(sequence))
        self.index_docs = dict(Counter(self.index_docs) + counts)

    def texts_to_sequences(self, texts):
        """A list of numbers for each text."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts):
        """The lists one after the other."""
        unknown = self.word_index.get(self.oov_token)
        for text in texts:
            numbers = (self.word_index.get(word) for word in self._words(text))
            kept = (unknown if number is None or self._is_left_out(number) else number for number in numbers)
            yield [number for number in kept if number is not None]

    def _is_left_out(self, number):
        return bool(self.num_words) and number >= self.num_words

    def sequences_to_texts(self, sequences):
        """The words of each list of numbers, joined."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences):
        """The texts one after the other."""
        for sequence in sequences:
            words = (
                self.oov_token if self._is_left_out(n) else self.index_word.get(n, self.oov_token) for n in sequence
            )
            yield " ".join(word for word in words if word is not None)

    def texts_to_matrix(self, texts, mode="binary"):
        """`sequences_to_matrix` of texts."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences, mode="binary"):
        """(texts, words): for each whether the word is there ("binary"), how often ("count"), its share ("freq") or
        `(1 + log(count)) * log(1 + texts / (1 + texts with the word))` ("tfidf")."""
        if mode not in _MODES:
            raise ConfigError(f"mode is one of {_MODES}; got {mode!r}.")
        if not self.num_words and not self.word_index:
            raise CallError("The Tokenizer has no words yet.", fix="tokenizer.fit_on_texts(texts), or num_words=1000")
        if mode == "tfidf" and not self.document_count:
            raise CallError("'tfidf' needs the counts of texts.", fix="tokenizer.fit_on_texts(texts)")
        size = self.num_words or len(self.word_index) + 1
        matrix = np.zeros((len(sequences), size))
        for row, sequence in zip(matrix, sequences, strict=True):
            for number, count in Counter(n for n in sequence if n < size).items():
                row[number] = self._weight(mode, number, count, len(sequence))
        return matrix

    def _weight(self, mode, number, count, length):
        if mode == "tfidf":
            inverse = np.log(1 + self.document_count / (1 + self.index_docs.get(number, 0)))
            return (1 + np.log(count)) * inverse
        return {"binary": 1, "count": count, "freq": count / length}[mode]

    def get_config(self):
        """Settings and counts; the tables as JSON."""
        names = ("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count")
        tables = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
        return {
            **{name: getattr(self, name) for name in names},
            **{name: json.dumps(getattr(self, name)) for name in tables},
        }

    def to_json(self, **kwargs):
        """The config as JSON; `kwargs` go to `json.dumps`."""
        return json.dumps({"class_name": "Tokenizer", "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string):
    """The Tokenizer that `to_json` described."""
    config = json.loads(json_string)["config"]
    tables = {name: json.loads(config.pop(name)) for name in
              ("word_counts", "word_docs", "index_docs", "index_word", "word_index")}  # fmt: skip
    tokenizer = Tokenizer(**config)
    for name, table in tables.items():
        numbered = name.startswith("index")
        setattr(tokenizer, name, {int(key): value for key, value in table.items()} if numbered else Counter(table)
                if name != "word_index" else table)  # fmt: skip
    return tokenizer

"""keras.preprocessing.text of Keras 1 and 2: maps words to numbers, in Python. New code uses `TextVectorization`."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from lamina.core.arguments import choice, whole
from lamina.core.representation import Represented
from lamina.core.serialization import reading_config
from lamina.errors import CallError, DataError, warn
from lamina.legacy import old_names, warn_renamed
from lamina.spelling.arguments import unknown_arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from lamina.core.typing import Config

__all__ = ["FILTERS", "Tokenizer", "hashing_trick", "one_hot", "text_to_word_sequence", "tokenizer_from_json"]

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_MODES = ("binary", "count", "freq", "tfidf")


@old_names("text_to_word_sequence")
def text_to_word_sequence(input_text: str, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """The words of a text.

    Args:
        input_text: Text.
        filters: Characters that separate words, like `split`.
        lower: Whether the text is converted to lower case.
        split: String that separates words.

    >>> text_to_word_sequence("Well, well: a word!")
    ['well', 'well', 'a', 'word']
    """
    text = input_text.lower() if lower else input_text
    return [word for word in text.translate(str.maketrans(dict.fromkeys(filters, split))).split(split) if word]


@old_names("preprocessing.text.one_hot")
def one_hot(
    input_text: str,
    n: int,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], list[str]] | None = None,
) -> list[int]:
    """A number from 1 to n - 1 for each word, by Python's `hash`: another one in each process, and not one-hot.

    Today: `keras.layers.TextVectorization`, or `keras.layers.Hashing`, whose numbers are the same in every process.

    Args:
        input_text: Text.
        n: Number of numbers, 0 included.
        filters: Characters that separate words, like `split`.
        lower: Whether the text is converted to lower case.
        split: String that separates words.
        analyzer: Function from a text to its words; None means `text_to_word_sequence`.
    """
    warn_renamed(f"text.one_hot(text, {n}) is keras.layers.Hashing({n})(text_to_word_sequence(text)) since Keras 3.")
    return hashing_trick(input_text, n, hash, filters, lower, split, analyzer)


def hashing_trick(
    text: str,
    n: int,
    hash_function: Any = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], list[str]] | None = None,
) -> list[int]:
    """A number from 1 to n - 1 for each word, by a hash; two words may have the same.

    Args:
        text: Text.
        n: Number of numbers, 0 included.
        hash_function: "md5", which gives the same in every process; a function from a word to an integer; or None for
            Python's `hash`.
        filters: Characters that separate words, like `split`.
        lower: Whether the text is converted to lower case.
        split: String that separates words.
        analyzer: Function from a text to its words; None means `text_to_word_sequence`.

    >>> hashing_trick("A cat, a dog", 10, "md5")
    [2, 3, 2, 6]
    """
    n = whole("hashing_trick", "n", n, 2, example=1000)  # 0 is for padding
    hashed = _md5 if hash_function == "md5" else hash_function or hash
    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [hashed(word) % (n - 1) + 1 for word in words]


def _md5(word):
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


class Tokenizer(Represented):
    """Assigns numbers to words, from 1 for the most frequent word on; 0 is for padding.

    Args:
        num_words: Only words with numbers below this one are kept; None keeps all.
        filters: Characters that separate words, like `split`.
        lower: Whether the text is converted to lower case.
        split: String that separates words.
        char_level: Whether each character is a word.
        oov_token: Word that stands for unknown words, with the number 1; None ignores unknown words.
        analyzer: Function from a text to its words; None means `text_to_word_sequence`.
        **kwargs: `document_count`, in configs.

    >>> tokenizer = Tokenizer(oov_token="?")
    >>> tokenizer.fit_on_texts(["a cat", "a dog"])
    >>> tokenizer.texts_to_sequences(["a dog and a cat"])
    [[2, 4, 1, 2, 3]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], list[str]] | None = None,
        **kwargs: Any,
    ):
        self.document_count: int = kwargs.pop("document_count", 0)
        if "nb_words" in kwargs:
            warn_renamed("Tokenizer(nb_words=...) is called num_words since Keras 2.")
            num_words = kwargs.pop("nb_words")
        if kwargs:
            raise unknown_arguments(self, kwargs)
        self.num_words = None if num_words is None else whole(self, "num_words", num_words)
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.analyzer = analyzer
        self.word_counts: Counter[str] = Counter()
        self.word_docs: Counter[str] = Counter()
        self.index_docs: dict[int, int] = {}
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def _words(self, text):
        if isinstance(text, list) or self.char_level:
            return [word.lower() for word in text] if self.lower else list(text)
        if self.analyzer is not None:
            return self.analyzer(text)
        if not isinstance(text, str):
            raise DataError(
                f"A Tokenizer takes texts; got {text!r} ({type(text).__name__}).",
                fix="texts = [str(text) for text in texts]",
            )
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[str | list[str]]) -> None:
        """Counts the words of texts and assigns numbers to them.

        Args:
            texts: Texts, or lists of words.
        """
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

    def fit_on_sequences(self, sequences: Sequence[Sequence[int]]) -> None:
        """Counts the number of sequences that contain each word number, for "tfidf".

        Args:
            sequences: Lists of word numbers.
        """
        self.document_count += len(sequences)
        counts = Counter(number for sequence in sequences for number in set(sequence))
        self.index_docs = dict(Counter(self.index_docs) + counts)

    def texts_to_sequences(self, texts: Iterable[str | list[str]]) -> list[list[int]]:
        """A list of word numbers for each text.

        Args:
            texts: Texts, or lists of words.
        """
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[str | list[str]]) -> Iterator[list[int]]:
        """An iterator over the lists of word numbers.

        Args:
            texts: Texts, or lists of words.
        """
        if not self.word_index:
            warn("This Tokenizer has no words, so that all sequences are empty. First: tokenizer.fit_on_texts(texts)")
        unknown = None if self.oov_token is None else self.word_index.get(self.oov_token)
        for text in texts:
            numbers = (self.word_index.get(word) for word in self._words(text))
            kept = (unknown if number is None or self._is_excluded(number) else number for number in numbers)
            yield [number for number in kept if number is not None]

    def _is_excluded(self, number):
        return bool(self.num_words) and number >= self.num_words

    def sequences_to_texts(self, sequences: Iterable[Sequence[int]]) -> list[str]:
        """The text of each list of word numbers, with words joined by spaces.

        Args:
            sequences: Lists of word numbers.
        """
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Sequence[int]]) -> Iterator[str]:
        """An iterator over the texts.

        Args:
            sequences: Lists of word numbers.
        """
        for sequence in sequences:
            words = (
                self.oov_token if self._is_excluded(n) else self.index_word.get(n, self.oov_token) for n in sequence
            )
            yield " ".join(word for word in words if word is not None)

    def texts_to_matrix(self, texts: Iterable[str | list[str]], mode: str = "binary") -> np.ndarray:
        """`sequences_to_matrix` of texts.

        Args:
            texts: Texts, or lists of words.
            mode: "binary", "count", "freq" or "tfidf", as in `sequences_to_matrix`.
        """
        self._check_words()
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Sequence[Sequence[int]], mode: str = "binary") -> np.ndarray:
        """The matrix (texts, words) of statistics of word numbers.

        Args:
            sequences: Lists of word numbers.
            mode: "binary" for presence, "count" for the count, "freq" for the fraction of the words of the text,
                "tfidf" for `(1 + log(count)) * log(1 + texts / (1 + texts with the word))`.
        """
        choice(self, "mode", mode, _MODES)
        self._check_words()
        if mode == "tfidf" and not self.document_count:
            raise CallError("mode='tfidf' needs counts of words.", fix="tokenizer.fit_on_texts(texts)")
        size = self.num_words or len(self.word_index) + 1
        matrix = np.zeros((len(sequences), size))
        for row, sequence in zip(matrix, sequences, strict=True):
            for number, count in Counter(n for n in sequence if n < size).items():
                row[number] = self._weight(mode, number, count, len(sequence))
        return matrix

    def _check_words(self):
        if not self.num_words and not self.word_index:
            raise CallError("The Tokenizer has no words yet.", fix="tokenizer.fit_on_texts(texts), or num_words=1000")

    def _weight(self, mode, number, count, length):
        if mode == "tfidf":
            inverse = np.log(1 + self.document_count / (1 + self.index_docs.get(number, 0)))
            return (1 + np.log(count)) * inverse
        return {"binary": 1, "count": count, "freq": count / length}[mode]

    def get_config(self) -> Config:
        """The arguments and counts, with tables as JSON."""
        names = ("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count")
        tables = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
        return {
            **{name: getattr(self, name) for name in names},
            **{name: json.dumps(getattr(self, name)) for name in tables},
        }

    def to_json(self, **kwargs: Any) -> str:
        """The config as JSON.

        Args:
            **kwargs: Arguments of `json.dumps`.
        """
        return json.dumps({"class_name": "Tokenizer", "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The Tokenizer of a JSON description.

    Args:
        json_string: What `to_json` returned.

    Raises:
        ArgumentError: It is another text.
    """
    with reading_config("Tokenizer"):
        config = json.loads(json_string)["config"]
        tables = {name: json.loads(config.pop(name)) for name in
                  ("word_counts", "word_docs", "index_docs", "index_word", "word_index")}  # fmt: skip
        tokenizer = Tokenizer(**config)
        for name, table in tables.items():
            numbered = {int(key): value for key, value in table.items()} if name.startswith("index") else {**table}
            setattr(tokenizer, name, Counter(numbered) if name in ("word_counts", "word_docs") else numbered)
    return tokenizer

"""IMDB: 50,000 film reviews as word numbers, most frequent word first; negative (0) or positive (1).

Source: A. Maas, R. Daly, P. Pham, D. Huang, A. Ng and C. Potts (2011), Learning word vectors for sentiment analysis,
ACL 2011, https://ai.stanford.edu/~amaas/data/sentiment/.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.core.keywords import keywords
from lamina.datasets.fetch import fetch
from lamina.datasets.safe_pickle import load_npz
from lamina.datasets.sequences import encode_parts, read_word_index
from lamina.datasets.split import Split

__all__ = ["get_word_index", "load_data"]


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    **kwargs: Any,
) -> Split:
    """The 25,000 training and 25,000 test reviews, each in random order, as lists of the numbers of their words.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets` or `$KERAS_HOME/datasets`.
        num_words: Words with this number or a larger one are unknown; None means the largest number, so that only the
            rarest word is unknown.
        skip_top: Words with numbers below this one are unknown.
        maxlen: Sequences of this length or longer are removed, with the start mark counted; None keeps all.
        seed: Seed of the shuffle.
        start_char: Number of the mark at the start of each sequence; None means no mark.
        oov_char: Number of unknown words; None removes them.
        index_from: Summand of the rank of a word: the most frequent word has the number `index_from` + 1.
        **kwargs: Not accepted; raises an error that names the current argument.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x a 1-D object array of lists of integers, y int64.

    Raises:
        NetworkError: If the file is not in the cache and cannot be downloaded.
        FileError: If the file is damaged.
        CallError: If `maxlen` removes all sequences.
    """
    keywords("load_data", kwargs)
    x_train, y_train, x_test, y_test = load_npz(fetch("imdb.npz", path), "x_train", "y_train", "x_test", "y_test")
    generator = np.random.RandomState(seed)
    orders = generator.permutation(len(x_train)), generator.permutation(len(x_test))
    parts = (x_train[orders[0]], y_train[orders[0]]), (x_test[orders[1]], y_test[orders[1]])
    train, test = encode_parts(parts, num_words, skip_top, maxlen, start_char, oov_char, index_from)
    return train, test


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The dict word -> rank, 1 for the most frequent word. Its number in `load_data` is the rank + `index_from`.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets` or `$KERAS_HOME/datasets`.
    """
    return read_word_index(fetch("imdb_word_index.json", path))

"""Reuters: 11,228 newswires as word numbers, most frequent word first; 46 topics (`get_label_names()`).

Source: D. Lewis, Reuters-21578 text categorization test collection, UCI Machine Learning Repository,
https://doi.org/10.24432/C52G6M.
"""

from __future__ import annotations

import numpy as np

from lamina.datasets.fetch import fetch
from lamina.datasets.safe_pickle import load_npz
from lamina.datasets.sequences import encode_parts, read_word_index
from lamina.datasets.split import Split, cut

__all__ = ["get_label_names", "get_word_index", "load_data"]

_TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass "
    "crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi "
    "iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Split:
    """The newswires in random order, as lists of the numbers of their words.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets` or `$KERAS_HOME/datasets`.
        num_words: Words with this number or a larger one are unknown; None means the largest number, so that only the
            rarest word is unknown.
        skip_top: Words with numbers below this one are unknown.
        maxlen: Sequences of this length or longer are removed, with the start mark counted; None keeps all.
        test_split: Fraction of the rows that are test data, from 0 to below 1.
        seed: Seed of the shuffle.
        start_char: Number of the mark at the start of each sequence; None means no mark.
        oov_char: Number of unknown words; None removes them.
        index_from: Summand of the rank of a word: the most frequent word has the number `index_from` + 1.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x a 1-D object array of lists of integers, y int64 from 0 to 45.

    Raises:
        NetworkError: If the file is not in the cache and cannot be downloaded.
        FileError: If the file is damaged.
        CallError: If `maxlen` removes all sequences.
    """
    x, y = load_npz(fetch("reuters.npz", path), "x", "y")
    order = np.random.RandomState(seed).permutation(len(x))
    parts = [(x[order], y[order])]
    [(x, y)] = encode_parts(parts, num_words, skip_top, maxlen, start_char, oov_char, index_from)
    return cut(x, y, test_split)


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The dict word -> rank, 1 for the most frequent word. Its number in `load_data` is the rank + `index_from`.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets` or `$KERAS_HOME/datasets`.
    """
    return read_word_index(fetch("reuters_word_index.json", path))


def get_label_names() -> tuple[str, ...]:
    """The 46 topics, in the order of their labels.

    >>> import lamina as keras
    >>> keras.datasets.reuters.get_label_names()[:3]
    ('cocoa', 'grain', 'veg-oil')
    """
    return tuple(_TOPICS.split())

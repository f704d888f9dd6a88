"""Reuters: 11,228 newswires as word numbers, most frequent word first; 46 topics (`get_label_names()`).

Source: D. Lewis, Reuters-21578 text categorization test collection, UCI Machine Learning Repository,
https://doi.org/10.24432/C52G6M.
"""

import numpy as np

from lamina.datasets.fetch import fetch
from lamina.datasets.safe_pickle import load_npz
from lamina.datasets.sequences import encode_parts, read_word_index
from lamina.datasets.split import cut

__all__ = ["get_label_names", "get_word_index", "load_data"]

_TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass "
    "crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi "
    "iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


def load_data(
    path="reuters.npz",
    num_words=None,
    skip_top=0,
    maxlen=None,
    test_split=0.2,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
):
    """`(x_train, y_train), (x_test, y_test)`: x a 1-D object array of lists of ints, y int64 0 to 45.

    `test_split` of the newswires left by `maxlen` are the test data; the other arguments are those of
    `imdb.load_data`. Raises NetworkError if the file is not in the cache and cannot be downloaded, FileError if it is
    damaged.
    """
    x, y = load_npz(fetch("reuters.npz", path), "x", "y")
    order = np.random.RandomState(seed).permutation(len(x))
    parts = [(x[order], y[order])]
    [(x, y)] = encode_parts(parts, num_words, skip_top, maxlen, start_char, oov_char, index_from)
    return cut(x, y, test_split)


def get_word_index(path="reuters_word_index.json"):
    """The dict word -> rank, 1 the most frequent; in `load_data` a word is its rank + `index_from`."""
    return read_word_index(fetch("reuters_word_index.json", path))


def get_label_names():
    """The 46 topics, in the order of their labels.

    >>> import lamina as keras
    >>> keras.datasets.reuters.get_label_names()[:3]
    ('cocoa', 'grain', 'veg-oil')
    """
    return tuple(_TOPICS.split())

"""IMDB: 50,000 film reviews as word numbers, most frequent word first; negative (0) or positive (1).

Source: A. Maas, R. Daly, P. Pham, D. Huang, A. Ng and C. Potts (2011), Learning word vectors for sentiment analysis,
ACL 2011, https://ai.stanford.edu/~amaas/data/sentiment/.
"""

import numpy as np

from lamina.datasets.fetch import fetch
from lamina.datasets.safe_pickle import load_npz
from lamina.datasets.sequences import encode_parts, read_word_index
from lamina.errors import CallError

__all__ = ["get_word_index", "load_data"]


def load_data(
    path="imdb.npz",
    num_words=None,
    skip_top=0,
    maxlen=None,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
    **kwargs,
):
    """`(x_train, y_train), (x_test, y_test)`: x a 1-D object array of lists of ints, y int64; 25,000 reviews each.

    A review is `start_char` and its words, each its rank + `index_from`. Reviews of `maxlen` words or more are left
    out. Words not in skip_top <= word < num_words become `oov_char`, or vanish if that is None; `num_words` None
    means the largest word number, so only that rarest word is outside. `seed` shuffles.
    Raises NetworkError if the file is not in the cache and cannot be downloaded, FileError if it is damaged.
    """
    if kwargs:
        fix = "nb_words is called num_words today." if "nb_words" in kwargs else None
        raise CallError(f"imdb.load_data knows no argument {', '.join(kwargs)}.", fix=fix)
    x_train, y_train, x_test, y_test = load_npz(fetch("imdb.npz", path), "x_train", "y_train", "x_test", "y_test")
    generator = np.random.RandomState(seed)
    orders = generator.permutation(len(x_train)), generator.permutation(len(x_test))
    parts = (x_train[orders[0]], y_train[orders[0]]), (x_test[orders[1]], y_test[orders[1]])
    return tuple(encode_parts(parts, num_words, skip_top, maxlen, start_char, oov_char, index_from))


def get_word_index(path="imdb_word_index.json"):
    """The dict word -> rank, 1 the most frequent; in `load_data` a word is its rank + `index_from`."""
    return read_word_index(fetch("imdb_word_index.json", path))

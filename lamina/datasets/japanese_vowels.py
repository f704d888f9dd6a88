"""Japanese Vowels: nine male speakers of /ae/, 640 sequences of 7 to 29 frames of 12 LPC cepstrum coefficients.

The split is the authors': 270 utterances to train (30 a speaker), 370 to test, recorded on other occasions.

Source: M. Kudo, J. Toyama and M. Shimbo (1999), Multidimensional curve classification using passing-through regions,
Pattern Recognition Letters 20(11-13), 1103-1111; UCI Machine Learning Repository, https://doi.org/10.24432/C5NS47.
Licence: CC BY 4.0.
"""

from __future__ import annotations

import numpy as np

from lamina.datasets.packaged import data_path
from lamina.datasets.split import Split

__all__ = ["feature_names", "load_data", "target_names"]

feature_names: tuple[str, ...] = tuple(f"cepstrum_{i}" for i in range(1, 13))
target_names: tuple[str, ...] = tuple(f"speaker_{i}" for i in range(1, 10))
_LONGEST = 29


def load_data() -> Split:
    """The utterances with their speakers.

    Recorded frames are never all zeros, so `Masking(0.0)` masks the padding.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x float32 (n, 29, 12), padded with zeros; y int64 (n,) from 0 to 8.

    >>> import lamina as keras
    >>> (x_train, y_train), (x_test, y_test) = keras.datasets.japanese_vowels.load_data()
    >>> x_train.shape, x_test.shape
    ((270, 29, 12), (370, 29, 12))
    """
    with np.load(data_path("japanese_vowels.npz"), allow_pickle=False) as file:
        return _part(file, "train"), _part(file, "test")


def _part(file, name):
    frames, lengths = file[f"frames_{name}"], file[f"lengths_{name}"]
    x = np.zeros((len(lengths), _LONGEST, frames.shape[-1]), np.float32)
    x[np.arange(_LONGEST) < lengths[:, None]] = frames
    return x, file[f"speakers_{name}"].astype(np.int64)

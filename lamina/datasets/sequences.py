"""Word sequences of IMDB and Reuters: start marks and offsets, removal of long ones, limits of the vocabulary."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from lamina.errors import CallError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

__all__ = ["encode_parts", "read_word_index"]


def encode_parts(
    parts: Any,
    num_words: int | None,
    skip_top: int,
    maxlen: int | None,
    start_char: int | None,
    oov_char: int | None,
    index_from: int | None,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """(object array of lists of integers, labels) of each part, encoded as in Keras.

    Args:
        parts: (sequences, labels) of each part.
        num_words: Words with this number or a larger one are unknown; None means the largest number, so that only the
            rarest word is unknown.
        skip_top: Words with numbers below this one are unknown.
        maxlen: Sequences of this length or longer are removed, with the start mark counted; None keeps all.
        start_char: Number of the mark at the start of each sequence; None means no mark.
        oov_char: Number of unknown words; None removes them.
        index_from: Summand of the rank of a word: the most frequent word has the number `index_from` + 1.
    """
    parts = [_drop_long(_marked(sequences, start_char, index_from), labels, maxlen) for sequences, labels in parts]
    end = num_words or max(max(sequence, default=0) for sequences, _ in parts for sequence in sequences)
    return [(_rows(_inside(sequence, skip_top, end, oov_char) for sequence in x), y) for x, y in parts]


def _marked(sequences, start_char, index_from):
    start, shift = [] if start_char is None else [start_char], index_from or 0
    return [start + [word + shift for word in sequence] for sequence in sequences]


def _drop_long(sequences, labels, maxlen):
    if maxlen is None:
        return sequences, labels
    short = [i for i, sequence in enumerate(sequences) if len(sequence) < maxlen]
    if not short:
        raise CallError(
            f"maxlen={maxlen} keeps only shorter sequences, with the start mark counted, and there are none.",
            fix=f"The shortest sequence needs maxlen={1 + min(map(len, sequences))}.",
        )
    return [sequences[i] for i in short], labels[short]


def _inside(sequence, skip_top, end, oov_char):
    if oov_char is None:
        return [word for word in sequence if skip_top <= word < end]
    return [word if skip_top <= word < end else oov_char for word in sequence]


def _rows(sequences):
    """A 1-D object array of lists, also if all have one length, where NumPy would make a matrix."""
    return np.fromiter(sequences, object)


def read_word_index(path: Path) -> dict[str, int]:
    """The dict word -> rank of a JSON file.

    Args:
        path: Path of the file.
    """
    return json.loads(path.read_text(encoding="utf-8"))

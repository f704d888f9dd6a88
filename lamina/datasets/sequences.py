"""Word sequences of IMDB and Reuters: mark the start and shift, drop the long ones, cut the vocabulary."""

import json

import numpy as np

from lamina.errors import CallError

__all__ = ["encode_parts", "read_word_index"]


def encode_parts(parts, num_words, skip_top, maxlen, start_char, oov_char, index_from):
    """Each (sequences, labels) of `parts` as Keras encodes it: (object array of lists of ints, labels).

    A word w becomes w + `index_from` behind `start_char`; sequences of `maxlen` words or more are dropped; a word
    outside skip_top <= w < num_words becomes `oov_char`, or is left out if that is None. `num_words` None means the
    largest word of all parts, so that one word is outside, as in Keras.
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
            f"maxlen={maxlen} keeps only shorter sequences, start mark counted; there is none.",
            fix=f"The shortest needs maxlen={1 + min(map(len, sequences))}.",
        )
    return [sequences[i] for i in short], labels[short]


def _inside(sequence, skip_top, end, oov_char):
    if oov_char is None:
        return [word for word in sequence if skip_top <= word < end]
    return [word if skip_top <= word < end else oov_char for word in sequence]


def _rows(sequences):
    """A 1-D object array of lists, also where all have one length (which NumPy would make a matrix)."""
    return np.fromiter(sequences, object)


def read_word_index(path):
    """The dict word -> rank of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))

"""TextVectorization: text to numbers, by standardizing it, splitting it into tokens and looking these up."""

import re
import string
from itertools import chain
from typing import Any

import numpy as np

from lamina.core.keras_tensor import KerasTensor, traced_dtype
from lamina.core.read_limits import reserve_array
from lamina.errors import ConfigError, ShapeError
from lamina.layers.categories import Categorical, batches_of, strings_of, values_of
from lamina.layers.text.lookups import StringLookup

__all__ = ["TextVectorization"]

# ASCII only, as TensorFlow's string functions do it.
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_BOTH = {**_LOWER, **_NO_PUNCTUATION}
_SPACES = re.compile(r"[^ \t\n\v\f\r]+")

_STANDARDIZE = {"lower_and_strip_punctuation": _BOTH, "lower": _LOWER, "strip_punctuation": _NO_PUNCTUATION}


def _words(text):
    return text.split() if text.isascii() else _SPACES.findall(text)


_SPLIT = {"whitespace": _words, "character": list}


class TextVectorization(Categorical):
    """Text to numbers: each text is standardized, split into tokens, and these are looked up in a vocabulary.

    It works in NumPy on the host. In a model the text becomes numbers before the compiled program runs.

    Args:
        max_tokens: the size of the vocabulary at most, padding and unknown tokens included.
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation" (of ASCII), None, or a function from an
            array of strings to one.
        split: "whitespace", "character", None, or a function from an array of strings to a list of tokens for each.
        ngrams: also take runs of tokens, joined by spaces: of 1 to this many, or of the lengths in a tuple.
        output_mode: "int" the number of each token, 0 for padding and 1 for unknown ones; "multi_hot", "count",
            "tf_idf" one row a text, as in `StringLookup`; "one_hot" one row a token.
        output_sequence_length: for "int", how many tokens of each text are kept, or padded to; None means the longest.
        pad_to_max_tokens: whether rows are `max_tokens` wide even where the vocabulary is smaller.
        vocabulary: a list of tokens, or the path of a text file with one a line; else call `adapt`.
        idf_weights: for "tf_idf", the weight of each token of `vocabulary`.
        sparse: accepted; the outputs are dense arrays.
        ragged: only False: every text of a batch has the same length.
        encoding: of bytes; "utf-8".

    Shapes: texts (batch,) or (batch, 1) -> (batch, tokens) for "int", else (batch, size of the vocabulary).

    >>> import lamina as keras
    >>> layer = keras.layers.TextVectorization(output_sequence_length=4)
    >>> layer.adapt(["foo bar", "bar baz", "baz, bada boom!"])
    >>> layer.get_vocabulary()
    ['', '[UNK]', 'baz', 'bar', 'foo', 'boom', 'bada']
    >>> layer(["Foo qux bar", "qux baz"]).tolist()
    [[4, 1, 3, 0], [1, 2, 0, 0]]
    """

    _modes = ("int", "one_hot", "multi_hot", "count", "tf_idf")

    def __init__(
        self,
        max_tokens=None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: Any = None,
        output_mode="int",
        output_sequence_length=None,
        pad_to_max_tokens=False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse=False,
        ragged=False,
        encoding="utf-8",
        name=None,
        **kwargs,
    ):
        told = kwargs.pop("vocabulary_size", None)
        super().__init__(output_mode=output_mode, sparse=sparse, name=name, **kwargs)
        _check_choice("standardize", standardize, _STANDARDIZE)
        _check_choice("split", split, _SPLIT)
        if ragged:
            raise ConfigError(
                "`ragged=True` makes rows of different length, which JAX has no arrays for.",
                fix="Leave it out: texts are padded with 0, which Embedding(mask_zero=True) leaves out of account.",
            )
        if output_sequence_length is not None and output_mode != "int":
            raise ConfigError(
                "`output_sequence_length` must not be set if `output_mode` is not 'int'. "
                f"Received: output_sequence_length={output_sequence_length}"
            )
        self.standardize, self.split, self.ngrams = standardize, split, ngrams
        self.output_sequence_length = output_sequence_length
        self.ragged, self.encoding = ragged, encoding
        self._ngram_lengths = _ngram_lengths(ngrams)
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens, vocabulary=vocabulary, idf_weights=idf_weights, pad_to_max_tokens=pad_to_max_tokens,
            mask_token="", output_mode=output_mode, sparse=sparse, encoding=encoding, dtype=self.dtype_policy,
            vocabulary_size=told,
        )  # fmt: skip
        self.max_tokens, self.pad_to_max_tokens = max_tokens, pad_to_max_tokens

    @property
    def input_dtype(self):
        """Text."""
        return "string"

    @property
    def vocabulary(self):
        """The list of tokens that was given; None where it came from a file or from `adapt`."""
        return self._lookup_layer.vocabulary

    @property
    def idf_weights(self):
        """The weight of each category in output_mode="tf_idf", unknown tokens first; None before it is known."""
        return self._lookup_layer.idf_weights

    def get_vocabulary(self, include_special_tokens=True):
        """The tokens in the order of their numbers."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self):
        """How many tokens there are, padding and the unknown one included."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary, idf_weights=None):
        """Take this vocabulary, a list or the path of a text file. It may begin with '' and '[UNK]'."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    # Adapting

    @property
    def _adaptable(self):
        return self._lookup_layer._adaptable

    def adapt(self, data, batch_size=None, steps=None):
        """Find the vocabulary of `data`: an array or list of texts, a dataset or an iterable of batches (`steps` of
        them)."""
        self.reset_state()
        for batch in batches_of(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self):
        """Forget the counts of `adapt`."""
        self._lookup_layer.reset_state()

    def update_state(self, data):
        """Count the tokens of one batch of texts."""
        texts = values_of(data)
        self._lookup_layer._count(self._tokens_of(texts.reshape(-1) if self.split is not None else texts))

    def finalize_state(self):
        """Make the vocabulary of what was counted."""
        self._lookup_layer.finalize_state()

    # Calling

    def call(self, inputs):
        if self.split is not None and inputs.ndim > 1 and inputs.shape[-1] != 1:
            raise ShapeError(
                "When using `TextVectorization` to tokenize strings, the input rank must be 1 or the last shape "
                f"dimension must be 1; got shape {inputs.shape}.",
                fix="split=None looks up strings that are tokens already.",
            )
        lead = inputs.shape[:-1] if inputs.ndim > 1 else inputs.shape
        if self.split is None and self._ngram_lengths is None and inputs.ndim <= 1:
            lead = ()  # the tokens of one sample
        rows = self._tokens_of(inputs)
        length = max(map(len, rows), default=0)
        if self.output_sequence_length is not None:
            length = self.output_sequence_length
            rows = [row[:length] for row in rows]
        if self.split is None and not lead and self.output_sequence_length is None:
            rows, length = [list(chain(*rows))], sum(map(len, rows))
        tokens = np.full((len(rows), length), "", object)
        counts = np.fromiter(map(len, rows), "int64", len(rows))
        tokens[np.arange(length) < counts[:, None]] = list(chain(*rows))
        return self._lookup_layer.call(tokens.reshape(*lead, length))

    def _tokens_of(self, texts):
        """A list of tokens for each text: of an array (..., n) that is not split, for each row."""
        texts = self._standardized(texts)
        if self.split is None:
            rows = texts.reshape(-1, texts.shape[-1] if texts.ndim > 1 else 1).tolist()
        elif callable(self.split):
            rows = [list(map(str, row)) for row in _plain_rows(self.split(texts.ravel().astype(str)))]
        else:
            rows = list(map(_SPLIT[self.split], texts.ravel().tolist()))
        return rows if self._ngram_lengths is None else [_runs(row, self._ngram_lengths) for row in rows]

    def _standardized(self, texts):
        if self.standardize is None:
            return texts
        if callable(self.standardize):
            return strings_of(np.asarray(self.standardize(texts.astype(str))))
        table = _STANDARDIZE[self.standardize]
        cleaned = np.array([text.translate(table) for text in texts.ravel().tolist()], object)
        return cleaned.reshape(texts.shape)

    def _depth(self):
        return self._lookup_layer._depth()

    def compute_output_shape(self, input_shape):
        """(batch, tokens) for "int", (batch, depth) for counts, (batch, tokens, depth) for "one_hot"."""
        batch = tuple(input_shape)[:1] if self.split is not None else tuple(input_shape)[:-1]
        if self.output_mode == "int":
            return (*batch, self.output_sequence_length)
        depth = self._lookup_layer._depth()
        return (*batch, None, depth) if self.output_mode == "one_hot" else (*batch, depth)

    def compute_output_spec(self, inputs, **kwargs):
        """The shape follows from that of the inputs, which cannot be traced."""
        return KerasTensor(self.compute_output_shape(inputs.shape), traced_dtype(self._lookup_layer._output_dtype))

    # Config and files

    def get_config(self):
        """The arguments by name, and the size of the vocabulary as Keras writes it."""
        return {**super().get_config(), "vocabulary_size": self._lookup_layer.get_config()["vocabulary_size"]}

    def _argument(self, name, parameter, owner):
        if name == "idf_weights":
            return self._lookup_layer._argument(name, parameter, owner)
        return super()._argument(name, parameter, owner)

    @classmethod
    def from_config(cls, config):
        """The layer of a config. A config holds tokens, never the path of a file."""
        if isinstance(config.get("ngrams"), list):
            config = {**config, "ngrams": tuple(config["ngrams"])}
        return super().from_config(StringLookup.checked_config(config))

    def save_assets(self, dir_path):
        """Write a vocabulary that the config does not hold, a token a line."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path):
        """Read what `save_assets` wrote."""
        self._lookup_layer.load_assets(dir_path)

    def save_own_variables(self, store):
        """Write the weights of output_mode="tf_idf"."""
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store):
        """Read what `save_own_variables` wrote."""
        self._lookup_layer.load_own_variables(store)


def _check_choice(name, value, known):
    if value is not None and not callable(value) and value not in known:
        raise ConfigError(
            f"Unknown value for `{name}` argument of TextVectorization. Allowed values are: {tuple(known)}. "
            f"Received: {name}={value}",
            fix="Or None, or a function.",
        )


def _ngram_lengths(ngrams):
    if ngrams is None or isinstance(ngrams, int):
        reserve_array((ngrams or 0,), 64, "ngrams")
        return None if ngrams is None else tuple(range(1, ngrams + 1))
    if not isinstance(ngrams, tuple) or not all(isinstance(length, int) for length in ngrams):
        raise ConfigError(f"`ngrams` must be None, an integer, or a tuple of integers. Received: ngrams={ngrams}")
    return ngrams


def _runs(row, lengths):
    """All runs of tokens of these lengths."""
    return [" ".join(row[start : start + n]) for n in lengths for start in range(len(row) - n + 1)]


def _plain_rows(rows):
    """What a split function gave (lists, an array, ragged rows) as lists."""
    for name in ("to_list", "tolist"):
        if hasattr(rows, name):
            rows = getattr(rows, name)()
            break
    return [[token.decode() if isinstance(token, bytes) else token for token in row] for row in rows]

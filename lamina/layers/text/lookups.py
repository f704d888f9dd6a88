"""StringLookup and IntegerLookup: tokens to their places in a vocabulary, and back."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.core.keras_tensor import traced_dtype
from lamina.errors import CallError, ConfigError, DataError
from lamina.layers.categories import is_text
from lamina.layers.text.hashing import bins_of
from lamina.layers.text.index_lookup import IndexLookup

__all__ = ["IntegerLookup", "StringLookup"]


class StringLookup(IndexLookup):
    """Strings to their places in a vocabulary; with `invert=True` back.

    It works in NumPy on the host. In a model the strings become numbers before the compiled program runs.

    Args:
        max_tokens: the size of the vocabulary at most, places for unknown and masked strings included.
        num_oov_indices: how many numbers unknown strings share, by their hash; 0 makes one an error.
        mask_token: a string that stands for nothing: 0 in output_mode="int", left out in the others.
        oov_token: what `invert=True` gives for a number of unknown strings.
        vocabulary: a list of strings, or the path of a text file with one a line.
        idf_weights: for output_mode="tf_idf", the weight of each string of `vocabulary`.
        invert: whether to turn numbers into strings.
        output_mode: "int" a number for each string; "one_hot", "multi_hot", "count" as in `CategoryEncoding`; "tf_idf"
            counts times idf_weights.
        pad_to_max_tokens: whether outputs are `max_tokens` wide even where the vocabulary is smaller.
        sparse: accepted; the outputs are dense arrays.
        encoding: of bytes; "utf-8".
        salt: one or two integers, a key of the hash of unknown strings.

    >>> import lamina as keras
    >>> layer = keras.layers.StringLookup(vocabulary=["a", "b", "c"])
    >>> layer([["a", "c"], ["b", "z"]]).tolist()
    [[1, 3], [2, 0]]
    >>> keras.layers.StringLookup(vocabulary=["a", "b", "c"], invert=True)([1, 3, 0]).tolist()
    ['a', 'c', '[UNK]']
    """

    vocabulary_dtype = "string"

    def __init__(
        self,
        max_tokens=None,
        num_oov_indices=1,
        mask_token=None,
        oov_token="[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert=False,
        output_mode="int",
        pad_to_max_tokens=False,
        sparse=False,
        encoding="utf-8",
        name=None,
        salt: Any = None,
        **kwargs,
    ):
        kwargs.pop("oov_method", None)  # in files, where it means nothing
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary=vocabulary, idf_weights=idf_weights,
            invert=invert, output_mode=output_mode, sparse=sparse, pad_to_max_tokens=pad_to_max_tokens, salt=salt,
            name=name, **kwargs,
        )  # fmt: skip
        self.encoding = encoding

    @property
    def input_dtype(self):
        """Strings, or the numbers of strings."""
        return "int64" if self.invert else "string"

    def _plain(self, token):
        if isinstance(token, bytes):
            return token.decode()
        if not isinstance(token, str):
            raise ConfigError(f"The vocabulary of {self.name} holds strings; got {token!r}.", fix="Use IntegerLookup.")
        return str(token)

    def _numbers(self, inputs):
        if not is_text(inputs):
            raise DataError(f"{self.name} looks up strings; got {inputs.dtype}.", fix="Use IntegerLookup for integers.")
        return np.array(self._numbers_of(inputs.ravel().tolist()), "int64").reshape(inputs.shape)

    def _numbers_of(self, tokens):
        """A list of numbers for a list of strings."""
        table, first = self._vocabulary.table, self._first_unknown()
        if self.num_oov_indices == 1:
            return [table.get(token, first) for token in tokens]
        numbers = [table.get(token) for token in tokens]
        unknown = [place for place, number in enumerate(numbers) if number is None]
        if unknown and not self.num_oov_indices:
            raise DataError(
                "When `num_oov_indices=0` all inputs should be in vocabulary; "
                f"found {[tokens[place] for place in unknown[:5]]}.",
                fix="Consider setting `num_oov_indices=1`.",
            )
        if unknown:
            hashed = bins_of(np.array([tokens[place] for place in unknown], object), self.num_oov_indices, self.salt)
            for place, number in zip(unknown, hashed.tolist(), strict=True):
                numbers[place] = first + number
        return numbers

    def _tokens_at(self, inputs):
        if isinstance(inputs, Tracer):
            raise CallError(
                f"{self.name} makes strings, which no compiled program can hold.",
                fix="Leave it out of the model and call it on the result of predict().",
            )
        tokens = np.array([*self.get_vocabulary(), self.oov_token], object)
        numbers = np.asarray(inputs)
        return tokens[np.where((numbers < 0) | (numbers >= len(tokens) - 1), len(tokens) - 1, numbers)]


class IntegerLookup(IndexLookup):
    """Integers to their places in a vocabulary; with `invert=True` back. It can run inside a compiled program.

    Args:
        max_tokens: the size of the vocabulary at most, places for unknown and masked integers included.
        num_oov_indices: how many numbers unknown integers share; 0 leaves them out.
        mask_token: an integer that stands for nothing: 0 in output_mode="int", left out in the others.
        oov_token: what `invert=True` gives for a number of unknown integers.
        vocabulary: integers, or the path of a text file with one a line.
        vocabulary_dtype: "int64".
        idf_weights, invert, output_mode, sparse, pad_to_max_tokens: as in `StringLookup`.
        oov_method: how unknown integers share numbers: "floormod" by the rest of a division, "farmhash" by the hash of
            their digits (SipHash under `salt`, one or two integers).

    >>> import lamina as keras
    >>> layer = keras.layers.IntegerLookup(vocabulary=[12, 36, 1138, 42])
    >>> layer([[12, 1138, 42], [42, 1000, 36]]).tolist()
    [[1, 3, 4], [4, 0, 2]]
    """

    def __init__(
        self,
        max_tokens=None,
        num_oov_indices=1,
        mask_token=None,
        oov_token=-1,
        vocabulary: Any = None,
        vocabulary_dtype="int64",
        idf_weights: Any = None,
        invert=False,
        output_mode="int",
        sparse=False,
        pad_to_max_tokens=False,
        oov_method="floormod",
        salt: Any = None,
        name=None,
        **kwargs,
    ):
        if vocabulary_dtype != "int64":
            raise ConfigError(f"Only vocabulary_dtype='int64' is supported at this time; got {vocabulary_dtype!r}.")
        if oov_method not in ("floormod", "farmhash"):
            raise ConfigError(f"`oov_method` must be 'floormod' or 'farmhash'; got {oov_method!r}.")
        if salt is not None and oov_method != "farmhash":
            raise ConfigError("`salt` is the key of a hash.", fix="Set oov_method='farmhash' too.")
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary=vocabulary, idf_weights=idf_weights,
            invert=invert, output_mode=output_mode, sparse=sparse, pad_to_max_tokens=pad_to_max_tokens, salt=salt,
            name=name, **kwargs,
        )  # fmt: skip
        self.vocabulary_dtype, self.oov_method = vocabulary_dtype, oov_method

    def _plain(self, token):
        return int(token)

    def _index(self):
        super()._index()
        keys = sorted(self._vocabulary.table)
        self._vocabulary.keys, self._vocabulary.values = keys, [self._vocabulary.table[key] for key in keys]

    def _numbers(self, inputs):
        if is_text(inputs):
            raise DataError(f"{self.name} looks up integers; got strings.", fix="Use StringLookup.")
        inputs = inputs.astype(traced_dtype("int64"))
        keys, values = jnp.asarray(self._vocabulary.keys, inputs.dtype), jnp.asarray(self._vocabulary.values, "int32")
        places = jnp.clip(jnp.searchsorted(keys, inputs), 0, len(self._vocabulary.keys) - 1)
        return jnp.where(keys[places] == inputs, values[places], self._unknown(inputs))

    def _unknown(self, inputs):
        """The number of an unknown integer."""
        first = self._first_unknown()
        if self.num_oov_indices <= 1:
            return first if self.num_oov_indices else -1
        if self.oov_method == "farmhash":
            return first + bins_of(inputs, self.num_oov_indices, self.salt)
        return first + (inputs % self.num_oov_indices).astype("int32")

    def _tokens_at(self, inputs):
        tokens = jnp.asarray([*self.get_vocabulary(), self.oov_token], traced_dtype("int64"))
        last = len(tokens) - 1
        return tokens[jnp.where((inputs < 0) | (inputs >= last), last, inputs.astype("int32"))]

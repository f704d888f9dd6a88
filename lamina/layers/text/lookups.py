"""StringLookup and IntegerLookup: map tokens to their indices in a vocabulary, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.core.arguments import choice
from lamina.core.keras_tensor import traced_dtype
from lamina.errors import ConfigError, DataError, TracingError
from lamina.layers.categories import is_text
from lamina.layers.text.hashing import bins_of
from lamina.layers.text.index_lookup import IndexLookup

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from lamina.core.typing import ArrayLike

__all__ = ["IntegerLookup", "StringLookup"]


class StringLookup(IndexLookup):
    """Maps strings to their indices in a vocabulary, or back with `invert=True`.

    It runs in NumPy on the host. In a model strings are mapped to indices before the compiled program runs.

    Args:
        max_tokens: Largest size of the vocabulary, with the places of unknown and masked strings; None means no limit.
        num_oov_indices: Number of places of unknown strings, assigned by hash; with 0 an unknown string is an error.
        mask_token: String that stands for a missing value: 0 in output_mode="int", ignored in the other modes. None
            means no such string.
        oov_token: String that `invert=True` returns for the places of unknown strings.
        vocabulary: Strings in the order of their indices, or the path of a text file with one a line; None if `adapt`
            finds them.
        idf_weights: Weights of the vocabulary for output_mode="tf_idf", of the same length.
        invert: Whether to map indices to strings.
        output_mode: "int" for the index of each string, "one_hot", "multi_hot" or "count" as in `CategoryEncoding`, or
            "tf_idf" for counts times `idf_weights`.
        pad_to_max_tokens: Whether outputs have `max_tokens` columns even if the vocabulary is smaller.
        sparse: Whether the outputs are sparse arrays, `jax.experimental.sparse.BCOO`.
        encoding: Encoding of bytes; only "utf-8".
        name: Name of the layer, unique in a model.
        salt: Key of the hash of unknown strings, one or two integers; None means no key.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

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
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Iterable[Any] | str | Path | None = None,
        idf_weights: ArrayLike | None = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: int | Sequence[int] | None = None,
        **kwargs: Any,
    ):
        kwargs.pop("oov_method", None)  # in files, without a meaning for strings
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary=vocabulary, idf_weights=idf_weights,
            invert=invert, output_mode=output_mode, sparse=sparse, pad_to_max_tokens=pad_to_max_tokens, salt=salt,
            name=name, **kwargs,
        )  # fmt: skip
        self.encoding = encoding

    @property
    def input_dtype(self) -> Any:
        """The type of the inputs: strings, or indices with `invert`."""
        return "int64" if self.invert else "string"

    def _plain(self, token):
        if isinstance(token, bytes):
            return token.decode()
        if not isinstance(token, str):
            raise ConfigError(
                f"The vocabulary of {self.name} must be strings; got {token!r}.", fix="layers.IntegerLookup()"
            )
        return str(token)

    def _numbers(self, inputs):
        if not is_text(inputs):
            raise DataError(f"{self.name} needs strings; got {inputs.dtype}.", fix="layers.IntegerLookup()")
        return np.array(self._numbers_of(inputs.ravel().tolist()), "int64").reshape(inputs.shape)

    def _numbers_of(self, tokens):
        """The indices of a list of strings."""
        table, first = self._vocabulary.table, self._first_unknown()
        if self.num_oov_indices == 1:
            return [table.get(token, first) for token in tokens]
        numbers = [table.get(token) for token in tokens]
        unknown = [place for place, number in enumerate(numbers) if number is None]
        if unknown and not self.num_oov_indices:
            raise DataError(
                "When `num_oov_indices=0` all inputs should be in vocabulary; "
                f"found {[tokens[place] for place in unknown[:5]]}.",
                fix="num_oov_indices=1",
            )
        if unknown:
            hashed = bins_of(np.array([tokens[place] for place in unknown], object), self.num_oov_indices, self.salt)
            for place, number in zip(unknown, hashed.tolist(), strict=True):
                numbers[place] = first + number
        return numbers

    def _tokens_at(self, inputs):
        if isinstance(inputs, Tracer):
            raise TracingError(
                f"{self.name} returns strings, which a compiled program cannot contain.",
                fix="Remove it from the model and call it on the result of predict().",
            )
        tokens = np.array([*self.get_vocabulary(), self.oov_token], object)
        numbers = np.asarray(inputs)
        found = np.empty(numbers.shape, object)
        found[...] = tokens[np.where((numbers < 0) | (numbers >= len(tokens) - 1), len(tokens) - 1, numbers)]
        return found


class IntegerLookup(IndexLookup):
    """Maps integers to their indices in a vocabulary, or back with `invert=True`, also in a compiled program.

    Args:
        max_tokens: Largest size of the vocabulary, with the places of unknown and masked integers; None means no limit.
        num_oov_indices: Number of places of unknown integers; with 0 unknown integers become -1.
        mask_token: Integer that stands for a missing value: 0 in output_mode="int", ignored in the other modes. None
            means no such integer.
        oov_token: Integer that `invert=True` returns for the places of unknown integers.
        vocabulary: Integers in the order of their indices, or the path of a text file with one a line; None if `adapt`
            finds them.
        vocabulary_dtype: Type of the vocabulary; only "int64".
        idf_weights: Weights of the vocabulary for output_mode="tf_idf", of the same length.
        invert: Whether to map indices to integers.
        output_mode: "int" for the index of each integer, "one_hot", "multi_hot" or "count" as in `CategoryEncoding`, or
            "tf_idf" for counts times `idf_weights`.
        sparse: Whether the outputs are sparse arrays, `jax.experimental.sparse.BCOO`.
        pad_to_max_tokens: Whether outputs have `max_tokens` columns even if the vocabulary is smaller.
        oov_method: Place of an unknown integer: "floormod" by the remainder of a division, "farmhash" by the hash of
            its digits.
        salt: Key of the hash for oov_method="farmhash", one or two integers; None means no key.
        name: Name of the layer, unique in a model.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> layer = keras.layers.IntegerLookup(vocabulary=[12, 36, 1138, 42])
    >>> layer([[12, 1138, 42], [42, 1000, 36]]).tolist()
    [[1, 3, 4], [4, 0, 2]]
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Iterable[Any] | str | Path | None = None,
        vocabulary_dtype: str = "int64",
        idf_weights: ArrayLike | None = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: int | Sequence[int] | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        choice(self, "vocabulary_dtype", vocabulary_dtype, ("int64",))
        choice(self, "oov_method", oov_method, ("floormod", "farmhash"))
        if salt is not None and oov_method != "farmhash":
            raise ConfigError("`salt` needs oov_method='farmhash'.", fix="oov_method='farmhash'")
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary=vocabulary, idf_weights=idf_weights,
            invert=invert, output_mode=output_mode, sparse=sparse, pad_to_max_tokens=pad_to_max_tokens, salt=salt,
            name=name, **kwargs,
        )  # fmt: skip
        self.vocabulary_dtype = vocabulary_dtype
        self.oov_method = oov_method

    def _plain(self, token):
        try:
            return int(token)
        except ValueError:
            message = f"{self.name} looks up whole numbers; got {token!r}."
            raise DataError(message, fix="keras.layers.StringLookup()") from None

    def _index(self):
        super()._index()
        keys = sorted(self._vocabulary.table)
        self._vocabulary.keys, self._vocabulary.values = keys, [self._vocabulary.table[key] for key in keys]

    def _numbers(self, inputs):
        if is_text(inputs):
            raise DataError(f"{self.name} needs integers; got strings.", fix="layers.StringLookup()")
        inputs = inputs.astype(traced_dtype("int64"))
        keys, values = jnp.asarray(self._vocabulary.keys, inputs.dtype), jnp.asarray(self._vocabulary.values, "int32")
        places = jnp.clip(jnp.searchsorted(keys, inputs), 0, len(self._vocabulary.keys) - 1)
        return jnp.where(keys[places] == inputs, values[places], self._unknown(inputs))

    def _unknown(self, inputs):
        """The index of an unknown integer."""
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

"""StringLookup and IntegerLookup: tokens to their places in a vocabulary, and back."""

import pathlib
from collections import Counter
from types import SimpleNamespace
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.core import context
from lamina.core.dtypes import is_float
from lamina.core.settings import floatx
from lamina.core.symbolic import traced_dtype
from lamina.errors import CallError, ConfigError, DataError, FileError, UnsafeFileError
from lamina.layers.categories import Categorical, batches_of, is_text, values_of
from lamina.layers.hashing import bins_of, salt_pair

__all__ = ["IntegerLookup", "StringLookup"]

_ASSET = "vocabulary.txt"


class IndexLookup(Categorical):
    """Tokens to category numbers: [mask, if there is one,] unknown tokens, then the vocabulary in its order.

    The vocabulary is given (a list, or a text file with a token a line), or found by `adapt`: the most frequent tokens
    first. Only for output_mode="int" the mask has a number (0); the other modes leave masked tokens out.
    """

    _modes = ("int", "one_hot", "multi_hot", "count", "tf_idf")
    vocabulary_dtype: Any = "int64"
    oov_method = "floormod"

    def __init__(
        self,
        max_tokens: Any,
        num_oov_indices,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert=False,
        output_mode="int",
        sparse=False,
        pad_to_max_tokens=False,
        salt: Any = None,
        **kwargs,
    ):
        told = kwargs.pop(
            "vocabulary_size", None
        )  # by files, whose models are drawn before their vocabularies are read
        super().__init__(output_mode=output_mode, sparse=sparse, **kwargs)
        self.max_tokens, self.num_oov_indices = max_tokens, num_oov_indices
        self.mask_token, self.oov_token = mask_token, oov_token
        self.invert, self.pad_to_max_tokens, self.salt = invert, pad_to_max_tokens, salt_pair(salt)
        self._check_arguments(idf_weights)
        given = None if vocabulary is None or isinstance(vocabulary, (str, pathlib.Path)) else []
        # In a namespace, not in lists of this layer, which would be searched for layers.
        self._vocabulary = SimpleNamespace(given=given, tokens=[], table={}, size_told=told)
        self._is_fixed, self._idf = vocabulary is not None, None
        self._index()
        self.reset_state()
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def _check_arguments(self, idf_weights):
        if self.max_tokens is not None and self.max_tokens <= 1:
            raise ConfigError(
                f"If set, `max_tokens` must be greater than 1. Received: max_tokens={self.max_tokens}",
                fix="It counts the places of unknown tokens too.",
            )
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise ConfigError("If pad_to_max_tokens is True, must set `max_tokens`. Received: max_tokens=None")
        if self.num_oov_indices < 0:
            raise ConfigError(
                "`num_oov_indices` must be greater than or equal to 0. "
                f"Received: num_oov_indices={self.num_oov_indices}"
            )
        if self.invert and self.output_mode != "int":
            raise ConfigError(
                f"`output_mode` must be `'int'` when `invert` is true. Received: output_mode={self.output_mode}"
            )
        if idf_weights is not None and self.output_mode != "tf_idf":
            raise ConfigError(
                "`idf_weights` should only be set if `output_mode` is `'tf_idf'`. "
                f"Received: idf_weights={idf_weights} and output_mode={self.output_mode}"
            )

    # The vocabulary

    @property
    def _special(self):
        """What stands in front of the tokens."""
        mask = [self.mask_token] if self.mask_token is not None and self.output_mode == "int" else []
        return mask + [self.oov_token] * self.num_oov_indices

    def get_vocabulary(self, include_special_tokens=True):
        """The tokens in the order of their numbers."""
        return [*self._special, *self._vocabulary.tokens] if include_special_tokens else list(self._vocabulary.tokens)

    def vocabulary_size(self):
        """How many tokens there are, those for unknown and masked ones included."""
        return len(self._special) + len(self._vocabulary.tokens)

    def _depth(self):
        if self.pad_to_max_tokens:
            return self.max_tokens
        return self.vocabulary_size() if self._vocabulary.tokens else self._vocabulary.size_told

    @property
    def idf_weights(self):
        """The weight of each category in output_mode="tf_idf", unknown tokens first; None before it is known."""
        return self._idf

    @property
    def vocabulary(self):
        """The list of tokens that was given; None where it came from a file or from `adapt`."""
        return self._vocabulary.given

    def set_vocabulary(self, vocabulary, idf_weights=None):
        """Take this vocabulary, a list or the path of a text file. It may begin with the mask and unknown tokens."""
        if isinstance(vocabulary, (str, pathlib.Path)):
            vocabulary = self._read(vocabulary)
        tokens = [self._plain(token) for token in values_of_list(vocabulary)]
        if not tokens:
            raise ConfigError(f"Cannot set an empty vocabulary. Received: vocabulary={vocabulary}")
        special = self._special
        led = tokens[: len(special)] == special and bool(special)
        rest = tokens[len(special) :] if led else tokens
        self._check_tokens(rest)
        if self.output_mode == "tf_idf":
            self._set_idf(idf_weights, 0 if led else len(special), len(tokens))
        self._vocabulary.tokens = rest
        self._vocabulary.given = tokens if self._vocabulary.given is not None else None
        self._index()

    def _check_tokens(self, tokens):
        repeated = [token for token, count in Counter(tokens).items() if count > 1]
        if repeated:
            raise ConfigError(
                "The passed vocabulary has at least one repeated term. Please uniquify your dataset. "
                f"The repeated terms are: {repeated[:8]}"
            )
        for what, token in (("mask", self.mask_token), *((("OOV", self.oov_token),) if self.invert else ())):
            if token is not None and token in tokens:
                raise ConfigError(
                    f"Found reserved {what} token at unexpected location in `vocabulary`.",
                    fix=f"Leave {token!r} out; or put all special tokens in front: {self._special}.",
                )
        size = len(self._special) + len(tokens)
        if self.max_tokens is not None and size > self.max_tokens:
            raise ConfigError(
                "Attempted to set a vocabulary larger than the maximum vocab size. "
                f"Received vocabulary size is {size}; `max_tokens` is {self.max_tokens}."
            )

    def _set_idf(self, idf_weights, front, count):
        """The weights of the tokens, in front of them their mean for each unknown one."""
        if idf_weights is None:
            raise ConfigError(
                "When specifying the `vocabulary` argument, in TF-IDF output mode, the `idf_weights` argument must "
                "also be provided."
            )
        weights = np.asarray(idf_weights, "float32")
        if len(weights) != count:
            raise ConfigError(
                "`idf_weights` must be the same length as vocabulary. "
                f"len(idf_weights) is {len(weights)}; len(vocabulary) is {count}"
            )
        self._idf = np.concatenate([np.full(front, weights.mean(), "float32"), weights])

    def _index(self):
        """Make the table from tokens to numbers."""
        first = len(self._special)
        table = {token: number for number, token in enumerate(self._vocabulary.tokens, first)}
        if self.mask_token is not None:
            table[self.mask_token] = 0 if self.output_mode == "int" else -1
        self._vocabulary.table = table
        self._revision += 1
        context.structure_changed()

    def _plain(self, token):
        """A token as a plain str or int."""
        raise NotImplementedError

    def _read(self, path):
        path = pathlib.Path(path)
        if not path.is_file():
            raise FileError(f"Vocabulary file {path} does not exist.", fix="A text file with one token a line.")
        with open(path, encoding="utf-8", newline="") as file:  # no other line breaks than this one
            lines = file.read().split("\n")
        lines = lines[:-1] if len(lines) > 1 and not lines[-1] else lines
        return [self._plain(line) for line in lines]

    # Adapting

    @property
    def _adaptable(self):
        return not self._is_fixed

    def adapt(self, data, steps=None):
        """Find the vocabulary of `data`: an array, a list, a dataset or an iterable of batches (`steps` of them)."""
        self.reset_state()
        for batch in batches_of(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self):
        """Forget the counts of `adapt`; the vocabulary stays until there is another."""
        self._seen = SimpleNamespace(tokens=Counter(), documents=Counter(), rows=0)

    def update_state(self, data):
        """Count the tokens of one batch. A row is a document, for output_mode="tf_idf"."""
        data = np.asarray(values_of(data))
        self._count((data.reshape(data.shape[0], -1) if data.ndim > 1 else data.reshape(-1, 1)).tolist())

    def _count(self, rows):
        if self._is_fixed:
            raise ConfigError(
                f"Cannot adapt layer {self.name!r} after setting a static vocabulary via `vocabulary` argument.",
                fix="Make a layer without `vocabulary`, or call set_vocabulary().",
            )
        for row in rows:
            self._seen.tokens.update(row)
            if self.output_mode == "tf_idf":
                self._seen.documents.update(set(row))
        self._seen.rows += len(rows)

    def finalize_state(self):
        """Make the vocabulary of what was counted: the most frequent tokens, of equally frequent ones the later."""
        if not self._seen.tokens:
            return
        reserved = {self.mask_token, self.oov_token}
        found = [(count, self._plain(token)) for token, count in self._seen.tokens.items() if token not in reserved]
        tokens = [token for _, token in sorted(found, reverse=True)]
        if self.max_tokens is not None:
            tokens = tokens[: self.max_tokens - len(self._special)]
        if self.output_mode == "tf_idf":
            documents = np.array([self._seen.documents[token] for token in tokens])
            weights = np.log(1 + self._seen.rows / (1 + documents)).astype("float32")
            self._set_idf(weights, len(self._special), len(tokens))
        self._vocabulary.tokens = tokens
        self._index()
        self.reset_state()

    # Calling

    @property
    def _output_dtype(self):
        if self.output_mode == "int":
            return self.vocabulary_dtype if self.invert else self._int_dtype
        return self.compute_dtype if is_float(self.compute_dtype) else floatx()

    def call(self, inputs):
        if not self._vocabulary.tokens:
            raise CallError(f"{self.name} has no vocabulary yet.", fix="Call adapt(data), or give vocabulary=[...].")
        if self.invert:
            return self._tokens_at(inputs)
        return self._encode(self._numbers(inputs), idf_weights=self._padded_idf())

    def _padded_idf(self):
        if self.output_mode != "tf_idf":
            return None
        depth: Any = self._depth()
        return np.pad(self._idf, (0, depth - len(self._idf)))  # type: ignore[arg-type]

    def _numbers(self, inputs):
        """The number of each token."""
        raise NotImplementedError

    def _tokens_at(self, inputs):
        """The token at each number."""
        raise NotImplementedError

    def _first_unknown(self):
        return len(self._special) - self.num_oov_indices

    # Config and files

    def get_config(self):
        """The arguments by name, and the size of the vocabulary as Keras writes it."""
        size = self.vocabulary_size() if self._vocabulary.tokens else self._vocabulary.size_told
        return {**super().get_config(), "vocabulary_size": size}

    def _argument(self, name, parameter, owner):
        if name == "idf_weights":  # those of `adapt` are saved beside the weights
            led = self._vocabulary.given is not None and self._idf is not None
            return self._idf[len(self._idf) - len(self._vocabulary.tokens) :].tolist() if led else None  # type: ignore[index]
        return super()._argument(name, parameter, owner)

    @classmethod
    def from_config(cls, config):
        """The layer of a config. A config holds tokens, never the path of a file."""
        return super().from_config(cls.checked_config(config))

    @classmethod
    def checked_config(cls, config):
        """A config that names no file to read."""
        if isinstance(config.get("vocabulary"), str):
            raise UnsafeFileError(
                f"The config of a {cls.__name__} names a file ({config['vocabulary']!r}) to read; it is refused.",
                fix="Tokens are in the config or among the assets of the saved model.",
            )
        if config.get("vocabulary") is None and config.get("idf_weights") is not None:
            config = {**config, "idf_weights": None}
        return config

    def save_assets(self, dir_path):
        """Write a vocabulary that the config does not hold, a token a line."""
        if self._vocabulary.given is None and self._vocabulary.tokens:
            tokens = [str(token) for token in self.get_vocabulary()]
            broken = [token for token in tokens if "\n" in token]
            if broken:
                raise FileError(
                    f"The vocabulary of {self.name} has tokens with line breaks, such as {broken[0]!r}: it cannot be "
                    "written as a file with a token a line."
                )
            pathlib.Path(dir_path, _ASSET).write_text("\n".join(tokens), encoding="utf-8", newline="")

    def load_assets(self, dir_path):
        """Read what `save_assets` wrote."""
        if self._vocabulary.given is None:
            tokens, special = self._read(pathlib.Path(dir_path, _ASSET)), self._special
            self._vocabulary.tokens = tokens[len(special) :] if tokens[: len(special)] == special else tokens
            self._check_tokens(self._vocabulary.tokens)
            self._index()

    def save_own_variables(self, store):
        """Write the weights of output_mode="tf_idf"."""
        if self._idf is not None:
            store["idf_weights"] = self._idf

    def load_own_variables(self, store):
        """Read what `save_own_variables` wrote."""
        if self.output_mode == "tf_idf" and "idf_weights" in store:
            self._idf = np.asarray(store["idf_weights"], "float32")


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


def values_of_list(vocabulary):
    """The tokens of a list, tuple or array."""
    return vocabulary.tolist() if hasattr(vocabulary, "tolist") else list(vocabulary)

"""What StringLookup and IntegerLookup share: a vocabulary, given or found by `adapt`, and its files."""

import pathlib
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np

from lamina.core import context
from lamina.core.dtypes import is_float
from lamina.core.read_limits import reserve_array
from lamina.errors import CallError, ConfigError, FileError, UnsafeFileError
from lamina.layers.categories import Categorical, batches_of, values_of
from lamina.layers.text.hashing import salt_pair
from lamina.runtime.settings import floatx

__all__ = ["IndexLookup"]

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
        reserve_array((self.num_oov_indices,), 8, "num_oov_indices")
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


def values_of_list(vocabulary):
    """The tokens of a list, tuple or array."""
    return vocabulary.tolist() if hasattr(vocabulary, "tolist") else list(vocabulary)

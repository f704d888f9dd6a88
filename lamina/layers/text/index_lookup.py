"""IndexLookup: the base of StringLookup and IntegerLookup, with a vocabulary that is given or found by `adapt`."""

from __future__ import annotations

import pathlib
from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.core import context
from lamina.core.dtypes import is_float
from lamina.errors import CallError, ConfigError, UnsafeFileError
from lamina.layers.categories import Categorical, batches_of, values_of
from lamina.layers.text.hashing import salt_pair
from lamina.layers.text.vocabulary import check_arguments, check_tokens, lines_of, write_lines
from lamina.runtime.settings import floatx

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from typing import Self

    from lamina.core.typing import ArrayLike, Config

__all__ = ["IndexLookup"]

_ASSET = "vocabulary.txt"


class IndexLookup(Categorical):
    """Maps tokens to indices: first the mask if there is one, then unknown tokens, then the vocabulary in its order.

    The vocabulary is given (a list, or a text file with one token a line), or found by `adapt`, the most frequent
    tokens first. The mask has an index (0) for output_mode="int" only; the other modes ignore masked tokens.

    Args:
        max_tokens: Largest size of the vocabulary, with the special tokens; None means no limit.
        num_oov_indices: Number of places of unknown tokens.
        mask_token: Token that stands for a missing value; None means no such token.
        oov_token: Token that `invert=True` returns for the places of unknown tokens.
        vocabulary: Tokens in the order of their indices, or the path of a text file; None if `adapt` finds them.
        idf_weights: Weights of the vocabulary for output_mode="tf_idf".
        invert: Whether to map indices to tokens.
        output_mode: "int", "one_hot", "multi_hot", "count" or "tf_idf".
        salt: Key of the hash of unknown tokens, one or two integers; None means no key.
        sparse: Whether the outputs are sparse arrays, `jax.experimental.sparse.BCOO`.
        pad_to_max_tokens: Whether outputs have `max_tokens` columns even if the vocabulary is smaller.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    _modes = ("int", "one_hot", "multi_hot", "count", "tf_idf")
    vocabulary_dtype: Any = "int64"
    oov_method = "floormod"

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Iterable[Any] | str | Path | None = None,
        idf_weights: ArrayLike | None = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        salt: int | Sequence[int] | None = None,
        **kwargs: Any,
    ):
        saved_size = kwargs.pop("vocabulary_size", None)  # in files, which are built before the vocabulary is read
        super().__init__(output_mode=output_mode, sparse=sparse, **kwargs)
        self.max_tokens = max_tokens
        self.num_oov_indices = num_oov_indices
        self.mask_token = mask_token
        self.oov_token = oov_token
        self.invert = invert
        self.pad_to_max_tokens = pad_to_max_tokens
        self.salt: Any = salt_pair(salt)
        check_arguments(self, idf_weights)
        given = None if vocabulary is None or isinstance(vocabulary, (str, pathlib.Path)) else []
        # In a namespace, since lists of a layer are searched for layers.
        self._vocabulary = SimpleNamespace(given=given, tokens=[], table={}, saved_size=saved_size)
        self._is_fixed = vocabulary is not None
        self._idf = None
        self._index()
        self.reset_state()
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    # The vocabulary

    @property
    def _special(self):
        """The special tokens before the vocabulary."""
        mask = [self.mask_token] if self.mask_token is not None and self.output_mode == "int" else []
        return mask + [self.oov_token] * self.num_oov_indices

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens in the order of their indices.

        Args:
            include_special_tokens: Whether the mask and the unknown tokens are included.
        """
        return [*self._special, *self._vocabulary.tokens] if include_special_tokens else list(self._vocabulary.tokens)

    def vocabulary_size(self) -> int:
        """The number of tokens, with those for unknown and masked tokens."""
        return len(self._special) + len(self._vocabulary.tokens)

    def _depth(self):
        if self.pad_to_max_tokens:
            return self.max_tokens
        return self.vocabulary_size() if self._vocabulary.tokens else self._vocabulary.saved_size

    @property
    def idf_weights(self) -> Any:
        """The weight of each index in output_mode="tf_idf", unknown tokens first; None before it is known."""
        return self._idf

    @property
    def vocabulary(self) -> Any:
        """The list of tokens that was given; None if they came from a file or from `adapt`."""
        return self._vocabulary.given

    def set_vocabulary(self, vocabulary: Iterable[Any] | str | Path, idf_weights: ArrayLike | None = None) -> None:
        """Sets the vocabulary.

        Args:
            vocabulary: Tokens, or the path of a text file with one a line. They may begin with the special tokens.
            idf_weights: Weights of the tokens for output_mode="tf_idf".
        """
        if isinstance(vocabulary, (str, pathlib.Path)):
            vocabulary = self._read(vocabulary)
        tokens = [self._plain(token) for token in getattr(vocabulary, "tolist", lambda: vocabulary)()]
        if not tokens:
            message = f"Cannot set an empty vocabulary. Received: vocabulary={vocabulary}"
            raise ConfigError(message, fix="vocabulary=['a', 'b']")
        special = self._special
        has_special = tokens[: len(special)] == special and bool(special)
        rest = tokens[len(special) :] if has_special else tokens
        check_tokens(self, rest)
        if self.output_mode == "tf_idf":
            self._set_idf(idf_weights, 0 if has_special else len(special), len(tokens))
        self._vocabulary.tokens = rest
        self._vocabulary.given = tokens if self._vocabulary.given is not None else None
        self._index()

    def _set_idf(self, idf_weights, front, count):
        """Sets the weights of the tokens, after their mean for each place of unknown tokens."""
        if idf_weights is None:
            raise ConfigError(
                "A `vocabulary` in TF-IDF output mode needs `idf_weights`, one for each token.",
                fix=f"idf_weights=[1.0] * {count}",
            )
        weights = np.asarray(idf_weights, "float32")
        if len(weights) != count:
            raise ConfigError(
                "`idf_weights` must be the same length as vocabulary. "
                f"len(idf_weights) is {len(weights)}; len(vocabulary) is {count}",
                fix=f"idf_weights=[1.0] * {count}",
            )
        self._idf = np.concatenate([np.full(front, weights.mean(), "float32"), weights])

    def _index(self):
        """Builds the table from tokens to indices."""
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
        return [self._plain(line) for line in lines_of(path)]

    # Adapting

    @property
    def _adaptable(self):
        return not self._is_fixed

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Finds the vocabulary of the data, the most frequent tokens first.

        Args:
            data: Array, dataset or iterable of batches.
            steps: Number of batches to use; None means all.
        """
        self.reset_state()
        for batch in batches_of(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Discards the counts of `adapt`; the vocabulary stays until there is a new one."""
        self._seen = SimpleNamespace(tokens=Counter(), documents=Counter(), rows=0)

    def update_state(self, data: Any) -> None:
        """Counts the tokens of one batch. Each row is a document for output_mode="tf_idf".

        Args:
            data: Batch of data.
        """
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

    def finalize_state(self) -> None:
        """Sets the vocabulary to the most frequent tokens; of equally frequent ones the larger comes first."""
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

    def call(self, inputs: Any) -> Any:
        if not self._vocabulary.tokens:
            raise CallError(f"{self.name} has no vocabulary yet: adapt(data) makes one.", fix="layer.adapt(data)")
        if self.invert:
            return self._tokens_at(inputs)
        return self._encode(self._numbers(inputs), idf_weights=self._padded_idf())

    def _padded_idf(self):
        if self.output_mode != "tf_idf":
            return None
        depth: Any = self._depth()
        return np.pad(self._idf, (0, depth - len(self._idf)))  # type: ignore[arg-type]

    def _numbers(self, inputs):
        """The index of each token."""
        raise NotImplementedError

    def _tokens_at(self, inputs):
        """The token at each index."""
        raise NotImplementedError

    def _first_unknown(self):
        return len(self._special) - self.num_oov_indices

    # Config and files

    def get_config(self) -> Config:
        """The arguments by name, and the size of the vocabulary as Keras writes it."""
        size = self.vocabulary_size() if self._vocabulary.tokens else self._vocabulary.saved_size
        return {**super().get_config(), "vocabulary_size": size}

    def _argument(self, name, parameter, owner):
        if name == "idf_weights":  # weights that `adapt` computed are saved in the file of the weights
            saved = self._vocabulary.given is not None and self._idf is not None
            return self._idf[len(self._idf) - len(self._vocabulary.tokens) :].tolist() if saved else None  # type: ignore[index]
        return super()._argument(name, parameter, owner)

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """The layer of a config, which may hold tokens but not the path of a file.

        Args:
            config: What `get_config` returned.
        """
        return super().from_config(cls.checked_config(config))

    @classmethod
    def checked_config(cls, config: Config) -> Config:
        """The config, after a check that it does not name a file.

        Args:
            config: What `get_config` returned.
        """
        if isinstance(config.get("vocabulary"), str):
            raise UnsafeFileError(
                f"The config of a {cls.__name__} names a file ({config['vocabulary']!r}), which is never read.",
                fix="The tokens belong into the config or the assets of the saved model.",
            )
        if config.get("vocabulary") is None and config.get("idf_weights") is not None:
            config = {**config, "idf_weights": None}
        return config

    def save_assets(self, dir_path: str | Path) -> None:
        """Writes a vocabulary that is not in the config, one token a line.

        Args:
            dir_path: Folder of the assets.
        """
        if self._vocabulary.given is None and self._vocabulary.tokens:
            write_lines(pathlib.Path(dir_path, _ASSET), [str(token) for token in self.get_vocabulary()], self.name)

    def load_assets(self, dir_path: str | Path) -> None:
        """Reads what `save_assets` wrote.

        Args:
            dir_path: Folder of the assets.
        """
        if self._vocabulary.given is None:
            tokens, special = self._read(pathlib.Path(dir_path, _ASSET)), self._special
            self._vocabulary.tokens = tokens[len(special) :] if tokens[: len(special)] == special else tokens
            check_tokens(self, self._vocabulary.tokens)
            self._index()

    def save_own_variables(self, store: Any) -> None:
        """Writes the weights of output_mode="tf_idf".

        Args:
            store: Dict-like object of arrays.
        """
        if self._idf is not None:
            store["idf_weights"] = self._idf

    def load_own_variables(self, store: Any) -> None:
        """Reads what `save_own_variables` wrote.

        Args:
            store: Dict-like object of arrays.
        """
        if self.output_mode == "tf_idf" and "idf_weights" in store:
            self._idf = np.asarray(store["idf_weights"], "float32")

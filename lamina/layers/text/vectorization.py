"""TextVectorization: maps text to numbers by standardization, splitting into tokens, and lookup."""

from __future__ import annotations

import re
import string
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.core.arguments import nearest
from lamina.core.keras_tensor import KerasTensor, traced_dtype
from lamina.core.read_limits import reserve_array
from lamina.errors import ConfigError, ShapeError
from lamina.layers.categories import Categorical, batches_of, expect_text, strings_of, values_of
from lamina.layers.text.lookups import StringLookup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import Self

    from lamina.core.typing import ArrayLike, Config, Shape

__all__ = ["TextVectorization"]

# ASCII only, as in TensorFlow's string functions
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_BOTH = {**_LOWER, **_NO_PUNCTUATION}
_SPACES = re.compile(r"[^ \t\n\v\f\r]+")

STANDARDIZE = {"lower_and_strip_punctuation": _BOTH, "lower": _LOWER, "strip_punctuation": _NO_PUNCTUATION}


def _words(text):
    return text.split() if text.isascii() else _SPACES.findall(text)


_SPLIT = {"whitespace": _words, "character": list}


class TextVectorization(Categorical):
    """Maps text to numbers: it standardizes each text, splits it into tokens and looks these up in a vocabulary.

    It runs in NumPy on the host. In a model text is mapped to numbers before the compiled program runs.

    Args:
        max_tokens: Largest size of the vocabulary, with padding and unknown tokens; None means no limit.
        standardize: "lower_and_strip_punctuation", "lower" or "strip_punctuation" (ASCII only), None, or a function
            from an array of strings to another.
        split: "whitespace", "character", None for texts that are tokens, or a function from an array of strings to a
            list of tokens for each.
        ngrams: Adds n-grams of tokens, joined by spaces: of 1 to this many tokens, or of the lengths in a tuple. None
            adds none.
        output_mode: "int" for the index of each token (0 is padding, 1 unknown), "multi_hot", "count" or "tf_idf" for a
            row for each text as in `StringLookup`, "one_hot" for a row for each token.
        output_sequence_length: Length to which each text is cut or padded in output_mode="int"; None means the longest
            text of the batch.
        pad_to_max_tokens: Whether outputs have `max_tokens` columns even if the vocabulary is smaller.
        vocabulary: Tokens in the order of their indices, or the path of a text file with one a line; None if `adapt`
            finds them.
        idf_weights: Weights of the vocabulary for output_mode="tf_idf", of the same length.
        sparse: Whether the outputs are sparse arrays, `jax.experimental.sparse.BCOO`.
        ragged: Only False is supported, except in programs for TensorFlow: all texts of a batch have the same length.
        encoding: Encoding of bytes; only "utf-8".
        name: Name of the layer, unique in a model.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Shapes: texts (batch,) or (batch, 1) -> (batch, tokens) for "int", else (batch, size of the vocabulary).

    >>> import lamina as keras
    >>> layer = keras.layers.TextVectorization(output_sequence_length=4)
    >>> layer.adapt(["foo bar", "bar baz", "baz, bada boom!"])
    >>> layer.get_vocabulary()
    ['', '[UNK]', 'baz', 'bar', 'foo', 'boom', 'bada']
    >>> layer(["Foo qux bar", "qux baz"]).tolist()
    [[4, 1, 3, 0], [1, 2, 0, 0]]
    """

    _ragged: Any = (
        None  # in programs for TensorFlow: a function of (values, lengths of rows) that gives a ragged tensor
    )
    _modes = ("int", "one_hot", "multi_hot", "count", "tf_idf")

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | Callable[[Any], Any] | None = "lower_and_strip_punctuation",
        split: str | Callable[[Any], Any] | None = "whitespace",
        ngrams: int | tuple[int, ...] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Iterable[Any] | str | Path | None = None,
        idf_weights: ArrayLike | None = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ):
        saved_size = kwargs.pop("vocabulary_size", None)
        super().__init__(output_mode=output_mode, sparse=sparse, name=name, **kwargs)
        _check_choice("standardize", standardize, STANDARDIZE)
        _check_choice("split", split, _SPLIT)
        if ragged and self._ragged is None:
            message = "`ragged=True` means rows of different length, which JAX arrays do not support."
            raise ConfigError(message, fix="ragged=False")
        if output_sequence_length is not None and output_mode != "int":
            message = "`output_sequence_length` must not be set if `output_mode` is not 'int'. "
            message += f"Received: output_sequence_length={output_sequence_length}"
            raise ConfigError(message, fix="output_mode='int'")
        self.standardize = standardize
        self.split = split
        self.ngrams = ngrams
        self.output_sequence_length = output_sequence_length
        self.ragged = ragged
        self.encoding = encoding
        self._ngram_lengths = _ngram_lengths(ngrams)
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens, vocabulary=vocabulary, idf_weights=idf_weights, pad_to_max_tokens=pad_to_max_tokens,
            mask_token="", output_mode=output_mode, sparse=sparse, encoding=encoding, dtype=self.dtype_policy,
            vocabulary_size=saved_size,
        )  # fmt: skip
        self.max_tokens = max_tokens
        self.pad_to_max_tokens = pad_to_max_tokens

    @property
    def input_dtype(self) -> Any:
        """The type of the inputs: strings."""
        return "string"

    @property
    def vocabulary(self) -> Any:
        """The list of tokens that was given; None if they came from a file or from `adapt`."""
        return self._lookup_layer.vocabulary

    @property
    def idf_weights(self) -> Any:
        """The weight of each index in output_mode="tf_idf", unknown tokens first; None before it is known."""
        return self._lookup_layer.idf_weights

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens in the order of their indices.

        Args:
            include_special_tokens: Whether the mask and the unknown tokens are included.
        """
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """The number of tokens, with padding and the unknown token."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Iterable[Any] | str | Path, idf_weights: ArrayLike | None = None) -> None:
        """Sets the vocabulary.

        Args:
            vocabulary: Tokens, or the path of a text file with one a line. They may begin with the special tokens.
            idf_weights: Weights of the tokens for output_mode="tf_idf".
        """
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    # Adapting

    @property
    def _adaptable(self):
        return self._lookup_layer._adaptable

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Finds the vocabulary of texts, the most frequent tokens first.

        Args:
            data: Array, dataset or iterable of batches.
            batch_size: Ignored.
            steps: Number of batches to use; None means all.
        """
        self.reset_state()
        for batch in batches_of(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Discards the counts of `adapt`."""
        self._lookup_layer.reset_state()

    def update_state(self, data: Any) -> None:
        """Counts the tokens of one batch of texts.

        Args:
            data: Batch of data.
        """
        texts = values_of(data)
        self._lookup_layer._count(self._tokens_of(texts.reshape(-1) if self.split is not None else texts))

    def finalize_state(self) -> None:
        """Sets the vocabulary to the most frequent tokens."""
        self._lookup_layer.finalize_state()

    # Calling

    def call(self, inputs: Any) -> Any:
        if self.split is not None and inputs.ndim > 1 and inputs.shape[-1] != 1:
            raise ShapeError(
                "When using `TextVectorization` to tokenize strings, the input rank must be 1 or the last shape "
                f"dimension must be 1; got shape {inputs.shape}.",
                fix="split=None",
            )
        lead = inputs.shape[:-1] if inputs.ndim > 1 else inputs.shape
        if self.split is None and self._ngram_lengths is None and inputs.ndim <= 1:
            lead = ()  # the tokens of one sample
        rows: Any = self._tokens_of(inputs)
        length = max(map(len, rows), default=0)
        if self.output_sequence_length is not None:
            length = self.output_sequence_length
            rows = [row[:length] for row in rows]
        if self.ragged and lead and self._lookup_layer.output_mode == "int":
            return self._ragged(self._lookup_layer.call(np.array(list(chain(*rows)), object)), list(map(len, rows)))
        if self.split is None and not lead and self.output_sequence_length is None:
            rows, length = [list(chain(*rows))], sum(map(len, rows))
        tokens = np.full((len(rows), length), "", object)
        counts = np.fromiter(map(len, rows), "int64", len(rows))
        tokens[np.arange(length) < counts[:, None]] = list(chain(*rows))
        return self._lookup_layer.call(tokens.reshape(*lead, length))

    def _tokens_of(self, texts):
        """A list of tokens for each text, or for each row of an array (..., n) without splitting."""
        texts = self._standardized(expect_text(self, texts))
        if self.split is None:
            rows = texts.reshape(-1, texts.shape[-1] if texts.ndim > 1 else 1).tolist()
        elif callable(self.split):
            rows = [list(map(str, row)) for row in _plain_rows(self.split(texts.ravel().astype(str)))]
        else:
            rows = list(map(_SPLIT[self.split], texts.ravel().tolist()))
        return rows if self._ngram_lengths is None else [_ngrams_of(row, self._ngram_lengths) for row in rows]

    def _standardized(self, texts):
        if self.standardize is None:
            return texts
        if callable(self.standardize):
            return strings_of(np.asarray(self.standardize(texts.astype(str))))
        table = STANDARDIZE[self.standardize]
        cleaned = np.array([text.translate(table) for text in texts.ravel().tolist()], object)
        return cleaned.reshape(texts.shape)

    def _depth(self):
        return self._lookup_layer._depth()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape (batch, tokens) for "int", (batch, depth) for counts, (batch, tokens, depth) for "one_hot"."""
        batch = tuple(input_shape)[:1] if self.split is not None else tuple(input_shape)[:-1]
        if self.output_mode == "int":
            return (*batch, self.output_sequence_length)
        depth = self._lookup_layer._depth()
        return (*batch, None, depth) if self.output_mode == "one_hot" else (*batch, depth)

    def compute_output_spec(self, inputs: Any, **kwargs: Any) -> KerasTensor:
        """The symbolic outputs, from the shape of the inputs, since strings cannot be traced."""
        return KerasTensor(self.compute_output_shape(inputs.shape), traced_dtype(self._lookup_layer._output_dtype))

    # Config and files

    def get_config(self) -> Config:
        """The arguments by name, and the size of the vocabulary as Keras writes it."""
        return {**super().get_config(), "vocabulary_size": self._lookup_layer.get_config()["vocabulary_size"]}

    def _argument(self, name, parameter, owner):
        if name == "idf_weights":
            return self._lookup_layer._argument(name, parameter, owner)
        return super()._argument(name, parameter, owner)

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """The layer of a config, which may hold tokens but not the path of a file.

        Args:
            config: What `get_config` returned.
        """
        if isinstance(config.get("ngrams"), list):
            config = {**config, "ngrams": tuple(config["ngrams"])}
        return super().from_config(StringLookup.checked_config(config))

    def save_assets(self, dir_path: str | Path) -> None:
        """Writes a vocabulary that is not in the config, one token a line.

        Args:
            dir_path: Folder of the assets.
        """
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: str | Path) -> None:
        """Reads what `save_assets` wrote.

        Args:
            dir_path: Folder of the assets.
        """
        self._lookup_layer.load_assets(dir_path)

    def save_own_variables(self, store: Any) -> None:
        """Writes the weights of output_mode="tf_idf".

        Args:
            store: Dict-like object of arrays.
        """
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        """Reads what `save_own_variables` wrote.

        Args:
            store: Dict-like object of arrays.
        """
        self._lookup_layer.load_own_variables(store)


def _check_choice(name, value, known):
    if value is not None and not callable(value) and value not in known:
        raise ConfigError(
            f"Unknown value for `{name}` argument of TextVectorization. Allowed values are: {tuple(known)}. "
            f"Received: {name}={value!r}",
            fix=f"{name}={nearest(value, known)!r}",
        )


def _ngram_lengths(ngrams):
    if ngrams is None or isinstance(ngrams, int):
        reserve_array((ngrams or 0,), 64, "ngrams")
        return None if ngrams is None else tuple(range(1, ngrams + 1))
    if not isinstance(ngrams, tuple) or not all(isinstance(length, int) for length in ngrams):
        raise ConfigError(
            f"`ngrams` must be None, an integer, or a tuple of integers. Received: ngrams={ngrams}", fix="ngrams=2"
        )
    return ngrams


def _ngrams_of(row, lengths):
    """All n-grams of these lengths."""
    return [" ".join(row[start : start + n]) for n in lengths for start in range(len(row) - n + 1)]


def _plain_rows(rows):
    """The result of a split function (lists, an array, or ragged rows) as lists."""
    for name in ("to_list", "tolist"):
        if hasattr(rows, name):
            rows = getattr(rows, name)()
            break
    return [[token.decode() if isinstance(token, bytes) else token for token in row] for row in rows]

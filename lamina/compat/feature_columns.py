"""tf.feature_column and keras.layers.DenseFeatures: columns of a table as numbers, by the layers that do it today."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina import initializers, ops
from lamina.errors import ConfigError
from lamina.layers import Discretization, HashedCrossing, Hashing, IntegerLookup, Layer, StringLookup
from lamina.layers.categories import is_text, values_of

__all__ = ["COLUMNS", "DenseFeatures"]


class Column:
    """A column: its name, by which `DenseFeatures` sorts, and the layer that reads it."""

    layer: Any = None
    size = 0

    def __init__(self, name: str) -> None:
        self.name = name

    def read(self, features: Any) -> Any:
        """What the column holds, an array (batch, values) of numbers; of a categorical one the numbers of categories,
        -1 where there is none.

        Args:
            features: Dict of arrays by name.
        """
        raise NotImplementedError


class _Numeric(Column):
    def __init__(self, key, shape=(1,), default_value=None, dtype=None, normalizer_fn=None):
        super().__init__(key)
        self.normalizer = normalizer_fn
        self.size = math.prod((shape,) if isinstance(shape, int) else shape)

    def read(self, features):
        values = ops.reshape(ops.cast(features[self.name], "float32"), (-1, self.size))
        return self.normalizer(values) if self.normalizer else values


class _Categorical(Column):
    """A column of categories, by a layer that gives 0 for a missing value, the buckets of unknown ones after it, and
    then the known ones. Here these come first, and missing values are -1, as unknown ones without a bucket."""

    def __init__(self, key, layer, size, unknown=0):
        super().__init__(key)
        self.layer, self.size, self.unknown = layer, size, unknown

    def read(self, features):
        places = self.layer(_values(features, self.name)) - 1
        if isinstance(self.layer, Hashing):
            return _columns(places)
        first = max(self.unknown, 1)
        behind = places + (self.size - self.unknown) if self.unknown else ops.full_like(places, -1)
        return _columns(ops.where(places < 0, -1, ops.where(places < first, behind, places - first)))


def _values(features, key):
    values = features[key]
    return values_of(values) if isinstance(values, (list, np.ndarray)) else values


def _is_text(values):
    return is_text(values) or values.dtype == "string"


def _of_rank(rank, values):
    """One number of each row as (batch,) or (batch, 1)."""
    if len(values.shape) == rank or (rank == 1 and values.shape[1] != 1):
        return values
    return ops.reshape(values, (-1, 1)[:rank])


def _columns(places):
    return ops.reshape(places, (-1, 1)) if len(places.shape) == 1 else places


class _Identity(Column):
    def __init__(self, key, num_buckets, default_value=None):
        super().__init__(key)
        self.size, self.default = num_buckets, default_value

    def read(self, features):
        places = _columns(ops.cast(features[self.name], "int32"))
        inside = (places >= 0) & (places < self.size)
        return ops.where(inside, places, -1 if self.default is None else self.default)


class _Buckets(Column):
    def __init__(self, source_column, boundaries):
        super().__init__(f"{source_column.name}_bucketized")
        self.source, self.layer = source_column, Discretization(bin_boundaries=[*map(float, boundaries)])
        self.buckets = len(boundaries) + 1
        self.size = self.buckets * source_column.size

    def read(self, features):
        return self.layer(self.source.read(features)) + self.buckets * np.arange(self.source.size)


class _Crossed(Column):
    def __init__(self, keys, hash_bucket_size, hash_key=None):
        if hash_key is not None:
            raise ConfigError("crossed_column with a hash_key is not known.", fix="crossed_column(keys, 1000)")
        super().__init__("_X_".join(sorted(getattr(key, "name", key) for key in keys)))
        self.keys, self.layer, self.size = [*keys], HashedCrossing(hash_bucket_size), hash_bucket_size

    def read(self, features):
        read = [key.read(features) if isinstance(key, Column) else _values(features, key) for key in self.keys]
        rank = next((len(one.shape) for one in read if _is_text(one)), 2)
        return _columns(self.layer([one if _is_text(one) else _of_rank(rank, one) for one in read]))


class _Dense(Column):
    """A categorical column with its kind of numbers: counts of categories, or rows of a table."""

    def __init__(self, source, kind, dimension=None, combiner="mean", initializer=None):
        super().__init__(f"{source.name}_{kind}")
        self.source, self.dimension, self.combiner, self.initializer = source, dimension, combiner, initializer

    def table(self, owner):
        """The variable of an embedding; None of counts."""
        if self.dimension is None:
            return None
        draw = self.initializer or initializers.TruncatedNormal(0.0, 1 / math.sqrt(self.dimension))
        return owner.add_weight((self.source.size, self.dimension), initializers.get(draw), name=self.name)

    def encode(self, features, table):
        """Counts of the categories of each row, or the mean, sum or scaled sum of their rows of the table."""
        counts = ops.sum(ops.one_hot(self.source.read(features), self.source.size), axis=1)
        if table is None:
            return counts
        total = ops.sum(counts, axis=1, keepdims=True)
        scale = {"sum": 1.0, "mean": total, "sqrtn": ops.sqrt(total)}[self.combiner]
        return ops.matmul(counts, table) / ops.maximum(scale, 1e-12)


class DenseFeatures(Layer):
    """`keras.layers.DenseFeatures`: the columns of a dict of features in one array, in the order of their names.

    Shapes: {name: (batch, values)} -> (batch, sum of the sizes).

    Args:
        feature_columns: Column of numbers, buckets, indicators or embeddings of `tf.feature_column`, or a list of them.
        trainable: Whether embeddings are trained.
        name: Name of the layer, unique in a model.
        **kwargs: Arguments of every layer.
    """

    def __init__(self, feature_columns: Any, trainable: bool = True, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, trainable=trainable, **kwargs)
        given: list[Any] = [*feature_columns] if isinstance(feature_columns, (list, tuple)) else [feature_columns]
        for column in given:
            if not isinstance(column, (_Numeric, _Buckets, _Dense)):
                shown = getattr(column, "name", column)
                raise ConfigError(
                    f"DenseFeatures takes columns of numbers; got the categories {shown!r}.",
                    fix="tf.feature_column.indicator_column(column)",
                )
        self._columns = sorted(given, key=lambda column: column.name)
        self._readers = [one.layer for column in self._columns for one in _parts(column) if one.layer is not None]
        self._tables: list[Any] = []

    @property
    def _reads_texts(self) -> bool:
        """Whether a column may read texts: then a model that begins with this layer reads them on the host."""
        return any(isinstance(one, (StringLookup, Hashing, HashedCrossing)) for one in self._readers)

    def build(self, input_shape: Any) -> None:
        self._tables = [column.table(self) if isinstance(column, _Dense) else None for column in self._columns]

    def call(self, features: Any) -> Any:
        """The columns side by side."""
        parts = []
        for column, table in zip(self._columns, self._tables, strict=True):
            if isinstance(column, _Dense):
                parts.append(column.encode(features, table))
            elif isinstance(column, _Buckets):
                parts.append(ops.sum(ops.one_hot(column.read(features), column.size), axis=1))
            else:
                parts.append(column.read(features))
        return ops.concatenate(parts, axis=-1)


def _parts(column):
    """A column and those that it reads."""
    inner = [getattr(column, "source", None), *getattr(column, "keys", ())]
    return [column, *(one for source in inner if isinstance(source, Column) for one in _parts(source))]


def _vocabulary(key, vocabulary_list, dtype=None, default_value=-1, num_oov_buckets=0):
    words: Sequence[Any] = np.asarray(vocabulary_list).tolist()
    kind: Any
    kind, missing = (StringLookup, "") if isinstance(words[0], str) else (IntegerLookup, -1)
    layer = kind(vocabulary=words, mask_token=missing, num_oov_indices=max(num_oov_buckets, 1))
    return _Categorical(key, layer, len(words) + num_oov_buckets, num_oov_buckets)


def _hashed(key, hash_bucket_size, dtype="string"):
    missing = "" if dtype == "string" else -1
    return _Categorical(key, Hashing(hash_bucket_size + 1, mask_value=missing), hash_bucket_size)


def _vocabulary_file(key, vocabulary_file, vocabulary_size=None, dtype=None, default_value=-1, num_oov_buckets=0, **_):
    with open(vocabulary_file, encoding="utf-8") as lines:
        words = lines.read().splitlines()
    return _vocabulary(key, words[:vocabulary_size], num_oov_buckets=num_oov_buckets)


COLUMNS: dict[str, Any] = {
    "numeric_column": _Numeric, "bucketized_column": _Buckets, "categorical_column_with_identity": _Identity,
    "categorical_column_with_vocabulary_list": _vocabulary,
    "categorical_column_with_vocabulary_file": _vocabulary_file,
    "categorical_column_with_hash_bucket": _hashed,
    "crossed_column": _Crossed, "indicator_column": lambda categorical_column: _Dense(categorical_column, "indicator"),
    "embedding_column": lambda categorical_column, dimension, combiner="mean", initializer=None, **_: _Dense(
        categorical_column, "embedding", dimension, combiner, initializer),
}  # fmt: skip
"""Names of `tensorflow.feature_column`."""

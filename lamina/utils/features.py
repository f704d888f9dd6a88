"""Parts of a FeatureSpace: a column (Feature), columns that are combined (Cross), and rules for columns."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from lamina.core import context
from lamina.core.arguments import choice
from lamina.core.configurable import Configurable
from lamina.core.serialization import deserialize
from lamina.core.typing import TensorLike
from lamina.layers.base.layer import Layer
from lamina.layers.discretization import Discretization
from lamina.layers.preprocessing import Normalization, Rescaling
from lamina.layers.text.hashing import Hashing
from lamina.layers.text.lookups import IntegerLookup, StringLookup

__all__ = ["KINDS", "ColumnRules", "Cross", "Feature", "TFDIdentity"]

KINDS = (
    "float", "float_rescaled", "float_normalized", "float_discretized", "integer_categorical", "string_categorical",
    "integer_hashed", "string_hashed",
)  # fmt: skip
_MODULE = "keras.src.layers.preprocessing.feature_space"  # the module that files name


class Cross(Configurable):
    """Several features that are combined and hashed into a number of categories.

    Args:
        feature_names: Names of the features.
        crossing_dim: Number of categories.
        output_mode: "int" for the numbers of categories, or "one_hot".
    """

    _keras_module = _MODULE

    def __init__(self, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> None:
        choice(self, "output_mode", output_mode, ("one_hot", "int"))
        self.feature_names: tuple[str, ...] = tuple(feature_names)
        self.crossing_dim: int = crossing_dim
        self.output_mode: str = output_mode

    @property
    def name(self) -> str:
        """The names of the features, joined by `_X_`."""
        return "_X_".join(self.feature_names)


class Feature(Configurable):
    """One column of a table.

    Args:
        dtype: Type of the values.
        preprocessor: Layer from the values to numbers or categories, or its config.
        output_mode: "int", "one_hot" or "float".
    """

    _keras_module = _MODULE

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        choice(self, "output_mode", output_mode, ("one_hot", "int", "float"))
        self.dtype: str = dtype
        self.output_mode: str = output_mode
        self.preprocessor: Any = deserialize(preprocessor) if isinstance(preprocessor, dict) else preprocessor


class TFDIdentity(Layer):
    """The values as they are."""

    _keras_module = _MODULE

    def call(self, x: TensorLike) -> Any:
        return x


class ColumnRules:
    """The class methods of FeatureSpace that make rules for columns."""

    @classmethod
    def cross(cls, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """Several columns combined and hashed into a number of categories.

        Args:
            feature_names: Names of the columns.
            crossing_dim: Number of categories.
            output_mode: "int" for the number of the category, or "one_hot".
        """
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A column that a layer of your own encodes.

        Args:
            dtype: Type of the values.
            preprocessor: Layer from the values to numbers or categories.
            output_mode: "int", "one_hot" or "float".
        """
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Numbers, unchanged.

        Args:
            name: Name of the column, of which the layer takes its own.
        """
        return Feature("float32", TFDIdentity(name=_named(name, "float")), "float")

    @classmethod
    def float_rescaled(
        cls, scale: builtins.float = 1.0, offset: builtins.float = 0.0, name: str | None = None
    ) -> Feature:
        """`scale * number + offset`.

        Args:
            scale: Factor.
            offset: Number that is added.
            name: Name of the column, of which the layer takes its own.
        """
        return Feature("float32", Rescaling(scale, offset, name=_named(name, "float_rescaled")), "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Numbers, normalized to mean 0 and variance 1.

        Args:
            name: Name of the column, of which the layer takes its own.
        """
        return Feature("float32", Normalization(axis=-1, name=_named(name, "float_normalized")), "float")

    @classmethod
    def float_discretized(
        cls,
        num_bins: int,
        bin_boundaries: Sequence[builtins.float] | None = None,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """The bin that a number falls into.

        Args:
            num_bins: Number of bins, whose boundaries are learned from the data.
            bin_boundaries: Boundaries of the bins, in place of `num_bins`.
            output_mode: "int" for the number of the bin, or "one_hot".
            name: Name of the column, of which the layer takes its own.
        """
        bins = num_bins if bin_boundaries is None else None
        layer = Discretization(bin_boundaries, bins, name=_named(name, "float_discretized"))
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Categories given as integers, numbered by a vocabulary.

        Args:
            max_tokens: Largest size of the vocabulary; None sets no limit.
            num_oov_indices: Number of categories for values outside the vocabulary.
            output_mode: "int" for the number of the category, or "one_hot".
            name: Name of the column, of which the layer takes its own.
        """
        name = _named(name, "integer_categorical")
        return Feature("int32", IntegerLookup(max_tokens, num_oov_indices, name=name), output_mode)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Categories given as strings, numbered by a vocabulary.

        Args:
            max_tokens: Largest size of the vocabulary; None sets no limit.
            num_oov_indices: Number of categories for values outside the vocabulary.
            output_mode: "int" for the number of the category, or "one_hot".
            name: Name of the column, of which the layer takes its own.
        """
        name = _named(name, "string_categorical")
        return Feature("string", StringLookup(max_tokens, num_oov_indices, name=name), output_mode)

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Categories given as strings, numbered by their hash.

        Args:
            num_bins: Number of categories.
            output_mode: "int" for the number of the category, or "one_hot".
            name: Name of the column, of which the layer takes its own.
        """
        return Feature("string", Hashing(num_bins, name=_named(name, "string_hashed")), output_mode)

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Categories given as integers, numbered by their hash.

        Args:
            num_bins: Number of categories.
            output_mode: "int" for the number of the category, or "one_hot".
            name: Name of the column, of which the layer takes its own.
        """
        return Feature("int32", Hashing(num_bins, name=_named(name, "integer_hashed")), output_mode)


def _named(name, kind):
    return f"{name or context.unique_name(kind)}_preprocessor"

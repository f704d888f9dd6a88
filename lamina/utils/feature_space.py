"""FeatureSpace: the columns of a table as numbers for a network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina import saving
from lamina.core import tree
from lamina.core.arguments import choice, nearest
from lamina.core.keras_tensor import KerasTensor
from lamina.core.serialization import deserialize
from lamina.errors import CallError, ConfigError, DataError
from lamina.layers.base.layer import Layer
from lamina.layers.categories import CategoryEncoding, values_of
from lamina.layers.input_layer import Input
from lamina.layers.merging import Concatenate
from lamina.layers.tensorflow_data import call_back, has_graph_tensors
from lamina.layers.text.hashing import HashedCrossing
from lamina.runtime.tracebacks import filters_traceback
from lamina.utils.features import KINDS, ColumnRules, Cross, Feature

__all__ = ["FeatureSpace"]


class FeatureSpace(ColumnRules, Layer):
    """Columns of numbers, categories and strings, each encoded by its own rule, as one array or as a dict of arrays.

    Args:
        features: Dict of column -> rule: a kind ("float", "float_rescaled", "float_normalized", "float_discretized",
            "integer_categorical", "string_categorical", "integer_hashed", "string_hashed"), the result of the method of
            that name (`FeatureSpace.float_discretized(num_bins=5)`), or `FeatureSpace.feature(...)` with a layer.
        output_mode: "concat" for one array, "dict" for a dict of arrays.
        crosses: Tuples of columns to combine as further features, or results of `FeatureSpace.cross(...)`.
        crossing_dim: Number of categories of crosses that are given as tuples.
        hashing_dim: Number of categories of hashed columns that are given by a kind.
        num_discretization_bins: Number of bins of discretized columns that are given by a kind.
        name: Name of the layer, unique in a model.

    Raises:
        ConfigError: A rule is not known, or a cross names a column that is not there.

    >>> import lamina as keras
    >>> space = keras.utils.FeatureSpace({"age": "float_normalized", "job": "string_categorical"})
    >>> space.adapt({"age": [20.0, 40.0], "job": ["cook", "pilot"]})
    >>> space({"age": [30.0], "job": ["cook"]}).tolist()
    [[0.0, 0.0, 0.0, 1.0]]
    """

    _keras_module = "keras.utils"

    def __init__(
        self,
        features: dict[str, Any],
        output_mode: str = "concat",
        crosses: Sequence[Any] | None = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if not features:
            raise ConfigError("The `features` argument cannot be None or empty.", fix='FeatureSpace({"age": "float"})')
        choice(self, "output_mode", output_mode, ("concat", "dict"))
        self.output_mode: str = output_mode
        self.crossing_dim: int = crossing_dim
        self.hashing_dim: int = hashing_dim
        self.num_discretization_bins: int = num_discretization_bins
        self.features: dict[str, Any] = {name: self._as_feature(name, value) for name, value in features.items()}
        self.crosses: list[Any] = [self._as_cross(cross) for cross in crosses or ()]
        self.preprocessors: dict[str, Any] = {name: feature.preprocessor for name, feature in self.features.items()}
        self.crossers: dict[str, Any] = {
            cross.name: HashedCrossing(cross.crossing_dim, name=cross.name) for cross in self.crosses
        }
        self.one_hot_encoders: dict[str, Any] = {}
        self.concat: Concatenate = Concatenate(axis=-1)
        self.inputs: dict[str, Any] = {
            name: Input((1,), dtype=feature.dtype, name=name) for name, feature in self.features.items()
        }
        self.encoded_features: Any = None
        self._is_adapted = not self._adaptable()

    def _as_feature(self, name, value):
        if isinstance(value, Feature):
            return value
        if isinstance(value, dict):
            return deserialize(value)
        sizes = {
            "float_discretized": (self.num_discretization_bins,),
            "integer_hashed": (self.hashing_dim,),
            "string_hashed": (self.hashing_dim,),
        }
        if value not in KINDS:
            raise ConfigError(f"Invalid feature type: {value!r}.", fix=f"{{{name!r}: {nearest(value, KINDS)!r}}}")
        return getattr(type(self), value)(*sizes.get(value, ()), name=name)

    def _as_cross(self, cross):
        if isinstance(cross, dict):
            cross = deserialize(cross)
        if not isinstance(cross, Cross):
            if not self.crossing_dim:
                raise ConfigError(
                    "When specifying `crosses`, the argument `crossing_dim` (an integer) is needed.",
                    fix="crossing_dim=32",
                )
            cross = Cross(cross, self.crossing_dim)
        missing = [name for name in cross.feature_names if name not in self.features]
        if missing:
            near = [name if name in self.features else nearest(name, self.features) for name in cross.feature_names]
            raise ConfigError(
                f"All features of a cross should be present in `features`; {missing} are not.", fix=f"crosses=[{near}]"
            )
        return cross

    # Adapting

    def _adaptable(self):
        """The columns whose layers learn from data."""
        return [
            name for name, layer in self.preprocessors.items() if getattr(layer, "_adaptable", hasattr(layer, "adapt"))
        ]

    @filters_traceback
    def adapt(self, dataset: Any) -> None:
        """Learn means, bins and vocabularies from data.

        Args:
            dataset: Dict of columns, a DataFrame, or a dataset or iterable of dicts. Of pairs (columns, targets) the
                targets are ignored.
        """
        names, kept = self._adaptable(), {}
        for name in names:
            getattr(self.preprocessors[name], "reset_state", lambda: None)()
        for batch in _batches(dataset):
            for name in names:
                layer, values = self.preprocessors[name], _column(batch, name)
                if hasattr(layer, "update_state"):
                    layer.update_state(values)
                else:
                    kept.setdefault(name, []).append(values)
        for name in names:
            if name in kept:
                self.preprocessors[name].adapt(np.concatenate(kept[name]))
            else:
                self.preprocessors[name].finalize_state()
        self._is_adapted = True
        self._build_outputs()

    # Calling

    def get_inputs(self) -> dict[str, Any]:
        """The symbolic inputs by column."""
        self._refuse_unadapted()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """The symbolic outputs for `get_inputs()`."""
        self._refuse_unadapted()
        if self.encoded_features is None:
            self._build_outputs()
        return self.encoded_features

    def _build_outputs(self):
        self.one_hot_encoders = {
            name: CategoryEncoding(_cardinality(layer), output_mode="multi_hot")
            for name, layer, mode in self._parts_by_name()
            if mode == "one_hot"
        }
        self.encoded_features = self._encode(self.inputs)
        self.built = True

    def _parts_by_name(self):
        features = [(name, f.preprocessor, f.output_mode) for name, f in self.features.items()]
        return [*features, *((cross.name, self.crossers[cross.name], cross.output_mode) for cross in self.crosses)]

    def _encode(self, values):
        """The outputs for columns of shape (batch, 1): the columns by name, then the crosses by name."""
        outputs = {name: layer(values[name]) for name, layer in self.preprocessors.items()}
        for cross in self.crosses:
            outputs[cross.name] = self.crossers[cross.name]([outputs[name] for name in cross.feature_names])
        for name, encoder in self.one_hot_encoders.items():
            outputs[name] = encoder(outputs[name])
        outputs = {name: outputs[name] for name in (*sorted(self.features), *sorted(self.crossers))}
        if self.output_mode == "dict":
            return outputs
        for name, _, mode in self._parts_by_name():
            if mode == "int":
                raise ConfigError(
                    f"Cannot concatenate features because feature {name!r} has not been encoded "
                    f"(it has dtype {outputs[name].dtype}).",
                    fix="Consider using `output_mode='dict'`, or output_mode='one_hot' of the feature.",
                )
        return self.concat(list(outputs.values())) if len(outputs) > 1 else next(iter(outputs.values()))

    def __call__(self, data: dict[str, Any]) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Encode columns.

        Args:
            data: Dict of columns: arrays, lists, or single values, which are one sample without a batch axis.
        """
        self._refuse_unadapted()
        if self.encoded_features is None:
            self._build_outputs()
        if any(isinstance(value, KerasTensor) for value in data.values()):
            return self._encode(data)
        columns: Any = data
        if has_graph_tensors(columns):
            columns = {name: _of(data, name) for name in self.features}
            return call_back(self, columns, self._describe)
        columns = {name: values_of(_of(data, name)) for name in self.features}
        single = all(value.ndim == 0 for value in columns.values())
        outputs = self._encode({name: self._fit(name, value) for name, value in columns.items()})
        if not single:
            return outputs
        return {name: value[0] for name, value in outputs.items()} if isinstance(outputs, dict) else outputs[0]

    def _describe(self, symbols):
        """The symbolic outputs for columns of shape (batch,), (batch, 1), or () for a single sample."""
        lead = next(iter(symbols.values())).shape[:1]
        return tree.map_structure(lambda x: KerasTensor((*lead, *x.shape[1:]), x.dtype), self.encoded_features)

    def _fit(self, name, value):
        value = value.reshape(-1, 1) if value.ndim < 2 else value
        dtype = self.features[name].dtype
        return value if dtype == "string" else value.astype(dtype)

    def _refuse_unadapted(self):
        if not self._is_adapted:
            raise CallError(
                "You need to call `.adapt(dataset)` on the FeatureSpace before you can start using it.",
                fix=f"These columns learn from data: {', '.join(self._adaptable())}.",
            )

    # Files

    def get_build_config(self) -> dict[str, Any]:
        """The shapes that the layers of the columns were built with."""
        return {name: layer.get_build_config() or {} for name, layer in self.preprocessors.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build the layers of a saved space, which was adapted before it was saved.

        Args:
            config: Result of `get_build_config`.
        """
        for name, layer in self.preprocessors.items():
            if not layer.built:
                layer.build_from_config(config.get(name))
        self._is_adapted = True
        self._build_outputs()

    def save(self, filepath: str | os.PathLike[str]) -> None:
        """Write the space to a file, which `keras.models.load_model` reads.

        Args:
            filepath: Path that ends in `.keras`.
        """
        saving.save_model(self, filepath)


def _cardinality(layer):
    """The number of categories that a layer distinguishes."""
    size = getattr(layer, "num_bins", None) or (layer._depth() if hasattr(layer, "_depth") else None)
    if size is None:
        raise ConfigError(
            f"How many categories {layer.name} ({type(layer).__name__}) makes is not known, so one_hot cannot be.",
            fix='output_mode="int"',
        )
    return size


def _batches(dataset):
    """An iterable of dicts of columns."""
    if hasattr(dataset, "columns"):  # a DataFrame
        return [{name: dataset[name].to_numpy() for name in dataset.columns}]
    if isinstance(dataset, dict):
        return [dataset]
    if not hasattr(dataset, "__iter__") and not hasattr(dataset, "__getitem__"):
        raise DataError(
            f"adapt takes a dict of columns or an iterable of them; got {type(dataset).__name__}.",
            fix="feature_space.adapt({'age': [20, 30]})",
        )
    batches = dataset.as_numpy_iterator() if hasattr(dataset, "as_numpy_iterator") else dataset
    return (batch[0] if isinstance(batch, (tuple, list)) else batch for batch in batches)


def _of(data, name):
    if name not in data:
        raise DataError(
            f"The data has no column {name!r}; it has {', '.join(map(str, data))}.",
            fix=f"data = dict(data); data[{name!r}] = data.pop({nearest(name, data)!r}), if it has another name there.",
        )
    return data[name]


def _column(batch, name):
    """A column as an array (batch, 1)."""
    values = np.asarray(values_of(_of(batch, name)))
    return values.reshape(-1, 1) if values.ndim < 2 else values

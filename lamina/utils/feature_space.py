"""FeatureSpace: a table of columns of all kinds as numbers that a network learns from."""

from typing import Any

import numpy as np

from lamina import saving
from lamina.core import context, tree
from lamina.core.configurable import Configurable
from lamina.core.keras_tensor import KerasTensor
from lamina.core.serialization import deserialize
from lamina.errors import CallError, ConfigError, DataError
from lamina.layers.base.layer import Layer
from lamina.layers.categories import CategoryEncoding, values_of
from lamina.layers.discretization import Discretization
from lamina.layers.input_layer import Input
from lamina.layers.merging import Concatenate
from lamina.layers.preprocessing import Normalization, Rescaling
from lamina.layers.tensorflow_data import call_back, has_graph_tensors
from lamina.layers.text.hashing import HashedCrossing, Hashing
from lamina.layers.text.lookups import IntegerLookup, StringLookup

__all__ = ["Cross", "Feature", "FeatureSpace"]

_MODULE = "keras.src.layers.preprocessing.feature_space"  # the name in files


class Cross(Configurable):
    """Several features that are taken together, hashed into `crossing_dim` categories."""

    _keras_module = _MODULE

    def __init__(self, feature_names, crossing_dim, output_mode="one_hot"):
        if output_mode not in ("int", "one_hot"):
            raise ConfigError(f"Invalid value for argument `output_mode`: 'int' or 'one_hot'; got {output_mode!r}.")
        self.feature_names, self.crossing_dim, self.output_mode = tuple(feature_names), crossing_dim, output_mode

    @property
    def name(self):
        """The names of the features, joined by `_X_`."""
        return "_X_".join(self.feature_names)


class Feature(Configurable):
    """One column: the type of its values, the layer that turns them into numbers, and how these are given out."""

    _keras_module = _MODULE

    def __init__(self, dtype, preprocessor, output_mode):
        if output_mode not in ("int", "one_hot", "float"):
            raise ConfigError(
                f"Invalid value for argument `output_mode`: 'int', 'one_hot' or 'float'; got {output_mode!r}."
            )
        self.dtype, self.output_mode = dtype, output_mode
        self.preprocessor: Any = deserialize(preprocessor) if isinstance(preprocessor, dict) else preprocessor


class TFDIdentity(Layer):
    """The values as they are."""

    _keras_module = _MODULE

    def call(self, x):
        return x


class FeatureSpace(Layer):
    """Columns of numbers, categories and strings, each by its own rule, as one array (or one for each column).

    Args:
        features: column -> a kind ("float", "float_rescaled", "float_normalized", "float_discretized",
            "integer_categorical", "string_categorical", "integer_hashed", "string_hashed"), or what a method of that
            name gives (`FeatureSpace.float_discretized(num_bins=5)`), or `FeatureSpace.feature(...)` with a layer of
            your own.
        output_mode: "concat" for one array, "dict" for a dict of arrays.
        crosses: tuples of columns that are also taken together, or `FeatureSpace.cross(...)`.
        crossing_dim, hashing_dim, num_discretization_bins: the sizes where a cross, a hashed or a discretized column
            does not say its own.

    >>> import lamina as keras
    >>> space = keras.utils.FeatureSpace({"age": "float_normalized", "job": "string_categorical"})
    >>> space.adapt({"age": [20.0, 40.0], "job": ["cook", "pilot"]})
    >>> space({"age": [30.0], "job": ["cook"]}).tolist()
    [[0.0, 0.0, 0.0, 1.0]]
    """

    _keras_module = "keras.utils"

    def __init__(
        self,
        features,
        output_mode="concat",
        crosses: Any = None,
        crossing_dim: Any = 32,
        hashing_dim=32,
        num_discretization_bins=32,
        name=None,
    ):
        super().__init__(name=name)
        if not features:
            raise ConfigError("The `features` argument cannot be None or empty.", fix='FeatureSpace({"age": "float"})')
        if output_mode not in ("concat", "dict"):
            raise ConfigError(
                f"Invalid value for argument `output_mode`: one of ('dict', 'concat'); got {output_mode!r}."
            )
        self.output_mode, self.crossing_dim = output_mode, crossing_dim
        self.hashing_dim, self.num_discretization_bins = hashing_dim, num_discretization_bins
        self.features = {name: self._as_feature(name, value) for name, value in features.items()}
        self.crosses = [self._as_cross(cross) for cross in crosses or ()]
        self.preprocessors = {name: feature.preprocessor for name, feature in self.features.items()}
        self.crossers = {cross.name: _crosser(cross) for cross in self.crosses}
        self.one_hot_encoders = {}
        self.concat = Concatenate(axis=-1)
        self.inputs = {name: Input((1,), dtype=feature.dtype, name=name) for name, feature in self.features.items()}
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
        if value not in _KINDS:
            raise ConfigError(f"Invalid feature type: {value}.", fix=f"One of {', '.join(_KINDS)}.")
        return getattr(type(self), value)(*sizes.get(value, ()), name=name)

    def _as_cross(self, cross):
        if isinstance(cross, dict):
            cross = deserialize(cross)
        if not isinstance(cross, Cross):
            if not self.crossing_dim:
                raise ConfigError("When specifying `crosses`, the argument `crossing_dim` (an integer) is needed.")
            cross = Cross(cross, self.crossing_dim)
        missing = [name for name in cross.feature_names if name not in self.features]
        if missing:
            raise ConfigError(f"All features of a cross should be present in `features`; {missing} are not.")
        return cross

    # Kinds of columns

    @classmethod
    def cross(cls, feature_names, crossing_dim, output_mode="one_hot"):
        """Several columns taken together, hashed into `crossing_dim` categories."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype, preprocessor, output_mode):
        """A column of this dtype, through a layer of your own; output_mode: "int", "one_hot" or "float"."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name=None):
        """Numbers as they are."""
        return Feature("float32", TFDIdentity(name=_named(name, "float")), "float")

    @classmethod
    def float_rescaled(cls, scale=1.0, offset=0.0, name=None):
        """`scale * number + offset`."""
        return Feature("float32", Rescaling(scale, offset, name=_named(name, "float_rescaled")), "float")

    @classmethod
    def float_normalized(cls, name=None):
        """Numbers brought to mean 0 and variance 1."""
        return Feature("float32", Normalization(axis=-1, name=_named(name, "float_normalized")), "float")

    @classmethod
    def float_discretized(cls, num_bins, bin_boundaries=None, output_mode="one_hot", name=None):
        """The bin of a number: one of `num_bins`, or between these boundaries."""
        num_bins = None if bin_boundaries is not None else num_bins
        layer = Discretization(bin_boundaries, num_bins, name=_named(name, "float_discretized"))
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(cls, max_tokens=None, num_oov_indices=1, output_mode="one_hot", name=None):
        """Integers that stand for categories, by a vocabulary."""
        name = _named(name, "integer_categorical")
        return Feature("int32", IntegerLookup(max_tokens, num_oov_indices, name=name), output_mode)

    @classmethod
    def string_categorical(cls, max_tokens=None, num_oov_indices=1, output_mode="one_hot", name=None):
        """Strings that stand for categories, by a vocabulary."""
        name = _named(name, "string_categorical")
        return Feature("string", StringLookup(max_tokens, num_oov_indices, name=name), output_mode)

    @classmethod
    def string_hashed(cls, num_bins, output_mode="one_hot", name=None):
        """Strings that stand for categories, by their hash."""
        return Feature("string", Hashing(num_bins, name=_named(name, "string_hashed")), output_mode)

    @classmethod
    def integer_hashed(cls, num_bins, output_mode="one_hot", name=None):
        """Integers that stand for categories, by their hash."""
        return Feature("int32", Hashing(num_bins, name=_named(name, "integer_hashed")), output_mode)

    # Adapting

    def _adaptable(self):
        """The columns whose layers learn from data."""
        return [
            name for name, layer in self.preprocessors.items() if getattr(layer, "_adaptable", hasattr(layer, "adapt"))
        ]

    def adapt(self, dataset):
        """Find means, bins and vocabularies in `dataset`: a dict of columns, a DataFrame, or a dataset or iterable of
        dicts. Of (columns, targets) the columns count."""
        names, kept = self._adaptable(), {}
        for name in names:
            getattr(self.preprocessors[name], "reset_state", _nothing)()
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
        self._draw()

    # Calling

    def get_inputs(self):
        """The symbolic inputs, by column."""
        self._refuse_unadapted()
        return self.inputs

    def get_encoded_features(self):
        """The symbolic outputs that belong to `get_inputs`."""
        self._refuse_unadapted()
        if self.encoded_features is None:
            self._draw()
        return self.encoded_features

    def _draw(self):
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

    def __call__(self, data):
        """The outputs for a dict of columns: lists, arrays, or single values (one sample without a batch)."""
        self._refuse_unadapted()
        if self.encoded_features is None:
            self._draw()
        if any(isinstance(value, KerasTensor) for value in data.values()):
            return self._encode(data)
        if has_graph_tensors(data):
            return call_back(self, {name: _of(data, name) for name in self.features}, self._describe)
        columns = {name: values_of(_of(data, name)) for name in self.features}
        single = all(value.ndim == 0 for value in columns.values())
        outputs = self._encode({name: self._fit(name, value) for name, value in columns.items()})
        if not single:
            return outputs
        return {name: value[0] for name, value in outputs.items()} if isinstance(outputs, dict) else outputs[0]

    def _describe(self, symbols):
        """The outputs for symbolic columns of shape (batch,), (batch, 1) or (), a single sample."""
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

    def get_build_config(self):
        """The shapes that the layers of the columns were built with."""
        return {name: layer.get_build_config() or {} for name, layer in self.preprocessors.items()}

    def build_from_config(self, config):
        """Draw the outputs, as the space in a file was adapted before it was saved."""
        for name, layer in self.preprocessors.items():
            if not layer.built:
                layer.build_from_config(config.get(name))
        self._is_adapted = True
        self._draw()

    def save(self, filepath):
        """Write the space to a `.keras` file; `keras.models.load_model` reads it."""
        saving.save_model(self, filepath)


_KINDS = (
    "float", "float_rescaled", "float_normalized", "float_discretized", "integer_categorical", "string_categorical",
    "integer_hashed", "string_hashed",
)  # fmt: skip


def _named(name, kind):
    return f"{name or context.unique_name(kind)}_preprocessor"


def _nothing():
    pass


def _crosser(cross):
    return HashedCrossing(cross.crossing_dim, name=cross.name)


def _cardinality(layer):
    """How many categories a layer makes."""
    size = getattr(layer, "num_bins", None) or (layer._depth() if hasattr(layer, "_depth") else None)
    if size is None:
        raise ConfigError(
            f"How many categories {layer.name} ({type(layer).__name__}) makes is not known, so one_hot cannot be.",
            fix='output_mode="int" or "float".',
        )
    return size


def _batches(dataset):
    """Dicts of columns, one after the other."""
    if hasattr(dataset, "columns"):  # a DataFrame
        return [{name: dataset[name].to_numpy() for name in dataset.columns}]
    if isinstance(dataset, dict):
        return [dataset]
    if not hasattr(dataset, "__iter__") and not hasattr(dataset, "__getitem__"):
        raise DataError(f"adapt takes a dict of columns or an iterable of them; got {type(dataset).__name__}.")
    batches = dataset.as_numpy_iterator() if hasattr(dataset, "as_numpy_iterator") else dataset
    return (batch[0] if isinstance(batch, (tuple, list)) else batch for batch in batches)


def _of(data, name):
    if name not in data:
        raise DataError(f"The data has no column {name!r}; it has {', '.join(map(str, data))}.")
    return data[name]


def _column(batch, name):
    """A column as an array (batch, 1)."""
    values = np.asarray(values_of(_of(batch, name)))
    return values.reshape(-1, 1) if values.ndim < 2 else values

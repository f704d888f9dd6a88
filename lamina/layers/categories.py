"""The base of layers that map values to categories: plain lists as inputs, data for `adapt`, and output modes."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.core.arguments import choice, whole
from lamina.core.keras_tensor import KerasTensor, traced_dtype
from lamina.core.sparse import with_values
from lamina.errors import CallError, ConfigError, DataError, ShapeError, warn
from lamina.layers.data_layer import DataLayer
from lamina.layers.tensorflow_data import call_back, has_graph_tensors
from lamina.ops.sparse import sparse_counts, sparse_one_hot
from lamina.runtime.tracebacks import filters_traceback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Unpack

    from lamina.core.typing import LayerArguments, Shape, Tensor

__all__ = ["CategoryEncoding"]


class Categorical(DataLayer):
    """Base class of layers that map values to category numbers and encode these by `output_mode`.

    Inputs may be Python lists. Strings are NumPy arrays and stay on the host; numbers are computed where the model is.

    Args:
        output_mode: "int" for category numbers, or "one_hot", "multi_hot", "count" as in `CategoryEncoding`.
        sparse: Whether the outputs are sparse arrays, `jax.experimental.sparse.BCOO`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`.

    Args:
        sparse: Whether the outputs are sparse arrays, `jax.experimental.sparse.BCOO`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    _modes = ("int", "one_hot", "multi_hot", "count")
    _int_dtype = "int64"  # of category numbers
    _compiles_calls = False  # numbers on the host are encoded there, and text is no array

    def __init__(self, output_mode: str = "int", sparse: bool = False, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.autocast = False
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)  # names of Keras 2
        choice(self, "output_mode", output_mode, self._modes)
        if sparse and output_mode == "int":
            raise ConfigError(
                "`sparse` may only be true if `output_mode` is `'one_hot'`, `'multi_hot'`, `'count'` or `'tf_idf'`. "
                f"Received: sparse={sparse} and output_mode={output_mode}",
                fix="sparse=False",
            )
        self.output_mode = output_mode
        self.sparse = sparse
        self.built = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "adapt" in vars(cls):
            cls.adapt = filters_traceback(vars(cls)["adapt"])

    @filters_traceback
    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if has_graph_tensors(inputs):
            return call_back(self, inputs, self.compute_output_spec)
        if hasattr(inputs, "with_flat_values") and self.output_mode == "int":
            return inputs.with_flat_values(self(inputs.flat_values))  # a ragged tensor, in programs for TensorFlow
        return super().__call__(self._values_of(inputs), *args, **kwargs)

    def _values_of(self, inputs):
        return values_of(inputs)

    @property
    def input_dtype(self) -> Any:
        """The type of the inputs if it is not known otherwise: integers."""
        return "int64"

    def _depth(self):
        """The number of categories; None if it is not known yet."""
        raise NotImplementedError

    @property
    def _output_dtype(self) -> Any:
        return self._int_dtype if self.output_mode == "int" else self.compute_dtype

    def _encode(self, ids, count_weights=None, idf_weights=None):
        """The outputs for category numbers; invalid numbers are ignored."""
        dtype = traced_dtype(self._output_dtype)
        if self.output_mode == "int":
            return jnp.asarray(ids, dtype)
        if self.sparse:
            return self._sparse_codes(ids, count_weights, idf_weights, dtype)
        ids = _on_host(ids)
        if self.output_mode == "one_hot":
            last = ids if ids.ndim and ids.shape[-1] == 1 else ids[..., None]
            return jnp.asarray(last == np.arange(self._depth()), dtype)
        weights = None if self.output_mode == "multi_hot" else count_weights
        counts = counts_of(ids, self._depth(), weights)
        if self.output_mode == "multi_hot":
            counts = counts > 0
        counts = counts if idf_weights is None else counts * idf_weights
        return jnp.asarray(counts, dtype)

    def _sparse_codes(self, ids, count_weights, idf_weights, dtype):
        """The outputs as a BCOO."""
        if self.output_mode == "one_hot":
            return sparse_one_hot(ids[..., 0] if ids.ndim and ids.shape[-1] == 1 else ids, self._depth(), dtype=dtype)
        weights = None if self.output_mode == "multi_hot" else count_weights
        ids = ids.reshape(ids.shape or 1)
        counts = sparse_counts(ids, self._depth(), weights, dtype="int32" if weights is None else dtype)
        if self.output_mode == "multi_hot":
            counts = with_values(counts, counts.data > 0)
        counts = with_values(counts, counts.data.astype(dtype))
        return counts if idf_weights is None else counts * jnp.asarray(idf_weights, dtype)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """(..., depth) for one_hot; otherwise the counted axis 1 (axis 0 of a single sample) is replaced by depth."""
        shape = tuple(input_shape)
        if self.output_mode == "int":
            return shape
        if self.output_mode == "one_hot":
            kept = shape[:-1] if shape and shape[-1] == 1 else shape
        else:
            kept = (*shape[:1], *shape[2:]) if len(shape) > 1 else ()
        return (*kept, self._depth())

    def compute_output_spec(self, inputs: Any, **kwargs: Any) -> KerasTensor:
        """The symbolic outputs, from the shape of the inputs, since strings cannot be traced."""
        dtype = self._output_dtype
        traced = dtype if dtype == "string" else traced_dtype(dtype)
        return KerasTensor(self.compute_output_shape(inputs.shape), traced, sparse=self.sparse)


class CategoryEncoding(Categorical):
    """Encodes category numbers as rows of zeros and ones, or as counts.

    Args:
        num_tokens: Number of categories. Category numbers outside of 0 ... num_tokens - 1 are ignored.
        output_mode: "one_hot" encodes each number, "multi_hot" whether each category occurs in a sample, "count" how
            often.
        sparse: Whether the outputs are sparse arrays, `jax.experimental.sparse.BCOO`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Shapes: (batch, n) -> (batch, n, num_tokens) for one_hot, else (batch, num_tokens).

    >>> import lamina as keras
    >>> layer = keras.layers.CategoryEncoding(num_tokens=4, output_mode="count")
    >>> layer([[0, 1, 1], [3, 2, 3]]).tolist()
    [[1.0, 2.0, 0.0, 0.0], [0.0, 0.0, 1.0, 2.0]]
    """

    _modes = ("one_hot", "multi_hot", "count")
    _config_skips = Categorical._config_skips | {"sparse"}

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(output_mode=output_mode, sparse=sparse, **kwargs)
        num_tokens = whole(self, "num_tokens", num_tokens)
        self.num_tokens = num_tokens

    def _depth(self):
        return self.num_tokens

    def call(self, inputs: Any, count_weights: Any = None) -> Tensor:
        """The encoded category numbers.

        Args:
            inputs: Category numbers.
            count_weights: Weight of each number, for output_mode="count"; None means 1.
        """
        self._tell_of_others(inputs)
        if count_weights is None:
            return self._encode(inputs)
        if self.output_mode != "count":
            raise CallError(
                "`count_weights` is not used when `output_mode` is not 'count'. "
                f"Received: output_mode={self.output_mode}.",
                fix="output_mode='count'",
            )
        if np.shape(count_weights) != np.shape(inputs):
            shapes = f"{np.shape(inputs)}; got {np.shape(count_weights)}"
            raise ShapeError(
                f"count_weights must have the shape of the inputs, {shapes}.",
                fix=f"np.ones({np.shape(inputs)}) counts each once.",
            )
        return self._encode(inputs, jnp.asarray(count_weights))

    def _tell_of_others(self, inputs):
        """Warn of category numbers that have no category, whose rows would be empty."""
        ids = _on_host(inputs)
        if isinstance(ids, np.ndarray) and ids.size and ids.max() >= self.num_tokens:
            warn(
                f"{self.name} has categories 0 to {self.num_tokens - 1}, and encodes {ids.max()} as no category. "
                f"keras.layers.CategoryEncoding(num_tokens={ids.max() + 1}) has all of them.",
                once=True,
            )


def _on_host(ids):
    """Arrays in the memory of the CPU as arrays of NumPy, which counts a few numbers faster than compiled programs."""
    if not isinstance(ids, jax.Array) or isinstance(ids, Tracer) or len(ids.devices()) > 1:
        return ids
    (device,) = ids.devices()
    return np.asarray(ids) if device.platform == "cpu" else ids


def counts_of(ids: Any, depth: int, weights: Any = None) -> Any:
    """The count (or total weight) of each of `depth` categories along axis 1 (axis 0 of a single sample)."""
    if ids.ndim > 1:
        xp = np if isinstance(ids, np.ndarray) else jnp
        ids, weights = xp.moveaxis(ids, 1, -1), None if weights is None else xp.moveaxis(weights, 1, -1)
    lead, length = ids.shape[:-1], ids.shape[-1] if ids.ndim else 1
    rows = ids.reshape(-1, length)
    amounts = 1 if weights is None else weights.reshape(rows.shape)
    if isinstance(ids, np.ndarray):
        known = (rows >= 0) & (rows < depth)
        places = (np.arange(len(rows))[:, None] * depth + rows)[known]
        amounts = None if weights is None else np.asarray(amounts)[known]
        return np.bincount(places, amounts, minlength=len(rows) * depth).reshape(*lead, depth)
    rows = jnp.where(rows < 0, depth, rows)  # JAX would count a negative index from the end
    zeros = jnp.zeros((rows.shape[0], depth), "int32" if weights is None else weights.dtype)
    counts = zeros.at[jnp.arange(rows.shape[0])[:, None], rows].add(amounts, mode="drop")
    return counts.reshape(*lead, depth)


# Inputs, and data for `adapt`


def is_text(value: Any) -> bool:
    """Whether a value is an array of strings."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "OUS"


def expect_text(layer: Any, value: Any) -> Any:
    """The value, if it is an array of strings; else a DataError is raised for the layer."""
    if not is_text(value):
        raise DataError(f"{layer.name} takes texts; got numbers, {value.dtype}.", fix="layers.IntegerLookup()")
    return value


def values_of(value: Any) -> Any:
    """Python lists and single values as arrays, and text as arrays of str."""
    if isinstance(value, (KerasTensor, jax.Array)):
        return value
    if not isinstance(value, np.ndarray):
        value = _array_of(value)
    if value.dtype.kind in "OS":
        return strings_of(value)
    if value.dtype.kind in "iu" and value.size and traced_dtype(value.dtype) != value.dtype:
        _refuse_large(value)
    return value


def _refuse_large(value):
    """Raises an error for integers that JAX would truncate to 32 bits without a warning."""
    if value.max() > 2**31 - 1 or value.min() < -(2**31):
        raise DataError(
            f"Integers from {value.min()} to {value.max()} do not fit into 32 bits, with which JAX computes.",
            fix="Pass them as strings, or enable 64 bits: jax.config.update('jax_enable_x64', True).",
        )


def _array_of(value):
    if hasattr(value, "numpy") and not hasattr(value, "__jax_array__"):  # torch and TensorFlow
        return np.asarray(value.numpy())
    if isinstance(value, (list, tuple)):
        ragged = {len(item) for item in value if isinstance(item, (list, tuple))}
        if len(ragged) > 1:
            raise DataError(
                f"The lists differ in length ({min(ragged)} to {max(ragged)}), so they do not form an array.",
                fix='x = [" ".join(words) for words in x]'
                if any(isinstance(word, str) for row in value if isinstance(row, (list, tuple)) for word in row)
                else "keras.utils.pad_sequences(x)",
            )
        value = [_array_of(item) if hasattr(item, "numpy") else item for item in value]
    return np.asarray(value)


def strings_of(array: np.ndarray) -> np.ndarray:
    """An array of str, bytes or objects as an array of str objects."""
    flat = [_text(item) for item in array.ravel().tolist()]
    texts = np.empty(len(flat), object)
    texts[:] = flat
    return texts.reshape(array.shape)


def _text(item):
    if isinstance(item, bytes):
        return item.decode("utf-8", "replace")
    if isinstance(item, str):
        return item
    got = f"{item!r} ({type(item).__name__})"
    fix = "x = [text or '' for text in x]" if item is None else "x = x.fillna('')"
    fix = fix if item is None or item != item else "x = [str(text) for text in x]"
    raise DataError(f"Text must consist of strings; got {got}.", fix=fix)


def batches_of(data: Any, steps: int | None = None) -> Iterator[Any]:
    """The data for `adapt` as arrays: one array (or list of values) at once, datasets and iterables by batch.

    Of a batch that is a tuple it takes the first element, the inputs. `steps` limits the number of batches.
    """
    return itertools.islice(map(_inputs_of, _parts(data)), steps)


def _parts(data):
    if isinstance(data, (np.ndarray, jax.Array)) or _holds_values(data):
        return [data]
    if hasattr(data, "as_numpy_iterator"):
        return data.as_numpy_iterator()
    if hasattr(data, "__array__") and not hasattr(data, "element_spec"):
        return [data]
    if hasattr(data, "__getitem__") and hasattr(data, "__len__") and not isinstance(data, (str, bytes)):
        return (data[index] for index in range(len(data)))  # also for a PyDataset, whose iterator never ends
    if hasattr(data, "__iter__") and not isinstance(data, (str, bytes)):
        return data
    raise DataError(
        f"adapt needs an array or batches; got {type(data).__name__}.",
        fix=f"adapt([{data!r}])" if isinstance(data, str) else "adapt(np.array([1, 2, 3]))",
    )


def _holds_values(data):
    """Whether this is a (nested) list of values, not of arrays."""
    is_list = isinstance(data, (list, tuple))
    while isinstance(data, (list, tuple)) and len(data):
        data = data[0]
    return is_list and isinstance(data, (str, bytes, bool, int, float, np.generic))


def _inputs_of(batch):
    if isinstance(batch, tuple) and batch and not isinstance(batch[0], (str, bytes, int, float)):
        batch = batch[0]
    return values_of(batch)

"""TensorFlow functions that need more than renaming an op of lamina. They take TensorFlow's arguments."""

from __future__ import annotations

import contextlib
from collections import namedtuple
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina import ops, random
from lamina.compat.host import HostTensor, is_text, on_host
from lamina.core.dtypes import standardize_dtype
from lamina.core.keras_tensor import is_symbolic
from lamina.core.variable import Variable as LaminaVariable
from lamina.core.variable import unwrap
from lamina.errors import ConfigError

__all__ = ["MATH", "NN", "ROOT", "Tensor", "per_axis"]

TopK = namedtuple("TopK", "values indices")


def constant(value: Any, dtype: Any = None, shape: Any = None, name: Any = None, dtype_hint: Any = None) -> Any:
    """Create an array; text becomes a NumPy array. With `shape`, a single number is repeated."""
    if is_symbolic(value):
        return value if dtype is None else ops.cast(value, dtype)
    is_plain = isinstance(value, (str, bytes, list, tuple, np.ndarray))
    is_plain = is_plain and not any(isinstance(leaf, jax.Array) for leaf in jax.tree_util.tree_leaves(value))
    if is_plain and (is_text(value) or is_text(np.asarray(value)) or (dtype == "string" and not np.size(value))):
        return on_host(value) if shape is None else on_host(np.broadcast_to(on_host(value), shape))
    value = np.asarray(value) if isinstance(value, HostTensor) else value
    if isinstance(value, np.ndarray) and value.dtype == object:  # numbers, as Python's
        value = np.asarray(value.tolist())
    array: Any = ops.convert_to_tensor(value, None if dtype is None else standardize_dtype(dtype))
    return array if shape is None else jnp.broadcast_to(array, shape) if array.ndim == 0 else jnp.reshape(array, shape)


def matmul(a: Any, b: Any, transpose_a: Any = False, transpose_b: Any = False, name: Any = None, **kwargs: Any) -> Any:
    """`a @ b`, optionally with the last two axes of a or b swapped."""
    a, b = constant(a), constant(b)
    a, b = (ops.swapaxes(m, -1, -2) if turned else m for m, turned in ((a, transpose_a), (b, transpose_b)))
    return ops.matmul(a, b)


def where(condition: Any, x: Any = None, y: Any = None, name: Any = None) -> Any:
    """x where the condition is true, y elsewhere. Without x and y, the indices (count, rank) of true elements."""
    if x is None and y is None:
        return jnp.argwhere(jnp.asarray(unwrap(condition)))
    return ops.where(constant(condition), x, y)


def split(value: Any, num_or_size_splits: Any, axis: Any = 0, num: Any = None, name: Any = None) -> Any:
    """Split into equal parts, or into parts of the given sizes, one of which may be -1."""
    if isinstance(num_or_size_splits, int):
        return ops.split(value, num_or_size_splits, axis)
    sizes = list(num_or_size_splits)
    if -1 in sizes:
        sizes[sizes.index(-1)] = ops.shape(value)[axis] - sum(size for size in sizes if size != -1)
    return ops.split(value, np.cumsum(sizes)[:-1].tolist(), axis)


def range_(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: Any = None) -> Any:
    """`tf.range`: numbers from start up to but excluding limit. With one argument, it starts at 0."""
    return ops.arange(0 if limit is None else start, start if limit is None else limit, delta, dtype)


def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = 1.0,
    off_value: Any = 0.0,
    axis: Any = -1,
    dtype: Any = "float32",
    name: Any = None,
) -> Any:
    """One-hot encoding of class indices."""
    hot = ops.one_hot(constant(indices), depth, axis, dtype or "float32")
    plain = (1.0 if on_value is None else on_value, off_value or 0.0) == (1.0, 0.0)
    return hot if plain else ops.cast(hot * on_value + (1 - hot) * off_value, dtype)


def pad(tensor: Any, paddings: Any, mode: Any = "CONSTANT", constant_values: Any = 0, name: Any = None) -> Any:
    """`ops.pad`."""
    values = constant_values if mode.lower() == "constant" else None
    return ops.pad(tensor, [[int(size) for size in pair] for pair in paddings], mode.lower(), values)


def divide_no_nan(x: Any, y: Any, name: Any = None) -> Any:
    """`x / y`, with 0 where y is 0."""
    return ops.divide_no_nan(constant(x), constant(y))


def squared_difference(x: Any, y: Any, name: Any = None) -> Any:
    """`(x - y)²`."""
    return ops.square(ops.subtract(constant(x), constant(y)))


def add_n(inputs: Any, name: Any = None) -> Any:
    """The sum of several tensors."""
    return sum(inputs[1:], start=inputs[0])


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: Any = None) -> Any:
    """`t`, scaled down to the norm `clip_norm` if its norm is larger."""
    norm = ops.sqrt(ops.sum(ops.square(t), axes, keepdims=True))
    return t * clip_norm / ops.maximum(norm, clip_norm)


def norm(tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: Any = None, name: Any = None) -> Any:
    """`ops.norm`; of the flattened tensor if no axis is given."""
    tensor = constant(tensor)
    kind = None if ord == "euclidean" else ord
    flat = ops.reshape(tensor, (-1,)) if axis is None and not keepdims else tensor
    return ops.norm(flat, kind, axis if axis is None or isinstance(axis, int) else tuple(axis), bool(keepdims))


def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None, name: Any = None) -> Any:
    """(tensor / its norm, the norm)."""
    length = norm(tensor, ord, axis, keepdims=axis is not None)
    return constant(tensor) / length, length


def confusion_matrix(
    labels: Any, predictions: Any, num_classes: Any = None, weights: Any = None, dtype: Any = "int32", name: Any = None
) -> Any:
    """The number of samples of each class (row) that were predicted as each class (column)."""
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    count = num_classes or int(max(labels.max(), predictions.max())) + 1
    matrix = np.zeros((count, count), standardize_dtype(dtype))
    np.add.at(matrix, (labels, predictions), 1 if weights is None else np.asarray(weights))
    return jnp.asarray(matrix)


def l2_normalize(x: Any, axis: Any = None, epsilon: Any = 1e-12, name: Any = None) -> Any:
    """`x / norm`."""
    x = constant(x)
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis, keepdims=True), epsilon))


def top_k(input: Any, k: Any = 1, sorted: Any = True, index_type: Any = None, name: Any = None) -> Any:
    """The largest values along the last axis and their indices."""
    return TopK(*ops.top_k(constant(input), k, sorted))


def einsum(equation: Any, *inputs: Any, name: Any = None, **kwargs: Any) -> Any:
    """`ops.einsum`."""
    return ops.einsum(equation, *inputs)


def meshgrid(*args: Any, indexing: Any = "xy", name: Any = None) -> Any:
    """`ops.meshgrid`."""
    return ops.meshgrid(*args, indexing=indexing)


class _AnyTensor(type):
    """Makes `isinstance(x, tf.Tensor)` true for arrays of JAX, and for texts and what else is on the host."""

    def __instancecheck__(cls, instance):
        return isinstance(instance, (jax.Array, HostTensor))

    def __subclasscheck__(cls, subclass):
        return subclass is cls or issubclass(subclass, (jax.Array, HostTensor))


class Tensor(metaclass=_AnyTensor):
    """`tf.Tensor`, for `isinstance` and annotations."""


def is_tensor(x: Any) -> Any:
    """Whether `x` is a tensor, a variable or a symbolic tensor."""
    return isinstance(x, (Tensor, LaminaVariable)) or is_symbolic(x)


def no_scope(*args: Any, **kwargs: Any) -> Any:
    """A context manager that does nothing."""
    return contextlib.nullcontext()


ROOT: dict[str, Any] = {
    "Tensor": Tensor, "add_n": add_n,
    "clip_by_norm": clip_by_norm, "constant": constant, "control_dependencies": no_scope,
    "convert_to_tensor": lambda value, dtype=None, dtype_hint=None, name=None: constant(value, dtype),
    "einsum": einsum,
    "is_tensor": is_tensor, "matmul": matmul, "meshgrid": meshgrid,
    "norm": norm, "one_hot": one_hot, "pad": pad, "range": range_, "split": split,
    "vectorized_map": lambda fn, elems, fallback_to_while_loop=True, warn=True: ops.vectorized_map(fn, elems),
    "where": where,
}  # fmt: skip
MATH: dict[str, Any] = {
    "add_n": add_n, "confusion_matrix": confusion_matrix, "divide_no_nan": divide_no_nan, "l2_normalize": l2_normalize,
    "squared_difference": squared_difference, "top_k": top_k,
}  # fmt: skip


def sparse_softmax_cross_entropy_with_logits(labels: Any = None, logits: Any = None, name: Any = None) -> Any:
    """The cross-entropy between class indices and logits, one value per sample."""
    return ops.sparse_categorical_crossentropy(constant(labels), constant(logits), from_logits=True)


def softmax_cross_entropy_with_logits(labels: Any, logits: Any, axis: Any = -1, name: Any = None) -> Any:
    """The cross-entropy between probability distributions and logits, one value per sample."""
    return -ops.sum(constant(labels) * ops.log_softmax(constant(logits), axis), axis)


def sigmoid_cross_entropy_with_logits(labels: Any = None, logits: Any = None, name: Any = None) -> Any:
    """The element-wise cross-entropy between independent labels and logits."""
    labels, logits = constant(labels), constant(logits)
    return ops.relu(logits) - logits * labels + ops.log1p(ops.exp(-ops.absolute(logits)))


def dropout(x: Any, rate: Any, noise_shape: Any = None, seed: Any = None, name: Any = None) -> Any:
    """`keras.random.dropout`. It is always active, also outside of training."""
    return random.dropout(x, rate, noise_shape, seed)


def bias_add(value: Any, bias: Any, data_format: Any = None, name: Any = None) -> Any:
    """`value + bias`, with one bias per channel."""
    first, bias = (data_format or "N").startswith("NC"), constant(bias)
    return value + (ops.reshape(bias, (-1, *(1,) * (ops.ndim(value) - 2))) if first else bias)


def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: Any, name: Any = None
) -> Any:
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`."""
    normal = (x - mean) * ops.rsqrt(variance + variance_epsilon)
    normal = normal if scale is None else normal * scale
    return normal if offset is None else normal + offset


def per_axis(sizes: Any, rank: int) -> Any:
    """The sizes of the spatial axes from `2`, `[2, 2]` or `[1, 2, 2, 1]`."""
    sizes = [sizes] * rank if isinstance(sizes, int) else list(sizes)
    return tuple(sizes if len(sizes) == rank else sizes[1:-1] if len(sizes) == rank + 2 else sizes * rank)


def _check_channels_last(data_format):
    if data_format not in (None, "NHWC", "NWC"):
        raise ConfigError(f"tf.nn here has channels last; got data_format={data_format!r}.", fix="data_format='NHWC'")


def conv2d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: Any = "NHWC",
    dilations: Any = 1,
    name: Any = None,
) -> Any:
    """`ops.conv`."""
    _check_channels_last(data_format)
    steps, dilation = per_axis(strides, 2), per_axis(1 if dilations is None else dilations, 2)
    return ops.conv(input, filters, steps, padding.lower(), "channels_last", dilation)


def max_pool2d(input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any = "NHWC", name: Any = None) -> Any:
    """`ops.max_pool`."""
    _check_channels_last(data_format)
    return ops.max_pool(input, per_axis(ksize, 2), per_axis(strides, 2), padding.lower(), "channels_last")


def avg_pool2d(input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any = "NHWC", name: Any = None) -> Any:
    """`ops.average_pool`."""
    _check_channels_last(data_format)
    return ops.average_pool(input, per_axis(ksize, 2), per_axis(strides, 2), padding.lower(), "channels_last")


NN: dict[str, Any] = {
    "top_k": top_k,
    "avg_pool": avg_pool2d, "avg_pool2d": avg_pool2d, "batch_normalization": batch_normalization, "bias_add": bias_add,
    "conv2d": conv2d, "dropout": dropout, "l2_normalize": l2_normalize, "max_pool": max_pool2d,
    "max_pool2d": max_pool2d, "sigmoid_cross_entropy_with_logits": sigmoid_cross_entropy_with_logits,
    "softmax_cross_entropy_with_logits": softmax_cross_entropy_with_logits,
    "sparse_softmax_cross_entropy_with_logits": sparse_softmax_cross_entropy_with_logits,
}  # fmt: skip

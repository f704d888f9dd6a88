"""Shapes as layers take them: as symbolic tensors, with an open batch size, out of JSON and out of old arguments."""

from __future__ import annotations

from typing import Any

from lamina.core.keras_tensor import KerasTensor
from lamina.core.probes import without_probe_sizes

shape_class: Any = tuple
"""Class of the shapes that `build` and `compute_output_shape` get. Programs for TensorFlow replace it."""


def symbols_of(shape: Any, dtype: Any) -> Any:
    """A structure of shapes as a structure of KerasTensors."""
    if isinstance(shape, dict):
        return {key: symbols_of(value, dtype) for key, value in shape.items()}
    if shape is None:
        return None
    if getattr(shape, "ndim", 1) > 1:  # a tensor in place of its shape, as tutorials have it
        return KerasTensor(shape.shape, dtype)
    if isinstance(shape, (list, tuple)) and shape and isinstance(shape[0], (list, tuple, dict)):
        return type(shape)(symbols_of(item, dtype) for item in shape)
    return KerasTensor(shape, dtype)


def open_batch(shape: Any) -> Any:
    """A shape (or a structure of them) with an open batch size."""
    if isinstance(shape, dict):
        return {key: open_batch(value) for key, value in shape.items()}
    if isinstance(shape, (list, tuple)) and shape and isinstance(shape[0], (list, tuple, dict)):
        return type(shape)(map(open_batch, shape))
    return (None, *without_probe_sizes(shape[1:])) if shape else shape


def open_probes(shape: Any) -> Any:
    """A shape (or a structure of them) with None in place of sizes that tracing made up."""
    if isinstance(shape, dict):
        return {key: open_probes(value) for key, value in shape.items()}
    if isinstance(shape, (list, tuple)) and shape and isinstance(shape[0], (list, tuple, dict)):
        return type(shape)(map(open_probes, shape))
    return shape and shape_class(without_probe_sizes(shape))


def tuples_of(shape: Any) -> Any:
    """JSON's lists back to shapes."""
    if isinstance(shape, dict):
        return {key: tuples_of(value) for key, value in shape.items()}
    if isinstance(shape, (list, tuple)):
        inner = [tuples_of(item) for item in shape]
        return inner if inner and isinstance(inner[0], (list, tuple)) else shape_class(inner)
    return shape


def input_shape_asked(kwargs: dict[str, Any]) -> Any:
    """The batch shape that an `input_shape=`, `batch_input_shape=`, `input_dim=` on a first layer asks for, or None."""
    dtype = kwargs.pop("input_dtype", None)
    batch_size = kwargs.pop("batch_size", None)
    if "batch_input_shape" in kwargs:
        shape = tuple(kwargs.pop("batch_input_shape"))
    elif "input_shape" in kwargs:
        shape = kwargs.pop("input_shape")
        shape = (batch_size, *((shape,) if isinstance(shape, int) else shape))
    elif not {"input_dim", "input_length"}.isdisjoint(kwargs):
        lengths = kwargs.pop("input_length", ())
        lengths = lengths if isinstance(lengths, (list, tuple)) else (lengths,)
        features = (kwargs.pop("input_dim"),) if "input_dim" in kwargs else ()
        shape = (batch_size, *lengths, *features)
    else:
        return None
    return shape, dtype

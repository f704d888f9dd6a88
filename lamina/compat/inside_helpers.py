"""Helpers of the inside of Keras that packages import and that lamina needs no function for."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import pathlib
import sys
import tempfile
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from lamina import ops, saving
from lamina.config import is_interactive_logging_enabled
from lamina.core import context, dtypes, keras_tensor
from lamina.core.arguments import is_kind
from lamina.core.keras_tensor import KerasTensor
from lamina.core.registry import get_custom_objects
from lamina.errors import ConfigError
from lamina.legacy.names import OF_NETWORKS
from lamina.losses.loss import reduce_weighted
from lamina.runtime.settings import image_data_format
from lamina.runtime.terminal import printable
from lamina.utils.old_functions import normalize_padding, normalize_tuple

_GLOBALS: dict[str, Any] = {}  # where some packages store values
GLOBAL_CUSTOM_OBJECTS = get_custom_objects()
_REDUCTIONS = (None, "none", "sum", "mean", "sum_over_batch_size", "mean_with_sample_weight")


# Functions that return what they get, or a constant: lamina does the thing by itself or not at all.
def keras_export(*paths: str, **_: Any) -> Callable[[Any], Any]:
    """A decorator that returns its argument."""
    return lambda decorated: decorated


def default(method: Any) -> Any:
    """The method."""
    return method


no_automatic_dependency_tracking = filter_traceback = track_variable = inject_argument_info_in_traceback = default
ragged_assert_compatible_and_get_flat_values: Any = lambda values, mask=None: (values, mask)  # noqa: E731
is_default: Any = lambda *_: False  # noqa: E731
get_symbolic_scope: Any = is_default
in_tf_graph: Any = is_default
is_tracking_enabled: Any = lambda: True  # noqa: E731
removesuffix = str.removesuffix
assert_sklearn_installed: Any = lambda *_: None  # noqa: E731
keras_option_scope: Any = lambda **_: contextlib.nullcontext()  # noqa: E731


SUPPORTS_SPARSE_TENSORS = SUPPORTS_COMPLEX_DTYPES = IS_THREAD_SAFE = True
SUPPORTS_RAGGED_TENSORS = False
FLOAT8_TYPES = tuple(name for name in dtypes.FLOATS if name.startswith("float8"))
FLOAT_TYPES = tuple(name for name in dtypes.FLOATS if name not in FLOAT8_TYPES)
INT_TYPES = tuple(name for name in dtypes.INTEGERS if name != "int4")
BOOL_TYPES, COMPLEX_TYPES = ("bool",), ("complex64", "complex128")
ALLOWED_DTYPES = (*FLOAT_TYPES, *INT_TYPES, *BOOL_TYPES, *FLOAT8_TYPES, *COMPLEX_TYPES, "string")


def in_grain_data_pipeline() -> bool:
    """Whether a data set of grain calls this, as a step of its pipeline."""
    frame = sys._getframe() if "grain" in sys.modules else None
    while frame is not None and not str(frame.f_globals.get("__name__")).startswith("grain._src.python.data"):
        frame = frame.f_back
    return frame is not None


# Scopes and marks of tensors.
def get_keras_mask(x: Any) -> Any:
    """The mask of a tensor; of a symbolic one as a tensor that models can have among their outputs."""
    return x._keras_mask if isinstance(x, KerasTensor) else keras_tensor.get_mask(x)


in_stateless_scope = context.is_bound
in_symbolic_scope = keras_tensor.in_symbolic_scope


def get_stateless_scope() -> Any:
    """A scope that reads and writes the values that variables have here; None outside of scopes."""
    read, write = (lambda variable: variable.value), (lambda pair: pair[0].assign(pair[1]))
    return SimpleNamespace(get_current_value=read, add_update=write) if context.is_bound() else None


def any_symbolic_tensors(args: Any = None, kwargs: Any = None) -> bool:
    """Whether there is a KerasTensor among the arguments."""
    return keras_tensor.is_symbolic((args, kwargs))


def is_tensor(x: Any) -> bool:
    """Whether `x` is an array of JAX or a symbolic tensor."""
    return ops.is_tensor(x) or isinstance(x, KerasTensor)


def remove_keras_mask(x: Any) -> None:
    """Take the mask off a tensor."""
    keras_tensor.set_mask(x, None)


def get_global_attribute(name: str, default: Any = None, set_to_default: bool = False) -> Any:
    """A value that a package stored."""
    return _GLOBALS.setdefault(name, default) if set_to_default else _GLOBALS.get(name, default)


set_global_attribute = _GLOBALS.__setitem__


def get_tensor_attr(tensor: Any, attr: str) -> Any:
    """An attribute of a tensor: its mask, the only one that tensors here have."""
    return keras_tensor.get_mask(tensor) if attr == "_keras_mask" else getattr(tensor, attr, None)


def set_tensor_attr(tensor: Any, attr: str, value: Any) -> None:
    """Set an attribute of a tensor."""
    keras_tensor.set_mask(tensor, value) if attr == "_keras_mask" else setattr(tensor, attr, value)


# Shapes, by the ops whose shapes they are.
def _shape_of(function, *shapes, **arguments):
    return function(*(KerasTensor(tuple(shape)) for shape in shapes), **arguments).shape


def broadcast_shapes(shape1: Any, shape2: Any) -> Any:
    """The shape of a sum."""
    return list(_shape_of(ops.add, shape1, shape2))


def compute_conv_output_shape(
    input_shape: Any, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
    data_format: str = "channels_last", dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """The shape that a convolution returns."""
    features = input_shape[-1 if data_format == "channels_last" else 1]
    kernel = (*kernel_size, features, filters)
    arguments = dict(strides=strides, padding=padding, data_format=data_format, dilation_rate=dilation_rate)
    return _shape_of(ops.conv, input_shape, kernel, **arguments)


def compute_pooling_output_shape(
    input_shape: Any, pool_size: Any, strides: Any, padding: str = "valid", data_format: str = "channels_last"
) -> Any:
    """The shape that a pooling layer returns."""
    arguments = dict(pool_size=pool_size, strides=strides, padding=padding, data_format=data_format)
    return _shape_of(ops.max_pool, input_shape, **arguments)


compute_expand_dims_output_shape: Any = lambda shape, axis: _shape_of(ops.expand_dims, shape, axis=axis)  # noqa: E731
compute_matmul_output_shape: Any = lambda shape1, shape2: _shape_of(ops.matmul, shape1, shape2)  # noqa: E731
compute_transpose_output_shape: Any = lambda shape, axes: list(_shape_of(ops.transpose, shape, axes=axes))  # noqa: E731


def compute_reshape_output_shape(input_shape: Any, newshape: Any, newshape_arg_name: str = "newshape") -> Any:
    """The shape that `reshape` returns."""
    return _shape_of(ops.reshape, input_shape, newshape=newshape)


def shape_equal(a_shape: Any, b_shape: Any, axis: Any = None, allow_none: bool = True) -> bool:
    """Whether two shapes are equal, apart from some axes and from sizes that are None."""
    skipped = {index % len(a_shape) for index in ((axis,) if isinstance(axis, int) else axis or ())}
    pairs = [pair for index, pair in enumerate(zip(a_shape, b_shape, strict=False)) if index not in skipped]
    same = all(a == b or (allow_none and None in (a, b)) for a, b in pairs)
    return same and len(a_shape) == len(b_shape)


# Checks of arguments.
def standardize_tuple(value: Any, n: int, name: str, allow_zero: bool = False) -> Any:
    """`n` whole numbers."""
    return normalize_tuple(value, n, name)


def standardize_padding(value: Any, allow_causal: bool = False) -> Any:
    """A padding in lower case."""
    return value if isinstance(value, (list, tuple)) else normalize_padding(value)


def validate_string_arg(
    value: Any, allowable_strings: Any, caller_name: str, arg_name: str, allow_none: bool = False,
    allow_callables: bool = False,
) -> None:  # fmt: skip
    """Raise an error for a value that is not one of some strings."""
    fits = value in allowable_strings if isinstance(value, str) else allow_none and value is None
    if not (fits or (allow_callables and callable(value))):
        near = f"{arg_name}={next(iter(allowable_strings))!r}"
        raise ConfigError(f"{caller_name} takes {arg_name} in {sorted(allowable_strings)}; got {value!r}.", fix=near)


def standardize_reduction(reduction: Any) -> Any:
    """The reduction of a loss."""
    validate_string_arg(reduction, [name for name in _REDUCTIONS if name], "The loss", "reduction", allow_none=True)
    return reduction


def reduce_values(values: Any, sample_weight: Any = None, reduction: Any = "sum_over_batch_size") -> Any:
    """The sum or mean of the values of a loss."""
    return reduce_weighted(ops.convert_to_tensor(values), sample_weight, reduction=reduction)


def reduce_to_samplewise_values(values: Any, sample_weight: Any, reduce_fn: Any, dtype: Any) -> Any:
    """The values and the weights of a metric, with one number a sample where there are weights."""
    values = ops.cast(values, dtype)
    if sample_weight is None:
        return values, None
    weights = ops.cast(sample_weight, dtype)
    weights = ops.reshape(weights, weights.shape + (1,) * (values.ndim - weights.ndim))
    weights = ops.broadcast_to(weights, values.shape)
    axes = tuple(range(1, values.ndim))
    return reduce_fn(values * weights, axis=axes), reduce_fn(weights, axis=axes)


# Lists, names and logs.
def to_tuple_or_list(value: Any) -> Any:
    """A tuple or list unchanged, anything else in a list; None is None."""
    return value if value is None or isinstance(value, (list, tuple)) else [value]


def list_to_tuple(maybe_list: Any) -> Any:
    """A list as a tuple."""
    return tuple(maybe_list) if isinstance(maybe_list, list) else maybe_list


def remove_by_id(lst: list[Any], value: Any) -> None:
    """Remove an object from a list."""
    lst[:] = [item for item in lst if item is not value]


def pythonify_logs(logs: Any) -> dict[str, Any]:
    """Logs with Python's numbers."""
    flat: dict[str, Any] = {}
    for key, value in (logs or {}).items():
        flat.update(pythonify_logs(value) if isinstance(value, dict) else {key: _number(value)})
    return flat


def _number(value):
    return float(value) if np.ndim(value) == 0 and not isinstance(value, str) else value


def uniquify(name: str) -> str:
    """A name that was not given before."""
    return context.unique_name(name)


def get_object_name(obj: Any) -> str:
    """The name of an object."""
    return getattr(obj, "name", None) or context.snake_case(getattr(obj, "__name__", type(obj).__name__))


def print_msg(message: str, line_break: bool = True) -> None:
    """Print a message, or log it where logging is not interactive."""
    if is_interactive_logging_enabled():
        sys.stdout.write(printable(message) + "\n" * line_break)
        sys.stdout.flush()
    else:
        logging.getLogger("lamina").info(message)


def current_path() -> str:
    """The names of the open name scopes."""
    return "/".join(context.name_path())


# Data and files.
def is_batched(dataset: Any) -> bool:
    """Whether a dataset gives batches."""
    return hasattr(dataset, "_batch_size") or hasattr(dataset, "batch_size")


is_tf_dataset: Any = lambda x: is_kind(x, "lamina", "Dataset")  # noqa: E731
is_grain_dataset: Any = lambda x: is_kind(x, "grain", "MapDataset", "IterDataset", "DataLoader")  # noqa: E731
is_torch_dataset: Any = lambda x: is_kind(x, "torch", "Dataset")  # noqa: E731
exists, isdir, join = os.path.exists, os.path.isdir, os.path.join


def path_to_string(path: Any) -> Any:
    """A path as a string."""
    return os.fspath(path) if hasattr(path, "__fspath__") else path


def save_model(model: Any, filepath: Any, **kwargs: Any) -> None:
    """`keras.saving.save_model`. Also accepts a file object opened for writing."""
    if not hasattr(filepath, "write"):
        return saving.save_model(model, filepath, **kwargs)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        saving.save_model(model, path, **kwargs)
        filepath.write(path.read_bytes())


def load_model(filepath: Any, **kwargs: Any) -> Any:
    """`keras.saving.load_model`. Also accepts a file object opened for reading."""
    if not hasattr(filepath, "read"):
        return saving.load_model(filepath, **kwargs)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        path.write_bytes(filepath.read())
        return saving.load_model(path, **kwargs)


class SerializableDict(dict):
    """A dict of arguments."""

    def serialize(self) -> Any:
        """The dict as a config."""
        return serialize_dict(self)


def serialize_dict(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Every value as a config."""
    return {key: saving.serialize_keras_object(value) for key, value in obj.items()}


class LazyModule:
    """A package that is imported when it is first used."""

    def __init__(self, name: str, pip_name: str | None = None, import_error_msg: str | None = None) -> None:
        self.name = name

    @property
    def available(self) -> bool:
        """Whether it can be imported."""
        try:
            importlib.import_module(self.name)
        except ImportError:
            return False
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.name), name)


def correct_pad(inputs: Any, kernel_size: Any) -> Any:
    """The zero padding before a strided convolution that keeps what Keras's weights were trained with."""
    axes = (2, 3) if image_data_format() == "channels_first" else (1, 2)
    sizes = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
    pairs = zip(sizes, (inputs.shape[axis] for axis in axes), strict=True)
    return tuple((kernel // 2 - (1 - size % 2 if size else 0), kernel // 2) for kernel, size in pairs)


def get_submodules_from_kwargs(kwargs: Any) -> tuple[Any, ...]:
    """The modules that networks for Keras Applications compute with: `backend`, `layers`, `models` and `utils`."""
    return tuple(kwargs.get(name) or importlib.import_module(f"lamina.{name}") for name in OF_NETWORKS)

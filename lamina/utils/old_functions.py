"""Functions of `keras.utils` in Keras 1 and 2 that have no namesake today; each description says what to write.

>>> probas_to_classes([[0.1, 0.9], [0.8, 0.2]]).tolist()
[1, 0]
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import h5py
import numpy as np

from lamina import distribution
from lamina.core.context import snake_case
from lamina.core.typing import ArrayLike
from lamina.errors import ConfigError, warn
from lamina.legacy import warn_renamed

__all__ = [
    "HDF5Matrix", "categorical_probas_to_classes", "conv_input_length", "conv_output_length", "convert_kernel",
    "count_params", "deconv_length", "get_test_data", "has_arg", "is_all_none", "multi_gpu_model", "normalize_padding",
    "normalize_tuple", "object_list_uid", "print_summary", "probas_to_classes", "slice_arrays",
    "to_list",
    "to_snake_case", "unpack_singleton",
]  # fmt: skip


def multi_gpu_model(
    model: Any, gpus: int | Sequence[int] | None = None, cpu_merge: bool = True, cpu_relocation: bool = False
) -> Any:
    """The model itself, after `keras.distribution.set_distribution(keras.distribution.DataParallel())`.

    With a single device it only warns.

    Args:
        model: Model, compiled or not.
        gpus: Number of devices, or a list of their numbers. None means all.
        cpu_merge: Not used.
        cpu_relocation: Not used.

    Raises:
        ConfigError: For a single device of several.
    """
    warn_renamed(
        "multi_gpu_model(model) is keras.distribution.set_distribution(keras.distribution.DataParallel()), ahead of the"
        " model, since Keras 3."
    )
    devices = distribution.list_devices()
    numbers = list(range(gpus)) if isinstance(gpus, int) else list(range(len(devices)) if gpus is None else gpus)
    if gpus is not None and len(numbers) < 2:
        raise ConfigError(f"multi_gpu_model needs two devices or more; got gpus={gpus}.", fix="gpus=2")
    if len(devices) <= max(numbers) or len(numbers) < 2:
        there = "is 1 device" if len(devices) == 1 else f"are {len(devices)} devices"
        warn(f"gpus={gpus} was asked for, and there {there}: the model runs on one.")
        return model
    distribution.set_distribution(distribution.DataParallel(devices=[devices[number] for number in numbers]))
    return model


def HDF5Matrix(
    datapath: str | os.PathLike[str],
    dataset: str,
    start: int = 0,
    end: int | None = None,
    normalizer: Callable[[Any], Any] | None = None,
) -> Any:
    """The rows of a data set of an HDF5 file as an array: `h5py.File(datapath)[dataset][start:end]`.

    Args:
        datapath: Path of the file.
        dataset: Name of the data set in it.
        start: First row.
        end: Row after the last. None means all.
        normalizer: Function of the rows.
    """
    warn_renamed(f"HDF5Matrix is h5py.File({os.fspath(datapath)!r})[{dataset!r}][{start}:{end or ''}] since Keras 2.4.")
    with h5py.File(datapath, "r") as file:
        found: Any = file[dataset]
        rows = found[start:end]
    return rows if normalizer is None else normalizer(rows)


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    **kwargs: Any,
) -> None:
    """`model.summary(line_length, positions, print_fn, **kwargs)`.

    Args:
        model: Model.
        line_length: Width of the lines.
        positions: Places of the columns.
        print_fn: Function that prints a line.
        **kwargs: Further arguments of `model.summary`.
    """
    model.summary(line_length, positions, print_fn, **kwargs)


def probas_to_classes(y_pred: ArrayLike) -> np.ndarray:
    """`y_pred.argmax(axis=-1)`; for one column `y_pred > 0.5`.

    Args:
        y_pred: Probabilities, (samples, classes).
    """
    y_pred = np.asarray(y_pred)
    if y_pred.ndim > 1 and y_pred.shape[1] > 1:
        return y_pred.argmax(axis=1)
    return (y_pred.reshape(len(y_pred)) > 0.5).astype("int64")


def categorical_probas_to_classes(p: ArrayLike) -> np.ndarray:
    """`p.argmax(axis=1)`.

    Args:
        p: Probabilities, (samples, classes).
    """
    return np.asarray(p).argmax(axis=1)


def count_params(weights: Iterable[Any]) -> int:
    """The number of values in a list of weights.

    Args:
        weights: Variables.
    """
    return sum(int(np.prod(weight.shape)) for weight in {id(weight): weight for weight in weights}.values())


def convert_kernel(kernel: ArrayLike) -> np.ndarray:
    """A kernel of a convolution from Theano to TensorFlow or back: its spatial axes are flipped.

    Args:
        kernel: Kernel, (*sizes, channels, filters).

    Raises:
        ConfigError: For fewer than three axes, or more than five.
    """
    kernel = np.asarray(kernel)
    if not 3 <= kernel.ndim <= 5:
        raise ConfigError(f"A kernel of a convolution has 3 to 5 axes; got shape {kernel.shape}.", fix="layer.kernel")
    return np.flip(kernel, tuple(range(kernel.ndim - 2)))


def conv_output_length(
    input_length: int | None, filter_size: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """The length of the output of a convolution along one axis.

    Args:
        input_length: Length of the input.
        filter_size: Size of the kernel.
        padding: "same", "valid", "full" or "causal".
        stride: Distance between neighbouring windows.
        dilation: Distance between the inputs that neighbouring kernel values meet.
    """
    if input_length is None:
        return None
    span = (filter_size - 1) * dilation
    extra = {"same": 0, "causal": 0, "valid": -span, "full": span}[padding]
    return (input_length + extra + stride - 1) // stride


def conv_input_length(output_length: int | None, filter_size: int, padding: str, stride: int) -> int | None:
    """The least length of the input of a convolution along one axis, for a length of its output.

    Args:
        output_length: Length of the output.
        filter_size: Size of the kernel.
        padding: "same", "valid" or "full".
        stride: Distance between neighbouring windows.
    """
    if output_length is None:
        return None
    pad = {"same": filter_size // 2, "valid": 0, "full": filter_size - 1}[padding]
    return (output_length - 1) * stride - 2 * pad + filter_size


def deconv_length(dim_size: int | None, stride_size: int, kernel_size: int, padding: str, *_: Any) -> int | None:
    """The length of the output of a transposed convolution along one axis.

    Args:
        dim_size: Length of the input.
        stride_size: Stride.
        kernel_size: Size of the kernel.
        padding: "same", "valid" or "full".
        *_: Output padding and further arguments, which are not used.
    """
    if dim_size is None:
        return None
    grown = dim_size * stride_size
    return {"same": grown, "valid": grown + max(kernel_size - stride_size, 0),
            "full": grown - (stride_size + kernel_size - 2)}[padding]  # fmt: skip


def normalize_tuple(value: int | Sequence[int], n: int, name: str) -> tuple[int, ...]:
    """A number as a tuple of n, or a sequence of n numbers as a tuple.

    Args:
        value: A whole number, or n of them.
        n: How many are wanted.
        name: Name of the argument, for the error.

    Raises:
        ConfigError: For another count.
    """
    values = tuple(value) if isinstance(value, Iterable) else (value,) * n
    if len(values) != n or not all(isinstance(one, (int, np.integer)) for one in values):
        raise ConfigError(f"{name} is a whole number, or {n} of them; got {value!r}.", fix=f"{name}={(3,) * n}")
    return values


def normalize_padding(value: str) -> str:
    """`value.lower()`, checked.

    Args:
        value: "same", "valid" or "causal".

    Raises:
        ConfigError: For another padding.
    """
    if str(value).lower() not in ("same", "valid", "causal"):
        raise ConfigError(f"padding is 'same', 'valid' or 'causal'; got {value!r}.", fix='padding="same"')
    return value.lower()


def to_list(x: Any, allow_tuple: bool = False) -> list[Any]:
    """A list as it is, and everything else in a list.

    Args:
        x: Anything.
        allow_tuple: Whether a tuple becomes a list of its items.
    """
    return list(x) if isinstance(x, list) or (allow_tuple and isinstance(x, tuple)) else [x]


def unpack_singleton(x: Sequence[Any]) -> Any:
    """The item of a list of one; else the list.

    Args:
        x: List.
    """
    return x[0] if len(x) == 1 else x


def is_all_none(iterable_or_element: Any) -> bool:
    """Whether everything in a list is None.

    Args:
        iterable_or_element: List, or one thing.
    """
    return all(one is None for one in to_list(iterable_or_element, allow_tuple=True))


def object_list_uid(object_list: Any) -> str:
    """The ids of objects as one string.

    Args:
        object_list: List, or one object.
    """
    return ", ".join(str(abs(id(one))) for one in to_list(object_list, allow_tuple=True))


def slice_arrays(arrays: Any, start: Any = None, stop: int | None = None) -> Any:
    """`[array[start:stop] for array in arrays]`.

    Args:
        arrays: Array or list of them; None stays None.
        start: First row, or a list of rows.
        stop: Row after the last.
    """
    rows = np.asarray(start) if hasattr(start, "__len__") else slice(start, stop)
    if isinstance(arrays, list):
        return [None if array is None else array[rows] for array in arrays]
    return [None] if arrays is None else arrays[rows]


def has_arg(fn: Callable[..., Any], name: str, accept_all: bool = False) -> bool:
    """Whether a function has an argument of a name.

    Args:
        fn: Function.
        name: Name of the argument.
        accept_all: Whether `**kwargs` counts.
    """
    found = inspect.signature(fn).parameters
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    if name in found:
        return found[name].kind in by_name
    return accept_all and any(one.kind is inspect.Parameter.VAR_KEYWORD for one in found.values())


def to_snake_case(name: str) -> str:
    """`"MaxPooling2D"` -> `"max_pooling2d"`.

    Args:
        name: Name of a class.
    """
    return snake_case(name)


def get_test_data(
    num_train: int = 1000,
    num_test: int = 500,
    input_shape: tuple[int, ...] = (10,),
    output_shape: tuple[int, ...] = (2,),
    classification: bool = True,
    num_classes: int = 2,
    **old_names: int,
) -> Any:
    """Made-up data that a model can learn: ((x_train, y_train), (x_test, y_test)).

    Args:
        num_train: Samples to train on.
        num_test: Samples to test on.
        input_shape: Shape of a sample.
        output_shape: Shape of a target, where these are not classes.
        classification: Whether the targets are classes.
        num_classes: Number of classes.
        **old_names: `nb_train`, `nb_test` and `nb_class`, as in Keras 1.
    """
    num_train, num_test = old_names.get("nb_train", num_train), old_names.get("nb_test", num_test)
    num_classes = old_names.get("nb_class", num_classes)
    draw, count = np.random.default_rng(), num_train + num_test
    classes = draw.integers(0, num_classes, count)
    centres = draw.normal(size=(num_classes, *input_shape))
    x = (centres[classes] + 0.5 * draw.normal(size=(count, *input_shape))).astype("float32")
    y = classes
    if not classification:
        y = np.broadcast_to(
            x.reshape(count, -1).mean(1).reshape(-1, *(1 for _ in output_shape)), (count, *output_shape)
        )
    return (x[:num_train], y[:num_train]), (x[num_train:], y[num_train:])

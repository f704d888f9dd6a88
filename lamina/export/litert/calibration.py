"""The ranges of all values of a program on representative inputs, by the runtime."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np

from lamina.errors import ConfigError
from lamina.export.litert.runtime import interpreter_of

__all__ = ["batches_of", "ranges_of"]

BATCH = 32


def batches_of(program: Any, given: Any) -> Iterator[list[np.ndarray]]:
    """Batches of inputs, each a list of arrays in the order of the program.

    Args:
        program: The traced program.
        given: An array, arrays for several inputs as a list or a dict by name, or an iterable of batches of these, or a
            function without arguments that returns one. What a batch holds behind the inputs is left out.

    Raises:
        ConfigError: It does not fit the inputs.
    """
    given = given() if callable(given) else given
    names, avals = program.input_names, program.input_avals
    is_whole = hasattr(given, "shape") or isinstance(given, Mapping)
    is_list = isinstance(given, (list, tuple)) and len(given) == len(avals) > 1
    count = 0
    for item in [given] if is_whole or is_list else given:
        if isinstance(item, Mapping) and set(names) <= set(item):
            leaves = [item[name] for name in names]
        else:
            leaves = jax.tree_util.tree_leaves(item)[: len(avals)]
        arrays = [np.asarray(leaf) for leaf in leaves]
        arrays = [
            array[None] if array.ndim == len(aval.shape) - 1 else array
            for array, aval in zip(arrays, avals, strict=False)
        ]
        if len(arrays) < len(avals) or not all(map(_fits, arrays, avals)):
            raise _wrong(avals, [array.shape for array in arrays])
        if not all(np.isfinite(array).all() for array in arrays):
            raise _wrong(avals, "numbers that are not finite")
        size = next(
            (v.shape[0] for v in avals if v.shape and isinstance(v.shape[0], int)), 0
        )  # of each batch, if fixed
        for start in range(0, len(arrays[0]), size or BATCH):
            batch = [array[start : start + (size or BATCH)] for array in arrays]
            if not size or len(batch[0]) == size:
                count += 1
                yield [array.astype(v.dtype) for array, v in zip(batch, avals, strict=True)]
    if not count:
        raise _wrong(avals, "no batch")


def _wrong(avals, came):
    return ConfigError(
        f"representative_data gives inputs of the model, of {[aval.shape for aval in avals]}; got {came}.",
        fix="representative_data=x_train[:100]",
    )


def _fits(array, aval):
    sizes = list(zip(array.shape, aval.shape, strict=False))[1:]
    return array.ndim == len(aval.shape) and all(not isinstance(n, int) or n == size for size, n in sizes)


def ranges_of(program: Any, data: bytes, given: Any) -> tuple[dict[str, tuple[float, float]], list[np.ndarray]]:
    """The smallest and largest element of each float value, by its name; and the first batch.

    Args:
        program: The traced program.
        data: Its file.
        given: Inputs, see `batches_of`.

    Raises:
        ImportError: The runtime is not installed.
    """
    interpreter = interpreter_of(data, is_plain=True)
    places = {detail["name"]: detail["index"] for detail in interpreter.get_input_details()}
    ranges: dict[str, tuple[float, float]] = {}
    first: list[np.ndarray] = []
    for arrays in batches_of(program, given):
        first = first or arrays
        for name, array in zip(program.input_names, arrays, strict=True):
            interpreter.resize_tensor_input(places[name], array.shape)
        interpreter.allocate_tensors()
        for name, array in zip(program.input_names, arrays, strict=True):
            interpreter.set_tensor(places[name], array)
        interpreter.invoke()
        for detail in interpreter.get_tensor_details():
            if detail["dtype"] != np.float32:
                continue
            try:
                values = interpreter.get_tensor(detail["index"])
            except ValueError:  # nothing was computed there
                continue
            if values.size:
                low, high = ranges.get(detail["name"], (np.inf, -np.inf))
                ranges[detail["name"]] = (min(low, float(values.min())), max(high, float(values.max())))
    return ranges, first

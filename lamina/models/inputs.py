"""The inputs of a functional model as the list of values from which its graph starts."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core import tree
from lamina.core.dtypes import dtype_of, numpy_dtype
from lamina.core.keras_tensor import get_mask, set_mask
from lamina.errors import DataError, ShapeError, warn
from lamina.layers.base.input_fixes import fix_of_input
from lamina.runtime.settings import floatx
from lamina.spelling.nearest import renamed


def standardize_inputs(graph: Any, inputs: Any, model: Any) -> list[Any]:
    """The inputs in the order of the graph, each with the rank and type of its Input.

    Args:
        graph: Function between symbolic tensors.
        inputs: Array, or a structure of arrays.
        model: Model of the graph, for errors.

    Raises:
        ShapeError: If inputs are missing or do not fit.
    """
    values = _in_order(graph, inputs, model)
    try:
        return [fit_input(value, tensor, model) for value, tensor in zip(values, graph.input_tensors, strict=True)]
    except ShapeError:
        _refuse_order(values, graph.input_tensors, model)
        raise


def _in_order(graph, inputs, model):
    names = [tensor._keras_history.operation.name for tensor in graph.input_tensors]
    if isinstance(graph.inputs, dict):
        values = _by_key(graph.inputs, inputs, model)
    elif isinstance(inputs, dict):
        expected = dict(zip(names, graph.input_tensors, strict=True))
        taken = _by_key(expected, inputs, model)
        values = [taken[sorted(names).index(name)] for name in names]
    else:
        values = tree.flatten(inputs) if len(names) != 1 or not _is_tensor(inputs) else [inputs]
    if len(values) != len(names):
        raise ShapeError(
            f"{model.name} has {len(names)} input{'s' * (len(names) > 1)} ({', '.join(names)}); it was given "
            f"{len(values)}.",
            fix=_fix_of_number(names, values, graph.input_tensors),
        )
    for value, tensor, name in zip(values, graph.input_tensors, names, strict=True):
        if value is None and not getattr(tensor._keras_history.operation, "optional", False):
            raise ShapeError(
                f"{model.name} was given None for its input {name!r}, which is not optional.",
                fix="Give it, or make it optional: keras.Input(..., optional=True).",
            )
    return values


def _refuse_order(values, tensors, model):
    """Raise an error where inputs of a list, which do not fit, do so in another order."""
    got = [tuple(value.shape[1:]) if _is_tensor(value) else None for value in values]
    wanted = [tuple(tensor.shape[1:]) for tensor in tensors]
    if len(got) == len(set(got)) and set(got) == set(wanted):
        order = ", ".join(f"x[{got.index(shape)}]" for shape in wanted)
        raise ShapeError(f"{model.name} takes inputs of {wanted}; got {got}, in another order.", fix=f"x = [{order}]")


def _by_key(expected, given, model):
    """The values of `given` for each symbolic tensor of `expected`, a dict that may hold others, in tree order."""
    if not isinstance(expected, dict):
        return [given] if not isinstance(expected, (list, tuple)) else tree.flatten(given)
    keys = sorted(expected)
    if not isinstance(given, dict):
        return _by_place(expected, keys, given, model)
    missing = [key for key in keys if key not in given and not _is_optional(expected[key])]
    if missing:
        others = len(given) - sum(key in given for key in keys)
        fix = (
            renamed("x", given, keys) if others >= len(missing) else f"Add {', '.join(map(repr, missing))} to the dict."
        )
        if "x" in given and "x" not in keys:  # {"x": x, "y": y}, in place of a pair
            fix = "A dict has only the inputs of the model; the targets come after it: yield x, y"
        elif len(keys) == 1 < len(given) and all(np.shape(one)[1:] in ((), (1,)) for one in given.values()):  # a table
            fix = "The model has one input: np.column_stack(list(x.values())), or df.to_numpy()"
        raise ShapeError(f"{model.name} needs the inputs {keys}; got {sorted(given)}.", fix=fix)
    unused = sorted(set(given) - set(keys), key=str)
    if unused:
        warn(f"{_MISMATCH} of {model.name}: it takes {keys}; {unused} are not used.")
    return [value for key in keys for value in _by_key(expected[key], given.get(key), model)]


def _fix_of_number(names, values, tensors):
    if len(values) == 1 and len(names) > 1 and all(len(one.shape) == 2 for one in (*values, *tensors)):
        ends = list(itertools.accumulate(tensor.shape[1] or 0 for tensor in tensors))
        if ends[-1] == values[0].shape[1]:  # the columns of all inputs, side by side
            cuts = ", ".join(f"x[:, {start}:{end}]" for start, end in itertools.pairwise([0, *ends]))
            return f"x = [{cuts}]  # {', '.join(names)}"
    if len(names) == 1 and len({tuple(value.shape[1:]) for value in values if _is_tensor(value)}) == 1:
        return "A list is one array for each input; one array of all is np.concatenate(x), or np.stack(x) of samples."
    if len(names) == 1 and len(values) == 2:
        return "model.fit(x, y): inputs and targets are two arguments, and a list or tuple is one array for each input."
    each = ", ".join(names)
    return f"x = [{each}], one array for each input; a batch of a generator or data set is a pair: (({each}), y)"


_MISMATCH = "The structure of `inputs` doesn't match the expected structure"


def _by_place(expected, keys, given, model):
    """Values in a list for inputs with keys: in the order of the keys, if the model was defined in that order."""
    values = tree.flatten(given)
    if len(values) != len(keys) or len(keys) == 1:
        return values
    fix = f"Pass a dict: {{{', '.join(f'{key!r}: ...' for key in keys)}}}."
    if list(expected) != keys:
        message = f"{_MISMATCH} of {model.name}: a list does not tell which value belongs to which of {list(expected)}."
        raise ShapeError(message, fix=fix)
    warn(f"{_MISMATCH} of {model.name}: a list was given, which is matched to {keys} in this order. {fix}")
    return values


def _is_tensor(value):
    return hasattr(value, "shape")


def _is_optional(tensor):
    return getattr(getattr(tensor, "_keras_history", None) and tensor._keras_history.operation, "optional", False)


def fit_input(value: Any, tensor: Any, model: Any) -> Any:
    """A value with the rank and type of its Input: (batch,) becomes (batch, 1), and the reverse.

    Args:
        value: Array, or None.
        tensor: Symbolic tensor of the Input.
        model: Model, for errors.

    Raises:
        ShapeError: If the shape does not fit.
    """
    if value is None:
        return None
    shape, wanted = tuple(value.shape), tensor.shape
    fitted = value
    if len(shape) == len(wanted) - 1 and wanted[-1] == 1:
        fitted = value[..., None]
    elif len(shape) == len(wanted) + 1 and shape[-1] == 1:
        fitted = value[..., 0]
    source = tensor._keras_history.operation
    sizes = zip(fitted.shape[1:], wanted[1:], strict=True)
    if len(fitted.shape) != len(wanted) or (
        not getattr(source, "inferred", False) and any(expected not in (None, size) for size, expected in sizes)
    ):
        raise ShapeError(
            f"{model.name} was built for inputs of shape {wanted} ({source.name}); got {shape}.",
            fix=fix_of_input(shape, wanted),
        )
    if isinstance(fitted, jax.Array) and dtype_of(fitted) != tensor.dtype and tensor.dtype != "string":
        fitted = _cast(fitted, tensor.dtype)
    if fitted is not value:
        set_mask(fitted, get_mask(value))
    return fitted


def _cast(value, dtype):
    """Cast to the type of the Input; floats for floatx keep their type, which a mixed policy may have changed."""
    if jnp.issubdtype(value.dtype, jnp.floating) and dtype == floatx():
        return value
    if jnp.iscomplexobj(value) and not dtype.startswith("complex"):
        raise DataError(
            f"The inputs are complex numbers ({value.dtype}); the model takes {dtype}.",
            fix="x = np.abs(x)  # or np.concatenate([x.real, x.imag], axis=-1), which is twice as wide",
        )
    return value.astype(jax.dtypes.canonicalize_dtype(numpy_dtype(dtype)))

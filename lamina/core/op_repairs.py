"""What is wrong with a call of an op that failed: the argument with which, once it is changed, the op computes.

Changes are tried on shapes and types alone, the likeliest first: a setting of a wrong kind, a type, another
size, an axis more or less, another setting. What the argument should be is told in the words of the op's docstring.
"""

from __future__ import annotations

import contextlib
import inspect
import itertools
import re
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from lamina.core.arguments import EXAMPLES, numbers_in
from lamina.core.op_shapes import OpUse, brief, trying
from lamina.core.probes import without_probe_sizes
from lamina.errors import CallError, LaminaError, ShapeError
from lamina.spelling.docstrings import described_in
from lamina.spelling.nearest import nearest

__all__ = ["described", "description", "repair", "told"]

Change = tuple[dict[str, Any], str]  # values, or shapes and types, to try for arguments; and code
_MOST = 150  # tries
_AXES = {
    "{}[None]": lambda shape: (1, *shape), "{}[..., None]": lambda shape: (*shape, 1),
    "{}[:, None]": lambda shape: (shape[0], 1, *shape[1:]), "{}[0]": lambda shape: shape[1:],
    "{}[..., 0]": lambda shape: shape[:-1], "{}[0, 0]": lambda shape: shape[2:],
    "{}[None, ..., None]": lambda shape: (1, *shape, 1), "{}[None, None]": lambda shape: (1, 1, *shape),
    "keras.ops.moveaxis({}, -1, 0)": lambda shape: (shape[-1], *shape[:-1]),
}  # fmt: skip


def repair(call: OpUse) -> LaminaError | None:
    """The error that names the argument to change, and to what; None where no change of one argument helps.

    Args:
        call: Use of an op that failed.
    """
    with trying() as is_nested:
        for changed, code in () if is_nested else itertools.islice(_changes(call), _MOST):
            if call.works(**changed) is not None:
                kind = ShapeError if changed.keys() <= call.tensors.keys() else CallError
                return kind(f"{told(call)}.{described(call, changed)}", fix=code)
    return None


def told(call: OpUse) -> str:
    """What an op cannot compute with.

    Args:
        call: Use of an op that failed.
    """
    return f"{call.name} cannot compute with {', '.join(f'{key}={brief(one)}' for key, one in call.given.items())}"


def described(call: OpUse, keys: Any) -> str:
    """What arguments are, by the docstring of the op, with a space before it.

    Args:
        call: Use of an op.
        keys: Names of arguments.
    """
    texts = {key: description(call, key) for key in keys}
    return "".join(f" `{key}`: {text}" for key, text in texts.items() if text)


def description(call: OpUse, key: str) -> str:
    """What an argument is, by the docstring of the op; "" if that does not say.

    Args:
        call: Use of an op.
        key: Name of an argument.
    """
    return described_in(inspect.getdoc(call.function) or "", key)


def _changes(call: OpUse) -> Iterator[Change]:
    settings = {key: value for key, value in call.given.items() if key not in call.tensors}
    odd = [key for key in settings if _is_odd(call, key)]
    forms = {key: form for key, value in call.tensors.items() if (form := _form(value)) is not None}
    arrays = dict(reversed(forms.items()))  # the first is the one that is right
    known = {size for array in arrays.values() for size in array.shape} | _whole(settings.values())
    sizes = sorted(known, key=lambda size: (size == 1, size))
    for key in odd:
        yield from _other_settings(call, key, sizes)
    for kind in ("int32", "float32", "bool"):
        yield from (_cast([key], arrays, kind) for key in arrays)
    yield from (_cast([*forms], forms, kind) for kind in ("int32", "float32") if len(forms) > 1)
    regular = itertools.chain(*(_other_settings(call, key, sizes) for key in settings if key not in odd))
    if len(arrays) < 2:
        yield from regular
    shapes = [one.shape for one in arrays.values()]
    for key in arrays:
        yield from _other_sizes(key, arrays[key], sizes, shapes)
    for key in arrays:
        yield from _other_ranks(key, arrays[key])
    for key in arrays:
        yield from _other_shapes(key, arrays[key], sizes)
    yield from regular


def _form(value):
    """Shape and type of an array or of a nested list of numbers; None for lists of arrays and other things."""
    if value is None or (isinstance(value, (list, tuple)) and any(hasattr(one, "shape") for one in value)):
        return None
    try:
        array: Any = value if hasattr(value, "dtype") else np.asarray(value)
        return jax.ShapeDtypeStruct(array.shape, jax.dtypes.canonicalize_dtype(array.dtype))
    except (TypeError, ValueError):
        return None


def _whole(values):
    return {one for one in values if isinstance(one, int) and not isinstance(one, bool) and 0 < one < 10000}


def _is_odd(call, key):
    """Whether a setting is of another kind than its argument: text with a number, a fraction, None, an unknown word."""
    value, default = call.given[key], call.defaults[key]
    if isinstance(value, str):
        return f'"{value}"' not in description(call, key)
    if isinstance(value, float):
        return not isinstance(default, float) and "float" not in str(call.annotations.get(key))
    if isinstance(value, (list, tuple)):
        return not isinstance(default, (list, tuple)) or any(isinstance(one, float) for one in value)
    return not isinstance(value, (int, bool, np.integer, type(None))) or (value is None and default is not None)


def _other_settings(call, key, sizes):
    value, words = call.given[key], re.findall(r'"([\w-]+)"', description(call, key))
    tries: list[Any] = []
    if isinstance(value, str):
        tries += numbers_in(value) + (nearest(value, words) + words)
    elif isinstance(value, float):
        tries += [int(value)]
    elif isinstance(value, (list, tuple)) and value:
        whole = tuple(int(one) if isinstance(one, float) else one for one in value)
        tries += [whole, *(_with(whole, place, size) for place in range(len(whole)) for size in reversed(sizes))]
        tries += [*(whole[:count] for count in range(len(whole) - 1, 0, -1)), (*whole, whole[-1]), whole[0]]
    elif isinstance(value, (int, np.integer)):
        tries += [
            *reversed([size for size in sizes if size < value]),
            *((value,) * count for count in (1, 2, 3)),
            -value,
        ]
    default, is_axis = call.defaults[key], key.startswith("axis") or key in ("source", "destination")
    usual = [] if default is inspect.Parameter.empty else [default]
    counts = [-1, 0, 1, 2] if is_axis else [EXAMPLES.get(key, 1), *range(1, 9), 0, -1]
    tries += [
        *(counts[:1] * is_axis),
        *words,
        *usual,
        *counts,
        *((one,) * count for one in (1, 2) for count in (1, 2, 3)),
    ]
    yield from (({key: one}, f"{key}={one!r}") for one in tries if one is not value)


def _with(values, place, value):
    return (*values[:place], value, *values[place + 1 :])


def _cast(keys, arrays, kind):
    changed = {key: jax.ShapeDtypeStruct(arrays[key].shape, kind) for key in keys}
    casts = ", ".join(f'keras.ops.cast({key}, "{kind}")' for key in keys)
    return changed, f"{', '.join(keys)} = {casts}" if len(keys) > 1 else casts


def _other_ranks(key, array):
    for code, change in _AXES.items():
        with contextlib.suppress(IndexError):
            yield {key: jax.ShapeDtypeStruct(change(array.shape), array.dtype)}, code.format(key)


def _other_sizes(key, array, sizes, shapes):
    changed = [_with(array.shape, axis, size) for axis in range(len(array.shape)) for size in sizes]
    for shape in (*changed, *(one for one in shapes if len(one) == len(array.shape))):
        yield _shaped(key, array, shape)


def _other_shapes(key, array, sizes):
    """Vectors, squares, and sizes that are a square, or one more or less."""
    near = [*(one**2 for one in sizes), *(one - 1 for one in sizes if one > 1), *(one + 1 for one in sizes)]
    last = [(*array.shape[:-1], size) for size in near] if array.shape else []
    for shape in (*((size,) for size in sizes), *((size, size) for size in sizes), *last, ()):
        yield _shaped(key, array, shape)


def _shaped(key, array, shape):
    told = (
        f"Give `{key}` the shape {without_probe_sizes(shape)}." if shape else f"Give `{key}` one number, not an array."
    )
    return {key: jax.ShapeDtypeStruct(shape, array.dtype)}, told

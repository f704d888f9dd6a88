"""Errors of ops in the terms of their arguments, in place of those of JAX and NumPy."""

from __future__ import annotations

import importlib
import inspect
import re
import traceback
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from lamina.core.arguments import shown
from lamina.core.graph import Operation
from lamina.core.op_repairs import described, description, repair, told
from lamina.core.op_shapes import FAILURES, RULES, OpUse, not_alike
from lamina.errors import CallError, CallTypeError, LaminaError, ShapeError, is_internal, is_library

__all__ = ["FAILURES", "explain_failure", "is_explained", "strict"]

strict: bool = False
"""Whether a rule that raises is an error, as it is in the tests, and not passed over."""

_OF_JAX = (
    jax.errors.JAXTypeError, jax.errors.JAXIndexError, jax.errors.UnexpectedTracerError, jax.errors.JaxRuntimeError,
)  # fmt: skip


def explain_failure(public: Any, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception) -> LaminaError | None:
    """The error of lamina that takes the place of one of JAX or NumPy; None where that is right as it is.

    Args:
        public: The op.
        args, kwargs: What it was called with.
        error: What its function raised.
    """
    if not isinstance(error, FAILURES) or is_explained(error):
        return None
    given = inspect.signature(public.compute).bind_partial(*args, **kwargs).arguments
    name = public.op_name
    call = OpUse(name, public.compute, given)
    if any(
        isinstance(one, Tracer)
        for key, value in given.items()
        if "TensorLike" not in str(call.annotations[key])
        for one in jax.tree.leaves(value)
    ):
        return None  # see traced_errors
    own = RULES.get(name)
    rules = _list_for_tensors, _not_callable, _other_order, _text_index, _not_numbers, _axis_outside, own, not_alike
    for rule in (*rules, repair):
        try:
            found = rule and rule(call)
        except Exception:  # a value that the rule does not expect, such as NaN: the others may explain it
            if strict:
                raise
            found = None
        if found is not None:
            return _of_kind(found, error)
    said = str(error).split("\n")[0].rstrip(".")
    kind = ShapeError if any(word in said for word in ("shape", "axis", "dimension", "size")) else CallError
    return _of_kind(kind(f"{told(call)}: {said}.{described(call, given)}", fix=_fix(call)), error)


def _of_kind(found, error):
    """`found`, which `except TypeError` catches too where it caught `error`."""
    is_of_kind = type(found) is CallError and isinstance(error, TypeError)
    return CallTypeError(found.message, found.fix) if is_of_kind else found


def is_explained(error: BaseException) -> bool:
    """Whether an error is right as it is: one of lamina, one of JAX about tracing, or one of the user's own program.

    Args:
        error: Error that a function of lamina caught.
    """
    if isinstance(error, (LaminaError, *_OF_JAX)) or not _is_of_libraries(error.__traceback__):
        return True
    innermost = [frame for frame, _ in traceback.walk_tb(error.__traceback__)][-1]
    return isinstance(error, NotImplementedError) and innermost.f_globals.get("__name__", "").startswith("lamina.")


def _is_of_libraries(trace):
    """Whether an error arose below the op in lamina or a library, not in a function that the user handed in."""
    below = [frame for frame, _ in traceback.walk_tb(trace)][1:]
    return bool(below) and all(is_internal(frame) or is_library(frame) for frame in below)


def _text_index(call):
    """tensor["age"], as in a table or a dict of inputs."""
    key = call.given.get("key")
    if call.name == "get_item" and isinstance(key, str):
        message = f"A tensor has no columns with names; got x[{key!r}] of {call.shapes['x']}."
        return CallError(message, fix=f"x[:, 0]  # a column by its number; of inputs by name: inputs[{key!r}], a dict")
    return None


def _other_order(call):
    """uniform(0, 1, (3,)) for uniform((3,), 0, 1): the shape comes first, as in no other library."""
    keys = list(call.given)
    if keys[0] != "shape" or not isinstance(call.given["shape"], (int, float)):
        return None
    for key in keys[1:]:
        if isinstance(call.given[key], (list, tuple)):
            values = [call.given[key], *(call.given[one] for one in keys if one != key)]
            message = f"{told(call)}. The arguments by position are {', '.join(keys)}."
            name = call.name.removeprefix("random_")
            return CallError(message, fix=f"keras.random.{name}({', '.join(map(shown, values))})")
    return None


def _not_callable(call):
    for key, value in call.given.items():
        text = description(call, key)
        if not callable(value) and text.startswith("Callable "):
            names = "" if "without arguments" in text else (re.search(r"of \(([\w, ]+)\)", text) or " x")[1]
            message = f"{call.name}: `{key}` must be a function; got {shown(value)}. `{key}`: {text}"
            return CallError(message, fix=f"{key}=lambda {names}: ...".replace(" :", ":"))
    return None


def _not_numbers(call):
    """Text, None, rows of different length, or another object in place of a tensor, or of one in a list."""
    for key, value in call.tensors.items():
        if isinstance(call.shapes[key], list):
            parts = {f"{key}[{place}]": one for place, one in enumerate(value)}
        else:
            parts = {} if value is None and call.defaults[key] is None else {key: value}
        for name, one in parts.items():
            fix = _numbers_from(name, one)
            if fix:
                rows = " with rows of different length" if "pad_sequences" in fix else ""
                return CallError(f"{call.name}: `{name}` must be an array of numbers; got {shown(one)}{rows}.", fix=fix)
    return None


def _numbers_from(name, value):
    """What makes numbers of an argument; "" where it is an array of numbers."""
    if value is None:
        return f"A function that made `{name}` may lack its `return`."
    if isinstance(value, Operation):
        return f"{value.name}(x) is the tensor that {value.name} computes."
    try:
        kind = "" if isinstance(value, jax.Array) else np.asarray(value).dtype.kind
    except ValueError:
        return f"keras.utils.pad_sequences({name})"
    if kind not in ("U", "S", "O"):
        return ""
    words = " reads numbers; layers.StringLookup() numbers words." if kind != "O" else ""
    return f"np.array({name}, dtype='float32'){words}"


_NEW_AXES = {"expand_dims": 1, "stack": 1}


def _axis_outside(call):
    """An axis that the tensor does not have."""
    if not call.shapes or call.name in ("tensordot", "cross"):
        return None
    shape = next(iter(call.shapes.values()))
    shape = shape[0] if isinstance(shape, list) and shape else shape
    if not isinstance(shape, tuple):
        return None
    for key in ("axis", "axis1", "axis2", "source", "destination"):
        axes = call.given.get(key)
        several = axes if isinstance(axes, (list, tuple)) else [axes]
        rank = len(shape) + (len(several) if call.name == "expand_dims" else _NEW_AXES.get(call.name, 0))
        outside = [one for one in several if isinstance(one, (int, np.integer)) and not -rank <= one < rank]
        if outside:
            what = f"an array of shape {shape}" if rank == len(shape) else f"the result, of rank {rank}"
            ends = f"its axes are {-rank} to {rank - 1}" if rank else "it has no axes"
            fix = f"{key}=-1" if rank else "keras.ops.reshape(x, (-1,)) has one axis."
            return ShapeError(f"{call.name}: {key}={axes} is not an axis of {what}; {ends}.", fix=fix)
    return None


def _list_for_tensors(call):
    """concatenate(x, y) for concatenate([x, y]): a tensor where the axis stands."""
    if getattr(call.given.get("axis"), "ndim", 0) and next(iter(call.given)) in ("xs", "arrays", "inputs"):
        message = f"{call.name} takes a list of tensors; got them one by one."
        return CallError(message, fix=f"keras.ops.{call.name}([x, y])")
    return None


def _fix(call):
    """A setting in place of a text with a number in it; else where the op is described."""
    for key, value in call.given.items():
        if key not in call.tensors and isinstance(value, str):
            try:
                return f"{key}={int(value)}"
            except ValueError:
                continue
    ops = importlib.import_module("lamina.ops")
    owner = next((part for part in ("", "image") if hasattr(getattr(ops, part, ops), call.name)), None)
    if owner is None:
        return f"The arguments of {call.name} are in its documentation."
    return f"help(keras.ops.{owner}{'.' * bool(owner)}{call.name})"

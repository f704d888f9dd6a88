"""Errors of ops in the terms of their arguments, in place of those of JAX and NumPy."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from typing import Any

import jax
import numpy as np

from lamina.core.arguments import shown
from lamina.core.op_shapes import FAILURES, RULES, OpUse, brief, not_alike
from lamina.errors import CallError, LaminaError, ShapeError

__all__ = ["FAILURES", "explain_failure"]

_OF_JAX = (jax.errors.JAXTypeError, jax.errors.JAXIndexError, jax.errors.UnexpectedTracerError)
_LIBRARIES = ("lamina", "jax", "jaxlib", "numpy", "opt_einsum", "scipy", "inspect")


def explain_failure(public: Any, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception) -> LaminaError | None:
    """The error of lamina that takes the place of one of JAX or NumPy; None where that is right as it is.

    Args:
        public: The op.
        args, kwargs: What it was called with.
        error: What its function raised.
    """
    if isinstance(error, (LaminaError, *_OF_JAX)) or not _is_of_libraries(error.__traceback__):
        return None
    given = inspect.signature(public.compute).bind_partial(*args, **kwargs).arguments
    name = public.op_name
    call = OpUse(name, public.compute, given)
    for rule in (_not_numbers, _axis_outside, RULES.get(name), not_alike):
        found = rule and rule(call)
        if found is not None:
            return found
    said = str(error).split("\n")[0].rstrip(".")
    values = ", ".join(f"{key}={brief(value)}" for key, value in given.items())
    kind = ShapeError if any(word in said for word in ("shape", "axis", "dimension", "size")) else CallError
    return kind(f"{name} cannot compute with {values}: {said}.", fix=_fix(call))


def _is_of_libraries(traceback):
    """Whether an error arose below the op in lamina, JAX or NumPy, not in a function that the user handed in."""
    files = [getattr(sys.modules.get(name), "__file__", None) for name in _LIBRARIES]
    own = tuple(os.path.dirname(os.path.abspath(file)) + os.sep for file in files if file)
    first = traceback = traceback.tb_next if traceback is not None else None
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if not file.startswith(("<frozen", "<__array", *own)):
            return False
        traceback = traceback.tb_next
    return first is not None


def _not_numbers(call):
    """Text, None, rows of different length, or another object in place of a tensor."""
    for key, value in call.tensors.items():
        is_ragged = isinstance(value, (list, tuple)) and call.shapes[key] is None
        if is_ragged:
            fix = f"keras.utils.pad_sequences({key})"
        elif value is None:
            if call.defaults[key] is None:
                continue
            fix = f"A function that made `{key}` may lack its `return`."
        else:
            kind = (
                ""
                if isinstance(call.shapes[key], list) or isinstance(value, jax.Array)
                else np.asarray(value).dtype.kind
            )
            if kind not in ("U", "S", "O"):
                continue
            fix = f"np.array({key}, dtype='float32')"
            if kind != "O":
                fix += " reads numbers; layers.StringLookup() numbers words."
        rows = " with rows of different length" if is_ragged else ""
        return CallError(f"{call.name}: `{key}` must be an array of numbers; got {shown(value)}{rows}.", fix=fix)
    return None


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

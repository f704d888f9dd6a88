"""Floating point operations of a layer, counted from what JAX would run for one sample."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from lamina.core import context
from lamina.core.keras_tensor import KerasTensor, traced_dtype
from lamina.errors import LaminaError
from lamina.facts.programs import programs_inside
from lamina.kernels.native import without_native

__all__ = ["count", "flops_of"]

_FREE = frozenset(  # moves numbers, computes none
    "broadcast_in_dim concatenate convert_element_type copy dynamic_slice dynamic_update_slice gather iota pad reshape "
    "rev scatter select_n slice split squeeze stop_gradient transpose expand_dims device_put".split()
)


def flops_of(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | None:
    """Operations of one call for one sample in prediction; open sizes count as one. None where tracing with such sizes
    fails.

    A product and a sum count as two. Elementwise functions count one for each value they return.

    Args:
        layer: Layer or op.
        args: Positional arguments of the call, with symbolic tensors.
        kwargs: Keyword arguments of the call.
    """
    leaves, treedef = jax.tree_util.tree_flatten((args, kwargs))
    places = [index for index, leaf in enumerate(leaves) if isinstance(leaf, KerasTensor)]
    if any(leaves[index].dtype == "string" for index in places):
        return None
    shapes = [
        jax.ShapeDtypeStruct([size or 1 for size in leaves[index].shape], traced_dtype(leaves[index].dtype))
        for index in places
    ]

    def run(values):
        filled = list(leaves)
        for index, value in zip(places, values, strict=True):
            filled[index] = value
        call_args, call_kwargs = jax.tree_util.tree_unflatten(treedef, filled)
        with context.bind(), context.watching_layers(None), context.call_scope(context.Call(layer, False)):
            return getattr(layer, "_run", layer.call)(*call_args, **call_kwargs)

    try:
        with without_native():  # in the operations that are counted
            jaxpr = jax.make_jaxpr(run)(shapes)
    except (LaminaError, TypeError, ValueError, IndexError):  # a layer that cannot run on sizes of one
        return None
    batch = shapes[0].shape[0] if shapes and shapes[0].shape else 1
    return count(jaxpr.jaxpr) // max(batch, 1)


def count(jaxpr: Any) -> int:
    """Operations of a program.

    Args:
        jaxpr: Program as JAX traced it.
    """
    return sum(map(_count_equation, jaxpr.eqns))


def _count_equation(equation):
    name, parameters = equation.primitive.name, equation.params
    if name == "dot_general":
        (contracted, _), _ = parameters["dimension_numbers"]
        left = equation.invars[0].aval.shape
        return 2 * _size(equation.outvars[0]) * math.prod(left[axis] for axis in contracted)
    if name == "product":
        return 2 * _size(equation.outvars[0]) * equation.invars[0].aval.shape[0 if parameters["transpose_left"] else 1]
    if name in _CONVOLUTIONS:
        small, kernel = (equation.outvars, equation.invars)[_CONVOLUTIONS[name]][0], equation.invars[1].aval.shape
        return 2 * _size(small) * math.prod(kernel[:-1])
    if name == "scan":
        return parameters["length"] * count(parameters["jaxpr"].jaxpr)
    inner = [count(program) for program, _ in programs_inside(equation)]
    if inner:
        return max(inner) if name == "cond" else sum(inner)
    if name in _FREE:
        return 0
    if name.startswith(("reduce_", "arg", "cum", "sort")):
        return _size(equation.invars[0])
    if name.startswith("reduce_window"):
        return _size(equation.outvars[0]) * math.prod(parameters["window_dimensions"])
    return sum(_size(out) for out in equation.outvars if _is_float(out))


# Convolutions, and which array has a position for each window: the result (0) or, transposed, the operand (1).
_CONVOLUTIONS = {"convolve": 0, "convolve_input_gradient": 1}


def _is_float(variable):
    return jnp.issubdtype(variable.aval.dtype, jnp.inexact)


def _size(variable):
    return math.prod(variable.aval.shape)

"""Rows: whether a program computes each row of its batch from that row alone."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.core.real_rows import OVER_COUNTED_ROWS
from lamina.facts.programs import CALLS, programs_inside

__all__ = ["rows_of_outputs"]

_HAVE_PROGRAMS = CALLS | {"custom_vjp_call_jaxpr", "scan", "while", "cond"}
_ELEMENTWISE = frozenset(
    "abs acos acosh add add_any and asin asinh atan atan2 atanh bessel_i0e bessel_i1e bitcast_convert_type cbrt ceil "
    "clamp clz conj convert_element_type copy copy_p cos cosh digamma div eq erf erf_inv erfc exp exp2 expm1 floor ge "
    "gt igamma igammac imag integer_pow is_finite le lgamma log log1p logistic lt max min mul name ne neg nextafter "
    "not optimization_barrier or polygamma population_count pow real reduce_precision regularized_incomplete_beta rem "
    "round rsqrt select_n sharding_constraint shift_left shift_right_arithmetic shift_right_logical sign sin sinh "
    "sqrt square stop_gradient sub tan tanh threefry2x32 xor zeta".split()
)
_KEEPING = frozenset(  # they take away, add or swap other axes
    "squeeze expand_dims transpose broadcast_in_dim reshape reduce_sum reduce_max reduce_min reduce_prod reduce_and "
    "reduce_or argmax argmin dot_general product stack".split()
)
_ALONG = frozenset("cumsum cumprod cummax cummin cumlogsumexp concatenate sort split top_k rev".split())
_WINDOWS = frozenset("reduce_window reduce_window_max reduce_window_min reduce_window_sum".split())


def rows_of_outputs(program: Any, larger: Any, rows: int, more: int) -> list[bool] | None:
    """For each output of a program whether its first axis is the batch. None if a row of the batch may change what
    comes from another, or what is no row.

    Two programs tell which axis of each value is the batch: the one that has another size in the other.

    Args:
        program: The program as `jax.make_jaxpr` returns it, for a batch of `rows`.
        larger: The same for `more` rows.
        rows: Number of rows.
        more: Another number of rows.

    >>> def found(f):
    ...     programs = [jax.make_jaxpr(f)(np.zeros((rows, 3))) for rows in (4, 6)]
    ...     return rows_of_outputs(*programs, 4, 6)
    >>> found(lambda x: (x @ x[0:1].T * 0, x)), found(lambda x: (x * 2, 1.0)), found(lambda x: x - x.mean(0))
    (None, [True, False], None)
    """
    comparison = _Comparison(rows, more)
    if not (
        comparison.same_constants(program.consts, larger.consts) and comparison.is_by_rows(program.jaxpr, larger.jaxpr)
    ):
        return None
    axes = comparison.axes(program.jaxpr.outvars, larger.jaxpr.outvars)
    return None if axes is None or any(axes) else [axis == 0 for axis in axes]


class _Comparison:
    def __init__(self, rows, more):
        self.rows, self.more = rows, more
        # value -> how many axes, in one with its rows, come before them, by their number of positions; None: its rows
        # are alike
        self.before = {}

    def axes(self, values, others):
        """The axis of each value that is the batch, or the batch and other axes in one; None for none. None in all if
        a value has more than one."""
        found = []
        for one, other in zip(values, others, strict=True):
            sizes = list(zip(one.aval.shape, other.aval.shape, strict=True))
            differ = [axis for axis, (a, b) in enumerate(sizes) if a != b]
            if len(differ) > 1 or any(a * self.more != b * self.rows for a, b in sizes if a != b):
                return None
            found.append(differ[0] if differ else None)
        return found

    def same_constants(self, constants, others):
        return len(constants) == len(others) and all(map(_same, constants, others))

    def is_by_rows(self, jaxpr, other):
        return len(jaxpr.eqns) == len(other.eqns) and all(map(self._keeps_rows, jaxpr.eqns, other.eqns))

    def _keeps_rows(self, one, other):
        name = one.primitive.name
        if name != other.primitive.name or len(one.invars) != len(other.invars):
            return False
        literals = ([getattr(value, "val", 0) for value in equation.invars] for equation in (one, other))
        if not all(map(_same, *literals)):
            return False
        given, made = self.axes(one.invars, other.invars), self.axes(one.outvars, other.outvars)
        if given is None or made is None:
            return False
        before = {
            self.before.get(value, 1) for value, axis in zip(one.invars, given, strict=True) if axis is not None
        } - {None}
        if one.params.get("name") == OVER_COUNTED_ROWS:
            return before <= {1} and all(axis in (None, 0) for axis in given) and made == [None] * len(made)
        if name in _HAVE_PROGRAMS:
            return self._inside(one, other, before)
        if all(axis is None for axis in given):
            return all(axis is None for axis in made) or self._is_new(name, one, made[0])
        if len(before) > 1 or not made or None in made or not self._is_apart(name, one, given, made[0]):
            return False
        found: Any = next(iter(before), None)
        if name == "reshape" and found is not None:
            found *= math.prod(one.invars[0].aval.shape[: given[0]])
            found, left = divmod(found, math.prod(one.outvars[0].aval.shape[: made[0]]))
            if left or one.outvars[0].aval.shape[made[0]] % (found * self.rows):
                return False
        self.before.update((value, found) for value in one.outvars)
        return True

    def _is_new(self, name, one, made):
        """Whether the first rows are those of a batch with fewer rows."""
        alike = name == "broadcast_in_dim" or (name == "iota" and one.params["dimension"] != made)
        self.before[one.outvars[0]] = None if alike else 1
        return alike or name == "iota" or (name == "random_bits" and made == 0)

    def _inside(self, one, other, before):
        """Whether the programs inside keep rows apart; loops only where rows are an axis, or come first in one."""
        inner, others = (programs_inside(equation) for equation in (one, other))
        loops = one.primitive.name in ("scan", "while", "cond")
        if not inner or one.params.get("length") != other.params.get("length") or (loops and not before <= {1}):
            return False
        for (jaxpr, constants), (larger, more) in zip(inner, others, strict=True):
            for outer, value in zip(one.invars, jaxpr.invars, strict=False) if not loops else ():
                if not hasattr(outer, "val") and outer in self.before:
                    self.before[value] = self.before[outer]
            if not (self.same_constants(constants, more) and self.is_by_rows(jaxpr, larger)):
                return False
            for outer, value in zip(one.outvars, jaxpr.outvars, strict=False):
                found = None if hasattr(value, "val") else self.before.get(value, 1)
                if loops and found not in (1, None):
                    return False
                self.before[outer] = 1 if loops else found
        return True

    def _is_apart(self, name, one, given, made):
        """Whether an operation on values with rows leaves them apart. The rows are still an axis of its results."""
        params, shapes = one.params, [value.aval.shape for value in one.invars]
        index = next(index for index, axis in enumerate(given) if axis is not None)
        axis: Any = given[index]
        whole = shapes[index][axis]
        if name in _ELEMENTWISE:
            is_whole = len(one.outvars[0].aval.shape) == len(shapes[index])
            return is_whole and all(found in (None, made) for found in given)
        if name in _KEEPING:  # of a product of two, the rows belong together: they are one axis of it
            return True
        if name in _ALONG:
            along = params.get("dimension", params.get("axis", params.get("dimensions", len(shapes[index]) - 1)))
            return axis not in (along if isinstance(along, tuple) else (along,)) and set(given) <= {axis, None}
        if name in _WINDOWS:
            padding = tuple(params["padding"])[axis]
            return params["window_dimensions"][axis] == params["window_strides"][axis] == 1 and padding == (0, 0)
        if name in ("conv_general_dilated", "convolve", "convolve_input_gradient"):
            batch = params["dimension_numbers"].lhs_spec[0] if "dimension_numbers" in params else 0
            return given == [batch, None] and params.get("batch_group_count", 1) == 1
        if name == "pad":
            return given[1] is None and params["padding_config"][axis] == (0, 0, 0)
        if name == "slice":
            strides = params["strides"] or (1,) * (axis + 1)
            return params["start_indices"][axis] == 0 and params["limit_indices"][axis] == whole and strides[axis] == 1
        if name == "dynamic_slice":
            return params["slice_sizes"][axis] == whole
        if name == "dynamic_update_slice":
            return given[:2] == [axis, axis] and shapes[1][axis] == whole
        if name == "gather":
            return self._gathers(params, given, shapes)
        return False

    @staticmethod
    def _gathers(params, given, shapes):
        numbers, (operand, indices) = params["dimension_numbers"], given
        if operand is None:
            return True
        if indices is None:
            return params["slice_sizes"][operand] == shapes[0][operand]
        pairs = zip(numbers.operand_batching_dims, numbers.start_indices_batching_dims, strict=True)
        return (operand, indices) in pairs


def _same(one, other):
    """Whether constants are the same."""
    if one is other or isinstance(one, Tracer) or isinstance(other, Tracer):
        return one is other
    if getattr(one, "dtype", None) != getattr(other, "dtype", None) or np.shape(one) != np.shape(other):
        return False
    is_array = not jnp.issubdtype(getattr(one, "dtype", np.dtype("float32")), jax.dtypes.extended)
    return is_array and np.array_equal(one, other, equal_nan=True)

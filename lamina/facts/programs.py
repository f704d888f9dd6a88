"""The programs inside the equations of a jaxpr, in the form that the installed version of JAX gives them."""

from __future__ import annotations

from typing import Any

import jax

__all__ = ["CALLS", "programs_inside", "sizes_of_scan"]

CALLS = frozenset(  # primitives that only call another program
    "pjit jit closed_call core_call remat remat2 checkpoint custom_jvp_call custom_vjp_call call_hi_primitive".split()
)


def programs_inside(equation: Any) -> list[tuple[Any, tuple[Any, ...]]]:
    """(jaxpr, its constants) of each program that an equation calls, repeats or chooses from.

    Args:
        equation: Equation of a jaxpr. Operations that JAX 0.12 keeps whole until it compiles, as searchsorted, have
            the program that it then puts in their place.

    >>> import jax
    >>> (equation,) = jax.make_jaxpr(jax.jit(lambda x: x + 1))(2).eqns
    >>> [[inner.primitive.name for inner in jaxpr.eqns] for jaxpr, _ in programs_inside(equation)]
    [['add']]
    """
    if equation.primitive.name == "call_hi_primitive":
        values = [_expanded(equation)]
    else:
        values = [
            one
            for value in equation.params.values()
            for one in (value if isinstance(value, (tuple, list)) else (value,))
        ]
    programs = [(getattr(one, "jaxpr", one), tuple(getattr(one, "consts", ()))) for one in values]
    return [(jaxpr, constants) for jaxpr, constants in programs if hasattr(jaxpr, "eqns")]


def _expanded(equation):
    operation = equation.params["_prim"]

    def run(*operands):
        return jax.tree_util.tree_leaves(operation.expand(*jax.tree_util.tree_unflatten(operation.in_tree, operands)))

    return jax.make_jaxpr(run)(*(jax.ShapeDtypeStruct(atom.aval.shape, atom.aval.dtype) for atom in equation.invars))


def sizes_of_scan(equation: Any) -> tuple[int, int]:
    """How many of the operands of a `scan` are constants of its body, and how many after them are carried.

    Args:
        equation: Equation of the primitive `scan`.
    """
    params = equation.params
    if "num_consts" in params:
        return params["num_consts"], params["num_carry"]
    constants, carried, _ = params["ft_in"].unpack()  # since JAX 0.12
    return len(list(constants)), len(list(carried))

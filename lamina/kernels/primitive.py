"""Primitives of JAX with a program of their own for CPUs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
from jax.core import ShapedArray
from jax.interpreters import batching, mlir

__all__ = ["define_primitive"]

_Primitive = type(jax.lax.add_p)  # jax.extend.core has it too, and imports all of Pallas first: 25 ms


def define_primitive(
    name: str,
    settings: Sequence[str],
    shape_of: Callable[..., tuple[int, ...]],
    program: Callable[..., jax.Array],
    cpu_program: Callable[..., jax.Array] | None = None,
) -> Any:
    """A primitive (*arrays, **settings) -> array whose dtype is that of the first array.

    Derivatives are registered by the caller with `jax.interpreters.ad`.

    Args:
        name: Name of the primitive in a jaxpr.
        settings: Names of the static arguments.
        shape_of: The shape of the result, from (*arrays, **settings).
        program: The computation in operations of JAX, of (*arrays, **settings).
        cpu_program: The computation on CPUs, of (program, *arrays, **settings); None means `program`.
    """
    primitive = _Primitive(name)
    compiled = jax.jit(primitive.bind, static_argnames=settings)

    def eager(*arrays, **given):  # under jax.disable_jit() `compiled` would call itself
        return (program if jax.config.jax_disable_jit else compiled)(*arrays, **given)  # pyright: ignore

    primitive.def_impl(eager)
    primitive.def_abstract_eval(lambda *arrays, **settings: ShapedArray(shape_of(*arrays, **settings), arrays[0].dtype))
    mlir.register_lowering(primitive, mlir.lower_fun(program, multiple_results=False))
    if cpu_program is not None:
        for_cpu = mlir.lower_fun(partial(cpu_program, program), multiple_results=False)
        mlir.register_lowering(primitive, for_cpu, platform="cpu")
    batching.primitive_batchers[primitive] = partial(_batch, program)
    return primitive


def _batch(program, operands, axes, **settings):
    return jax.vmap(partial(program, **settings), axes)(*operands), 0

"""Primitives of JAX with a program of their own for CPUs."""

from functools import partial

import jax
from jax.core import ShapedArray
from jax.interpreters import batching, mlir

__all__ = ["primitive_of"]

Primitive = type(jax.lax.add_p)  # jax.extend.core has it too, and imports all of Pallas first: 25 ms


def primitive_of(name, settings, shape_of, program, cpu_program=None):
    """A primitive (*arrays, **settings) -> array of `shape_of(*arrays, **settings)`, in the type of the first.

    Args:
        settings: their names.
        program: what it computes, in operations of JAX.
        cpu_program: the same for CPUs, where it is another: a function of (program, *arrays, **settings).

    Its derivatives are for `jax.interpreters.ad` to be told.
    """
    primitive = Primitive(name)
    primitive.def_impl(jax.jit(primitive.bind, static_argnames=settings))
    primitive.def_abstract_eval(lambda *arrays, **settings: ShapedArray(shape_of(*arrays, **settings), arrays[0].dtype))
    mlir.register_lowering(primitive, mlir.lower_fun(program, multiple_results=False))
    if cpu_program is not None:
        for_cpu = mlir.lower_fun(partial(cpu_program, program), multiple_results=False)
        mlir.register_lowering(primitive, for_cpu, platform="cpu")
    batching.primitive_batchers[primitive] = partial(_batched, program)
    return primitive


def _batched(program, operands, axes, **settings):
    return jax.vmap(partial(program, **settings), axes)(*operands), 0

"""Primitives of JAX on two arrays, with a program of their own for CPUs."""

from functools import partial

import jax
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir

__all__ = ["of_two_arrays"]


def of_two_arrays(name, settings, shape_of, program, cpu_program):
    """A primitive (a, b, **settings) -> array of `shape_of(a, b, **settings)`.

    Args:
        settings: their names.
        program: what it computes, in operations of JAX.
        cpu_program: the same for CPUs: a function of (program, a, b, **settings).

    Its derivatives are for `jax.interpreters.ad` to be told.
    """
    primitive = Primitive(name)
    primitive.def_impl(jax.jit(primitive.bind, static_argnames=settings))
    primitive.def_abstract_eval(lambda a, b, **settings: ShapedArray(shape_of(a, b, **settings), a.dtype))
    mlir.register_lowering(primitive, mlir.lower_fun(program, multiple_results=False))
    for_cpu = mlir.lower_fun(partial(cpu_program, program), multiple_results=False)
    mlir.register_lowering(primitive, for_cpu, platform="cpu")
    batching.primitive_batchers[primitive] = partial(_batched, program)
    return primitive


def _batched(program, operands, axes, **settings):
    return jax.vmap(partial(program, **settings), axes)(*operands), 0

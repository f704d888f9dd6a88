"""Converter: walks the equations of a traced program and writes a node or several for each."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable
from typing import Any, Self

import jax
import numpy as np

from lamina.core.dtypes import in_64_bits
from lamina.errors import ConfigError
from lamina.export.decompositions import DECOMPOSITIONS
from lamina.export.onnx.graph import FOLD_BYTES, Graph, is_static, size_of
from lamina.facts.programs import CALLS, programs_inside

__all__ = ["WRITERS", "Converter", "writes"]

WRITERS: dict[str, Callable[..., Any]] = {}  # name of a primitive -> (converter, equation, *operands) -> result(s)
COMPLEX = {"complex", "real", "imag", "abs", "fft", "conj"}  # primitives whose writers take a complex number, a pair
PARTWISE = {  # primitives that do to a complex number what they do to each part
    "add", "broadcast_in_dim", "concatenate", "copy", "dynamic_slice", "expand_dims", "gather", "neg", "pad",
    "reduce_sum", "reshape", "rev", "select_n", "slice", "squeeze", "sub", "transpose",
}  # fmt: skip


def writes(*primitives: str) -> Callable[[Any], Any]:
    """Register a function that writes the nodes of some primitives.

    Args:
        *primitives: Their names in a jaxpr.
    """

    def register(function):
        WRITERS.update({primitive: function for primitive in primitives})
        return function

    return register


class Converter:
    """Writes equations into a graph.

    Args:
        graph: The graph, that of a model or of the body of a loop.
        opset: Version of the operators.
    """

    format: str = "ONNX"
    writers: dict[str, Callable[..., Any]] = WRITERS

    def __init__(self, graph: Graph, opset: int) -> None:
        self.graph: Graph = graph
        self.opset: int = opset

    def is_whole(self, value: Any) -> bool:
        """Whether a value was rounded, and has at most been limited since.

        Args:
            value: Name of the value.
        """
        if not isinstance(value, str):
            return False
        node = next((node for node in reversed(self.graph.nodes) if value in node.output), None)
        return node is not None and (
            node.op_type == "Round" or (node.op_type in ("Max", "Min") and any(map(self.is_whole, node.input)))
        )

    def body(self) -> Self:
        """A converter for a graph inside this one."""
        return type(self)(type(self.graph)(self.graph), self.opset)

    def refusal(self, what: str, fix: str = 'model.export("name.jax") keeps all operations.') -> ConfigError:
        """The error that the format cannot say something.

        Args:
            what: What the format has not.
            fix: The way out.
        """
        return ConfigError(f"{self.format} has no {what}.", fix=fix)

    def run(self, jaxpr: Any, constants: Iterable[Any], operands: Iterable[Any]) -> list[Any]:
        """Write all equations of a jaxpr.

        Args:
            jaxpr: The jaxpr, without constants of its own.
            constants: Arrays for its constvars.
            operands: A name or array for each input.

        Returns:
            A name or array for each output.
        """
        values = {atom: np.asarray(c, atom.aval.dtype) for atom, c in zip(jaxpr.constvars, constants, strict=True)}
        values.update(zip(jaxpr.invars, operands, strict=True))

        def read(atom):
            return np.asarray(atom.val, atom.aval.dtype) if hasattr(atom, "val") else values[atom]

        for equation in jaxpr.eqns:
            results = self.write(equation, [read(atom) for atom in equation.invars])
            values.update(zip(equation.outvars, results, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def write(self, equation: Any, operands: list[Any]) -> list[Any]:
        """The results of one equation: computed now where all is known, else by nodes."""
        name = equation.primitive.name
        if self._is_known(equation, operands):
            return _compute(equation, operands)
        called = str(equation.params.get("name")) if name in CALLS else ""
        name = called if called.startswith("lamina_") and called in self.writers else name
        if name in CALLS:
            return self.run(*programs_inside(equation)[0], operands)
        if name == "custom_linear_solve":
            return self._solved(equation.params["jaxprs"].solve, equation.params["const_lengths"], operands)
        is_complex = any(isinstance(operand, tuple) for operand in operands)
        if is_complex or any("complex" in str(result.aval.dtype) for result in equation.outvars):
            operands = [_parts(operand) for operand in operands]
            if is_complex and name in PARTWISE:
                parts = [[o[part] if isinstance(o, tuple) else o for o in operands] for part in (0, 1)]
                return [tuple(self.writers[name](self, equation, *of_part) for of_part in parts)]
            name = name if name in COMPLEX else f"complex {name}"
        writer = self.writers.get(name)
        if writer is None:
            return self.decomposed(equation, operands, name)
        results = writer(self, equation, *operands)
        return results if isinstance(results, list) else [results]

    def _solved(self, solve, lengths, operands):
        """Linear equations by the function that was given to solve them."""
        before, count = lengths.matvec + lengths.vecmat, lengths.solve
        right = operands[sum(lengths) :]
        return self.run(solve.jaxpr, solve.consts, [*operands[before : before + count], *right])

    def decomposed(self, equation: Any, operands: list[Any], name: str = "") -> list[Any]:
        """The results of what the format has no operator for, in terms of others.

        Args:
            equation: The equation.
            operands: A name or array for each input.
            name: What it is called here; "" means by its primitive.
        """
        name = name or equation.primitive.name
        try:
            function = functools.partial(DECOMPOSITIONS[name], **equation.params)
            inner = jax.make_jaxpr(function)(*(_struct(atom.aval) for atom in equation.invars))
        except (KeyError, NotImplementedError):
            raise self.refusal(f"operator for {name!r}") from None
        return self.run(inner.jaxpr, inner.consts, operands)

    def _is_known(self, equation, operands):
        if not all(isinstance(operand, np.ndarray) for operand in operands):
            return False
        if equation.primitive.name == "dim_as_value" or equation.primitive.name.startswith("random_"):
            return False
        made = 0
        for result in equation.outvars:
            if not is_static(result.aval.shape):
                return False
            made += int(np.prod(result.aval.shape)) * result.aval.dtype.itemsize
        return made <= max(FOLD_BYTES, sum(map(size_of, operands)))


def _struct(aval):
    return jax.ShapeDtypeStruct(aval.shape, aval.dtype)


def _parts(operand):
    """A complex number that is known as a pair; others as they are."""
    if isinstance(operand, np.ndarray) and operand.dtype.kind == "c":
        return (operand.real.copy(), operand.imag.copy())
    return operand


KNOWN: dict[str, Any] = {  # computed by NumPy, since XLA would compile a program for each shape
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "neg": np.negative, "sqrt": np.sqrt, "max": np.maximum,
    "rsqrt": lambda x: np.reciprocal(np.sqrt(x)), "square": np.square,
}  # fmt: skip


def _compute(equation, operands):
    aval, name = equation.outvars[0].aval, equation.primitive.name
    if name in KNOWN and aval.dtype.kind == "f":
        return [np.asarray(KNOWN[name](*operands), aval.dtype)]
    if name in ("reshape", "squeeze", "expand_dims") and (name != "reshape" or equation.params["dimensions"] is None):
        return [operands[0].reshape(aval.shape)]
    if name == "transpose":
        return [operands[0].transpose(equation.params["permutation"])]
    wide = any(atom.aval.dtype.itemsize == 8 for atom in (*equation.invars, *equation.outvars))
    with jax.ensure_compile_time_eval(), in_64_bits() if wide else contextlib.nullcontext():
        bound = equation.primitive.get_bind_params(equation.params)
        functions, params = bound if isinstance(bound, tuple) else ((), bound)  # JAX before 0.10 gives both
        results = equation.primitive.bind(*functions, *operands, **params)
    results = results if equation.primitive.multiple_results else [results]
    return [np.asarray(result) for result in results]

"""Program: what a model computes when it predicts, traced for inputs of any batch size."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax.export
import numpy as np

from lamina.core import context, tree
from lamina.core.dtypes import numpy_dtype
from lamina.core.variable import Variable
from lamina.errors import ConfigError
from lamina.export.report import HALF_TOLERANCE, TOLERANCE
from lamina.facts.programs import programs_inside

__all__ = ["Program", "for_open_sizes", "structs_of", "trace"]


@dataclass
class Program:
    """A traced function.

    Attributes:
        name: Name of the model.
        jaxpr: The equations, of the weights and then the inputs.
        weights: Path and value of each weight.
        input_names: Name of each input.
        input_avals: Shape and dtype of each input; sizes that are open are symbolic.
        output_names: Name of each output.
    """

    name: str
    jaxpr: Any
    weights: list[tuple[str, np.ndarray]]
    input_names: list[str]
    input_avals: list[Any]
    output_names: list[str]

    @property
    def tolerance(self) -> float:
        """How far the results may be from those of `predict`: runtimes compute in 32 bits what is of 16 bits here."""
        return HALF_TOLERANCE if _has_halves(self.jaxpr.jaxpr) else TOLERANCE


def _has_halves(jaxpr):
    dtypes = {str(getattr(atom.aval, "dtype", "")) for equation in jaxpr.eqns for atom in equation.outvars}
    return bool(dtypes & {"float16", "bfloat16"}) or any(
        _has_halves(inner) for equation in jaxpr.eqns for inner, _ in programs_inside(equation)
    )


def trace(
    name: str,
    function: Callable[..., Any],
    structs: Sequence[Any],
    variables: Sequence[Variable],
    values: Sequence[Any],
    input_names: Sequence[str] | None = None, output_names: Sequence[str] | None = None,
) -> Program:  # fmt: skip
    """Trace a function, in the context `lamina.kernels.native.portable`.

    Args:
        name: Name of the program.
        function: Function of arrays.
        structs: For each argument a structure of shapes and types, see `structs_of`.
        variables: The variables that the function reads.
        values: Their values.
        input_names: Names of the inputs; None numbers them.
        output_names: Names of the outputs; None numbers them.
    """

    def run(values, *args):
        with context.bind(variables, values):
            return function(*args)

    jaxpr, made = jax.make_jaxpr(run, return_shape=True)(list(values), *structs)
    inputs, outputs = jax.tree_util.tree_leaves(list(structs)), jax.tree_util.tree_leaves(made)
    paths = zip((variable.path for variable in variables), map(np.asarray, values), strict=True)
    names = _names(input_names or tree.keys_of(list(structs)), inputs, "input")
    return Program(
        name, jaxpr, list(paths), names, inputs, _names(output_names or tree.keys_of(made), outputs, "output")
    )


def _names(names, leaves, hint):
    if names is not None and len(set(names)) == len(leaves):
        return list(names)
    return [f"{hint}_{number}" for number in range(len(leaves))] if len(leaves) > 1 else [hint] * len(leaves)


def structs_of(signature: Any, least: int = 1, multiple: int = 1, equal: bool = False) -> list[Any]:
    """Shapes and types to trace with. The first axes share one symbolic size, each other None has its own.

    Args:
        signature: An entry for each argument: an InputSpec, symbolic tensor, array, or a structure of them.
        least: The smallest size that stands for None, except for that of the batch.
        multiple: Sizes that stand for None are multiples of this number, except for that of the batch.
        equal: Whether all sizes that stand for None are the same, except for that of the batch.

    Raises:
        ConfigError: An entry has no shape or dtype, or text, which no program holds.
    """
    for spec in tree.flatten(signature):
        if getattr(spec, "shape", None) is None or getattr(spec, "dtype", None) is None:
            raise ConfigError(
                f"An input_signature has shapes and types; got {spec!r}.",
                fix="keras.InputSpec(shape=(None, 4), dtype='float32')",
            )
    names = (f"size{0 if equal else number}" for number in itertools.count())
    count = sum(size is None for spec in tree.flatten(signature) for size in spec.shape[1:])
    count = min(count, 1) if equal else count
    scope = jax.export.SymbolicScope([f"size{number} >= {least}" for number in range(count)])

    def struct(spec):
        shape, dtype = spec.shape, spec.dtype
        if str(dtype) == "string":
            raise ConfigError(
                "Exported programs compute with numbers; got an input of text.",
                fix="Export the model behind the lookup: indices = lookup(words) is called before it.",
            )
        sizes = [
            str(size) if size is not None else f"{multiple}*{next(names)}" if axis else "batch"
            for axis, size in enumerate(shape)
        ]
        return jax.ShapeDtypeStruct(jax.export.symbolic_shape(", ".join(sizes), scope=scope), numpy_dtype(dtype))

    arguments = signature if isinstance(signature, (list, tuple)) else [signature]
    return [tree.map_structure(struct, spec) for spec in arguments]


def for_open_sizes(signature: Any, make: Callable[[list[Any]], Any]) -> Any:
    """`make(structs)` under the weakest constraints on open sizes under which it works.

    A convolution needs so many steps, a U-Net a multiple of what it halves: without a constraint JAX cannot tell that a
    shape is possible.

    Args:
        signature: As for `structs_of`.
        make: Function of the structs.

    Raises:
        Exception: What `make` raised without constraints, if no constraint helps.
    """
    structs_of(signature)  # which refuses what is none
    count = sum(size is None for spec in tree.flatten(signature) for size in spec.shape[1:])
    weaker = [(1, 1), *((2**power, 1) for power in range(1, 9)), *((1, 2**power) for power in range(1, 7))]
    tried = [(*pair, equal) for equal in (False, True)[: min(count, 2)] for pair in weaker] or [(1, 1, False)]
    first: Exception | None = None
    for least, multiple, equal in tried:
        try:
            return make(structs_of(signature, least, multiple, equal))
        except Exception as error:
            first = first or error
    assert first is not None
    raise first

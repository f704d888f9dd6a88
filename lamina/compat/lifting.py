"""Functions without arguments as programs of the arrays and variables that they read."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import jax
import numpy as np

from lamina.core import context
from lamina.core.context import Ref
from lamina.core.keras_tensor import VariablesFirst
from lamina.core.recording import recorded, recording
from lamina.core.variable import unwrap
from lamina.errors import LaminaError

__all__ = [
    "VARIABLES_MADE",
    "Lifted",
    "NeedsEager",
    "VariablesFirst",
    "inside",
    "is_static",
    "lift",
    "run_lifted",
    "tracing",
]

VARIABLES_MADE: list[Any] = []  # tf.Variables made while a function is traced
tracing: ContextVar[Any] = ContextVar("tf_function", default=None)


class NeedsEager(LaminaError, RuntimeError):
    """What a tf.function does has no fixed shapes, so it runs op by op."""


def inside() -> bool:
    """Whether a tf.function is being traced."""
    return tracing.get() is not None


def is_static(value: Any) -> bool:
    """Whether a value has no arrays inside."""
    return not any(
        isinstance(leaf, (jax.Array, np.ndarray, np.generic, Ref)) for leaf in jax.tree_util.tree_leaves(value)
    )


class Lifted:
    """A traced function: its program, the arrays that it closes over, and its results."""

    def __init__(self, closed: Any, structure: Any, outputs: Any, refs: list[Ref]) -> None:
        self.consts, self._jaxpr, self._structure = closed.consts, closed.jaxpr, structure
        self.outputs, self.refs = outputs, refs

    def run(self, consts: Any, *arguments: Any) -> Any:
        """The flat results for other values of the arrays and arguments."""
        from jax.extend.core import ClosedJaxpr, jaxpr_as_fun  # pyright: ignore[reportPrivateImportUsage]

        return jaxpr_as_fun(ClosedJaxpr(self._jaxpr, list(consts)))(*jax.tree_util.tree_leaves(arguments))

    def unflatten(self, results: Any) -> Any:
        """(results, {ref: new value}) from flat results."""
        structure, statics = self._structure
        results = iter(results)
        leaves = [next(results) if static is _ARRAY else static for static in statics]
        outputs, values = structure.unflatten(leaves)
        return outputs, dict(zip(self.refs, values, strict=True))


_ARRAY = object()


def lift(function: Any, *arguments: Any) -> Lifted:
    """Trace `function(*arguments)`; what it writes into variables and other refs stays inside."""
    leaves, structure = jax.tree_util.tree_flatten(arguments)
    made: dict[str, Any] = {}

    def pure(*leaves):
        with context.recording_on(), context.with_slots(context.copied_slots()) as slots:
            before = dict(slots)
            outputs = unwrap(function(*structure.unflatten(leaves)))
            refs = [ref for ref, value in slots.items() if value is not before.get(ref)]
            values = [slots[ref] for ref in refs]
        flat, out_structure = jax.tree_util.tree_flatten((outputs, values))
        is_array = [isinstance(leaf, (jax.Array, np.ndarray, np.generic, int, float)) for leaf in flat]
        is_array = [
            found and getattr(leaf, "dtype", np.dtype(int)).kind != "O"
            for found, leaf in zip(is_array, flat, strict=True)
        ]
        statics = [_ARRAY if found else leaf for found, leaf in zip(is_array, flat, strict=True)]
        made.update(structure=(out_structure, statics), outputs=outputs, refs=refs)
        return [leaf for found, leaf in zip(is_array, flat, strict=True) if found]

    closed = jax.make_jaxpr(pure)(*leaves)
    return Lifted(closed, made["structure"], made["outputs"], made["refs"])


def run_lifted(compute: Any, *arguments: Any) -> Any:
    """`compute(*arguments)`, as one function on the open tapes."""
    if recording():
        return recorded(compute, arguments, {})
    return compute(*arguments)

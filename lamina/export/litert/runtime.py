"""What is in a file of LiteRT, and running it with the package ai-edge-litert."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina.export.litert.flatbuffer import Reader
from lamina.export.litert.schema import OPERATORS

__all__ = ["interpreter_of", "litert_runtime", "operators_of"]


def operators_of(data: bytes) -> list[str]:
    """The name of each operator of a file, those of loops among them."""
    model = Reader(data)
    names = {number: kind for kind, (number, _, _) in OPERATORS.items()}
    kinds = [names.get(code.number(3, np.int32), "?") for code in model.tables(1)]
    return [kinds[node.number(0, np.uint32)] for graph in model.tables(2) for node in graph.tables(3)]


def interpreter_of(data: bytes, is_plain: bool = False) -> Any:
    """An interpreter for the file.

    Args:
        data: The file.
        is_plain: Whether every operator runs by itself, and all values can be read afterwards.

    Raises:
        ImportError: The runtime is not installed.
    """
    try:
        from ai_edge_litert import interpreter  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ImportError('ai-edge-litert is not installed; pip install "lamina[litert]" runs LiteRT') from error
    if not is_plain:
        return interpreter.Interpreter(model_content=data)
    plain = interpreter.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return interpreter.Interpreter(
        model_content=data, experimental_op_resolver_type=plain, experimental_preserve_all_tensors=True
    )


def litert_runtime(program: Any, data: bytes) -> Callable[[Sequence[Any]], list[Any]]:
    """A function from a list of arrays to a list of arrays.

    Args:
        program: The traced program, for the order of inputs and outputs.
        data: The file.

    Raises:
        ImportError: The runtime is not installed.
    """
    interpreter = interpreter_of(data)
    run = interpreter.get_signature_runner()
    wanted, given = run.get_input_details(), run.get_output_details()

    def results(arrays):
        named = zip(program.input_names, program.input_avals, arrays, strict=True)
        made = run(**{name: _fed(array, wanted[name], aval) for name, aval, array in named})
        return [_read(made[name], given[name]) for name in program.output_names]

    return results


def _fed(array, detail, aval):
    """An input as the file has it, which may hold integers that stand for real numbers."""
    scale, zero = detail["quantization"]
    if scale and np.dtype(aval.dtype).kind == "f":
        edges = np.iinfo(detail["dtype"])
        array = np.clip(np.round(np.asarray(array, np.float32) / scale) + zero, edges.min, edges.max)
    return np.asarray(array, detail["dtype"])


def _read(array, detail):
    scale, zero = detail["quantization"]
    return (array.astype(np.float32) - zero) * np.float32(scale) if scale and array.dtype.kind in "iu" else array

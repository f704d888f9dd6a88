"""The table of a model's layers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lamina.core import tree
from lamina.core.graph import Operation
from lamina.core.node import node_of
from lamina.errors import ConfigError
from lamina.layers.base import call_signature
from lamina.runtime.terminal import console, text_buffer


def summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Print the layers with output shapes and numbers of weights, and with their connections if the graph branches.

    Args:
        model: Model, built or not.
        line_length: Characters of a line. None means the width of the terminal.
        positions: Where each column ends, as fractions of a line. None fits them to the text.
        print_fn: Function that gets the table as a string. None means `print`.
        expand_nested: Whether the layers of models inside are listed as well.
        show_trainable: Whether a column shows which layers are trainable.
        layer_range: Names (or regular expressions) of the first and the last layer to list. None lists all.

    Raises:
        ConfigError: If `layer_range` matches no layers.
    """
    from rich.table import Table
    from rich.text import Text

    branching = is_branching(model)
    columns = ["Layer (type)", "Output Shape", "Param #"]
    columns += ["Connected to"] * branching + ["Trainable"] * show_trainable
    table = Table(width=line_length)
    for index, column in enumerate(columns):
        width = None if line_length is None or not positions else _width(positions, index, line_length)
        table.add_column(column, justify="right" if column == "Param #" else "left", width=width)
    for row in _rows(model, branching, show_trainable, expand_nested, layer_range):
        table.add_row(*row)
    file = text_buffer()
    out = console(None if print_fn is None else file, highlight=False, width=line_length)
    out.print(Text(f'Model: "{repr(model.name)[1:-1]}"', style="bold"))
    out.print(table)
    for line in totals(model):
        out.print(Text(f" {line}", style="bold"))
    if not model.built:
        out.print(Text(f" Not built: {model.name}.build((None, ...)) with the shape of a batch makes the weights."))
    if print_fn is not None:
        print_fn(file.getvalue().rstrip("\n"))


def _width(positions, index, line_length):
    starts = [0, *positions]
    start, end = starts[index], starts[index + 1] if index + 1 < len(starts) else 1.0
    return max(4, int((end - start) * line_length) - 3)


def _rows(model, branching, show_trainable, expand_nested, layer_range, depth=0):
    operations = listed(model)
    if layer_range is not None:
        operations = _between(operations, layer_range)
    for operation in operations:
        prefix = "   " * depth + "└ " if depth else ""
        row = [
            f"{prefix}{operation.name} ({type(operation).__name__})",
            output_shape_of(operation),
            count_of(operation),
        ]
        if branching:
            row.append("-" if depth else connections_of(operation, model))
        if show_trainable:
            row.append(_trainable(operation))
        yield row
        if expand_nested and hasattr(operation, "layers"):
            yield from _rows(operation, branching, show_trainable, True, None, depth + 1)


def listed(model: Any) -> list[Any]:
    """The operations that a summary lists.

    Args:
        model: Model.
    """
    graph = getattr(model, "_graph", None)
    return model.layers if graph is None or hasattr(model, "_sequence") else graph.operations


def _between(operations, layer_range):
    if len(layer_range) != 2:
        raise ConfigError(
            f"layer_range is a pair of layer names (or patterns); got {layer_range!r}.",
            fix='layer_range=("dense", "dense_1")',
        )
    ends = []
    for pattern in layer_range:
        matches = [i for i, op in enumerate(operations) if op.name == pattern or re.match(pattern, op.name)]
        if not matches:
            raise ConfigError(
                f"No layer name matches {pattern!r} of layer_range.",
                fix=f"Names: {', '.join(op.name for op in operations)}.",
            )
        ends.append(matches)
    return operations[min(ends[0]) : max(ends[1]) + 1]


def output_shape_of(operation: Any) -> str:
    """The output shape of a layer or op, "?" where it is not known.

    Args:
        operation: Layer or op.
    """
    shape = None
    if operation._inbound_nodes:
        shape = call_signature.shape_of(operation._inbound_nodes[0].result)
    elif getattr(operation, "_graph", None) is not None:
        shape = operation.output_shape
    else:
        shape = operation._first_output_shape
    if shape is None:
        return "?" if getattr(operation, "built", False) else "? (unbuilt)"
    return str(shape)


def count_of(operation: Any) -> str:
    """The number of weights of a layer or op.

    Args:
        operation: Layer or op.
    """
    if not hasattr(operation, "count_params"):
        return "0"
    return f"{operation.count_params():,}" if operation.built else "0 (unbuilt)"


def _trainable(operation):
    weights = getattr(operation, "weights", [])
    return "-" if not weights else "Y" if getattr(operation, "trainable_variables", []) else "N"


def is_branching(model: Any) -> bool:
    """Whether the layers are not a simple row.

    Args:
        model: Model.
    """
    graph = getattr(model, "_graph", None)
    if graph is None or hasattr(model, "_sequence"):
        return False
    used = [id(node_of(tensor)) for node in graph.nodes for tensor in node.tensors]
    several = any(len(node.tensors) != 1 for node in graph.nodes)
    return several or len(used) != len(set(used)) or len(graph.nodes) != len({id(n.operation) for n in graph.nodes})


def connections_of(operation: Any, model: Any) -> str:
    """The operations whose outputs an operation takes.

    Args:
        operation: Layer or op.
        model: Model that has it.
    """
    if not isinstance(operation, Operation):
        return ""
    sources = []
    for node in operation._inbound_nodes:
        if node in model._graph.depths:
            for operation, node_index, tensor_index in (tensor._keras_history for tensor in node.tensors):
                sources.append(f"{operation.name}[{node_index}][{tensor_index}]")
    return ", ".join(sources) or "-"


def totals(model: Any) -> Iterator[str]:
    """The lines about all weights of a model.

    Args:
        model: Model.
    """
    trainable, others = model.trainable_weights, model.non_trainable_weights
    optimizer = getattr(model, "optimizer", None)
    extra = [v for v in getattr(optimizer, "variables", [])] if optimizer is not None else []
    groups = [("Total params", [*trainable, *others, *extra]), ("Trainable params", trainable)]
    groups += [("Non-trainable params", others)] + ([("Optimizer params", extra)] if extra else [])
    for label, variables in groups:
        count, size = sum(v.size for v in variables), sum(v.size * _bytes(v.dtype) for v in variables)
        yield f"{label}: {count:,} ({_readable(size)})"


def _bytes(dtype):
    return {"bool": 1, "bfloat16": 2}.get(dtype) or int(re.findall(r"\d+", dtype)[0]) / 8


def _readable(size):
    if size == 0:
        return "0.00 B"
    power = min(int(math.log(size, 1024)), 5)
    return f"{size / 1024**power:.2f} {('B', 'KB', 'MB', 'GB', 'TB', 'PB')[power]}"


def count_params(weights: Any) -> int:
    """The number of elements of variables.

    Args:
        weights: Variables in a list or another structure.
    """
    return sum(variable.size for variable in tree.flatten(weights))

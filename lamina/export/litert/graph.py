"""A graph of LiteRT while it is being written. Writers name the operators of ONNX; each becomes builtin ones here."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina.errors import ConfigError
from lamina.export.onnx.graph import FOLD_BYTES, is_static
from lamina.export.onnx.graph import Graph as BaseGraph

__all__ = ["LOWERED", "Graph", "Operator", "Quantization", "Value", "broadcast_shape", "lowers", "stored"]

LOWERED: dict[str, Callable[..., Any]] = {}  # operator of ONNX -> (graph, *operands, **attributes) -> result(s)
FOLDED: dict[str, Any] = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Max": np.maximum, "Min": np.minimum}
Operand = Any  # a Value, or a NumPy array that is known already


def lowers(*kinds: str) -> Callable[[Any], Any]:
    """Register a function that writes some operators of ONNX in those of LiteRT.

    Args:
        *kinds: Their names; a function of several takes `kind`.
    """

    def register(function):
        takes_kind = "kind" in inspect.signature(function).parameters
        LOWERED.update({kind: functools.partial(function, kind=kind) if takes_kind else function for kind in kinds})
        return function

    return register


class Quantization:
    """How integers stand for real numbers: real = scale * (integer - zero).

    Args:
        scale: One number, or one for each place along an axis.
        zero: The integer that stands for 0.
        axis: The axis.
    """

    def __init__(self, scale: np.ndarray | np.floating[Any], zero: int = 0, axis: int = 0) -> None:
        self.scale: np.ndarray = np.atleast_1d(np.asarray(scale, np.float32))
        self.zero: int = int(zero)
        self.axis: int = axis


class Value(str):
    """The name of a value, which knows its shape and its dtype.

    Attributes:
        shape: Sizes, of which some may be symbolic.
        dtype: Its dtype in the file.
        data: The array of a constant, else None.
        sizes: For a vector of sizes, what it holds; else None.
        graph: The graph that computes it; None for a constant.
        quantization: What its integers stand for, or None.
    """

    shape: tuple[Any, ...]
    dtype: np.dtype
    data: np.ndarray | None
    sizes: tuple[Any, ...] | None
    graph: Graph | None
    quantization: Quantization | None

    def __new__(
        cls, name: str, shape: Sequence[Any], dtype: Any, graph: Graph | None = None, data: Any = None
    ) -> Value:
        value = super().__new__(cls, name)
        value.shape, value.dtype, value.graph, value.data = tuple(shape), np.dtype(dtype), graph, data
        value.sizes = value.quantization = None
        return value


class Operator:
    """One step of a graph.

    Args:
        kind: Name of a builtin operator.
        inputs: Values; None for one that is left out.
        outputs: Values.
        settings: Its options.
        bodies: The graphs of a loop.
    """

    def __init__(
        self, kind: str, inputs: list[Any], outputs: list[Any], settings: dict[str, Any], bodies: Any = ()
    ) -> None:
        self.kind: str = kind
        self.inputs: list[Any] = inputs
        self.outputs: list[Any] = outputs
        self.settings: dict[str, Any] = settings
        self.bodies: Any = bodies


def stored(dtype: Any) -> np.dtype:
    """The dtype in which LiteRT computes what has this one."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f" or dtype.name.startswith(("bfloat", "float")):
        return np.dtype(np.float32)
    return np.dtype(bool) if dtype.kind == "b" else np.dtype(np.int32)


def broadcast_shape(*shapes: Sequence[Any]) -> tuple[Any, ...]:
    """The shape of operands of these shapes together."""
    rank = max(map(len, shapes))
    full = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    return tuple(next((size for size in sizes if str(size) != "1"), 1) for sizes in zip(*full, strict=True))


class Graph(BaseGraph):
    """Operators in the order in which they run. A body reads values of outer graphs through inputs of its own.

    Args:
        outer: The graph around this one; None for the graph of the model.
        inputs: As for the graph of ONNX.
    """

    def __init__(self, outer: Graph | None = None, inputs: dict[str, tuple[str, int, int]] | None = None) -> None:
        super().__init__(outer, inputs)
        self.captured: dict[Value, Value] = {}  # value of an outer graph -> input of this one
        self.nodes: list[Operator] = []
        self.arguments: list[Value] = []  # of a body
        self.results: list[Value] = []
        self._writing: list[Operator] = self.nodes
        self._made: dict[Any, list[Value]] = {}

    def value(self, hint: str, shape: Sequence[Any], dtype: Any) -> Value:
        """A new value of this graph."""
        return Value(self.name(hint), shape, dtype, self)

    def constant(self, value: Any, hint: str = "constant") -> Value:
        """A constant, which is stored once."""
        value = np.asarray(value)
        if value.dtype == np.int64 or value.dtype in (np.uint32, np.uint64):
            value = np.clip(value, np.iinfo(np.int32).min, np.iinfo(np.int32).max).astype(np.int32)
        if value.dtype == np.float64 or value.dtype.name == "bfloat16":
            value = value.astype(np.float32)
        if value.dtype.name.startswith(("float8", "int4", "uint4", "int2", "uint2")):
            value = value.astype(np.float32 if value.dtype.name.startswith("f") else np.int8)
        if value.dtype == np.float16 and value.size < 64:
            value = value.astype(np.float32)
        name = super().constant(value, hint)
        return Value(name, value.shape, value.dtype, None, value)

    def use(self, operand: Operand) -> Value:
        """The operand as a value that operators of this graph can read."""
        value = operand if isinstance(operand, Value) else self.constant(operand)
        if value.data is not None or value.graph is self:
            return value
        if value not in self.captured:
            assert self.outer is not None, f"{value} is of another graph"
            self.captured[value] = self.value(str(value), value.shape, value.dtype)
        return self.captured[value]

    def computed(self, operand: Operand) -> Value:
        """The operand in the dtype in which LiteRT computes."""
        value = self.use(operand)
        target = stored(value.dtype)
        if value.dtype == target:
            return value
        if value.dtype == np.float16:
            return self.emit("DEQUANTIZE", [value], value.shape, target)
        return self.emit("CAST", [value], value.shape, target)

    def emit(self, kind: str, operands: Sequence[Operand], shape: Sequence[Any], dtype: Any, **settings: Any) -> Value:
        """Add a builtin operator with one result.

        Args:
            kind: Its name.
            operands: Values or arrays; None for one that is left out.
            shape: Shape of the result.
            dtype: Its dtype.
            **settings: Options of the operator.
        """
        return self.emit_many(kind, operands, [(shape, dtype)], **settings)[0]

    def emit_many(self, kind: str, operands: Sequence[Operand], results: Any, bodies: Any = (), **settings: Any) -> Any:
        """Add a builtin operator; `results` are pairs (shape, dtype). The same operator twice is written once."""
        inputs = [None if operand is None else self.use(operand) for operand in operands]
        types = tuple(np.dtype(dtype) for _, dtype in results)
        key = kind, tuple(inputs), types, tuple(sorted(settings.items())), id(self._writing)
        if bodies or key not in self._made:
            outputs = [self.value(kind.lower(), shape, dtype) for shape, dtype in results]
            self._writing.append(Operator(kind, inputs, outputs, settings, bodies))
            self._made[key] = outputs
        return self._made[key]

    def _add(self, nodes, kind, operands, outputs, attributes):
        previous, self._writing = self._writing, nodes
        try:
            if kind in FOLDED and all(isinstance(operand, np.ndarray) for operand in operands):
                return [FOLDED[kind](*operands)]
            if kind not in LOWERED:
                raise ConfigError(f"LiteRT has no {kind}.", fix='model.export("name.jax") keeps all operations.')
            results = LOWERED[kind](self, *operands, **attributes)
        finally:
            self._writing = previous
        return results if isinstance(results, list) else [results]

    def cast(self, operand: Operand, dtype: Any) -> Operand:
        """The operand in another dtype; its neighbour in which LiteRT computes."""
        is_known = not isinstance(operand, Value)
        if is_known and operand.size * np.dtype(dtype).itemsize <= max(FOLD_BYTES, operand.nbytes):
            return operand.astype(dtype)
        value, target = self.use(operand), stored(dtype)
        if value.dtype == target:
            return value
        if value.dtype == np.float16 and target == np.float32:
            return self.computed(value)
        if value.dtype.kind == "f" and np.dtype(dtype).kind == "u":
            value = self.add("Max", value, np.asarray(0, np.float32))
        return self.emit("CAST", [value], value.shape, target)

    def reshape(self, operand: Operand, shape: Sequence[Any]) -> Operand:
        if not isinstance(operand, Value) and is_static(shape):
            return operand.reshape([int(size) for size in shape])
        value = self.use(super().reshape(operand, shape))
        if value.data is None and -1 not in shape:
            value.shape = tuple(shape)
        value.sizes = operand.sizes if isinstance(operand, Value) else None
        return value

    def size(self, size: Any) -> Operand:
        known = super().size(size)
        if isinstance(known, Value):
            known.sizes = (size,)
        return known

    def shape(self, sizes: Sequence[Any]) -> Operand:
        vector = super().shape(sizes)
        if isinstance(vector, Value):
            vector.sizes = tuple(sizes)
        return vector

    def sizes_in(self, vector: Operand) -> tuple[Any, ...]:
        """What a vector of sizes holds."""
        array = vector.data if isinstance(vector, Value) else vector
        if array is None:
            assert vector.sizes is not None, f"{vector} is computed"
            return vector.sizes
        return tuple(int(size) for size in np.ravel(array))

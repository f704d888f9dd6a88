"""A graph of ONNX while it is being written: nodes, constants, and sizes that are known when it runs."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np

__all__ = ["FOLD_BYTES", "Graph", "element_type", "is_static", "size_of"]

FOLD_BYTES = 4096  # what is known already is computed now if it is no larger than this, or than what it is made of
Operand = Any  # the name of a value in the graph, or a NumPy array that is known already


def element_type(dtype: Any) -> int:
    """The number that ONNX has for a dtype. Values of bfloat16 are float32, since runtimes hardly compute in it.

    Args:
        dtype: NumPy dtype or its name.
    """
    import onnx

    return onnx.helper.np_dtype_to_tensor_dtype(np.dtype(np.float32 if str(dtype) == "bfloat16" else dtype))


def is_static(shape: Sequence[Any]) -> bool:
    """Whether all sizes are numbers.

    Args:
        shape: Sizes, of which some may be symbolic expressions of JAX.
    """
    return all(isinstance(size, (int, np.integer)) for size in shape)


def size_of(value: Operand) -> int:
    """Bytes of a known array, 0 of a name."""
    return 0 if isinstance(value, str) else value.nbytes


def _key_of(value):
    return str(value.dtype), value.shape, hashlib.blake2b(np.ascontiguousarray(value).tobytes()).digest()


class Graph:
    """Nodes in the order in which they run. Bodies of loops are graphs of their own that read the values of outer ones.

    Args:
        outer: The graph around this one; None for the graph of the model.
        inputs: For a model, where each symbolic size is found: its name -> (name of an input, axis, factor).
    """

    def __init__(self, outer: Graph | None = None, inputs: dict[str, tuple[str, int, int]] | None = None) -> None:
        self.outer: Graph | None = outer
        self.root: Graph = self if outer is None else outer.root
        self.nodes: list[Any] = []
        self.unexpanded: dict[str, str] = {}  # a broadcast value -> the same with axes of size 1
        if outer is None:
            self.places: dict[str, tuple[str, int, int]] = inputs or {}
            self.sizes: list[Any] = []  # nodes that compute sizes, which run first
            self.initializers: dict[str, np.ndarray] = {}
            self._names: dict[str, int] = {}
            self._constants: dict[Any, str] = {}
            self._hints: dict[Any, str] = {}
            self._known_sizes: dict[str, str] = {}
            self.has_int4: bool = False

    def name(self, hint: str) -> str:
        """A name that no other value of the model has."""
        names = self.root._names
        number, name = names.get(hint, -1) + 1, hint
        while name in names:
            name, number = f"{hint}_{number or 1}", (number or 1) + 1
        names[hint] = max(number, names.get(hint, 0))
        names.setdefault(name, 0)
        return name

    def constant(self, value: Any, hint: str = "constant") -> str:
        """The name of an array, which is stored once."""
        value = np.asarray(value)
        if str(value.dtype) == "bfloat16" and value.nbytes <= FOLD_BYTES:
            value = value.astype(np.float32)
        if self.root.has_int4 and value.dtype == np.int8 and value.size > FOLD_BYTES:
            value = value.astype(ml_dtypes.int4) if -8 <= value.min() <= value.max() <= 7 else value
        key, root = _key_of(value), self.root
        if key not in root._constants:
            name = root._constants[key] = self.name(root._hints.get(key, hint))
            root.initializers[name] = value
            computed = {"bfloat16": "float32", "int4": "int8"}.get(str(value.dtype))
            if computed:  # the file has the smaller one
                root._constants[key] = root._first("Cast", name, to=element_type(computed))
        return root._constants[key]

    def suggest(self, value: np.ndarray, name: str) -> None:
        """Name a weight, should it become a constant as it is."""
        self.root._hints.setdefault(_key_of(value), name)

    def named(self, operand: Operand) -> str:
        """The name of an operand; an array that is known becomes a constant."""
        return operand if isinstance(operand, str) else self.constant(operand)

    def add(self, kind: str, *operands: Operand, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node.

        Args:
            kind: Operator.
            *operands: Names or arrays; None for an input that is left out.
            outputs: How many results there are.
            **attributes: Attributes of the operator.

        Returns:
            The name of the result, or the list of names.
        """
        names = self._add(self.nodes, kind, operands, outputs, attributes)
        return names[0] if outputs == 1 else names

    def _add(self, nodes, kind, operands, outputs, attributes):
        import onnx

        operands = ["" if operand is None else self.named(operand) for operand in operands]
        names = [self.name(kind.lower()) for _ in range(outputs)]
        nodes.append(onnx.helper.make_node(kind, operands, names, name=self.name(f"node_{kind}"), **attributes))
        return names

    def cast(self, operand: Operand, dtype: Any) -> Operand:
        """The operand in another dtype."""
        if not isinstance(operand, str) and operand.size * np.dtype(dtype).itemsize <= max(FOLD_BYTES, operand.nbytes):
            return operand.astype(dtype)
        return self.add("Cast", operand, to=element_type(dtype))

    def reshape(self, operand: Operand, shape: Sequence[Any]) -> str:
        """The operand in another shape, whose sizes may be symbolic."""
        unknown = [axis for axis, size in enumerate(shape) if not is_static([size])]
        if len(unknown) == 1 and 0 not in shape:
            shape = [-1 if axis in unknown else int(size) for axis, size in enumerate(shape)]
        return self.add("Reshape", operand, self.shape(shape), **({"allowzero": 1} if 0 in shape else {}))

    def transpose(self, operand: Operand, axes: Sequence[int]) -> Operand:
        """The operand with its axes in another order."""
        axes = [int(axis) for axis in axes]
        if axes == sorted(axes):
            return operand
        return self.add("Transpose", operand, perm=axes) if isinstance(operand, str) else operand.transpose(axes)

    def shape(self, sizes: Sequence[Any]) -> Operand:
        """Sizes as a vector of int64: an array if all are known."""
        if is_static(sizes):
            return np.asarray([int(size) for size in sizes], np.int64)
        parts: list[Operand] = []
        for size in sizes:
            if is_static([size]) and parts and not isinstance(parts[-1], str):
                parts[-1] = np.append(parts[-1], int(size))
            else:
                parts.append(np.asarray([int(size)], np.int64) if is_static([size]) else self.size(size))
        return parts[0] if len(parts) == 1 else self.root._first("Concat", *parts, axis=0)

    def size(self, size: Any) -> Operand:
        """One size as a vector of one int64."""
        if is_static([size]):
            return np.asarray([int(size)], np.int64)
        text = str(size)
        known = self.root._known_sizes
        if text not in known:
            known[text] = self.root._evaluate(ast.parse(text, mode="eval").body)
        return known[text]

    def _first(self, kind, *operands, **attributes):
        return self._add(self.sizes, kind, operands, 1, attributes)[0]

    def _evaluate(self, tree):
        """The name of the value of an expression of symbolic sizes, as JAX prints it."""
        if isinstance(tree, ast.Constant):
            return self.constant(np.asarray([tree.value], np.int64))
        if isinstance(tree, ast.Name):
            name, axis, factor = self.places[tree.id]
            size = self._first("Gather", self._first("Shape", name), np.asarray([axis], np.int64))
            return size if factor == 1 else self._first("Div", size, np.asarray([factor], np.int64))
        if isinstance(tree, ast.UnaryOp):
            return self._first("Neg", self._evaluate(tree.operand))
        if isinstance(tree, ast.BinOp):
            kinds = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul", ast.Pow: "Pow"}
            return self._first(kinds[type(tree.op)], self._evaluate(tree.left), self._evaluate(tree.right))
        assert isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name), ast.dump(tree)
        return self._call(tree.func.id, [self._evaluate(part) for part in tree.args])

    def _call(self, function, operands):
        if function in ("mod", "floordiv"):
            remainder = self._first("Mod", *operands)  # of the sign of the divisor, as in Python
            if function == "mod":
                return remainder
            return self._first("Div", self._first("Sub", operands[0], remainder), operands[1])
        return self._first({"max": "Max", "min": "Min"}[function], *operands)

    def unexpand(self, operand: Operand) -> Operand:
        """What was broadcast to the operand, for operators that broadcast themselves."""
        return self.unexpanded.get(operand, operand) if isinstance(operand, str) else operand

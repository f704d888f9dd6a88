"""KerasTensor: a tensor with a shape and a dtype but no values, from which models are built.

Result shapes are found by tracing. An unknown size (None) is replaced by two different probe sizes in turn. A result
size that differs between the two traces is unknown as well.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.core import context, sparse, tree
from lamina.core.array_types import DTypeLike, Shape, standardize_shape
from lamina.core.dtypes import numpy_dtype, standardize_dtype
from lamina.core.no_values import NoValues, refuse_layers
from lamina.core.probes import probe
from lamina.errors import CallError, LaminaError, harmless
from lamina.runtime.tracebacks import filters_traceback
from lamina.spelling import SaysWhatWasMeant

if TYPE_CHECKING:
    from lamina.core.operator_types import Operators

    class _Base(Operators["KerasTensor"]): ...
else:
    _Base = SaysWhatWasMeant


class KerasTensor(NoValues, _Base):
    """A symbolic tensor: a shape, a dtype and a name, but no values. Operators and ops record nodes of a graph.

    Args:
        shape: Shape, with None for unknown sizes.
        dtype: Dtype.
        sparse: Whether it stands for a sparse array, `jax.experimental.sparse.BCOO`.
        ragged: Stored, but without effect, since JAX has no ragged arrays.
        record_history: Stored for compatibility with other libraries, without effect.
        name: Name; None generates "keras_tensor", "keras_tensor_1" and so on.
        **kwargs: Accepted for compatibility with other libraries, without effect.

    >>> import lamina as keras
    >>> x = keras.Input((3,))
    >>> (x + 1).shape
    (None, 3)
    """

    __slots__ = ("_keras_history",)  # not among the attributes that its operation keeps: see lamina.core.kept

    def __init__(
        self,
        shape: Any,
        dtype: DTypeLike | None = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._shape = standardize_shape(shape)
        self.dtype = standardize_dtype(dtype)
        self.sparse, self.ragged = bool(sparse), bool(ragged)
        self.record_history: bool = record_history
        self.name: str = name or context.unique_name("keras_tensor")

    dtype: str = "float32"
    sparse: bool = False
    ragged: bool = False
    ragged_rank: int | None = None  # for ragged tensors, which JAX does not have
    row_splits_dtype: str | None = None
    _keras_history: Any

    @property
    def _keras_mask(self) -> Any:
        """The mask, as a tensor that models can have among their outputs; None where there is none."""
        mask = get_mask(self)
        return mask if mask is None or hasattr(mask, "_keras_history") else OPS["mask_of"](self)

    @_keras_mask.setter
    def _keras_mask(self, mask: Any) -> None:
        set_mask(self, mask)

    @property
    def shape(self) -> Shape:
        """The shape, with None for unknown sizes."""
        return self._shape

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self._shape)

    @property
    def size(self) -> int | None:
        """The number of elements; None if a size is unknown."""
        return None if None in self._shape else math.prod(size or 0 for size in self._shape)

    def __repr__(self) -> str:
        sort = f"dtype={self.dtype}, sparse={self.sparse}, ragged={self.ragged}"
        return harmless(f"<KerasTensor shape={self.shape}, {sort}, name={self.name}>")

    @filters_traceback
    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        name = _OPERATORS_OF_NUMPY.get(ufunc.__name__)
        if name is None or method != "__call__" or kwargs.keys() - {"out"}:
            return self._no_values()
        return OPS[name](*inputs)  # `array * tensor`, for which NumPy asks here

    def astype(self, dtype: DTypeLike) -> KerasTensor:
        """Cast the tensor to another dtype.

        Args:
            dtype: Dtype of the result.
        """
        return OPS["cast"](self, dtype)

    def reshape(self, *newshape: Any) -> KerasTensor:
        """Reshape the tensor.

        Args:
            *newshape: The sizes, or one tuple of them.
        """
        return OPS["reshape"](self, newshape[0] if len(newshape) == 1 and np.ndim(newshape[0]) else newshape)

    def squeeze(self, axis: Any = None) -> KerasTensor:
        """Remove axes of size 1.

        Args:
            axis: Axes to remove; None means all axes of size 1.
        """
        return OPS["squeeze"](self, axis)

    @property
    def T(self) -> KerasTensor:
        """The tensor with its axes in reverse order."""
        return OPS["transpose"](self)

    @filters_traceback
    def __getitem__(self, index: Any) -> KerasTensor:
        return OPS["get_item"](self, np.asarray(index) if isinstance(index, list) else index)


class _Ops(dict[str, Any]):
    """{name: public function}. The @op decorator fills it when the modules of lamina.ops are imported, at the latest
    when an unknown name is looked up."""

    def read_all(self) -> Self:
        """Import all ops and return the complete table."""
        for file in ("numpy", "nn", "math", "core", "linalg", "image", "control_flow"):
            importlib.import_module(f"lamina.ops.{file}")
        return self

    def __missing__(self, name: str) -> Any:
        return dict(self.read_all())[name]


OPS = _Ops()
_OPERATORS_OF_NUMPY = {
    "add": "add", "subtract": "subtract", "multiply": "multiply", "divide": "true_divide", "matmul": "matmul",
    "floor_divide": "floor_divide", "remainder": "mod", "power": "power", "bitwise_and": "logical_and",
    "bitwise_or": "logical_or", "bitwise_xor": "logical_xor", "less": "less", "less_equal": "less_equal",
    "greater": "greater", "greater_equal": "greater_equal", "equal": "equal", "not_equal": "not_equal",
}  # fmt: skip


def _method(name, reflected=False):
    if reflected:
        return filters_traceback(lambda self, other: OPS[name](other, self))
    return filters_traceback(lambda self, *other: OPS[name](self, *other))


for _dunder, _op in {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide", "floordiv": "floor_divide",
    "mod": "mod", "pow": "power", "matmul": "matmul", "and": "logical_and", "or": "logical_or", "xor": "logical_xor",
}.items():  # fmt: skip
    setattr(KerasTensor, f"__{_dunder}__", _method(_op))
    setattr(KerasTensor, f"__r{_dunder}__", _method(_op, reflected=True))
for _dunder, _op in {
    "neg": "negative", "abs": "absolute", "invert": "logical_not", "lt": "less", "le": "less_equal", "gt": "greater",
    "ge": "greater_equal", "ne": "not_equal",
}.items():  # fmt: skip
    setattr(KerasTensor, f"__{_dunder}__", _method(_op))


def is_symbolic(structure: Any) -> bool:
    """Whether a nested structure contains a KerasTensor.

    Args:
        structure: Any value.
    """
    kind = type(structure)
    if kind is tuple or kind is list:
        return any(map(is_symbolic, structure))
    if kind is dict:
        return any(map(is_symbolic, structure.values()))
    return isinstance(structure, KerasTensor)


_masks: dict[int, tuple[Any, Any]] = {}  # id of a tensor -> (weak reference to the tensor, mask)


def set_mask(tensor: Any, mask: Any) -> None:
    """Attach a mask to a tensor. It is kept as long as the tensor exists.

    Args:
        tensor: Symbolic, concrete or traced tensor.
        mask: Mask; None removes the mask.
    """
    key = id(tensor)
    if isinstance(tensor, KerasTensor):
        vars(tensor)["_keras_mask"] = mask
        return
    if isinstance(tensor, jax.Array) and not isinstance(tensor, Tracer):  # where packages look
        tensor._keras_mask = mask  # pyright: ignore[reportAttributeAccessIssue]
        return
    if mask is None:
        _masks.pop(key, None)
        return
    _masks[key] = (weakref.ref(tensor, lambda _: _masks.pop(key, None)), mask)


def get_mask(tensor: Any) -> Any:
    """The mask attached to a tensor, or None.

    Args:
        tensor: Symbolic, concrete or traced tensor.
    """
    attributes = None if isinstance(tensor, Tracer) else getattr(tensor, "__dict__", None)
    if attributes and "_keras_mask" in attributes:
        return attributes["_keras_mask"]
    found = _masks.get(id(tensor)) if _masks else None
    return found[1] if found is not None and found[0]() is tensor else None


_in_symbolic_scope: ContextVar[bool] = ContextVar("in_symbolic_scope", default=False)
in_symbolic_scope = _in_symbolic_scope.get


class VariablesFirst(LaminaError, RuntimeError):
    """A variable is made whose initial value a traced function computes: the first call has to compute, not trace."""


@contextlib.contextmanager
def bind_symbolic() -> Iterator[None]:
    """`context.bind` for the inference of shapes: what is written inside is discarded, and nothing is recorded."""
    with context.set_within(_in_symbolic_scope, True), context.bind(), context.recording_on():
        yield


def trace(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Apply a function to symbolic tensors. Returns symbolic tensors with their masks.

    Nothing is computed, and values assigned to variables inside are discarded.

    Args:
        function: Function of tensors.
        *args, **kwargs: Its arguments, including KerasTensors.
    """
    leaves, treedef = jax.tree_util.tree_flatten((args, kwargs))
    places = [index for index, leaf in enumerate(leaves) if isinstance(leaf, KerasTensor)]
    symbols = [leaves[index] for index in places]
    masks = [get_mask(symbol) for symbol in symbols]
    are_sparse, form = [], []

    def run(values, mask_values):
        filled = list(leaves)
        for index, value, mask, symbol in zip(places, values, mask_values, symbols, strict=True):
            value = sparse.make_sparse(value, nse=1) if symbol.sparse else value
            set_mask(value, mask)
            filled[index] = value
        call_args, call_kwargs = jax.tree_util.tree_unflatten(treedef, filled)
        with bind_symbolic():
            outputs = function(*call_args, **call_kwargs)
            form[:] = [tree.form_of(outputs)]
            if any(isinstance(leaf, context.Ref) for leaf in refuse_layers(tree.flatten(outputs))):
                outputs = tree.map_structure(lambda leaf: getattr(leaf, "value", leaf), outputs)
            are_sparse[:], outputs = sparse.without_sparse(outputs)
        return outputs, [get_mask(output) for output in tree.flatten(outputs)]

    def shapes(probe_size):
        values = [_abstract(symbol, probe_size) for symbol in symbols]
        mask_values = [None if mask is None else _abstract(mask, probe_size) for mask in masks]
        try:
            # JAX caches traces by function. A new function makes it trace again, in case a layer has changed.
            return jax.eval_shape(lambda *a: run(*a), values, mask_values)
        except VariablesFirst:
            run(*jax.tree_util.tree_map(lambda one: jnp.zeros(one.shape, one.dtype), (values, mask_values)))
        return jax.eval_shape(lambda *a: run(*a), values, mask_values)

    results, others = probe(shapes, any(None in symbol.shape for symbol in symbols))
    outputs, output_masks = tree.map_structure(_merge, results, others)
    for output, mask, is_sparse in zip(tree.flatten(outputs), output_masks, are_sparse, strict=True):
        set_mask(output, mask)
        if is_sparse:
            output.sparse = True
    return tree.in_order_of(form[0], outputs)


def _abstract(symbol, probe_size):
    if symbol.dtype == "string":
        raise CallError(
            "Ops cannot compute with strings.",
            fix="Turn them into numbers first: layers.StringLookup, layers.TextVectorization or layers.Hashing.",
        )
    sizes = tuple(probe_size if size is None else size for size in symbol.shape)
    return jax.ShapeDtypeStruct(sizes, traced_dtype(symbol.dtype))


def traced_dtype(dtype: DTypeLike) -> Any:
    """The dtype in which JAX computes: float32 for float64, unless JAX's 64-bit mode is enabled.

    Args:
        dtype: Requested dtype.
    """
    return jax.dtypes.canonicalize_dtype(numpy_dtype(dtype))


def _merge(first, second):
    if first is None:
        return None
    sizes = (a if a == b else None for a, b in zip(first.shape, second.shape, strict=True))
    return KerasTensor(tuple(sizes), first.dtype)

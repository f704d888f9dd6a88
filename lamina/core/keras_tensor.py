"""KerasTensor: a tensor with a shape and a type but no values yet, from which a model is drawn.

Shapes of results come from tracing. A size that is not known (None) is traced with two different probe sizes: what
differs in
the two results is not known either.
"""

import importlib
import math
import re
import weakref
from typing import Any

import jax
import numpy as np

from lamina.core import context, tree
from lamina.core.dtypes import numpy_dtype, standardize_dtype
from lamina.errors import CallError, LaminaError, ShapeError

# Many divisors, so that halving and windows work; wide apart, so that strides keep them different; and no numbers that
# a user would write, so that an error can say None in their place.
PROBE_SIZES = (6720, 13440)


class KerasTensor:
    """A symbolic tensor: `shape` (None where a size is not known), `dtype` and `name`. Python operators record nodes.

    >>> import lamina as keras
    >>> x = keras.Input((3,))
    >>> (x + 1).shape
    (None, 3)
    """

    def __init__(self, shape, dtype="float32", sparse=False, ragged=False, record_history=True, name=None, **kwargs):
        self._shape = standardize_shape(shape)
        self.dtype = standardize_dtype(dtype)
        self.sparse, self.ragged, self.record_history = bool(sparse), bool(ragged), record_history
        self.name = name or context.unique_name("keras_tensor")

    @property
    def shape(self):
        return self._shape

    dtype: Any = None
    sparse = ragged = False
    ragged_rank = row_splits_dtype = None  # of ragged tensors, which JAX does not have

    @property
    def ndim(self):
        return len(self._shape)

    @property
    def size(self):
        return None if None in self._shape else math.prod(size or 0 for size in self._shape)

    def __repr__(self):
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def __len__(self):
        if not self._shape or self._shape[0] is None:
            raise TypeError(f"The length of {self!r} is not known.")
        return self._shape[0]

    def __iter__(self):
        return (self[index] for index in range(len(self)))

    def __bool__(self):
        raise TypeError(f"{self!r} has no value yet, so it cannot decide an `if`. Use ops.where or ops.cond.")

    def _no_value(self, *args, **kwargs):
        raise CallError(
            f"{self!r} has no values yet: it stands for a model's tensor, and only lamina's ops and layers can use it.",
            fix="Wrap other functions in a Lambda layer or a Layer with a call method.",
        )

    __array__ = __jax_array__ = __int__ = __float__ = __index__ = _no_value
    __array_ufunc__ = None  # so that NumPy leaves `array * tensor` to __rmul__

    def astype(self, dtype):
        return OPS["cast"](self, dtype)

    def reshape(self, *newshape):
        return OPS["reshape"](self, newshape[0] if len(newshape) == 1 and np.ndim(newshape[0]) else newshape)

    def squeeze(self, axis=None):
        return OPS["squeeze"](self, axis)

    @property
    def T(self):
        return OPS["transpose"](self)

    def __getitem__(self, index):
        return OPS["get_item"](self, np.asarray(index) if isinstance(index, list) else index)


class _Ops(dict):
    """name -> public function; filled by the @op decorator as the files of lamina.ops are read, which is when one of
    them is first asked for."""

    def read_all(self):
        """The table with every op in it."""
        for file in ("numpy", "nn", "math", "core", "linalg", "image", "control_flow"):
            importlib.import_module(f"lamina.ops.{file}")
        return self

    def __missing__(self, name):
        return dict(self.read_all())[name]


OPS = _Ops()


def _method(name, reflected=False):
    if reflected:
        return lambda self, other: OPS[name](other, self)
    return lambda self, *other: OPS[name](self, *other)


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


def without_probe_sizes(shape):
    """A shape seen while tracing, None where a size was a probe size."""
    return tuple(None if size in PROBE_SIZES else size for size in shape)


def standardize_shape(shape):
    """A tuple of ints and None from what users write as a shape."""
    if isinstance(shape, (int, np.integer)):
        shape = (shape,)
    if shape is None:
        raise ShapeError("A shape is a tuple of sizes; got None.", fix="shape=(784,), say; None only for single sizes.")
    sizes = tuple(None if size is None else int(size) for size in shape)
    for size in sizes:
        if size is not None and size < 0:
            raise ShapeError(f"Sizes are 0 or more, or None; got {sizes}.", fix="Write None where a size is not known.")
    return sizes


def is_symbolic(structure):
    """Whether a KerasTensor is anywhere in `structure`."""
    kind = type(structure)
    if kind is tuple or kind is list:
        return any(map(is_symbolic, structure))
    if kind is dict:
        return any(map(is_symbolic, structure.values()))
    return isinstance(structure, KerasTensor)


_masks = {}  # id of a tensor -> (weak reference to it, mask)


def set_mask(tensor, mask):
    """Attach `mask` to a tensor, symbolic, concrete or traced. It goes when the tensor goes."""
    key = id(tensor)
    if mask is None:
        _masks.pop(key, None)
        return
    _masks[key] = (weakref.ref(tensor, lambda _: _masks.pop(key, None)), mask)


def get_mask(tensor):
    """The mask attached to `tensor`, or None."""
    found = _masks.get(id(tensor)) if _masks else None
    return found[1] if found is not None and found[0]() is tensor else None


def trace(function, *args, **kwargs):
    """What `function` gives for arguments with KerasTensors in them: the same structure, of KerasTensors, masks
    attached.

    Nothing is computed, and nothing that happens to a variable inside outlives the call.
    """
    leaves, treedef = jax.tree_util.tree_flatten((args, kwargs))
    places = [index for index, leaf in enumerate(leaves) if isinstance(leaf, KerasTensor)]
    symbols = [leaves[index] for index in places]
    masks = [get_mask(symbol) for symbol in symbols]

    def run(values, mask_values):
        filled = list(leaves)
        for index, value, mask in zip(places, values, mask_values, strict=True):
            set_mask(value, mask)
            filled[index] = value
        call_args, call_kwargs = jax.tree_util.tree_unflatten(treedef, filled)
        with context.bind():
            outputs = function(*call_args, **call_kwargs)
        return outputs, [get_mask(output) for output in tree.flatten(outputs)]

    def shapes(probe_size):
        values = [_abstract(symbol, probe_size) for symbol in symbols]
        mask_values = [None if mask is None else _abstract(mask, probe_size) for mask in masks]
        try:
            # A fresh function each time: JAX would otherwise hand back what it traced before a layer changed.
            return jax.eval_shape(lambda *a: run(*a), values, mask_values)
        except LaminaError as error:
            error.reword(lambda text: re.sub(rf"\b{probe_size}\b", "None", text))
            raise

    results = shapes(PROBE_SIZES[0])
    unknown = any(None in symbol.shape for symbol in symbols)
    others = shapes(PROBE_SIZES[1]) if unknown else results
    outputs, output_masks = tree.map_structure(_merge, results, others)
    for output, mask in zip(tree.flatten(outputs), output_masks, strict=True):
        set_mask(output, mask)
    return outputs


def _abstract(symbol, probe_size):
    if symbol.dtype == "string":
        raise CallError(
            "Strings are no numbers to compute with.",
            fix="Turn them into numbers first: layers.StringLookup, layers.TextVectorization or layers.Hashing.",
        )
    sizes = tuple(probe_size if size is None else size for size in symbol.shape)
    return jax.ShapeDtypeStruct(sizes, traced_dtype(symbol.dtype))


def traced_dtype(dtype) -> Any:
    """The type that JAX computes in where `dtype` is asked for: float32 for float64, unless 64 bits are switched on."""
    return jax.dtypes.canonicalize_dtype(numpy_dtype(dtype))


def _merge(first, second):
    if first is None:
        return None
    sizes = (a if a == b else None for a, b in zip(first.shape, second.shape, strict=True))
    return KerasTensor(tuple(sizes), first.dtype)

"""Variable: a named array that layers and optimizers own and modify.

Outside of a trace, a variable is a mutable container of a JAX array. Inside `bind` (see `context`) it reads and writes
a slot. This turns a step over mutable layers into a single pure, compiled function.
"""

from __future__ import annotations

import importlib
import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

import jax
import numpy as np
from jax.core import Tracer

from lamina.core import context, op_advice, placement
from lamina.core.abstract import Origin, is_abstract, make_abstract, origin_of
from lamina.core.array_types import DTypeLike, ShapeLike, Tensor
from lamina.core.context import Ref
from lamina.core.dtypes import is_float, numpy_dtype, standardize_dtype
from lamina.core.keras_tensor import KerasTensor
from lamina.core.keywords import keywords
from lamina.core.placement import is_locally_complete, own_copy, place, place_parts, sharding_of, to_numpy
from lamina.core.read_limits import reserve_array
from lamina.core.representation import READ_AT_MOST, numbers_of
from lamina.core.variable_settings import Function, Switch
from lamina.errors import ConfigError, ShapeError, harmless
from lamina.runtime.tracebacks import filters_traceback
from lamina.spelling import SaysWhatWasMeant

if TYPE_CHECKING:
    from lamina.core.operator_types import Operators

    class _Base(Ref, Operators[Tensor]): ...  # pyright: ignore[reportIncompatibleMethodOverride]
else:
    _Base = Ref

AGGREGATIONS = (None, "none", "mean", "sum", "only_first_replica")


class Variable(_Base):
    """A named array with a fixed shape and dtype.

    Args:
        initializer: Array, number, function `(shape, dtype) -> array`, or the name of an initializer, such as "ones".
        shape: Shape, required for a function or name; None means the shape of the array.
        dtype: Dtype. None means the array's dtype, or `keras.config.floatx()` for a function and for Python floats.
        trainable: Whether an optimizer may update it.
        autocast: Whether a layer with a mixed policy reads it in its compute dtype.
        aggregation: How to combine distributed values. Stored for other libraries, without effect.
        synchronization: Stored for other libraries, without effect.
        name: Last part of its path; None generates "variable", "variable_1" and so on.
        layout: How it is sharded over devices: a `keras.distribution.TensorLayout`, a JAX sharding, or None.
        **kwargs: Not accepted; any argument raises an error.

    Raises:
        ConfigError: An argument is unknown, or the name contains "/".
        ShapeError: The initial value has another shape.

    >>> import lamina as keras
    >>> v = keras.Variable([1.0, 2.0], name="scale")
    >>> v.assign(v * 2)
    <Variable path=scale, shape=(2,), dtype=float32, value=[2. 4.]>
    """

    name: str = ""
    path: str = ""
    shape: tuple[int, ...] = ()
    dtype: str = ""
    aggregation: str | None = None
    synchronization: str | None = None
    regularizer: Any = Function("keras.regularizers.L2(0.01)")
    constraint: Any = Function("keras.constraints.NonNeg()")
    overwrite_with_gradient: Any = Switch("True")
    _origin: Origin | None = None
    is_derived: bool = False  # whether it is computed from others (`lamina.core.derived`)

    def __init__(
        self,
        initializer: Any,
        shape: ShapeLike | None = None,
        dtype: DTypeLike | None = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ) -> None:
        keywords("Variable", kwargs)
        if aggregation not in AGGREGATIONS:
            raise ConfigError(f"aggregation is one of {AGGREGATIONS}; got {aggregation!r}.", fix='aggregation="mean"')
        self.name = name or context.unique_name("variable")
        if not isinstance(self.name, str) or "/" in self.name:
            raise ConfigError(
                f"A variable's name is a string without '/'; got {name!r}.", fix=f"name={str(name).replace('/', '_')!r}"
            )
        self.path = "/".join((*context.name_path(), self.name))
        self._trainable = bool(trainable)
        self.initially_trainable: bool = self._trainable
        self.autocast: bool = autocast
        self.aggregation, self.synchronization = aggregation, synchronization
        self.layout: Any = layout
        if isinstance(initializer, str):
            initializer = importlib.import_module("lamina.initializers").get(initializer)
        if is_abstract():
            make_abstract(self, initializer, shape, dtype)
            if layout is not None or context.distribution() is not None:
                self.set_layout(layout or context.distribution().get_variable_layout(self))
            return
        with context.concrete():
            is_whole = layout is None and context.distribution() is None
            value = (_initial_value if is_whole else self._sharded_initial_value)(initializer, shape, dtype)
        super().__init__(value)
        self._origin = origin_of(initializer, value)
        self.shape = tuple(value.shape)
        self.dtype = standardize_dtype(value.dtype if dtype is None else dtype)

    @filters_traceback
    def _sharded_initial_value(self, initializer, shape, dtype):
        """The initial value, sharded by `layout` or the current distribution. No device ever holds all of it."""
        self.shape = np.shape(unwrap(initializer)) if shape is None or np.isscalar(initializer) else _sizes(shape)
        sharding = self.set_layout(self.layout or context.distribution().get_variable_layout(self))
        with placement.placement_scope(self.shape, sharding):
            return place(_initial_value(initializer, shape, dtype), sharding)

    def set_layout(self, layout: Any) -> Any:
        """Set the layout of values assigned from now on. The current value is not moved.

        Args:
            layout: TensorLayout or JAX sharding.

        Returns:
            The JAX sharding.

        Raises:
            ShapeError: The shape cannot be sharded this way.
        """
        sharding = sharding_of(layout)
        try:
            sharding.check_compatible_aval(self.shape)  # checks the rank
            sharding.shard_shape(self.shape)  # checks the sizes
        except ValueError as error:
            raise ShapeError(
                f"Variable {self.path} of shape {self.shape} cannot be split by {layout}: {error}",
                fix="Split a dimension that divides by the devices of the axis, or leave it whole: None in the layout.",
            ) from None
        self.layout = layout
        return sharding

    @property
    def trainable(self) -> bool:
        """Whether an optimizer may update it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if self._trainable != bool(value):
            self._trainable = bool(value)
            context.structure_changed()

    @property
    def value(self) -> Tensor:
        """The array. Inside a layer with a mixed policy it is cast to the compute dtype."""
        value = self.read()
        context.note_read(self)
        cast = context.autocast_dtype()
        if cast is not None and self.autocast and cast != self.dtype and is_float(self.dtype):
            value = value.astype(cast)
        distribution = context.distribution()
        return value if distribution is None else distribution.gathered(self, value)

    def assign(self, value: Any) -> Self:
        """Replace the array by another array of the same shape.

        Args:
            value: New value.

        Raises:
            ShapeError: The new value has another shape.
        """
        value = unwrap(value)
        if np.shape(value) != self.shape:
            raise ShapeError(
                f"Variable {self.path} has shape {self.shape}; it cannot take a value of shape {np.shape(value)}.",
                fix=op_advice.for_shape(np.shape(value), self.shape),
            )
        self.write(context.note_assigned(self, to_array(value, self.dtype, sharding_of(self.layout))))
        return self

    def assign_add(self, value: Any) -> Self:
        """Add `value`, which broadcasts to the shape of the variable, to the array."""
        return self.assign(self.read() + to_array(unwrap(value), self.dtype))

    def assign_sub(self, value: Any) -> Self:
        """Subtract `value`, which broadcasts to the shape of the variable, from the array."""
        return self.assign(self.read() - to_array(unwrap(value), self.dtype))

    def numpy(self) -> np.ndarray[Any, Any]:
        """A copy of the value as a NumPy array. If it is sharded over several processes, all of them must call this."""
        return to_numpy(self.read())

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        value = self.value
        return np.array(value if is_locally_complete(value) else to_numpy(value), dtype, copy=copy)

    def __jax_array__(self) -> Tensor:
        return self.value

    def __repr__(self) -> str:
        value = self.read()
        hidden = isinstance(value, Tracer) or value.size > READ_AT_MOST or not is_locally_complete(value)
        shown = "" if hidden else f", value={numbers_of(np.asarray(value))}"
        return harmless(f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}{shown}>")

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.value)

    def __getitem__(self, index: Any) -> Tensor:
        return self.value[unwrap(index)]

    def __bool__(self) -> bool:
        return bool(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __index__(self) -> int:
        return operator.index(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """A new variable with a copy of the value."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__, _value=own_copy(self.read()), _owner=None)
        memo[id(self)] = copy
        return copy

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in _ARRAY_METHODS:
            return SaysWhatWasMeant.__getattr__(self, name)  # pyright: ignore[reportAttributeAccessIssue]
        return getattr(self.value, name)


_ARRAY_METHODS = frozenset(
    "astype reshape sum mean max min std var prod argmax argmin T at flatten ravel transpose item tolist squeeze "
    "any all clip cumsum copy block_until_ready sharding devices is_deleted".split()
)
_BINARY = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split()


def _sizes(shape):
    return tuple(int(size) for size in ((shape,) if np.ndim(shape) == 0 else shape))


def _initial_value(initializer, shape, dtype):
    """A JAX array from an array, a number or a function `(shape, dtype) -> array`."""
    if callable(initializer) and not isinstance(initializer, (jax.Array, Variable)):
        if shape is None:
            fix = "keras.Variable(initializer, shape=(3,))"
            raise ConfigError("A Variable made by an initializer needs a shape.", fix=fix)
        shape = _sizes(shape)
        dtype = standardize_dtype(dtype)
        reserve_array(shape, numpy_dtype(dtype).itemsize, "A variable")
        value = unwrap(initializer(shape, dtype=dtype))
    else:
        value = unwrap(initializer)
        if dtype is None and not hasattr(value, "dtype"):
            value = np.asarray(value)
            dtype = standardize_dtype(None) if np.issubdtype(value.dtype, np.floating) else value.dtype
        if isinstance(value, jax.Array):
            value = own_copy(value)
    given = tuple(np.shape(value))
    if shape is not None and given != tuple(shape) and not np.isscalar(initializer):
        raise ShapeError(f"The initial value has shape {given}; {tuple(shape)} was asked for.", fix=f"shape={given}")
    return to_array(value, dtype)


def to_array(value: Any, dtype: DTypeLike | None = None, sharding: Any = None) -> Tensor:
    """Convert a value to a JAX array. NumPy does the casting and copying: `jnp.asarray` compiles once per new shape.

    Args:
        value: Array, number or nested list.
        dtype: Dtype of the result; None keeps that of the value.
        sharding: JAX sharding; None means the default device.
    """
    wanted = None if dtype is None else jax.dtypes.canonicalize_dtype(numpy_dtype(dtype))
    if isinstance(value, jax.Array):
        value = value if wanted is None or value.dtype == wanted else value.astype(wanted)
        return value if sharding is None or isinstance(value, Tracer) else place(value, sharding)
    stored = getattr(value, "part", None)  # of an array in a file
    sharding = sharding or placement.placement_of(np.shape(value))
    if sharding is not None and (stored or isinstance(value, np.ndarray)):
        part = (lambda index: stored(index, wanted)) if stored else value.__getitem__
        return place_parts(value.shape, value.dtype if wanted is None else wanted, sharding, part)
    value = stored((), wanted) if stored else np.array(value, wanted)
    return place(value.astype(jax.dtypes.canonicalize_dtype(value.dtype), copy=False), sharding)


def unwrap(value: Any) -> Any:
    """The array of a variable, also inside lists, tuples and dicts. Everything else is unchanged."""
    if isinstance(value, Variable):
        return value.value
    kind = type(value)
    if kind is tuple or kind is list:
        return kind(map(unwrap, value))
    if kind is dict:
        return {key: unwrap(item) for key, item in value.items()}
    return value


def _binary(function):
    def forward(self, other):
        if isinstance(other, KerasTensor):
            return NotImplemented
        return function(self.value, unwrap(other))

    def reflected(self, other):
        return function(unwrap(other), self.value)

    return filters_traceback(forward), filters_traceback(reflected)


for _name in _BINARY:
    _function = getattr(jax.numpy, f"logical_{_name}") if _name in ("and", "or", "xor") else getattr(operator, _name)
    for _prefix, _method in zip(("", "r"), _binary(_function), strict=True):
        setattr(Variable, f"__{_prefix}{_name}__", _method)
for _name in "eq ne lt le gt ge".split():
    setattr(Variable, f"__{_name}__", _binary(getattr(operator, _name))[0])
setattr(Variable, "__round__", lambda self, digits=None: jax.numpy.round(self.value, digits or 0))  # noqa: B010
for _name in ("neg", "pos", "abs", "invert"):
    setattr(Variable, f"__{_name}__", (lambda function: lambda self: function(self.value))(getattr(operator, _name)))

"""Input: where a graph starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.core.array_types import standardize_shape
from lamina.core.dtypes import standardize_dtype
from lamina.core.keras_tensor import KerasTensor
from lamina.core.node import node_of
from lamina.errors import ConfigError
from lamina.layers.base.layer import Layer
from lamina.spelling.arguments import unknown_arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamina.core.typing import DTypeLike, ShapeLike


class InputLayer(Layer):
    """The layer behind `keras.Input`: it makes one symbolic tensor and passes its value on.

    Args:
        shape: Shape of one sample, None where a size is not known.
        batch_size: Number of samples of a batch; None for any.
        dtype: Type of the values; None means `keras.config.floatx()`.
        sparse: Whether the tensor is marked as sparse, for files; values are dense.
        ragged: Whether the tensor is marked as ragged, for files; values are dense.
        batch_shape: Whole shape with the batch size, in place of `shape` and `batch_size`.
        input_tensor: KerasTensor that becomes the input; None makes one.
        optional: Whether the input may be None.
        name: Name of the input.
        **kwargs: There are no others.
    """

    sparse: bool
    ragged: bool
    optional: bool

    _config_skips = frozenset(("autocast", "shape", "batch_size", "trainable", "activity_regularizer", "input_tensor"))
    _repr_skips = frozenset(("autocast", "batch_shape", "trainable", "activity_regularizer", "input_tensor"))

    batch_shape: Any = None
    inferred = False  # whether nobody asked for this shape: a model without an Input saw it in its first batch

    def __init__(
        self,
        shape: ShapeLike | None = None,
        batch_size: int | None = None,
        dtype: DTypeLike | None = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Sequence[int | None] | None = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(name=name)
        if kwargs:
            raise unknown_arguments(self, kwargs)
        _refuse_unclear_shape(shape, batch_size, batch_shape, input_tensor, dtype)
        if input_tensor is not None:
            given = dict(shape=shape, batch_size=batch_size, batch_shape=batch_shape, dtype=dtype, sparse=sparse)
            _refuse_other_than(input_tensor, **given)
        if shape is not None and batch_shape is None:
            batch_shape = (batch_size, *standardize_shape(shape))
        if input_tensor is None:
            input_tensor = KerasTensor(batch_shape, dtype=standardize_dtype(dtype), sparse=sparse or False, name=name)
        self.batch_shape = tuple(input_tensor.shape)
        self.sparse, self.ragged, self.optional = bool(sparse), bool(ragged), bool(optional)
        self._dtype = input_tensor.dtype
        self.built = True
        self.record(input_tensor, (), {})

    @property
    def dtype(self) -> Any:
        return self._dtype

    @property
    def input(self) -> Any:
        """The symbolic tensor itself: nothing comes before it."""
        return self.output

    @property
    def batch_size(self) -> int | None:
        return self.batch_shape[0]

    def _argument(self, name, parameter, owner):
        return self._dtype if name == "dtype" else super()._argument(name, parameter, owner)

    def call(self, *inputs: Any) -> Any:
        raise ConfigError(
            f"{self.name} is an input: it is not called, a model is.", fix="keras.Model(inputs, outputs)(x)"
        )

    def _repr_argument(self, name, parameter, owner):
        if name in ("shape", "batch_size"):
            return self.batch_shape[1:] if name == "shape" else self.batch_shape[0]
        return self._argument(name, parameter, owner)


def _refuse_unclear_shape(shape, batch_size, batch_shape, input_tensor, dtype):
    """One of `shape`, `batch_shape` and `input_tensor` says what the input is."""
    example = "keras.Input(shape=(784,))"
    if isinstance(shape, int) and isinstance(batch_size, int):
        sizes = (shape, batch_size, dtype) if isinstance(dtype, int) else (shape, batch_size)
        message = f"The `shape` of an input is one tuple; got {', '.join(map(str, sizes))}."
        raise ConfigError(message, fix=f"keras.Input({sizes})")
    if input_tensor is not None and not isinstance(input_tensor, KerasTensor):
        got = type(input_tensor).__name__
        raise ConfigError(f"Argument `input_tensor` must be a KerasTensor; got {got}.", fix=example)
    for name, value in (("shape", shape), ("batch_size", batch_size)):
        if value is not None and batch_shape is not None:
            raise ConfigError(
                f"An input cannot pass both `{name}` and `batch_shape`; got {name}={value}, batch_shape={batch_shape}.",
                fix="Give either `batch_shape`, or `shape` and `batch_size`.",
            )
    if shape is None and batch_shape is None and input_tensor is None:
        raise ConfigError("An input has no shape: pass a `shape` argument.", fix=example)


def _refuse_other_than(input_tensor, **given):
    """What else is said of a given tensor must be true of it."""
    size, *sample = input_tensor.shape
    true = {"shape": tuple(sample), "batch_size": size, "batch_shape": input_tensor.shape, "dtype": input_tensor.dtype}
    true["sparse"] = input_tensor.sparse
    for name, value in given.items():
        value = tuple(value) if isinstance(value, list) else value
        if value is not None and value != true[name]:
            raise ConfigError(
                f"An input cannot provide an incompatible `{name}` with `input_tensor`; "
                f"got {value!r} for a tensor with {name} {true[name]!r}.",
                fix=f"Leave `{name}` out.",
            )


def Input(
    shape: ShapeLike | None = None,
    batch_size: int | None = None,
    dtype: DTypeLike | None = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> KerasTensor:
    """A symbolic tensor for the inputs of a model: `shape` is that of one sample.

    Args:
        shape: Shape of one sample, None where a size is not known.
        batch_size: Number of samples of a batch; None for any.
        dtype: Type of the values; None means `keras.config.floatx()`.
        sparse: Whether the tensor is marked as sparse, for files; values are dense.
        ragged: Whether the tensor is marked as ragged, for files; values are dense.
        batch_shape: Whole shape with the batch size, in place of `shape` and `batch_size`.
        name: Name of the input.
        tensor: KerasTensor that becomes the input, or that a model may begin with, if it was computed; None makes one.
        optional: Whether the input may be None.

    >>> import lamina as keras
    >>> keras.Input(shape=(28, 28, 1), name="image").shape
    (None, 28, 28, 1)
    """
    if hasattr(tensor, "_keras_history") and not node_of(tensor).is_input:
        return tensor
    return InputLayer(
        shape=shape, batch_size=batch_size, dtype=dtype, sparse=sparse, ragged=ragged, batch_shape=batch_shape,
        input_tensor=tensor, optional=optional, name=name,
    ).output  # fmt: skip

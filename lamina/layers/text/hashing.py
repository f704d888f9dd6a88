"""Hashing and HashedCrossing: categories without a vocabulary, with the same numbers as in Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.core.arguments import choice, whole
from lamina.core.dtypes import in_64_bits
from lamina.core.keras_tensor import KerasTensor, traced_dtype
from lamina.errors import ConfigError, DataError, ShapeError
from lamina.layers.categories import Categorical, is_text, values_of
from lamina.layers.text.string_hashes import fingerprint64, fingerprint_cat64, siphash24

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.core.typing import LayerArguments, Shape, Tensor

__all__ = ["HashedCrossing", "Hashing"]

_CROSS_KEY = 0xDECAFCAFFE  # initial value of the hash of TensorFlow's feature crosses


class Hashing(Categorical):
    """`hash(value) mod num_bins` of strings or integers.

    The hash is FarmHash's fingerprint, or SipHash with the key `salt`. Integers are hashed by their decimal digits.

    Args:
        num_bins: Number of bins, with the bin of the mask.
        mask_value: Value that is mapped to bin 0, which then holds nothing else; None means no such value.
        salt: Key of the hash, one or two integers; other keys give other collisions. None means FarmHash without a key.
        output_mode: "int" for the number of the bin, or "one_hot", "multi_hot", "count" as in `CategoryEncoding`.
        sparse: Whether the outputs are sparse arrays, `jax.experimental.sparse.BCOO`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.Hashing(num_bins=3)([["A"], ["B"], ["C"], ["D"], ["E"]]).ravel().tolist()
    [1, 0, 1, 1, 2]
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: int | Sequence[int] | None = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Unpack[LayerArguments],
    ):
        _check_bins(num_bins, "Hashing")
        choice(self, "output_mode", output_mode, self._modes)
        _set_int_dtype(kwargs, output_mode)
        super().__init__(output_mode=output_mode, sparse=sparse, **kwargs)
        self.num_bins = num_bins
        self.mask_value = mask_value
        self.salt: Any = salt_pair(salt)

    def _depth(self):
        return self.num_bins

    @property
    def _output_dtype(self):
        return self.compute_dtype

    def call(self, inputs: Any) -> Tensor:
        if self.mask_value is None:
            return self._encode(bins_of(inputs, self.num_bins, self.salt))
        ids = bins_of(inputs, self.num_bins - 1, self.salt) + 1
        return self._encode(ids * (inputs != self.mask_value))


class HashedCrossing(Categorical):
    """The combination of two or more features, hashed into `num_bins` categories.

    Args:
        num_bins: Number of bins.
        output_mode: "int" for the number of the bin, or "one_hot".
        sparse: Whether the outputs are sparse arrays, `jax.experimental.sparse.BCOO`.
        name: Name of the layer, unique in a model.
        dtype: Type or dtype policy; None means the global policy.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Shapes: a list of (batch,) or of (batch, 1), of strings or integers -> the same shape, or (batch, num_bins).

    >>> import lamina as keras
    >>> layer = keras.layers.HashedCrossing(num_bins=5)
    >>> layer((["A", "B", "A", "B", "A"], [101, 101, 101, 102, 102])).tolist()
    [1, 4, 1, 1, 3]
    """

    _modes = ("int", "one_hot")

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        _check_bins(num_bins, "HashedCrossing")
        kwargs["dtype"] = dtype
        _set_int_dtype(kwargs, output_mode)
        super().__init__(output_mode=output_mode, sparse=sparse, name=name, **kwargs)
        self.num_bins = num_bins

    def _values_of(self, inputs):
        if not isinstance(inputs, (list, tuple)):
            got = type(inputs).__name__
            raise DataError(
                f"`HashedCrossing` should be called on a list or tuple of inputs; got {got}.",
                fix="HashedCrossing(num_bins=10)((x, y))",
            )
        if len(inputs) < 2:
            raise DataError(
                f"`HashedCrossing` should be called on at least two inputs; got {len(inputs)}.",
                fix="HashedCrossing(num_bins=10)((x, y))",
            )
        return [values_of(value) for value in inputs]

    def _depth(self):
        return self.num_bins

    @property
    def _output_dtype(self):
        return self.compute_dtype

    def call(self, inputs: Any) -> Tensor:
        self._check(inputs)
        if any(map(is_text, inputs)):
            inputs = [value if is_text(value) else np.asarray(value) for value in inputs]
        return self._encode(_bins_in_64_bits(self._cross, *inputs))

    def _cross(self, *inputs):
        joined: Any = None
        for value in inputs:
            prints = fingerprints_of(value) if is_text(value) else value.astype("int64").astype("uint64")
            start = prints * np.uint64(0) + np.uint64(_CROSS_KEY) if joined is None else joined
            joined = fingerprint_cat64(start, prints)
        return (joined % np.uint64(self.num_bins)).astype("int32")

    def _check(self, inputs):
        shape = tuple(inputs[0].shape)
        if len(shape) > 2 or (len(shape) == 2 and shape[1] != 1) or any(tuple(v.shape) != shape for v in inputs):
            raise ShapeError(
                "All `HashedCrossing` inputs should have shape `()`, `(batch_size,)` or `(batch_size, 1)`, the same; "
                f"got {', '.join(str(tuple(value.shape)) for value in inputs)}.",
                fix="One column each: (x[:, 0], x[:, 1]).",
            )
        if any(not is_text(value) and not jnp.issubdtype(value.dtype, jnp.integer) for value in inputs):
            got = [str(value.dtype) for value in inputs]
            raise DataError(
                f"All `HashedCrossing` inputs should have an integer or string dtype; got {got}.",
                fix="Apply a Discretization layer to floats first.",
            )

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """The shape of the first input, or (batch, num_bins)."""
        return super().compute_output_shape(input_shape[0])

    def compute_output_spec(self, inputs: Any, **kwargs: Any) -> KerasTensor:
        """The symbolic outputs, from the shapes of the inputs."""
        shape = self.compute_output_shape([value.shape for value in inputs])
        return KerasTensor(shape, traced_dtype(self._output_dtype))


def _check_bins(num_bins, name):
    whole(name, "num_bins", num_bins)


def _set_int_dtype(kwargs, output_mode):
    if output_mode == "int":
        dtype = kwargs["dtype"] = kwargs.get("dtype") or "int64"
        name = getattr(dtype, "name", dtype if isinstance(dtype, str) else None)
        if name is not None and "int" not in name:
            raise ConfigError(
                f'When `output_mode="int"`, `dtype` should be an integer type, e.g. "int64"; got {name!r}.',
                fix="dtype='int64'",
            )


def salt_pair(salt: Any) -> Any:
    """A salt as two integers, or None."""
    if salt is None:
        return None
    pair = [salt, salt] if isinstance(salt, int) else list(salt) if isinstance(salt, (list, tuple)) else []
    if len(pair) != 2 or not all(isinstance(part, int) for part in pair):
        raise ConfigError(
            f"The `salt` argument can only be a tuple of size 2 integers, or a single integer. Received: salt={salt}.",
            fix="salt=(1, 2)",
        )
    return pair


def bins_of(values: Any, num_bins: int, salt: Any = None) -> Any:
    """`hash mod num_bins` of an array of strings (on the host) or integers (also in a compiled program)."""
    if is_text(values):
        return (fingerprints_of(values, salt) % np.uint64(num_bins)).astype("int32")
    if not jnp.issubdtype(values.dtype, jnp.integer):
        fix = "Use Discretization for floats."
        raise DataError(f"Only strings and integers can be hashed; got {values.dtype}.", fix=fix)
    return _bins_in_64_bits(lambda x: (_of_digits(x, salt) % np.uint64(num_bins)).astype("int32"), values)


def _bins_in_64_bits(function, *values):
    """Bins, by a function that needs integers of 64 bits. For concrete arrays nothing is compiled. Within programs
    releases of JAX before `jax.enable_x64` cannot compile it, and the host computes."""
    if not any(isinstance(value, Tracer) for value in values):
        return function(*map(np.asarray, values))
    if hasattr(jax, "enable_x64"):
        with in_64_bits():
            return function(*(value if isinstance(value, Tracer) else np.asarray(value) for value in values))
    bins = jax.ShapeDtypeStruct(values[0].shape, "int32")
    host = lambda *arrays: function(*map(np.asarray, arrays))  # noqa: E731
    return jax.pure_callback(host, bins, *values, vmap_method="broadcast_all")


def fingerprints_of(texts: np.ndarray, salt: Any = None) -> np.ndarray:
    """The 64-bit hash of each string, computed together for strings of one length."""
    prints = np.empty(texts.size, "uint64")
    encoded = [text.encode() for text in texts.ravel().tolist()]
    lengths = np.fromiter(map(len, encoded), "int64", len(encoded))
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        together = b"".join([encoded[place] for place in places])
        characters = np.frombuffer(together, "uint8").reshape(len(places), length).T.astype("uint64")
        prints[places] = _hash(list(characters), salt)
    return prints.reshape(texts.shape)


def _hash(characters, salt):
    return fingerprint64(characters) if salt is None else siphash24(characters, salt)


def _of_digits(values, salt):
    """The hash of the decimal digits of each integer: computed for every possible length, then selected by length."""
    xp: Any = np if isinstance(values, np.ndarray) else jnp
    is_small = values.dtype.itemsize < 4 or values.dtype == "int32"
    values = values.astype("int32" if is_small else "int64")
    size = 10 if is_small else 19
    negative = values < 0
    below = xp.where(negative, values, -values)  # what the least number has too
    parts = [-below, *(below // values.dtype.type(-(10**power)) for power in range(1, size)), xp.zeros_like(below)]
    digits = [(parts[power] - 10 * parts[power + 1] + 48).astype("uint64") for power in reversed(range(size))]
    lengths = sum((part > 0).astype("int32") for part in parts[1:]) + negative.astype("int32") + 1
    result = xp.zeros_like(digits[0])
    for length in range(1, size + 2):
        first = xp.where(negative, np.uint64(45), digits[max(size - length, 0)])
        result = xp.where(lengths == length, _hash([first, *digits[size - length + 1 :]], salt), result)
    return result

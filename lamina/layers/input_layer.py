"""Input: where a graph starts."""

from lamina.core.dtypes import standardize_dtype
from lamina.core.symbolic import KerasTensor
from lamina.errors import ConfigError
from lamina.layers.layer import Layer


class InputLayer(Layer):
    """The layer behind `keras.Input`: it makes one symbolic tensor and passes its value on.

    Args:
        shape: the shape of one sample; batch_shape: with the batch size (or None) in front. Give one of the two.
        batch_size: a fixed batch size.
        dtype: type of the values; None means floatx.
        optional: whether the model may be called without it.
    """

    _config_skips = frozenset(("autocast", "shape", "batch_size", "trainable", "activity_regularizer", "input_tensor"))

    def __init__(
        self,
        shape=None,
        batch_size=None,
        dtype=None,
        sparse=None,
        ragged=None,
        batch_shape=None,
        input_tensor=None,
        optional=False,
        name=None,
        **kwargs,
    ):
        super().__init__(name=name)
        if kwargs:
            raise ConfigError(f"InputLayer has no argument {', '.join(map(repr, kwargs))}.")
        if (shape is None) == (batch_shape is None) and input_tensor is None:
            raise ConfigError("An input needs `shape` or `batch_shape`, one of the two.", fix="keras.Input(shape=(784,))")
        if shape is not None and batch_shape is None:
            batch_shape = (batch_size, *((shape,) if isinstance(shape, int) else shape))
        if input_tensor is None:
            input_tensor = KerasTensor(batch_shape, dtype=standardize_dtype(dtype), sparse=sparse or False, name=name)
        self.batch_shape = tuple(input_tensor.shape)
        self.sparse, self.ragged, self.optional = bool(sparse), bool(ragged), bool(optional)
        self._dtype = input_tensor.dtype
        self.built = True
        self.record(input_tensor, (), {})

    @property
    def dtype(self):
        return self._dtype

    @property
    def input(self):
        """The symbolic tensor itself: nothing comes before it."""
        return self.output

    @property
    def batch_size(self):
        return self.batch_shape[0]

    def _argument(self, name, parameter, owner):
        return self._dtype if name == "dtype" else super()._argument(name, parameter, owner)

    def call(self):
        raise ConfigError(f"{self.name} is an input: it is not called, a model is.")

    def __repr__(self):
        return f"<InputLayer name={self.name}, built={self.built}>"


def Input(
    shape=None,
    batch_size=None,
    dtype=None,
    sparse=None,
    ragged=None,
    batch_shape=None,
    name=None,
    tensor=None,
    optional=False,
):
    """A symbolic tensor for the inputs of a model: `shape` is that of one sample.

    >>> import lamina as keras
    >>> keras.Input(shape=(28, 28, 1), name="image").shape
    (None, 28, 28, 1)
    """
    return InputLayer(
        shape=shape, batch_size=batch_size, dtype=dtype, sparse=sparse, ragged=ragged, batch_shape=batch_shape,
        input_tensor=tensor, optional=optional, name=name,
    ).output  # fmt: skip

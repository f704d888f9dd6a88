"""Lambda: a function as a layer."""

import inspect

from lamina.core.keras_tensor import trace
from lamina.core.serialization import deserialize, serialize
from lamina.layers.base.layer import Layer

__all__ = ["Lambda"]


class Lambda(Layer):
    """`function(inputs, **arguments)`, for what is too small to be a layer of its own.

    Variables that the function uses are not seen by the layer and not trained: write a Layer for those. A file holds
    a lambda as bytecode, which is read only with `safe_mode=False`; a named, registered function is read always.

    Args:
        function: takes the inputs, and `mask` and `training` where it has parameters of these names.
        output_shape: of one sample, or a function of the input's whole shape; traced if not given.
        mask: the mask of the outputs, or a function `(inputs, mask) -> mask`.
        arguments: dict of further arguments of the function.

    >>> import lamina as keras
    >>> keras.layers.Lambda(lambda x, power: x**power, arguments={"power": 2})(keras.ops.array([3.0])).tolist()
    [9.0]
    """

    _config_optional = frozenset(("activity_regularizer", "output_shape", "mask"))

    def __init__(self, function, output_shape=None, mask=None, arguments=None, **kwargs):
        super().__init__(**kwargs)
        self.function = function
        self.output_shape = output_shape
        self.mask = mask
        self.arguments = arguments or {}
        self.supports_masking = mask is not None

    def call(self, inputs, mask=None, training=None):
        wanted = inspect.signature(self.function).parameters
        passed = {name: value for name, value in (("mask", mask), ("training", training)) if name in wanted}
        return self.function(inputs, **self.arguments, **passed)

    def compute_mask(self, inputs, mask=None):
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_spec(self, *args, **kwargs):
        if self.output_shape is None:
            return trace(self._run, *args, **kwargs)
        return super().compute_output_spec(*args, **kwargs)

    def compute_output_shape(self, input_shape):
        if self.output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self.output_shape):
            return self.output_shape(input_shape)
        first = input_shape[0] if isinstance(input_shape[0], (list, tuple)) else input_shape
        return (first[0], *self.output_shape)

    def get_config(self):
        return {**super().get_config(), "function": serialize(self.function)}

    @classmethod
    def from_config(cls, config, custom_objects=None, safe_mode=None):
        """The layer that `get_config` described; `safe_mode=False` also reads lambdas, which can run any code."""
        return cls(**deserialize(config, custom_objects, safe_mode))

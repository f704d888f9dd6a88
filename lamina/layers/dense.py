"""Dense, Activation, Identity, Masking: the layers everything else is made of."""

import jax.numpy as jnp

from lamina import activations
from lamina.kernels.bias_add import add_bias
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.base.layer import Layer
from lamina.layers.base.settings import keep_arguments
from lamina.layers.base.validation import positive_integer
from lamina.layers.weights import WithKernels, matmul

__all__ = ["Activation", "Dense", "Identity", "Masking"]


class Dense(WithKernels):
    """`activation(inputs @ kernel + bias)` over the last axis, with the same kernel at every other position.

    Shapes: (batch, ..., features) -> (batch, ..., units).

    Raises:
        ShapeError: for inputs of rank 1, or when `features` is not known or not what the layer was built for.

    >>> import lamina as keras
    >>> keras.layers.Dense(4, activation="relu")(keras.Input((10, 3))).shape
    (None, 10, 4)
    """

    _traits = frozenset(("pointwise", "weighted"))
    _config_optional = frozenset(("activity_regularizer", "lora_rank", "lora_alpha"))
    quantization_modes = ("int8", "int4", "float8", "gptq", "awq")

    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        lora_rank=None,
        lora_alpha=None,
        quantization_config=None,
        **kwargs,
    ):
        super().__init__(
            activity_regularizer=activity_regularizer, lora_rank=lora_rank, lora_alpha=lora_alpha, **kwargs
        )
        keep_arguments(self, locals())
        self.units = positive_integer("Dense", "units", units, fix="Dense(32)")
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape):
        features = input_shape[-1]
        self.kernel = self._add_weight_of("kernel", (features, self.units), make=self.add_kernel)
        self.bias = self._add_weight_of("bias", (self.units,)) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs):
        outputs = matmul(inputs, self.kernel)
        if self.use_bias:
            outputs = add_bias(outputs, self.bias_to_add)
        return outputs if self.activation is None else self.activation(outputs)

    def _shape_rule(self, input_shape):
        return (*input_shape[:-1], self.units) if activations.keeps_shape(self.activation) else None


class Activation(Layer):
    """`activation(inputs)`: an activation by name, or any function of one tensor (`jax.nn.relu`, your own).

    Shapes: those of the inputs, for all functions that work element by element.

    >>> import lamina as keras
    >>> keras.layers.Activation("relu")(keras.ops.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    _traits = frozenset(("pointwise", "activation"))

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        keep_arguments(self, locals())
        self.supports_masking = True

    def call(self, inputs):
        return self.activation(inputs)

    def _shape_rule(self, input_shape):
        return input_shape if activations.keeps_shape(self.activation) else None


class Identity(Layer):
    """`inputs`, whatever their structure: a place in a model where nothing happens."""

    _traits = frozenset(("pointwise", "passes_through"))

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        return inputs


class Masking(Layer):
    """Masks the time steps whose values are all `mask_value`: they become 0, and layers after this one skip them.

    Shapes: (batch, time, ..., features) -> the same, with a mask of shape (batch, time, ...).

    >>> import lamina as keras
    >>> keras.layers.Masking(-1.0)(keras.ops.array([[[1.0, -1.0], [-1.0, -1.0]]])).tolist()
    [[[1.0, -1.0], [0.0, 0.0]]]
    """

    def __init__(self, mask_value=0.0, **kwargs):
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True

    def compute_mask(self, inputs, mask=None):
        return jnp.any(inputs != self.mask_value, axis=-1)

    def call(self, inputs):
        return jnp.where(self.compute_mask(inputs)[..., None], inputs, 0)

"""Dense, Activation, Identity, Masking: the layers everything else is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina import activations
from lamina.core.arguments import whole
from lamina.kernels.bias_add import add_bias
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.base.layer import Layer
from lamina.layers.base.settings import keep_arguments
from lamina.layers.weights import WithKernels, matmul

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.activations import ActivationLike
    from lamina.constraints import ConstraintLike
    from lamina.core.typing import CommonLayerArguments, LayerArguments, Shape, Tensor
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike

__all__ = ["Activation", "Dense", "Identity", "Masking"]


class Dense(WithKernels):
    """`activation(inputs @ kernel + bias)` over the last axis, with the same kernel at every other position.

    Shapes: (batch, ..., features) -> (batch, ..., units).

    Args:
        units: Number of outputs; the size of the last axis of the result.
        activation: Activation applied to the sum. None leaves it as it is.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        activity_regularizer: Regularizer of the outputs, added to the loss.
        kernel_constraint: Constraint on the kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        lora_rank: Rank of the trained LoRA update that is added to the frozen kernel; None trains the kernel itself.
        lora_alpha: Factor of the update, which is divided by the rank; None means the rank.
        quantization_config: Quantizers, block size or calibration data of a quantized kernel; see keras.quantizers.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.

    Raises:
        ShapeError: for inputs of rank 1, or when `features` is not known or not what the layer was built for.

    >>> import lamina as keras
    >>> keras.layers.Dense(4, activation="relu")(keras.Input((10, 3))).shape
    (None, 10, 4)
    """

    activation: Any
    use_bias: bool
    kernel_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any
    _takes_sparse = True
    _traits = frozenset(("pointwise", "weighted"))
    _config_optional = frozenset(("activity_regularizer", "lora_rank", "lora_alpha"))
    quantization_modes: tuple[str, ...] = ("int8", "int4", "float8", "gptq", "awq")

    def __init__(
        self,
        units: int,
        activation: ActivationLike = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Unpack[CommonLayerArguments],
    ):
        super().__init__(
            activity_regularizer=activity_regularizer, lora_rank=lora_rank, lora_alpha=lora_alpha, **kwargs
        )
        keep_arguments(self, locals())
        self.units: int = whole(self, "units", units)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        features = input_shape[-1]
        self.kernel: Any = self._add_weight_of("kernel", (features, self.units), make=self._add_kernel)
        self.bias: Any = self._add_weight_of("bias", (self.units,)) if self.use_bias else None
        self.input_spec: Any = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs: Tensor) -> Tensor:
        outputs = matmul(inputs, self.kernel)
        if self.use_bias:
            outputs = add_bias(outputs, self._bias_to_add)
        return outputs if self.activation is None else self.activation(outputs)

    def _shape_rule(self, input_shape):
        return (*input_shape[:-1], self.units) if activations.keeps_shape(self.activation) else None


class Activation(Layer):
    """`activation(inputs)`: an activation by name, or any function of one tensor (`jax.nn.relu`, your own).

    Shapes: those of the inputs, for all functions that work element by element.

    Args:
        activation: Name of an activation, or a function of one tensor.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.Activation("relu")(keras.ops.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    activation: Any
    _takes_sparse = True
    _traits = frozenset(("pointwise", "activation"))

    def __init__(self, activation: ActivationLike, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        keep_arguments(self, locals())
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        return self.activation(inputs)

    def _shape_rule(self, input_shape):
        return input_shape if activations.keeps_shape(self.activation) else None


class Identity(Layer):
    """Returns its inputs unchanged, whatever their structure.

    Args:
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    _takes_sparse = True
    _traits = frozenset(("pointwise", "passes_through"))

    def __init__(self, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs


class Masking(Layer):
    """Masks the time steps whose values are all `mask_value`: they become 0, and layers after this one skip them.

    Shapes: (batch, time, ..., features) -> the same, with a mask of shape (batch, time, ...).

    Args:
        mask_value: Value of padding: a step that has it everywhere is masked.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.Masking(-1.0)(keras.ops.array([[[1.0, -1.0], [-1.0, -1.0]]])).tolist()
    [[[1.0, -1.0], [0.0, 0.0]]]
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return jnp.any(inputs != self.mask_value, axis=-1)

    def call(self, inputs: Tensor) -> Tensor:
        return jnp.where(self.compute_mask(inputs)[..., None], inputs, 0)

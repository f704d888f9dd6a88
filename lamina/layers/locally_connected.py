"""LocallyConnected1D and LocallyConnected2D of Keras 1 and 2: convolutions with another kernel at each position."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from lamina.errors import ConfigError, ShapeError
from lamina.layers.base.settings import keep_arguments
from lamina.layers.spatial import SpatialLayer
from lamina.legacy import moved_from

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.activations import ActivationLike
    from lamina.constraints import ConstraintLike
    from lamina.core.typing import CommonLayerArguments, DataFormat, Size, Tensor
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike


class _LocallyConnected(SpatialLayer):
    """A convolution with a kernel of its own at each position, without padding.

    Its kernel has the shape (places, features of a patch, filters).
    """

    filters: int
    use_bias: bool
    activation: Any
    kernel_size: Any

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = 1,
        padding: str = "valid",
        data_format: DataFormat = None,
        activation: ActivationLike = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        implementation: int = 1,
        **kwargs: Unpack[CommonLayerArguments],
    ):
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        kind = type(self).__name__
        if padding != "valid" or implementation != 1:
            raise ConfigError(
                f"{kind} has padding='valid' and implementation=1; got {padding!r} and {implementation!r}.",
                fix="padding='valid', implementation=1",
            )
        keep_arguments(self, locals())
        self.kernel_size, self.strides = self._per_axis("kernel_size", kernel_size), self._per_axis("strides", strides)

    def build(self, input_shape: Any) -> None:
        sizes = [input_shape[axis] for axis in self.space]
        if None in sizes:
            raise ShapeError(
                f"{type(self).__name__} needs known sizes: it has a kernel for each place; got {input_shape}.",
                fix=f"keras.Input({tuple(32 if size is None else size for size in input_shape[1:])})",
            )
        self._places = [
            range(0, size - window + 1, stride)
            for size, window, stride in zip(sizes, self.kernel_size, self.strides, strict=True)
        ]
        outer = [len(places) for places in self._places]
        features = math.prod(self.kernel_size) * input_shape[self.channel_axis]
        self.kernel = self._add_weight_of("kernel", (math.prod(outer), features, self.filters))
        self.bias = self._add_weight_of("bias", (*outer, self.filters)) if self.use_bias else None

    def call(self, inputs: Tensor) -> Tensor:
        outer = [len(places) for places in self._places]
        outputs = jnp.einsum("bpk,pkf->bpf", self._patches(inputs), self.kernel.value)
        outputs = outputs.reshape(len(inputs), *outer, self.filters)
        outputs = jnp.moveaxis(outputs, -1, 1) if self.channel_axis == 1 else outputs
        if self.bias is not None:  # (places, filters) whatever the order of axes, as in Keras, which reshapes the bias
            outputs = outputs + self.bias.value.reshape(outputs.shape[1:])
        return self.activation(outputs)

    def _patches(self, inputs):
        """(batch, places, features): the inputs that the kernel covers at each place, in the order of the axes."""
        rank, index = self.rank, []
        for axis, (places, window) in enumerate(zip(self._places, self.kernel_size, strict=True)):
            at = np.add.outer(np.array(places), np.arange(window))  # (places, window) of this axis among 2 * rank axes
            shape = [1] * (2 * rank)
            shape[axis], shape[rank + axis] = at.shape
            index.append(at.reshape(shape))
        first = self.channel_axis == 1
        patches = jnp.moveaxis(inputs, 1, -1)[:, *index] if first else inputs[:, *index]
        patches = jnp.moveaxis(patches, -1, 1 + rank) if first else patches
        return patches.reshape(len(inputs), math.prod(len(places) for places in self._places), -1)


class LocallyConnected1D(_LocallyConnected):
    """A 1-D convolution whose kernel is another one at each step.

    Shapes: (batch, steps, channels) -> (batch, new_steps, filters).

    Args:
        filters: Number of output channels.
        kernel_size: Number of steps that the kernel covers.
        strides: Distance between neighbouring windows along each spatial axis, or one number for all axes.
        padding: Must be "valid".
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        activation: Activation applied to the sum. None leaves it as it is.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        activity_regularizer: Regularizer of the outputs, added to the loss.
        kernel_constraint: Constraint on the kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        implementation: Must be 1.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.
    """

    rank = 1


class LocallyConnected2D(_LocallyConnected):
    """A 2-D convolution whose kernel is another one at each pixel.

    Shapes: (batch, rows, columns, channels) -> (batch, new_rows, new_columns, filters).

    Args:
        filters: Number of output channels.
        kernel_size: Size of the kernel along each spatial axis, or one number for all axes.
        strides: Distance between neighbouring windows along each spatial axis, or one number for all axes.
        padding: Must be "valid".
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        activation: Activation applied to the sum. None leaves it as it is.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        activity_regularizer: Regularizer of the outputs, added to the loss.
        kernel_constraint: Constraint on the kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        implementation: Must be 1.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.
    """

    rank = 2


__getattr__: Any = moved_from(__name__)

"""What EfficientNet and EfficientNetV2 are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.applications.frame import channel_axis, classifier
from lamina.initializers import VarianceScaling
from lamina.layers.batch_normalization import BatchNormalization
from lamina.layers.convolutional import Conv2D
from lamina.layers.dense import Activation
from lamina.layers.global_pooling import GlobalAveragePooling2D
from lamina.layers.merging import Add, Multiply
from lamina.layers.regularization import Dropout
from lamina.layers.reshaping import Reshape

if TYPE_CHECKING:
    from collections.abc import Callable


SQUEEZE = 0.25  # channels of squeeze and excitation, as a fraction of those of the block's input
DROP = 0.2  # rate of stochastic depth of the last block; it grows linearly from the first block


def start() -> Any:
    """The initializer of all convolution kernels."""
    return VarianceScaling(2.0, "fan_out")


def conv(x: Any, filters: int, window: int, name: str, **settings: Any) -> Any:
    """A convolution with padding="same" and no bias unless `settings` say otherwise."""
    settings = {"padding": "same", "use_bias": False, **settings}
    return Conv2D(filters, window, kernel_initializer=start(), name=name, **settings)(x)


def normalized(x: Any, name: str, activation_name: str | None = None, momentum: float = 0.99) -> Any:
    """Batch normalization, then swish where `activation_name` is given."""
    x = BatchNormalization(axis=channel_axis(), momentum=momentum, name=name)(x)
    return Activation("swish", name=activation_name)(x) if activation_name else x


def squeeze_and_excite(x: Any, filters: int, name: str) -> Any:
    """Scales each channel by a gate computed from the means of all channels (Hu et al., 2017, arXiv:1709.01507)."""
    channels = x.shape[channel_axis()]
    shape = (channels, 1, 1) if channel_axis() == 1 else (1, 1, channels)
    weights = GlobalAveragePooling2D(name=f"{name}_squeeze")(x)
    weights = Reshape(shape, name=f"{name}_reshape")(weights)
    weights = conv(weights, filters, 1, f"{name}_reduce", activation="swish", use_bias=True)
    weights = conv(weights, channels, 1, f"{name}_expand", activation="sigmoid", use_bias=True)
    return Multiply(name=f"{name}_excite")([x, weights])


def residual(inputs: Any, x: Any, drop_rate: float, name: str) -> Any:
    """`inputs + x`; in training with stochastic depth for `x` (Huang et al., 2016, arXiv:1603.09382)."""
    if drop_rate > 0:
        x = Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return Add(name=f"{name}add")([x, inputs])


def block_name(stage: int, index: int) -> str:
    """block1a, block1b, ..."""
    return f"block{stage}{chr(ord('a') + index)}_"


def top(dropout: float) -> Callable[..., Any]:
    """The classifier of EfficientNets with this dropout rate."""
    return lambda *given: classifier(
        *given, dropout=dropout, kernel_initializer=VarianceScaling(1 / 3, "fan_out", "uniform")
    )

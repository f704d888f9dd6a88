"""The layers that TensorFlow.js 4 has, and for which of their arguments it computes what Keras computes."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from typing import Any

import jax

from lamina.errors import ConfigError

__all__ = ["ACTIVATIONS", "layer_config", "name_of_activation", "rank_of_input", "refused"]

ACTIVATIONS = dict.fromkeys(
    "elu gelu linear log_softmax mish relu relu6 selu sigmoid softmax softplus softsign tanh".split()
)
ACTIVATIONS["silu"] = "swish"

_CONVOLUTION = (
    "filters kernel_size strides padding=valid|same dilation_rate data_format=channels_last activation use_bias"
)
_TRANSPOSED = "filters kernel_size strides padding=valid|same data_format=channels_last activation use_bias"
_POOLING = "pool_size strides padding data_format=channels_last"
_RECURRENT = "units activation use_bias return_sequences return_state go_backwards stateful unroll"

# name: arguments that are written, `old:new` under another name, `name=a|b` for these values only. All others have to
# be the default, or matter in training alone.
_TABLE = f"""
Activation: activation
Add:
AlphaDropout: rate
Average:
AveragePooling1D: {_POOLING}
AveragePooling2D: {_POOLING}
AveragePooling3D: {_POOLING}
BatchNormalization: axis momentum epsilon center scale
Concatenate: axis
Conv1D: {_CONVOLUTION}
Conv2D: {_CONVOLUTION}
Conv3D: {_CONVOLUTION}
Conv2DTranspose: {_TRANSPOSED}
Conv3DTranspose: {_TRANSPOSED}
ConvLSTM2D: {_CONVOLUTION} recurrent_activation return_sequences return_state go_backwards stateful unit_forget_bias
Cropping2D: cropping data_format=channels_last
Dense: units activation use_bias
DepthwiseConv2D: kernel_size strides padding=valid|same depth_multiplier data_format=channels_last activation use_bias
Dot: axes normalize
Dropout: rate
ELU: alpha=1.0
Embedding: input_dim output_dim mask_zero
Flatten: data_format=channels_last
GRU: {_RECURRENT} recurrent_activation reset_after=False
GaussianDropout: rate
GaussianNoise: stddev
GlobalAveragePooling1D: data_format=channels_last
GlobalAveragePooling2D: data_format=channels_last
GlobalMaxPooling1D: data_format=channels_last
GlobalMaxPooling2D: data_format=channels_last
LSTM: {_RECURRENT} recurrent_activation unit_forget_bias
LayerNormalization: axis epsilon center scale
LeakyReLU: negative_slope:alpha
Masking: mask_value
MaxPooling1D: {_POOLING}
MaxPooling2D: {_POOLING}
MaxPooling3D: {_POOLING}
Maximum:
Minimum:
Multiply:
PReLU: shared_axes
Permute: dims
ReLU: max_value
RepeatVector: n
Rescaling: scale offset
Reshape: target_shape
SeparableConv2D: {_CONVOLUTION} depth_multiplier
SimpleRNN: {_RECURRENT}
Softmax: axis=-1
SpatialDropout1D: rate
UpSampling2D: size interpolation=nearest data_format=channels_last
ZeroPadding2D: padding data_format=channels_last
"""
ROWS = {name: arguments.split() for name, _, arguments in (row.partition(":") for row in _TABLE.strip().splitlines())}

ONLY_IN_TRAINING = frozenset(
    "Identity ActivityRegularization SpatialDropout2D SpatialDropout3D AugMix CutMix MixUp RandAugment "
    "RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomElasticTransform RandomErasing "
    "RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization "
    "RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom".split()
)
_OF_TRAINING = ("_initializer", "_regularizer", "_constraint", "seed", "dropout", "noise_shape", "quantization_config",
                "trainable", "dtype", "name", "synchronized")  # fmt: skip
_INSTEAD = {
    ("GRU", "reset_after"): "GRU(reset_after=False), trained so",
    ("UpSampling2D", "interpolation"): 'UpSampling2D(interpolation="nearest")',
}


def layer_config(layer: Any, config: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Class and config in TensorFlow.js of a layer that holds no other layer.

    Args:
        layer: Layer.
        config: Its config.

    Raises:
        ConfigError: TensorFlow.js has no such layer, or computes something else for an argument.
    """
    kind = type(layer).__name__
    if kind in ONLY_IN_TRAINING:
        return "Activation", {"name": layer.name, "trainable": layer.trainable, "activation": "linear"}
    if kind not in ROWS or not type(layer).__module__.startswith("lamina."):
        raise refused(layer, f"TensorFlow.js has no layer {kind}")
    written: dict[str, Any] = {"name": layer.name, "trainable": layer.trainable, "dtype": "float32"}
    known = set()
    for entry in ROWS[kind]:
        names, _, values = entry.partition("=")
        name, _, theirs = names.partition(":")
        known.add(name)
        value = config[name]
        if kind == "BatchNormalization" and name == "axis" and value not in (-1, rank_of_input(layer) - 1):
            raise refused(layer, "TensorFlow.js normalizes the last axis")
        if kind in ("BatchNormalization", "LayerNormalization") and rank_of_input(layer) > 4:
            raise refused(layer, "TensorFlow.js normalizes inputs of at most 4 axes")
        if values and value not in [_literal(text) for text in values.split("|")]:
            raise refused(layer, f"TensorFlow.js has no {kind} of {name}={value!r}", _INSTEAD.get((kind, name)))
        written[theirs or name] = _activation(layer, name) if name.endswith("activation") else value
    defaults = inspect.signature(type(layer).__init__).parameters
    for name, value in config.items():
        default = defaults[name].default if name in defaults else value
        if name not in known and not name.endswith(_OF_TRAINING) and not _equal(value, default):
            raise refused(layer, f"TensorFlow.js has no {kind} of {name}={value!r}")
    return kind, written


def rank_of_input(layer: Any) -> int:
    """The number of axes of the (first) input of a layer, with that of the batch; 0 for a layer within a layer.

    Args:
        layer: Built layer.
    """
    config = layer.get_build_config()
    if not config and not getattr(layer, "_inbound_nodes", ()):
        return 0  # a layer within a layer
    shape = config["input_shape"] if config else jax.tree_util.tree_leaves(layer.input)[0].shape
    return len(shape[0] if isinstance(shape[0], (tuple, list)) else shape)


def _equal(value, default):
    """Whether an argument is its default, which may be written once for all axes."""
    return value == default or (isinstance(value, (tuple, list)) and all(item == default for item in value))


def refused(layer: Any, reason: str, instead: str | None = None) -> ConfigError:
    """The error for a layer that TensorFlow.js cannot compute.

    Args:
        layer: Layer.
        reason: Why.
        instead: What to do; None proposes ONNX, which runs in browsers too.
    """
    fix = instead or 'model.export("model.onnx")  # onnxruntime-web runs it in browsers'
    error = ConfigError(f"{reason}, so nothing was written.", fix=fix)
    error.where = f"In the layer {layer.name!r}."
    return error


def name_of_activation(layer: Any, argument: str = "activation") -> str | None:
    """The name of an activation of a layer; one without a name has that of its function.

    Args:
        layer: Layer.
        argument: The argument.
    """
    value = layer.get_config().get(argument)
    if value is None:
        return "linear"
    return value if isinstance(value, str) else getattr(getattr(layer, argument, None), "__name__", "of a program")


def _activation(layer, argument):
    name = name_of_activation(layer, argument)
    if name not in ACTIVATIONS:
        raise refused(
            layer, f"TensorFlow.js does not have the activation {name!r}, or computes another function by its name"
        )
    return ACTIVATIONS[name] or name


def _literal(text):
    try:
        return ast.literal_eval(text)
    except ValueError:
        return text

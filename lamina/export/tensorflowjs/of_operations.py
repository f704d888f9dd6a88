"""Activations and functions of `keras.ops`, rewritten for TensorFlow.js."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.core.keras_tensor import KerasTensor
from lamina.export.tensorflowjs.layers import ACTIVATIONS, name_of_activation
from lamina.export.tensorflowjs.rewriting import Make, Unable, plain_weights, rewrites

__all__ = ["activate"]


def activate(make: Make, name: str | None, x: Any) -> Any:
    """The output of an activation.

    Args:
        make: Makes the layers.
        name: Name of the activation.
        x: Input.

    Raises:
        Unable: TensorFlow.js has nothing to make it of.
    """
    if name is None or name in ACTIVATIONS:
        return make("Activation", x, activation=name or "linear")
    if name not in _ACTIVATIONS:
        raise Unable
    return _ACTIVATIONS[name](make, x)


def _hard_sigmoid(make, x):
    return make.scale(make("Activation", make.scale(x, 1, 3), activation="relu6"), 1 / 6)


def _soft_shrink(make, x):
    up, down = (make("ReLU", make.scale(x, sign, -0.5)) for sign in (1, -1))
    return make.minus(up, down)


_ACTIVATIONS: dict[str, Any] = {
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": lambda make, x: make("Multiply", x, _hard_sigmoid(make, x)),
    "leaky_relu": lambda make, x: make("LeakyReLU", x, negative_slope=0.2),
    "log_sigmoid": lambda make, x: make.scale(activate(make, "softplus", make.scale(x, -1)), -1),
    "tanh_shrink": lambda make, x: make.minus(x, activate(make, "tanh", x)),
    "hard_tanh": lambda make, x: make.scale(make("ReLU", make.scale(x, 1, 1), max_value=2.0), 1, -1),
    "soft_shrink": _soft_shrink,
    "celu": lambda make, x: activate(make, "elu", x),
}


@rewrites("Activation", "Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose",
          "Conv3DTranspose", "SeparableConv1D", "SeparableConv2D", "DepthwiseConv1D", "DepthwiseConv2D")  # fmt: skip
def _activated(make, layer, x):
    """A layer, and then its activation."""
    name = name_of_activation(layer)
    if name in ACTIVATIONS:
        raise Unable
    if type(layer).__name__ != "Activation":
        x = make.like(layer, x, activation=None)
    return activate(make, name, x)


@rewrites(*(name for name in (*ACTIVATIONS, *_ACTIVATIONS, "hard_swish", "ops_tanh") if name != "gelu"))
def _function(make, operation, x, axis=-1):
    if axis not in (-1, len(x.shape) - 1):
        raise Unable
    return activate(make, operation.op_name.removeprefix("ops_").replace("swish", "silu"), x)


@rewrites("leaky_relu")
def _leaky(make, operation, x, negative_slope=0.2):
    return make("LeakyReLU", x, negative_slope=negative_slope)


@rewrites("gelu")
def _gelu(make, operation, x, approximate=True):
    if approximate is not False:
        raise Unable
    return make("Activation", x, activation="gelu")


@rewrites("ReLU")
def _relu(make, layer, x):
    if layer.threshold:
        raise Unable
    up = make("ReLU", x, max_value=layer.max_value)
    return make.minus(up, make.scale(make("ReLU", make.scale(x, -1)), layer.negative_slope))


@rewrites("add", "subtract", "multiply", "true_divide", "divide", "maximum", "minimum", "Subtract")
def _binary(make, operation, x, y=None):
    name = getattr(operation, "op_name", None) or "subtract"
    x, y = x if isinstance(x, (list, tuple)) else (x, y)
    if name == "maximum" or name == "minimum":
        return _limited(make, name, x, y)
    if isinstance(x, KerasTensor) and isinstance(y, KerasTensor):
        if len(x.shape) != len(y.shape) or "divide" in name:
            raise Unable
        return {"add": lambda: make("Add", x, y), "subtract": lambda: make.minus(x, y),
                "multiply": lambda: make("Multiply", x, y)}[name]()  # fmt: skip
    is_first = isinstance(x, KerasTensor)
    tensor, value = (x, y) if is_first else (y, x)
    value = np.asarray(value, np.float32)
    if name == "add":
        return make.affine(tensor, offset=value)
    if name == "multiply":
        return make.affine(tensor, scale=value)
    if name == "subtract":
        return make.affine(tensor, 1.0 if is_first else -1.0, -value if is_first else value)
    if is_first:
        return make.affine(tensor, scale=1 / value)
    raise Unable


def _limited(make, name, x, y):
    tensor, value = (x, y) if isinstance(x, KerasTensor) else (y, x)
    if isinstance(value, KerasTensor):
        if len(x.shape) != len(y.shape):
            raise Unable
        return make(name.capitalize(), x, y)
    if np.ndim(value):
        raise Unable
    sign = 1 if name == "maximum" else -1  # min(x, v) is -max(-x, -v)
    rest = make("ReLU", make.scale(tensor, sign, -sign * float(value)))
    return make.scale(rest, sign, float(value))


@rewrites("clip")
def _clipped(make, operation, x, x_min, x_max):
    if np.ndim(x_min) or np.ndim(x_max):
        raise Unable
    rest = make("ReLU", make.scale(x, 1, -float(x_min)), max_value=float(x_max) - float(x_min))
    return make.scale(rest, 1, float(x_min))


@rewrites("cast")
def _cast(make, operation, x, dtype):
    """TensorFlow.js computes in float32, and has whole numbers for what they count."""
    if str(dtype) != "float32":
        raise Unable
    return make("Activation", x, activation="linear")


@rewrites("zeros_like", "ones_like")
def _like(make, operation, x):
    return make.scale(x, 0, float("ones" in operation.op_name))


@rewrites("negative")
def _negative(make, operation, x):
    return make.scale(x, -1)


@rewrites("absolute", "abs")
def _absolute(make, operation, x):
    return make("Maximum", x, make.scale(x, -1))


@rewrites("square")
def _square(make, operation, x):
    return make("Multiply", x, make("Activation", x, activation="linear"))


@rewrites("power")
def _power(make, operation, x, exponent):
    if np.ndim(exponent) or exponent not in (2, 3):
        raise Unable
    return make("Multiply", *(make("Activation", x, activation="linear") for _ in range(int(exponent))))


@rewrites("matmul")
def _matmul(make, operation, x, y):
    if not isinstance(x, KerasTensor):
        raise Unable
    if isinstance(y, KerasTensor):
        if len(x.shape) != 3 or len(y.shape) != 3:
            raise Unable
        return make("Dot", x, y, axes=(2, 1))
    y = np.asarray(y, np.float32)
    if y.ndim != 2:
        raise Unable
    return make("Dense", x, units=y.shape[1], use_bias=False, weights=[y])


@rewrites("Dense", "Embedding")
def _with_lora(make, layer, x):
    """The product of the weights of a low rank is added once."""
    if not getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None):
        raise Unable
    return make.like(layer, x)


@rewrites("SpectralNormalization")
def _normalized(make, layer, x):
    """At inference it is the layer within, with the weights that it has."""
    return make.like(layer.layer, x, weights=plain_weights(layer.layer))

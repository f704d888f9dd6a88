"""Kernels multiplied in float8, with scales derived from the largest absolute values of recent steps."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from lamina.layers.weights.weight import Weight
from lamina.quantizers import compute_float8_amax_history, compute_float8_scale, quantize_and_dequantize

FORWARD, BACKWARD = "float8_e4m3fn", "float8_e5m2"  # more precision for values, more range for gradients


class Float8(Weight):
    """A float kernel whose products use float8 in the forward pass and whose gradients use float8 in the backward pass
    (Micikevicius et al., 2022).

    Scales and histories are formally trainable: the gradient that a step returns for them is their next value.
    """

    def __init__(self, layer: Any, name: str, make_base: Any, history_length: Any) -> None:
        super().__init__(name, ())
        settings = {"trainable": True, "dtype": "float32", "autocast": False, "overwrite_with_gradient": True}
        for of in ("inputs", name, "outputs_grad"):
            self.part(layer, f"{of}_scale", (), "ones", **settings)
            self.part(layer, f"{of}_amax_history", (history_length,), **settings)
        self.base: Any = make_base()
        self.parts: Any = {name: self.base, **self.parts}
        self.shape: Any = self.base.shape
        self.regularizer: Any = self.base.regularizer
        self.constraint: Any = self.base.constraint

    def read(self) -> Any:
        return self.base.value

    def assign(self, value: Any) -> Any:
        self.base.assign(value)
        return self

    def einsum(self, equation: Any, inputs: Any) -> Any:
        scales = [part.value for part in self.parts.values()][1:]
        inputs = _values_through_float8(inputs, *scales[:2])
        kernel = _values_through_float8(self.base.value, *scales[2:4])
        return _gradients_through_float8(jnp.einsum(equation, inputs, kernel), *scales[4:])


def _next(values, scale, history, kind):
    """The scale for the next step, from the largest values so far, and the history updated with the current values."""
    limit = jnp.float32(jnp.finfo(kind).max)
    return compute_float8_scale(jnp.max(history), scale, limit), compute_float8_amax_history(values, history)


@jax.custom_vjp
def _values_through_float8(values, scale, history):
    return quantize_and_dequantize(values, scale, FORWARD, values.dtype.name)


def _values_forward(values, scale, history):
    return _values_through_float8(values, scale, history), _next(values, scale, history, FORWARD)


def _values_backward(following, gradient):
    return gradient, *following


_values_through_float8.defvjp(_values_forward, _values_backward)


@jax.custom_vjp
def _gradients_through_float8(outputs, scale, history):
    return outputs


def _gradients_forward(outputs, scale, history):
    return outputs, (scale, history)


def _gradients_backward(kept, gradient):
    scale, history = kept
    through = quantize_and_dequantize(gradient, scale, BACKWARD, gradient.dtype.name)
    return through, *_next(gradient, scale, history, BACKWARD)


_gradients_through_float8.defvjp(_gradients_forward, _gradients_backward)

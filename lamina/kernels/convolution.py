"""The convolution and its two gradients as primitives of JAX, each with derivatives in terms of the other two.

Primitives of our own let every platform have its own program: `convolution_cpu` on CPUs, XLA's elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
from jax.interpreters import ad

from lamina.kernels import convolution_cpu
from lamina.kernels.convolution_windows import Window, pad
from lamina.kernels.primitive import define_primitive

__all__ = ["Window", "convolve", "input_gradient", "kernel_gradient"]


def convolve(inputs: jax.Array, kernel: jax.Array, window: Window) -> jax.Array:
    """Each output is the sum of a window of the inputs times the kernel.

    Shapes: inputs (batch, *space, channels), kernel (*window, channels // groups, filters) -> (batch, *new_space,
    filters).
    """
    window, cut = window.without_cuts()
    return _convolve.bind(_pad(inputs, cut), kernel, window=window)


def input_gradient(cotangent: jax.Array, kernel: jax.Array, window: Window, shape: Sequence[int]) -> jax.Array:
    """The gradient for inputs of `shape`, given the one for the outputs: the transposed convolution."""
    window, cut = window.without_cuts()
    inner = (shape[0], *(size + sum(pair) for size, pair in zip(shape[1:-1], cut, strict=True)), shape[-1])
    gradient = _input_gradient.bind(cotangent, kernel, window=window, shape=inner)
    return _pad(gradient, [(-before, -after) for before, after in cut])


def kernel_gradient(inputs: jax.Array, cotangent: jax.Array, window: Window, shape: Sequence[int]) -> jax.Array:
    """The gradient for a kernel of `shape`, given the one for the outputs."""
    window, cut = window.without_cuts()
    return _kernel_gradient.bind(_pad(inputs, cut), cotangent, window=window, shape=shape)


def _pad(inputs, padding):
    return pad(inputs, padding) if any(map(any, padding)) else inputs


def _lax_convolve(inputs, kernel, window):
    space = "DHW"[5 - inputs.ndim :]
    return jax.lax.conv_general_dilated(
        inputs,
        kernel,
        window.strides,
        window.padding,
        rhs_dilation=window.dilation,
        dimension_numbers=(f"N{space}C", f"{space}IO", f"N{space}C"),
        feature_group_count=window.groups,
    )


def _lax_input_gradient(cotangent, kernel, window, shape):
    inputs = jax.ShapeDtypeStruct(shape, cotangent.dtype)
    return jax.linear_transpose(lambda inputs: _lax_convolve(inputs, kernel, window), inputs)(cotangent)[0]


def _lax_kernel_gradient(inputs, cotangent, window, shape):
    kernel = jax.ShapeDtypeStruct(shape, cotangent.dtype)
    return jax.linear_transpose(lambda kernel: _lax_convolve(inputs, kernel, window), kernel)(cotangent)[0]


def _output_shape(inputs, kernel, window):
    return inputs.shape[0], *window.output_space(inputs.shape[1:-1], kernel.shape), kernel.shape[-1]


def _given_shape(left, right, window, shape):
    return shape


_SETTINGS = ("window", "shape")
_convolve = define_primitive("convolve", ("window",), _output_shape, _lax_convolve, convolution_cpu.convolve)
_input_gradient = define_primitive(
    "convolve_input_gradient", _SETTINGS, _given_shape, _lax_input_gradient, convolution_cpu.input_gradient
)
_kernel_gradient = define_primitive(
    "convolve_kernel_gradient", _SETTINGS, _given_shape, _lax_kernel_gradient, convolution_cpu.kernel_gradient
)

ad.defbilinear(
    _convolve,
    lambda ct, inputs, kernel, window: input_gradient(ct, kernel, window, inputs.aval.shape),
    lambda ct, inputs, kernel, window: kernel_gradient(inputs, ct, window, kernel.aval.shape),
)
ad.defbilinear(
    _input_gradient,
    lambda ct, cotangent, kernel, window, shape: convolve(ct, kernel, window),
    lambda ct, cotangent, kernel, window, shape: kernel_gradient(ct, cotangent, window, kernel.aval.shape),
)
ad.defbilinear(
    _kernel_gradient,
    lambda ct, inputs, cotangent, window, shape: input_gradient(cotangent, ct, window, inputs.aval.shape),
    lambda ct, inputs, cotangent, window, shape: convolve(inputs, ct, window),
)

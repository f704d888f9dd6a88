"""Weights stored as small integers: int8, int4, and the codes (four bits by default) chosen by GPTQ and AWQ.

Except for int8 and per-column int4, which are codes / scale, a weight is (codes - zero) * scale, with a scale for each
group of rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina import quantizers
from lamina.core.placement import to_numpy
from lamina.errors import ShapeError
from lamina.layers.weights.weight import Weight, straight_through
from lamina.quantizers import AbsMaxQuantizer, QuantizationConfig

FLOAT = "float32"  # dtype in which files store the group index of each row


@dataclass(frozen=True)
class Layout:
    """How the matrix products of a layer use its kernel.

    shape: Shape of the kernel.
    summed: Axes that the product contracts; they share one scale.
    kept: The other axes, in the order they have in the output. None means in their order in the kernel.
    scale_shape: Shape in which the int8 scale is stored. None means the sizes of `kept`.
    axis: Axis of the int4 matrix along which rows are grouped: 0 for (summed, kept), -1 for (kept, summed).
    packed: Axis of that matrix along which two codes share a byte.
    quantizes_inputs: Whether int4 quantizes the inputs of products if no config specifies it.
    stores_groups: Whether int4 stores the group index of each row, as files of Keras do.
    """

    shape: tuple[int, ...]
    summed: tuple[int, ...] = (0,)
    kept: Any = None
    scale_shape: Any = None
    axis: int = 0
    packed: int = -1
    quantizes_inputs: bool = False
    stores_groups: bool = True

    def __post_init__(self) -> None:
        others = tuple(axis for axis in range(len(self.shape)) if axis not in self.summed)
        kept = others if self.kept is None else self.kept
        object.__setattr__(self, "kept", kept)
        if self.scale_shape is None:
            object.__setattr__(self, "scale_shape", tuple(self.shape[axis] for axis in kept))

    @property
    def rows(self) -> int:
        """The number of elements that a product sums over."""
        return math.prod(self.shape[axis] for axis in self.summed)

    @property
    def columns(self) -> int:
        return math.prod(self.shape[axis] for axis in self.kept)

    @property
    def matrix(self) -> tuple[int, int]:
        """The shape of the matrix that int4 stores."""
        return (self.rows, self.columns) if self.axis == 0 else (self.columns, self.rows)

    def beside_kernel(self, scale: Any) -> Any:
        """Reshape a stored scale to broadcast against the kernel: contracted axes have size 1."""
        scale = scale.reshape([self.shape[axis] for axis in self.kept]).transpose(np.argsort(self.kept))
        return scale.reshape([1 if axis in self.summed else size for axis, size in enumerate(self.shape)])

    def as_kept(self, scale: Any) -> Any:
        """Reshape a scale from the kernel's axes to the shape in which it is stored; the inverse of `beside_kernel`."""
        order = sorted(self.kept)
        scale = scale.reshape([self.shape[axis] for axis in order])
        return scale.transpose([order.index(axis) for axis in self.kept]).reshape(self.scale_shape)

    def groups(self, size: Any) -> Any:
        """The number of groups of `size` rows."""
        return 1 if size == -1 else math.ceil(self.rows / size)


def summed_axes(equation: Any) -> Any:
    """The axes of the inputs that `equation` contracts; negative if the equation begins with "..."."""
    own, _, result = equation.replace("->", ",").split(",")
    letters = own.replace(".", "")
    shift = len(letters) if own.startswith("...") else 0
    return tuple(axis - shift for axis, letter in enumerate(letters) if letter not in result)


def affine(codes: Any, scale: Any, zero: Any, groups: Any, axis: Any) -> Any:
    """(codes - zero) * scale, with the scale and zero point of the group that each position along `axis` belongs to."""
    scale, zero = (jnp.take(part, groups, axis=axis) for part in (scale, zero))
    return (codes.astype(scale.dtype) - zero.astype(scale.dtype)) * scale


class Codes(Weight):
    """Integers with a scale. Products quantize their inputs if there is a quantizer for them; gradients ignore that
    rounding (straight-through estimator)."""

    inputs_quantizer: Any = None

    def __init__(self, name: str, layout: Any) -> None:
        super().__init__(name, layout.shape)
        self.layout = layout

    def decode(self, *parts: Any) -> Any:
        """The float weight that these values of the parts represent."""
        raise NotImplementedError

    def read(self) -> Any:
        return self.decode(*(part.value for part in self.parts.values()))

    def product(self, equation: Any, codes: Any, scale: Any, *parts: Any) -> Any:
        """The product with the inputs codes / scale."""
        return jnp.einsum(equation, codes / scale, self.decode(*parts))

    def einsum(self, equation: Any, inputs: Any) -> Any:
        def smooth(inputs, *parts):
            return jnp.einsum(equation, inputs, self.decode(*parts))

        def rough(inputs, *parts):
            if self.inputs_quantizer is None:
                return smooth(inputs, *parts)
            return self.product(equation, *self.inputs_quantizer(inputs, axis=summed_axes(equation)), *parts)

        return straight_through(rough, smooth, inputs, *(part.value for part in self.parts.values()))


class Int8(Codes):
    """Eight-bit weights, codes / scale, with one scale per column. Products with quantized inputs use integer
    arithmetic."""

    inputs_quantizer: Any

    def __init__(self, layer: Any, name: str, layout: Any, config: Any) -> None:
        super().__init__(name, layout)
        default = AbsMaxQuantizer(axis=layout.summed)
        self.quantizer: Any = QuantizationConfig.weight_quantizer_or_default(config, default)
        self.inputs_quantizer = QuantizationConfig.activation_quantizer_or_default(config, AbsMaxQuantizer())
        self.part(layer, name, layout.shape, dtype="int8")
        self.part(layer, f"{name}_scale", layout.scale_shape, "ones")

    def decode(self, codes, scale):  # pyright: ignore[reportIncompatibleMethodOverride]
        return codes.astype(scale.dtype) / self.layout.beside_kernel(scale)

    def encode(self, floats: Any) -> Any:
        codes, scale = self.quantizer(floats, to_numpy=True)
        return [codes, self.layout.as_kept(scale)]

    def product(self, equation, codes, scale, own_codes, own_scale):  # pyright: ignore[reportIncompatibleMethodOverride]
        outputs = jnp.einsum(equation, codes, own_codes, preferred_element_type="int32").astype(own_scale.dtype)
        return outputs / jnp.einsum(equation, scale, self.layout.beside_kernel(own_scale))  # summed axes have size 1

    def take(self, numbers: Any) -> Any:
        codes, scale = (jnp.take(part.value, numbers, axis=0) for part in self.parts.values())
        return codes.astype(scale.dtype) / scale[..., None]


class Int4(Codes):
    """Two codes per byte: codes / scale with one scale per column, or (codes - zero) * scale with one per block of
    rows."""

    inputs_quantizer: Any

    def __init__(self, layer: Any, name: str, layout: Any, config: Any, block_size: Any) -> None:
        super().__init__(name, layout)
        default = AbsMaxQuantizer() if layout.quantizes_inputs else None
        self.inputs_quantizer = QuantizationConfig.activation_quantizer_or_default(config, default)
        default = AbsMaxQuantizer(axis=layout.axis, value_range=(-8, 7))
        self.quantizer: Any = QuantizationConfig.weight_quantizer_or_default(config, default)
        self.block_size: Any = None if block_size == -1 else block_size
        shape, axis = list(layout.matrix), layout.axis
        shape[layout.packed] = -(-shape[layout.packed] // 2)
        self.part(layer, name, shape, dtype="int8")
        if self.block_size is None:
            self.part(layer, f"{name}_scale", (layout.columns,), "ones")
            return
        groups = layout.groups(self.block_size)
        shape = (groups, layout.columns) if axis == 0 else (layout.columns, groups)
        self.part(layer, f"{name}_scale", shape, "ones")
        self.part(layer, f"{name}_zero", shape, dtype="int8")
        if layout.stores_groups:
            self.part(layer, "g_idx", (layout.rows,), lambda shape, dtype: self._groups().astype(dtype), dtype=FLOAT)

    def _groups(self):
        return np.arange(self.layout.rows) // self.block_size

    def _matrix(self, codes, scale, zero=None, *_):
        layout = self.layout
        codes = quantizers.unpack_int4(codes, layout.matrix[layout.packed], axis=layout.packed)
        if zero is None:
            return codes.astype(scale.dtype) / jnp.expand_dims(scale, layout.axis)
        return affine(codes, scale, zero, self._groups(), layout.axis)

    def decode(self, *parts: Any) -> Any:
        return self._matrix(*parts).reshape(self.shape)

    def take(self, numbers: Any) -> Any:
        rows = (part for part in self.parts.values() if part.name != "g_idx")
        return self._matrix(*(jnp.take(part.value, numbers, axis=0) for part in rows))

    def encode(self, floats: Any) -> Any:
        matrix, axis = to_numpy(floats, copy=False).reshape(self.layout.matrix), self.layout.axis
        if self.block_size is None:
            codes, scale = self.quantizer(matrix, to_numpy=True)
            values = [jnp.squeeze(scale, axis)]
        else:
            quantize = quantizers.abs_max_quantize_grouped_with_zero_point
            rows_first = quantize(matrix if axis == 0 else matrix.T, block_size=self.block_size, to_numpy=True)
            codes, *values = rows_first if axis == 0 else (part.T for part in rows_first)
        packed, _, _ = quantizers.pack_int4(codes, axis=self.layout.packed)
        return [packed, *values, *([self._groups()] if "g_idx" in self.parts else [])]


class Calibrated(Codes):
    """Codes that GPTQ or AWQ chose from calibration data: ((codes - zero) * scale).T. For AWQ this is divided by the
    factors by which it scaled the rows.

    Until `settle` is called, it behaves as the original float kernel and passes the inputs of products to `observer`.
    """

    bits: Any
    original: Any

    observer: Any = None

    def __init__(
        self, layer: Any, name: str, layout: Any, mode: Any, bits: Any, group_size: Any, original: Any = None
    ) -> None:
        super().__init__(name, layout)
        if layout.summed != tuple(range(len(layout.summed))):
            raise ShapeError(
                f"{mode} needs a kernel whose first axes are those of the inputs; {layer.name} has the axes "
                f"{layout.summed} of {layout.shape}.",
                fix="Write the equation as 'abc,cd->abd'.",
            )
        self.bits, self.original = bits, original
        rows, columns = layout.rows, layout.columns
        scales = (columns, layout.groups(group_size))
        stored = -(-columns // 2) if bits == 4 else columns
        self.part(layer, name, (stored, rows), dtype="uint8", attribute=f"quantized_{name}")
        self.part(layer, f"{name}_scale", scales, "ones")
        self.part(layer, f"{name}_zero", scales, dtype="uint8")
        if mode == "awq":
            self.part(layer, "awq_scales", (rows,), "ones")
        self.part(layer, "g_idx", (rows,), dtype=FLOAT)

    def decode(self, codes, scale, zero, *rest):  # pyright: ignore[reportIncompatibleMethodOverride]
        *factors, groups = rest
        if self.bits == 4:
            codes = quantizers.unpack_int4(codes, self.layout.columns, axis=0, dtype="uint8")
        matrix = affine(codes, scale, zero, groups.astype("int32"), -1).T
        for factor in factors:
            matrix = matrix / factor[:, None]
        return matrix.reshape(self.shape)

    def read(self) -> Any:
        return super().read() if self.original is None else self.original.value

    def einsum(self, equation: Any, inputs: Any) -> Any:
        if self.observer is not None:
            self.observer(inputs.reshape(-1, self.layout.rows))
        if self.original is None:
            return super().einsum(equation, inputs)
        return jnp.einsum(equation, inputs, self.original.value)

    def settle(self, codes: Any, *values: Any) -> None:
        """Replace the float kernel by the calibrated codes and values, given in the order of the parts."""
        codes = np.asarray(codes, "uint8")
        if self.bits == 4:
            codes, _, _ = quantizers.pack_int4(codes, axis=0, dtype="uint8")
        for part, value in zip(self.parts.values(), (codes, *values), strict=True):
            part.assign(value)
        self.original = None

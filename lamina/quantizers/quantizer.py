"""Quantizers: layers of models use them to turn floats into integers of few bits and a scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina.core.configurable import Configurable
from lamina.core.typing import Axes, TensorLike
from lamina.quantizers.numbers import abs_max_quantize

__all__ = ["AbsMaxQuantizer", "Quantizer"]


class Quantizer(Configurable):
    """Base of quantizers: `quantizer(x)` returns the quantized tensor and what is needed to read it.

    This class returns `x` unchanged.

    Args:
        output_dtype: Type of the quantized tensor.
    """

    def __init__(self, output_dtype: str = "int8") -> None:
        self.output_dtype = output_dtype

    def __call__(self, x: TensorLike) -> Any:
        return x


class AbsMaxQuantizer(Quantizer):
    """(round(x * scale), scale) with scale = value_range[1] / max(|x|) along `axis`.

    Args:
        axis: Axis or axes along which values share a scale; None means that the call says it, or all.
        value_range: Smallest and largest integer.
        epsilon: Number that is added to the maximum.
        output_dtype: Type of the integers.

    >>> import numpy as np
    >>> AbsMaxQuantizer(axis=-1)(np.array([[1.0, -2.0, 4.0]]))[0]
    Array([[ 32, -64, 127]], dtype=int8)
    """

    _config_optional = frozenset(("axis",))

    def __init__(
        self,
        axis: Axes = None,
        value_range: Sequence[int] = (-127, 127),
        epsilon: float = 1e-7,
        output_dtype: str = "int8",
    ) -> None:
        super().__init__(output_dtype)
        self.axis: tuple[int, ...] | None = (axis,) if isinstance(axis, int) else axis if axis is None else tuple(axis)
        self.value_range: tuple[int, ...] = tuple(value_range)
        self.epsilon = epsilon

    def __call__(self, x: TensorLike, axis: Axes = None, to_numpy: bool = False) -> Any:
        axis = self.axis if axis is None else axis
        return abs_max_quantize(x, axis, self.value_range, self.output_dtype, self.epsilon, to_numpy)

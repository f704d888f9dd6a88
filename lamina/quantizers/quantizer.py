"""Quantizers: floats to small integers and the scale that brings them back."""

from lamina.core.configurable import Configurable
from lamina.quantizers.numbers import abs_max_quantize

__all__ = ["AbsMaxQuantizer", "Quantizer"]


class Quantizer(Configurable):
    """Base of quantizers: `quantizer(x)` gives `x` in `output_dtype`, and what reads it. This one leaves `x` as is."""

    def __init__(self, output_dtype="int8"):
        self.output_dtype = output_dtype

    def __call__(self, x):
        return x


class AbsMaxQuantizer(Quantizer):
    """(round(x * scale), scale) with scale = value_range[1] / max(|x|) along `axis`.

    Args:
        axis: one or several; None is given in the call, or means all.
        value_range: the least and the greatest integer.
        epsilon: added to the maximum.

    >>> import numpy as np
    >>> AbsMaxQuantizer(axis=-1)(np.array([[1.0, -2.0, 4.0]]))[0]
    Array([[ 32, -64, 127]], dtype=int8)
    """

    _config_optional = frozenset(("axis",))

    def __init__(self, axis=None, value_range=(-127, 127), epsilon=1e-7, output_dtype="int8"):
        super().__init__(output_dtype)
        self.axis = (axis,) if isinstance(axis, int) else axis if axis is None else tuple(axis)
        self.value_range = tuple(value_range)
        self.epsilon = epsilon

    def __call__(self, x, axis=None, to_numpy=False):
        axis = self.axis if axis is None else axis
        return abs_max_quantize(x, axis, self.value_range, self.output_dtype, self.epsilon, to_numpy)

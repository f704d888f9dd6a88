"""InputSpec: what a layer takes, checked before the layer runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lamina.core import tree
from lamina.core.arguments import shown
from lamina.core.configurable import Configurable
from lamina.core.dtypes import dtype_of
from lamina.errors import ShapeError
from lamina.layers.base import input_fixes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamina.core.typing import DTypeLike


class InputSpec(Configurable):
    """Rank, sizes and type that one input must have. None means anything.

    Args:
        dtype: Type of the input.
        shape: Whole shape, None for sizes that are free.
        ndim: Rank of the input.
        max_ndim: Largest rank.
        min_ndim: Smallest rank.
        axes: Dict from axis to size.
        allow_last_axis_squeeze: Whether a last axis of size 1 may be missing or added.
        optional: Whether the input may be None.
        name: Name of the input, for errors.

    >>> import lamina as keras
    >>> keras.InputSpec(min_ndim=2, axes={-1: 4})
    InputSpec(min_ndim=2, axes={-1: 4})
    """

    max_ndim: int | None
    min_ndim: int | None
    allow_last_axis_squeeze: bool
    optional: bool
    name: str | None

    def __init__(
        self,
        dtype: DTypeLike | None = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        optional: bool = False,
        name: str | None = None,
    ):
        self.dtype = dtype
        self.shape: tuple[int | None, ...] | None = None if shape is None else tuple(shape)
        self.ndim: int | None = ndim if self.shape is None else len(self.shape)
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes: dict[int, int | None] = {int(axis): size for axis, size in (axes or {}).items()}
        self.allow_last_axis_squeeze, self.optional, self.name = allow_last_axis_squeeze, optional, name

    def misfit(self, shape: tuple[int | None, ...], dtype: DTypeLike | None) -> str | None:
        """What is wrong with an input of this shape and type, as 'needs ...', or None."""
        ndim = len(shape)
        if self.ndim is not None and ndim != self.ndim and not self._squeezable(ndim):
            return f"inputs of rank {self.ndim}"
        if self.min_ndim is not None and ndim < self.min_ndim:
            return f"inputs of rank {self.min_ndim} or more"
        if self.max_ndim is not None and ndim > self.max_ndim:
            return f"inputs of rank {self.max_ndim} or less"
        if self.dtype is not None and dtype != self.dtype:
            return f"inputs of type {self.dtype}"
        sizes = {**dict(enumerate(self.shape or ())), **self.axes}
        for axis, size in sizes.items():
            if size is not None and axis < ndim and shape[axis] not in (size, None):
                return f"inputs with {size} on axis {axis}"
        return None

    def _squeezable(self, ndim):
        return self.allow_last_axis_squeeze and abs(ndim - self.ndim) == 1 and self.shape is not None


def check_inputs(spec: Any, inputs: Any, layer: Any) -> None:
    """Raise ShapeError where `inputs` (a tensor or a structure of them) do not fit `spec` (one, a list or a dict)."""
    if spec is None:
        return
    if isinstance(spec, dict):
        pairs = [(spec[name], inputs.get(name), name) for name in spec] if isinstance(inputs, dict) else []
    else:
        specs, values = tree.flatten(spec), tree.flatten(inputs)
        specs = specs * len(values) if layer._one_spec_for_all else specs
        if len(values) != len(specs):
            raise ShapeError(
                f"{layer.name} needs {len(specs)} input{'s' * (len(specs) > 1)}; got {len(values)}.",
                fix=input_fixes.fix_of_count(layer, inputs, len(specs), len(values)),
            )
        pairs = [(one, value, one.name) for one, value in zip(specs, values, strict=True)]
    for one, value, name in pairs:
        if value is None and one.optional:
            continue
        shape = getattr(value, "shape", None)
        if shape is None:
            fix = "Does the function that made it lack a `return`?" if value is None else f"{layer.name}(np.array(x))"
            if callable(value):
                fix = f"{layer.name}(keras.Input((8,))): call the function first."
            raise ShapeError(f"{layer.name} needs a tensor; got {shown(value)}.", fix=fix)
        wanted = one.misfit(tuple(shape), dtype_of(value))
        if wanted:
            label = f" for {name!r}" if name else ""
            got = f"got shape {tuple(shape)}, which is incompatible with the layer"
            fix = _fix(one, layer, value, tuple(shape))
            raise ShapeError(f"{type(layer).__name__} needs {wanted}{label}; {got}.", fix=fix)


def _fix(spec, layer, value, shape):
    least, most = spec.ndim or spec.min_ndim or 0, spec.ndim or spec.max_ndim or math.inf
    if not least <= len(shape) <= most and not spec._squeezable(len(shape)):
        return input_fixes.fix_of_rank(layer, value, shape, int(least if len(shape) < least else most))
    if spec.dtype is not None and dtype_of(value) != spec.dtype:
        return f"x.astype({spec.dtype!r})"
    for axis, size in {**dict(enumerate(spec.shape or ())), **spec.axes}.items():
        if size is not None and shape[axis] not in (size, None):
            return input_fixes.fix_of_size(layer, shape, axis, size)
    return None

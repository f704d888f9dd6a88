"""What normalization layers share: the axis, its sizes, and a trained scale and offset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.errors import ArgumentError, ShapeError
from lamina.layers.base.layer import Layer
from lamina.layers.base.settings import keep_arguments
from lamina.ops.normalization import positive_axes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.constraints import ConstraintLike
    from lamina.core.typing import LayerArguments, Shape
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike


class _ScaledAndCentered(Layer):
    """Normalization along `axis`, then a trained scale `gamma` (if `scale`) and offset `beta` (if `center`)."""

    center: bool
    scale: bool
    beta_initializer: Any
    gamma_initializer: Any
    beta_regularizer: Any
    gamma_regularizer: Any
    beta_constraint: Any
    gamma_constraint: Any
    _traits = frozenset(("normalization", "pointwise"))
    axis: Any
    epsilon: float
    gamma: Any
    beta: Any

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike = "zeros",
        gamma_initializer: InitializerLike = "ones",
        beta_regularizer: RegularizerLike = None,
        gamma_regularizer: RegularizerLike = None,
        beta_constraint: ConstraintLike = None,
        gamma_constraint: ConstraintLike = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        keep_arguments(self, locals())
        self.axis = checked_axis(axis)
        self.gamma = self.beta = None
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        shape = sizes_along(input_shape, self.axis, self)
        if self.scale:
            self.gamma = self._add_weight_of("gamma", shape, autocast=False)
        if self.center:
            self.beta = self._add_weight_of("beta", shape, autocast=False)

    def _scale_and_offset(self, dtype):
        """(gamma, beta) as arrays; None where there is none."""
        return (None if weight is None else weight.value.astype(dtype) for weight in (self.gamma, self.beta))


def checked_axis(axis: Any) -> Any:
    """`axis`, which must be a whole number or several of them."""
    axes = list(axis) if isinstance(axis, (list, tuple)) else [axis]
    if not axes or not all(isinstance(one, int) for one in axes):
        raise ArgumentError(f"axis is a whole number or several of them; got {axis!r}.", fix="axis=-1")
    return axes if isinstance(axis, (list, tuple)) else axis


def sizes_along(input_shape: Any, axis: Any, layer: Layer) -> Any:
    """The sizes of the inputs along `axis`, which must be there and known."""
    axes, rank = axis if isinstance(axis, (list, tuple)) else [axis], len(input_shape)
    name, got = f"{type(layer).__name__}(axis={axis})", f"got shape {tuple(input_shape)}."
    if any(not -rank <= one < rank for one in axes):
        raise ShapeError(f"{name} needs inputs with this axis; {got}", fix="axis=-1")
    shape = tuple(input_shape[one] for one in positive_axes(axis, rank))
    if None in shape:
        raise ShapeError(f"{name} needs a known size there; {got}", fix="Give the size in Input(shape=...).")
    return shape

"""Types of ops for editors: a symbolic tensor gives a symbolic tensor, anything else gives an array.

A function is matched by the names of its first parameters. Its other parameters are unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar, overload

from lamina.core.keras_tensor import KerasTensor
from lamina.core.typing import ArrayLike, Tensor, TensorLike

__all__ = ["OpDecorator"]

P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., Any])


class _OfX(Protocol[P]):
    def __call__(self, x: TensorLike, *args: P.args, **kwargs: P.kwargs) -> Tensor: ...


class _OfInputs(Protocol[P]):
    def __call__(self, inputs: TensorLike, *args: P.args, **kwargs: P.kwargs) -> Tensor: ...


class _OfImages(Protocol[P]):
    def __call__(self, images: TensorLike, *args: P.args, **kwargs: P.kwargs) -> Tensor: ...


class _OfX1X2(Protocol[P]):
    def __call__(self, x1: TensorLike, x2: TensorLike, *args: P.args, **kwargs: P.kwargs) -> Tensor: ...


class OpOfX(Protocol[P]):
    """An op whose first argument is called `x`."""

    @overload
    def __call__(self, x: KerasTensor, *args: P.args, **kwargs: P.kwargs) -> KerasTensor: ...
    @overload
    def __call__(self, x: ArrayLike, *args: P.args, **kwargs: P.kwargs) -> Tensor: ...


class OpOfInputs(Protocol[P]):
    """An op whose first argument is called `inputs`."""

    @overload
    def __call__(self, inputs: KerasTensor, *args: P.args, **kwargs: P.kwargs) -> KerasTensor: ...
    @overload
    def __call__(self, inputs: ArrayLike, *args: P.args, **kwargs: P.kwargs) -> Tensor: ...


class OpOfImages(Protocol[P]):
    """An op whose first argument is called `images`."""

    @overload
    def __call__(self, images: KerasTensor, *args: P.args, **kwargs: P.kwargs) -> KerasTensor: ...
    @overload
    def __call__(self, images: ArrayLike, *args: P.args, **kwargs: P.kwargs) -> Tensor: ...


class OpOfX1X2(Protocol[P]):
    """An op of two tensors, `x1` and `x2`."""

    @overload
    def __call__(self, x1: KerasTensor, x2: TensorLike, *args: P.args, **kwargs: P.kwargs) -> KerasTensor: ...
    @overload
    def __call__(self, x1: ArrayLike, x2: KerasTensor, *args: P.args, **kwargs: P.kwargs) -> KerasTensor: ...
    @overload
    def __call__(self, x1: ArrayLike, x2: ArrayLike, *args: P.args, **kwargs: P.kwargs) -> Tensor: ...


class OpDecorator(Protocol):
    """The decorator that `op(settings=...)` returns."""

    @overload
    def __call__(self, function: _OfX[P]) -> OpOfX[P]: ...
    @overload
    def __call__(self, function: _OfInputs[P]) -> OpOfInputs[P]: ...
    @overload
    def __call__(self, function: _OfImages[P]) -> OpOfImages[P]: ...
    @overload
    def __call__(self, function: _OfX1X2[P]) -> OpOfX1X2[P]: ...
    @overload
    def __call__(self, function: F) -> F: ...

"""Layouts that follow from shapes and kinds of layers."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import jax
from jax.core import Tracer
from jax.sharding import NamedSharding, PartitionSpec

from lamina.core.stacked import Stacked
from lamina.distribution.layouts import DeviceMesh, LayoutMap, TensorLayout
from lamina.errors import ConfigError

__all__ = ["auto_layout", "gathered", "split_over"]

SMALLEST = 1024  # numbers of a variable; splitting smaller ones saves nothing


def _size(mesh, axis):
    return mesh.shape[list(mesh.axis_names).index(axis)]


def split_over(shape: Sequence[int], layout: Any, mesh: DeviceMesh, axis: str | None, first: int = 0) -> Any:
    """A layout that splits the largest dimension that divides by the devices of an axis, beside what `layout` splits.

    Args:
        shape: Shape of a variable.
        layout: Its TensorLayout without that, or None.
        mesh: Mesh.
        axis: Axis of the mesh.
        first: First dimension that may be split.

    Returns:
        TensorLayout; `layout` itself where nothing is to be split.
    """
    axes = [*getattr(layout, "axes", ()), *[None] * len(shape)][: len(shape)]
    if axis is None:
        return layout
    parts, fits = _size(mesh, axis), [
        place for place in range(first, len(shape)) if axes[place] is None and shape[place] % _size(mesh, axis) == 0
    ]  # fmt: skip
    if parts == 1 or not fits or axis in axes or math.prod(shape) < SMALLEST:
        return layout
    axes[max(fits, key=lambda place: shape[place])] = axis
    return TensorLayout(axes, mesh)


def inner_axes(variable: Any) -> int:
    """How many leading axes of a variable count repetitions (`layers.Repeat`), which are not split."""
    return variable.ndim - variable.inner_ndim if isinstance(variable, Stacked) else 0


def gathered(value: Any, layout: Any, axis: str | None) -> Any:
    """The value of a variable where it is used in a step: whole along an axis of the mesh, its gradient split there.

    Args:
        value: Value, or one slice of it inside a repetition.
        layout: TensorLayout that splits the variable or its gradient.
        axis: Axis of the mesh along which it is gathered.
    """
    axes = getattr(layout, "axes", ())
    if axis not in axes or not isinstance(value, Tracer) or value.ndim == 0:
        return value
    mesh, axes = layout.device_mesh.backend_mesh, axes[-value.ndim :]
    part = NamedSharding(mesh, PartitionSpec(*axes))
    return _gather(value, NamedSharding(mesh, PartitionSpec(*(None if one == axis else one for one in axes))), part)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def _gather(value, whole, part):
    return jax.lax.with_sharding_constraint(value, whole)


_gather.defvjp(
    lambda value, whole, part: (_gather(value, whole, part), None),
    lambda whole, part, _, gradient: (jax.lax.with_sharding_constraint(gradient, part),),
)


# auto_layout


def auto_layout(model: Any, mesh: DeviceMesh, axis: str | None = None) -> LayoutMap:
    """A LayoutMap that splits a model over an axis of a mesh, by the kinds of its layers. It is printed as a program,
    to be edited.

    Dense layers that widen are split by their units, the ones after them by their features, so that nothing is
    exchanged between the two; attention by heads; embeddings by rows; convolutions by filters (Shoeybi et al., 2019,
    arXiv:1909.08053). A dimension that does not divide by the devices of the axis stays whole, as do small variables.

    Args:
        model: Model or layer that is built, with values or in `keras.abstract()`.
        mesh: Mesh of devices.
        axis: Axis of the mesh. None means "model" where there is one, else its last.

    Returns:
        The LayoutMap, for `ModelParallel(layout_map=...)`. In a model of that name and those layers its paths match.

    Raises:
        ConfigError: The mesh has no such axis.

    >>> import lamina as keras
    >>> mesh = keras.distribution.DeviceMesh((1, 1), ["batch", "model"], ["cpu:0"])
    >>> with keras.abstract():
    ...     up = keras.layers.Dense(64, name="up")
    ...     model = keras.Sequential([keras.Input((32,)), up, keras.layers.Dense(32, name="down")], name="mlp")
    >>> layouts = keras.distribution.auto_layout(model, mesh)
    layout_map = keras.distribution.LayoutMap(mesh)
    layout_map["mlp/up/kernel"] = (None, "model")
    layout_map["mlp/up/bias"] = ("model",)
    layout_map["mlp/down/kernel"] = ("model", None)
    """
    names = list(mesh.axis_names)
    axis = axis or ("model" if "model" in names else names[-1])
    if axis not in names:
        raise ConfigError(f"The mesh has the axes {names}; got axis={axis!r}.", fix=f"axis={names[-1]!r}")
    layouts, seen = LayoutMap(mesh), set()
    lines = ["layout_map = keras.distribution.LayoutMap(mesh)"]
    split = 0  # the units of the last Dense layer, where they are split
    for layer in model._flatten_layers():
        places = list(_places(layer, split))
        split = layer.units if len(places) and type(layer).__name__ == "Dense" and places[0][1] == 1 else 0
        for variable, place in places:
            shape = variable.shape[inner_axes(variable) :]
            if variable.path not in seen and shape[place] % _size(mesh, axis) == 0:
                seen.add(variable.path)
                axes = tuple(axis if index == place else None for index in range(len(shape)))
                layouts[variable.path] = axes
                lines.append(f'layout_map["{variable.path}"] = {_code(axes)}')
    print("\n".join(lines))
    return layouts


def _code(axes):
    inside = ", ".join("None" if axis is None else f'"{axis}"' for axis in axes)
    return f"({inside},)" if len(axes) == 1 else f"({inside})"


def _places(layer: Any, split: int) -> Iterator[tuple[Any, int]]:
    """(variable, which of its axes is split), for the variables that are the layer's own."""
    kinds = {cls.__name__ for cls in type(layer).__mro__}
    kernel, bias = getattr(layer, "kernel", None), getattr(layer, "bias", None)
    if "MultiHeadAttention" in kinds or "GroupQueryAttention" in kinds:
        for part in layer._layers:
            yield from _of_heads(part, getattr(part, "kernel", None), getattr(part, "bias", None))
    elif "Dense" in kinds and kernel is not None:
        widens = kernel.shape[-1] >= kernel.shape[-2] != split
        yield kernel, 1 if widens else 0
        if widens and bias is not None:
            yield bias, 0
    elif "Embedding" in kinds and getattr(layer, "embeddings", None) is not None:
        yield layer.embeddings, 0
    elif kernel is not None and {"Conv1D", "Conv2D", "Conv3D", "Conv"} & kinds:
        yield kernel, len(kernel.shape) - 1 - inner_axes(kernel)
        if bias is not None:
            yield bias, 0


def _of_heads(part, kernel, bias):
    """Projections to heads have the kernel (features, heads, size), that of the outputs (heads, size, features)."""
    if kernel is None:
        return
    if "output" in part.name:
        yield kernel, 0
    else:
        yield kernel, 1
        if bias is not None:
            yield bias, 0

"""Meshes of devices, and layouts of arrays over a mesh."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

import jax
import numpy as np
from jax.core import Tracer
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from lamina.core.keras_tensor import KerasTensor
from lamina.core.placement import place, sharding_of
from lamina.core.variable import unwrap
from lamina.distribution.devices import device_of, list_devices
from lamina.errors import ConfigError

__all__ = ["DeviceMesh", "LayoutMap", "TensorLayout", "distribute_tensor"]


_MESH = "keras.distribution.DeviceMesh((1, 1), ['batch', 'model'], ['cpu:0']): a size and a name for each axis."


class DeviceMesh:
    """Devices as a grid with named axes.

    Args:
        shape: Sizes of the axes.
        axis_names: Name of each axis.
        devices: Names of as many devices as the grid has places. None means all of `list_devices()`.

    Raises:
        ConfigError: Sizes, names and devices do not agree in number.

    >>> import lamina as keras
    >>> keras.distribution.DeviceMesh((1, 1), ["batch", "model"], ["cpu:0"])
    <DeviceMesh shape=(1, 1), axis_names=['batch', 'model']>
    """

    shape: Sequence[int] = ()
    axis_names: Sequence[str] = ()
    devices: Any = None

    def __init__(self, shape: Sequence[int], axis_names: Sequence[str], devices: Any = None) -> None:
        received = f"Received: shape={shape}, axis_names={axis_names}"
        if not shape or not axis_names:
            raise ConfigError(f"Shape and axis_names cannot be empty. {received}", fix=_MESH)
        if len(shape) != len(axis_names):
            raise ConfigError(f"Shape and axis_names should have same size. {received}", fix=_MESH)
        devices = np.array(list_devices() if devices is None else devices)
        if math.prod(shape) != devices.size:
            raise ConfigError(
                f"Shape does not match the number of devices. Received: {shape} for {devices.size}.",
                fix=f"shape={(devices.size, *[1] * (len(shape) - 1))}",
            )
        self.shape = shape
        self.axis_names = axis_names
        self.devices = devices.reshape(shape)
        self._mesh: Mesh | None = None

    @property
    def backend_mesh(self) -> Mesh:
        """The `jax.sharding.Mesh`."""
        if self._mesh is None:
            devices = [device_of(name) for name in self.devices.flat]
            self._mesh = Mesh(np.array(devices).reshape(self.devices.shape), tuple(self.axis_names))
        return self._mesh

    def __repr__(self) -> str:
        return f"<DeviceMesh shape={self.shape}, axis_names={self.axis_names}>"


class TensorLayout:
    """How an array is split over a mesh.

    Args:
        axes: For each dimension the name of the axis of the mesh along which it is split; None leaves it whole.
        device_mesh: Mesh. None means that it is set later, once.

    Raises:
        ConfigError: The mesh has no such axis.

    >>> import lamina as keras
    >>> mesh = keras.distribution.DeviceMesh((1,), ["batch"], ["cpu:0"])
    >>> keras.distribution.TensorLayout(("batch", None), mesh).axes
    ('batch', None)
    """

    axes: tuple[Any, ...] = ()

    def __init__(self, axes: Sequence[Any], device_mesh: DeviceMesh | None = None) -> None:
        self.axes = tuple(axes)
        self._device_mesh: DeviceMesh | None = None
        self._sharding: NamedSharding | None = None
        self.device_mesh = device_mesh

    @property
    def device_mesh(self) -> DeviceMesh | None:
        """The mesh, or None."""
        return self._device_mesh

    @device_mesh.setter
    def device_mesh(self, device_mesh: DeviceMesh | None) -> None:
        if self._device_mesh is not None:
            raise ConfigError(
                f"Cannot override device mesh value. Existing value is {self._device_mesh}",
                fix="Make a new layout: TensorLayout(layout.axes, device_mesh).",
            )
        names = {name for axes in self.axes for name in (axes if isinstance(axes, tuple) else (axes,))} - {None}
        if device_mesh is not None and not names <= set(device_mesh.axis_names):
            raise ConfigError(
                f"Invalid axis names for Layout. Valid axis names: {set(device_mesh.axis_names)}, Got {names}",
                fix="Use these names in the axes of the TensorLayout, or name the axes of the DeviceMesh so.",
            )
        self._device_mesh = device_mesh

    @property
    def backend_layout(self) -> NamedSharding:
        """The `jax.sharding.NamedSharding`."""
        if self.device_mesh is None:
            raise ConfigError(
                "Cannot create sharding when device mesh is not set for TensorLayout.",
                fix="TensorLayout(axes, device_mesh=keras.distribution.DeviceMesh(...))",
            )
        if self._sharding is None:
            self._sharding = NamedSharding(self.device_mesh.backend_mesh, PartitionSpec(*self.axes))
        return self._sharding

    def __repr__(self) -> str:
        return f"<TensorLayout axes={self.axes}, device_mesh={self.device_mesh}>"


class LayoutMap(MutableMapping[str, Any]):
    """Layouts by regular expressions over the paths of variables, and of the outputs of layers ("mlp/dense/output").

    A path takes the layout of the key that is equal to it, else of the only key that matches it whole; else None.
    A tuple of axis names becomes a TensorLayout.

    Args:
        device_mesh: Mesh of the layouts that have none. None leaves them without.

    Raises:
        ConfigError: A key is set twice, or a path matches several keys.

    >>> import lamina as keras
    >>> mesh = keras.distribution.DeviceMesh((1,), ["model"], ["cpu:0"])
    >>> layouts = keras.distribution.LayoutMap(mesh)
    >>> layouts[".*dense.*kernel"] = (None, "model")
    >>> layouts["mlp/dense_1/kernel"].axes, layouts["mlp/dense_1/bias"]
    ((None, 'model'), None)
    """

    device_mesh: DeviceMesh | None = None

    def __init__(self, device_mesh: DeviceMesh | None) -> None:
        self.device_mesh = device_mesh
        self._layouts: dict[str, TensorLayout] = {}

    def __getitem__(self, key: str) -> TensorLayout | None:
        if key in self._layouts:
            return self._layouts[key]
        matching = [pattern for pattern in self._layouts if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ConfigError(
                f"Path '{key}' matches multiple layout specification keys: {matching}.",
                fix="Write the expressions so that each path matches at most one of them.",
            )
        return self._layouts[matching[0]] if matching else None

    def __repr__(self) -> str:
        axes = {key: layout.axes for key, layout in self._layouts.items()}
        return f"<LayoutMap {axes}, device_mesh={self.device_mesh}>"

    def __setitem__(self, key: str, layout: Any) -> None:
        if key in self._layouts:
            raise ConfigError(
                f"{key} already exist in the LayoutMap with value {self._layouts[key]}.", fix=f"del layout_map[{key!r}]"
            )
        if isinstance(layout, tuple):
            layout = TensorLayout(layout)
        if not isinstance(layout, TensorLayout):
            raise ConfigError(
                f"{layout} should be a TensorLayout type, got {type(layout)}",
                fix="Pass a tuple of axis names, such as (None, 'model').",
            )
        if layout.device_mesh is None and self.device_mesh is not None:
            layout.device_mesh = self.device_mesh
        self._layouts[key] = layout

    def __delitem__(self, key: str) -> None:
        del self._layouts[key]

    def __len__(self) -> int:
        return len(self._layouts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layouts)


def distribute_tensor(tensor: Any, layout: Any) -> Any:
    """A tensor, split over devices: inside a compiled function by a constraint for XLA, outside by a copy.

    Args:
        tensor: Array, variable or symbolic tensor; a symbolic tensor has no devices and stays as it is.
        layout: TensorLayout, or a sharding of JAX.
    """
    tensor, layout = unwrap(tensor), sharding_of(layout)
    if isinstance(tensor, KerasTensor):
        return tensor
    if isinstance(tensor, Tracer):
        return jax.lax.with_sharding_constraint(tensor, layout)
    return place(tensor, layout) if isinstance(layout, jax.sharding.Sharding) else jax.device_put(tensor, layout)

"""Distributions: how data, variables and outputs of layers are split over a mesh, by data or by model."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Self

import jax

from lamina.core import context
from lamina.core.placement import divisible_sharding, sharding_of, stacked_layout
from lamina.core.stacked import Stacked
from lamina.distribution.automatic import gathered, inner_axes, split_over
from lamina.distribution.devices import join_processes, list_devices, several
from lamina.distribution.layouts import DeviceMesh, LayoutMap, TensorLayout, distribute_tensor
from lamina.errors import ConfigError, warn
from lamina.spelling.arguments import unknown_arguments

__all__ = ["DataParallel", "Distribution", "ModelParallel", "distribution", "set_distribution"]

_BATCH = "batch"


def distribution() -> Distribution | None:
    """The current distribution, or None."""
    return context.distribution()


def set_distribution(value: Distribution | None) -> None:
    """Set the current distribution, for models that are made, trained and used from now on.

    Args:
        value: DataParallel or ModelParallel; None means a single device.
    """
    context.set_distribution(value)


class Distribution:
    """Base of the distributions: how data, variables and outputs of layers are split over a mesh.

    Args:
        device_mesh: Mesh of devices.
        batch_dim_name: Axis of the mesh along which batches are split.
        auto_shard_dataset: With several processes, True means that each gets the whole data in the same order and
            takes its share of each batch; False that each gets batches of its own, which together are one.
    """

    device_mesh: Any = None
    batch_dim_name: str | None = None
    auto_shard_dataset: bool = True

    def __init__(
        self, device_mesh: DeviceMesh, batch_dim_name: str | None = None, auto_shard_dataset: bool = True
    ) -> None:
        self.device_mesh, self.batch_dim_name = device_mesh, batch_dim_name
        self.auto_shard_dataset = auto_shard_dataset
        self._num_processes, self._process_id = join_processes(device_mesh)

    @property
    def num_processes(self) -> int:
        """Number of processes."""
        return self._num_processes

    @property
    def num_model_replicas(self) -> int:
        """Number of copies of the model, each of which takes a share of the batch."""
        raise NotImplementedError

    @property
    def data_shard_id(self) -> int:
        """Number of the share of a batch that this process takes."""
        return self._process_id // max(self.num_processes // self.num_model_replicas, 1)

    def get_data_layout(self, data_shape: Sequence[int | None]) -> TensorLayout:
        """The layout of a batch: split along its first dimension.

        Args:
            data_shape: Shape of the batch.
        """
        return TensorLayout((self.batch_dim_name, *(None for _ in data_shape[1:]))[: len(data_shape)], self.device_mesh)

    def get_variable_layout(self, variable: Any) -> Any:
        """The layout of a variable: its own, or whole on each device.

        Args:
            variable: Variable with a shape and a path.
        """
        return variable.layout or TensorLayout([None] * len(variable.shape), self.device_mesh)

    def get_slot_layout(self, variable: Any, shape: Sequence[int], layout: Any) -> Any:
        """The layout of what an optimizer keeps of a variable: that of the variable.

        Args:
            variable: The variable; where it is not known, what the optimizer keeps itself.
            shape: Shape of what is kept.
            layout: Layout of the variable if it has that shape, else None.
        """
        return layout

    def gathered(self, variable: Any, value: Any) -> Any:
        """The value of a variable as a layer uses it in a step, whole where each device stores a part.

        Args:
            variable: Variable.
            value: Its value, in the type that the layer computes in.
        """
        return value

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """The layout of the outputs of a layer; None leaves it to XLA.

        Args:
            path: Path of the layer and "/output".
        """
        return None

    def shard_outputs(self, path: str, outputs: Any) -> Any:
        """The outputs of a layer, split by their layout.

        Args:
            path: Path of the layer and "/output".
            outputs: Outputs of the layer.
        """
        layout = self.get_tensor_layout(path)
        if layout is None:
            return outputs
        sharding = sharding_of(layout)

        def shard(leaf):
            return distribute_tensor(leaf, divisible_sharding(sharding, leaf.shape))

        return jax.tree_util.tree_map(shard, outputs)

    @contextlib.contextmanager
    def scope(self) -> Iterator[Self]:
        """`with distribution.scope():` makes it the current distribution inside the block."""
        before = distribution()
        set_distribution(self)
        try:
            yield self
        finally:
            set_distribution(before)

    def distribute_dataset(self, dataset: Any) -> Any:
        """This process's share of a `tf.data` dataset of whole batches. `fit` does it itself, for data of every kind.

        Args:
            dataset: Dataset; with a single process, or without `auto_shard_dataset`, it stays as it is.

        Raises:
            ConfigError: There are several processes and it is not a `tf.data` dataset.
        """
        if self.num_processes == 1 or not self.auto_shard_dataset:
            return dataset
        if not hasattr(dataset, "rebatch"):
            raise ConfigError(
                f"The dataset type {type(dataset)} is not supported for auto-sharding in multi-process setting.",
                fix="Hand the whole dataset to fit() in each process.",
            )
        return self.distribute_tf_dataset(dataset)

    def distribute_tf_dataset(self, dataset: Any) -> Any:
        """This process's share of a `tf.data` dataset, whatever the number of processes.

        Args:
            dataset: Dataset with batches of a known size.

        Raises:
            ConfigError: The size is unknown, or not divisible by the number of shares.
        """
        from tensorflow.python.data.experimental.ops.distribute import (  # pyright: ignore[reportMissingImports]
            compute_batch_size,
        )

        batched = all(spec.shape.rank for spec in jax.tree_util.tree_leaves(dataset.element_spec))
        size = int(compute_batch_size(dataset)) if batched else -1
        if size < 0:
            raise ConfigError("The batch size of the input dataset is unknown.", fix="dataset = dataset.batch(size)")
        shares = min(self.num_model_replicas, self.num_processes)
        if size % shares:
            raise ConfigError(
                f"The batch size {size} must be divisible by the {shares} processes or model replicas that share it.",
                fix=f"dataset = dataset.unbatch().batch({-(-size // shares) * shares})",
            )
        return dataset if shares == 1 else dataset.rebatch(size // shares).shard(shares, self.data_shard_id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} device_mesh={self.device_mesh}>"


class DataParallel(Distribution):
    """Each device has the whole model and takes a share of every batch; the gradients are those of the whole batch.

    Args:
        device_mesh: Mesh of one axis. None means one of `devices`.
        devices: Names of devices. None means all devices.
        auto_shard_dataset: With several processes, True means that each gets the whole data in the same order and
            takes its share of each batch; False that each gets batches of its own, which together are one.
        shard_optimizer: Whether each device keeps a part of what the optimizer keeps (the moments of Adam) and updates
            that part of each variable (ZeRO stage 1; Rajbhandari et al., 2020, arXiv:1910.02054). The results are the
            same.

    >>> import lamina as keras
    >>> with keras.distribution.DataParallel().scope():
    ...     model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    >>> model.layers[0].kernel.layout.axes
    (None, None)
    """

    def __init__(
        self,
        device_mesh: DeviceMesh | None = None,
        devices: Any = None,
        auto_shard_dataset: bool = True,
        shard_optimizer: bool = False,
    ) -> None:
        if device_mesh is None:
            devices = several("DataParallel", list_devices() if devices is None else devices)
            device_mesh = DeviceMesh(devices.shape, [_BATCH], devices)
        if not isinstance(device_mesh, DeviceMesh):
            raise ConfigError(
                f"Expect `mesh` to be an instance of `DeviceMesh`. Received: mesh={device_mesh}",
                fix="DataParallel(devices=keras.distribution.list_devices())",
            )
        super().__init__(device_mesh, device_mesh.axis_names[0], auto_shard_dataset)
        self.shard_optimizer: bool = shard_optimizer
        if device_mesh.devices.ndim != 1:
            warn(f"DataParallel splits batches along {self.batch_dim_name!r} alone, the first axis of {device_mesh}.")

    @property
    def num_model_replicas(self) -> int:
        return int(self.device_mesh.devices.size)

    def get_slot_layout(self, variable: Any, shape: Sequence[int], layout: Any) -> Any:
        if not self.shard_optimizer:
            return layout
        return split_over(shape, layout, self.device_mesh, self.batch_dim_name, inner_axes(variable))

    def gathered(self, variable: Any, value: Any) -> Any:
        if not self.shard_optimizer or not variable.trainable:
            return value
        part = split_over(value.shape, None, self.device_mesh, self.batch_dim_name)
        return gathered(value, part, self.batch_dim_name)


_MODEL_PARALLEL = "ModelParallel(layout_map=keras.distribution.LayoutMap(device_mesh))"


class ModelParallel(Distribution):
    """Variables are split over devices too, by a LayoutMap.

    Args:
        layout_map: Layouts by path. A variable without a layout is whole on each device.
        batch_dim_name: Axis of the mesh along which batches are split. None means its first axis.
        auto_shard_dataset: With several processes, True means that each gets the whole data in the same order and
            takes its share of each batch; False that each gets batches of its own, which together are one.
        **kwargs: `device_mesh` is accepted and has no effect: the mesh is that of the layout map.

    >>> import lamina as keras
    >>> mesh = keras.distribution.DeviceMesh((1, 1), ["batch", "model"], ["cpu:0"])
    >>> layouts = keras.distribution.LayoutMap(mesh)
    >>> layouts[".*kernel"] = (None, "model")
    >>> with keras.distribution.ModelParallel(layout_map=layouts).scope():
    ...     model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
    >>> model.layers[0].kernel.layout.axes, model.layers[0].bias.layout.axes
    ((None, 'model'), (None,))
    """

    def __init__(
        self,
        *,
        layout_map: LayoutMap | None = None,
        batch_dim_name: str | None = None,
        auto_shard_dataset: bool = True,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("device_mesh", None)
        if kwargs:
            raise unknown_arguments(self, kwargs)
        if layout_map is None:
            raise ConfigError("You must specify a layout_map argument.", fix=_MODEL_PARALLEL)
        if not isinstance(layout_map, LayoutMap):
            raise ConfigError(
                f"Argument `layout_map` must be a `LayoutMap` instance. Received: layout_map={layout_map}",
                fix=_MODEL_PARALLEL,
            )
        mesh: Any = layout_map.device_mesh
        super().__init__(mesh, batch_dim_name or mesh.axis_names[0], auto_shard_dataset)
        self.layout_map: LayoutMap = layout_map
        self._is_fully_split = False
        if self.num_processes > self.num_model_replicas and self.num_processes % self.num_model_replicas:
            raise ConfigError(
                f"{self.num_processes} processes cannot share {self.num_model_replicas} copies of a model evenly.",
                fix="If there are more processes than copies, their number must divide by that of the copies.",
            )

    @classmethod
    def fsdp(
        cls,
        device_mesh: DeviceMesh | None = None,
        layout_map: LayoutMap | None = None,
        batch_dim_name: str | None = None,
        auto_shard_dataset: bool = True,
    ) -> ModelParallel:
        """Each device takes a share of every batch and stores a part of each variable, gradient and slot of the
        optimizer; a layer gathers its variables where it uses them (ZeRO stage 3; Zhao et al., 2023, arXiv:2304.11277).

        The largest dimension that divides by the number of devices is split. Variables of less than 1,024 numbers stay
        whole.

        Args:
            device_mesh: Mesh. None means that of `layout_map`, or one axis "batch" of all devices.
            layout_map: Layouts by path that split variables along other axes of the mesh as well.
            batch_dim_name: Axis of the mesh along which batches and variables are split. None means its first axis.
            auto_shard_dataset: With several processes, True means that each gets the whole data in the same order and
                takes its share of each batch; False that each gets batches of its own, which together are one.

        >>> import lamina as keras
        >>> with keras.distribution.ModelParallel.fsdp().scope():
        ...     model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(64)])
        """
        if layout_map is None:
            device_mesh = device_mesh or DeviceMesh((len(list_devices()),), [_BATCH])
            layout_map = LayoutMap(device_mesh)
        distribution = cls(layout_map=layout_map, batch_dim_name=batch_dim_name, auto_shard_dataset=auto_shard_dataset)
        distribution._is_fully_split = True
        return distribution

    @property
    def num_model_replicas(self) -> int:
        return self.device_mesh.shape[list(self.device_mesh.axis_names).index(self.batch_dim_name or "")]

    def get_variable_layout(self, variable: Any) -> Any:
        if variable.layout is not None:
            return variable.layout
        layout = self.layout_map[variable.path]
        if layout is not None and isinstance(variable, Stacked) and len(layout.axes) <= variable.inner_ndim:
            for _ in range(variable.ndim - variable.inner_ndim):  # it is that of one repetition
                layout = stacked_layout(layout)
        if self._is_fully_split:
            layout = split_over(variable.shape, layout, self.device_mesh, self.batch_dim_name, inner_axes(variable))
        return layout or super().get_variable_layout(variable)

    def gathered(self, variable: Any, value: Any) -> Any:
        return gathered(value, variable.layout, self.batch_dim_name) if self._is_fully_split else value

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        return self.layout_map[path]

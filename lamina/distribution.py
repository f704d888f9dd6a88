"""Many devices: meshes of them, layouts of data and variables over a mesh, and several processes that train one model.

Standing on `jax.sharding`: a step stays one compiled program, which XLA spreads over the devices (SPMD).
"""

import contextlib
import math
import os
import re
from collections.abc import MutableMapping
from typing import Any

import jax
import numpy as np
from jax.core import Tracer
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from lamina import random
from lamina.core import context
from lamina.core.keras_tensor import KerasTensor
from lamina.core.placement import divisible_sharding, place, sharding_of
from lamina.core.variable import unwrap
from lamina.errors import ConfigError, warn
from lamina.runtime.process import configure_process

__all__ = [
    "DataParallel", "DeviceMesh", "LayoutMap", "ModelParallel", "TensorLayout", "distribute_tensor", "distribution",
    "get_device_count", "initialize", "list_devices", "set_distribution",
]  # fmt: skip

_BATCH = "batch"


# Devices and processes


def list_devices(device_type=None):
    """The devices of all processes, as "cpu:0" or "gpu:1".

    Args:
        device_type: "cpu", "gpu" or "tpu"; None for the kind that JAX computes on.

    >>> import lamina as keras
    >>> keras.distribution.list_devices("cpu")[0]
    'cpu:0'
    """
    configure_process()
    return [f"{device.platform}:{device.id}" for device in jax.devices(device_type and device_type.lower())]


def get_device_count(device_type=None):
    """How many devices `list_devices` lists."""
    configure_process()
    return jax.device_count(device_type and device_type.lower())


def initialize(job_addresses=None, num_processes=None, process_id=None):
    """Join this process with others that run the same program, over `jax.distributed`. To be called before anything is
    computed.

    Where no seed was set, all processes take the one of process 0, so that they draw the same initial values and read
    their data in the same order.

    Args:
        job_addresses: "host:port" of process 0, or of all processes, with commas between.
        num_processes: how many processes there are.
        process_id: the number of this one, from 0.
        Each is taken from KERAS_DISTRIBUTION_JOB_ADDRESSES, ..._NUM_PROCESSES and ..._PROCESS_ID in the environment
        where it is None; clusters that JAX knows (Slurm, Cloud TPU) need none of them.
    """
    job_addresses = job_addresses or os.environ.get("KERAS_DISTRIBUTION_JOB_ADDRESSES")
    num_processes = _or_environment(num_processes, "KERAS_DISTRIBUTION_NUM_PROCESSES")
    process_id = _or_environment(process_id, "KERAS_DISTRIBUTION_PROCESS_ID")
    configure_process()
    addresses = job_addresses.split(",") if job_addresses else [None]
    if len(addresses) > 1 and num_processes not in (None, len(addresses)):
        raise ConfigError(f"job_addresses has {len(addresses)} jobs, but num_processes is {num_processes}.")
    jax.distributed.initialize(coordinator_address=addresses[0], num_processes=num_processes, process_id=process_id)
    if random.global_seed() is None:
        from jax.experimental import multihost_utils

        seed = np.uint32(random.default_seed())
        random.set_global_seed(int(multihost_utils.broadcast_one_to_all(seed)))


def _or_environment(number, name):
    return int(os.environ[name]) if number is None and name in os.environ else number


def _device_of(name):
    """The device that `list_devices` calls so."""
    if isinstance(name, jax.Device):
        return name
    configure_process()
    kind, _, number = str(name).partition(":")
    for device in jax.devices(kind):
        if device.id == int(number or 0):
            return device
    raise ConfigError(f"There is no device {str(name)!r}; there are: {', '.join(list_devices(kind))}.")


# Meshes and layouts


class DeviceMesh:
    """Devices as a grid whose axes have names.

    Args:
        shape: the sizes of the axes.
        axis_names: their names.
        devices: as many as the grid has places; all of `list_devices()` if not given.

    >>> import lamina as keras
    >>> keras.distribution.DeviceMesh((1, 1), ["batch", "model"], ["cpu:0"])
    <DeviceMesh shape=(1, 1), axis_names=['batch', 'model']>
    """

    shape: Any = None
    axis_names: Any = None
    devices: Any = None

    def __init__(self, shape, axis_names, devices=None):
        received = f"Received: shape={shape}, axis_names={axis_names}"
        if not shape or not axis_names:
            raise ConfigError(f"Shape and axis_names cannot be empty. {received}")
        if len(shape) != len(axis_names):
            raise ConfigError(f"Shape and axis_names should have same size. {received}")
        devices = np.array(list_devices() if devices is None else devices)
        if math.prod(shape) != devices.size:
            raise ConfigError(f"Shape does not match the number of devices. Received: {shape} for {devices.size}.")
        self.shape, self.axis_names, self.devices = shape, axis_names, devices.reshape(shape)
        self._mesh = None

    @property
    def backend_mesh(self):
        """The `jax.sharding.Mesh`."""
        if self._mesh is None:
            devices = [_device_of(name) for name in self.devices.flat]
            self._mesh = Mesh(np.array(devices).reshape(self.devices.shape), tuple(self.axis_names))
        return self._mesh

    def __repr__(self):
        return f"<DeviceMesh shape={self.shape}, axis_names={self.axis_names}>"


class TensorLayout:
    """How an array is spread over a mesh.

    Args:
        axes: for each dimension the name of the axis of the mesh that it is split along; None for one left whole.
        device_mesh: may be set later, once.

    >>> import lamina as keras
    >>> mesh = keras.distribution.DeviceMesh((1,), ["batch"], ["cpu:0"])
    >>> keras.distribution.TensorLayout(("batch", None), mesh).axes
    ('batch', None)
    """

    axes: Any = None

    def __init__(self, axes, device_mesh=None):
        self.axes = tuple(axes)
        self._device_mesh = self._sharding = None
        self.device_mesh = device_mesh

    @property
    def device_mesh(self) -> Any:
        """The mesh, or None."""
        return self._device_mesh

    @device_mesh.setter
    def device_mesh(self, device_mesh):
        if self._device_mesh is not None:
            raise ConfigError(f"Cannot override device mesh value. Existing value is {self._device_mesh}")
        names = {name for axes in self.axes for name in (axes if isinstance(axes, tuple) else (axes,))} - {None}
        if device_mesh is not None and not names <= set(device_mesh.axis_names):
            raise ConfigError(
                f"Invalid axis names for Layout. Valid axis names: {set(device_mesh.axis_names)}, Got {names}"
            )
        self._device_mesh = device_mesh

    @property
    def backend_layout(self):
        """The `jax.sharding.NamedSharding`."""
        if self.device_mesh is None:
            raise ConfigError("Cannot create sharding when device mesh is not set for TensorLayout.")
        if self._sharding is None:
            self._sharding = NamedSharding(self.device_mesh.backend_mesh, PartitionSpec(*self.axes))
        return self._sharding

    def __repr__(self):
        return f"<TensorLayout axes={self.axes}, device_mesh={self.device_mesh}>"


class LayoutMap(MutableMapping):
    """Layouts by regular expressions over paths: of variables, as `model.variables` have them, and of the outputs of
    layers, as "mlp/dense/output".

    A path takes the layout of the key that is equal to it, else of the only key that matches it whole; None where none
    does. A tuple of axis names is taken for a TensorLayout.

    >>> import lamina as keras
    >>> mesh = keras.distribution.DeviceMesh((1,), ["model"], ["cpu:0"])
    >>> layouts = keras.distribution.LayoutMap(mesh)
    >>> layouts[".*dense.*kernel"] = (None, "model")
    >>> layouts["mlp/dense_1/kernel"].axes, layouts["mlp/dense_1/bias"]
    ((None, 'model'), None)
    """

    device_mesh: Any = None

    def __init__(self, device_mesh):
        self.device_mesh = device_mesh
        self._layouts = {}

    def __getitem__(self, key):
        if key in self._layouts:
            return self._layouts[key]
        matching = [pattern for pattern in self._layouts if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ConfigError(
                f"Path '{key}' matches multiple layout specification keys: {matching}.",
                fix="Write the expressions so that each path matches at most one of them.",
            )
        return self._layouts[matching[0]] if matching else None

    def __setitem__(self, key, layout):
        if key in self._layouts:
            raise ConfigError(f"{key} already exist in the LayoutMap with value {self._layouts[key]}.")
        if isinstance(layout, tuple):
            layout = TensorLayout(layout)
        if not isinstance(layout, TensorLayout):
            raise ConfigError(f"{layout} should be a TensorLayout type, got {type(layout)}")
        if layout.device_mesh is None and self.device_mesh is not None:
            layout.device_mesh = self.device_mesh
        self._layouts[key] = layout

    def __delitem__(self, key):
        del self._layouts[key]

    def __len__(self):
        return len(self._layouts)

    def __iter__(self):
        return iter(self._layouts)


def distribute_tensor(tensor, layout):
    """`tensor` spread by a TensorLayout (or sharding of JAX): inside a compiled function a constraint on what XLA
    makes of it, outside a copy to the devices. A KerasTensor has no devices, and is given back."""
    tensor, layout = unwrap(tensor), sharding_of(layout)
    if isinstance(tensor, KerasTensor):
        return tensor
    if isinstance(tensor, Tracer):
        return jax.lax.with_sharding_constraint(tensor, layout)
    return place(tensor, layout) if isinstance(layout, jax.sharding.Sharding) else jax.device_put(tensor, layout)


def shard_outputs(path, outputs):
    """The outputs of a layer as the current distribution wants them, by the path of the layer and "/output"."""
    layout = context.distribution().get_tensor_layout(path)
    if layout is None:
        return outputs
    sharding = sharding_of(layout)
    return jax.tree_util.tree_map(
        lambda leaf: distribute_tensor(leaf, divisible_sharding(sharding, leaf.shape)), outputs
    )


# Distributions


def distribution():
    """The current distribution, or None."""
    return context.distribution()


def set_distribution(value):
    """Make a DataParallel or ModelParallel the current distribution, for models made, trained and used from now on;
    None for none."""
    context.set_distribution(value)


class Distribution:
    """How data, variables and what layers put out are spread over a mesh.

    Args:
        device_mesh: a DeviceMesh.
        batch_dim_name: the axis of the mesh along which batches are split.
        auto_shard_dataset: with several processes, True when each is given the whole data, in the same order, and takes
            its share of each batch; False when each is given batches of its own, which together are one.
    """

    device_mesh: Any = None
    batch_dim_name: Any = None
    auto_shard_dataset: Any = None

    def __init__(self, device_mesh, batch_dim_name=None, auto_shard_dataset=True):
        self.device_mesh, self.batch_dim_name = device_mesh, batch_dim_name
        self.auto_shard_dataset = auto_shard_dataset
        self._num_processes, self._process_id = jax.process_count(), jax.process_index()

    @property
    def num_processes(self):
        """How many processes there are."""
        return self._num_processes

    @property
    def num_model_replicas(self):
        """How many copies of the model there are, each of which takes a share of the batch."""
        raise NotImplementedError

    @property
    def data_shard_id(self):
        """The number of the share of a batch that this process takes."""
        return self._process_id // max(self.num_processes // self.num_model_replicas, 1)

    def get_data_layout(self, data_shape):
        """The layout of a batch: split along its first dimension."""
        return TensorLayout((self.batch_dim_name, *(None for _ in data_shape[1:]))[: len(data_shape)], self.device_mesh)

    def get_variable_layout(self, variable):
        """The layout of a variable: its own, or whole on each device."""
        return variable.layout or TensorLayout([None] * len(variable.shape), self.device_mesh)

    def get_tensor_layout(self, path):
        """The layout of what a layer puts out, by its path and "/output"; None to leave it to XLA."""
        return None

    @contextlib.contextmanager
    def scope(self):
        """`with distribution.scope():` makes it the current distribution inside the block."""
        before = distribution()
        set_distribution(self)
        try:
            yield self
        finally:
            set_distribution(before)

    def distribute_dataset(self, dataset):
        """The share of this process of a `tf.data` dataset of whole batches; `dataset` itself where there is one
        process, or `auto_shard_dataset` is off.

        `fit` needs no such call: it takes the share of each batch itself, of data of every kind.
        """
        if self.num_processes == 1 or not self.auto_shard_dataset:
            return dataset
        if not hasattr(dataset, "rebatch"):
            raise ConfigError(
                f"The dataset type {type(dataset)} is not supported for auto-sharding in multi-process setting.",
                fix="Hand the whole dataset to fit() in each process.",
            )
        return self.distribute_tf_dataset(dataset)

    def distribute_tf_dataset(self, dataset):
        """As `distribute_dataset`, of a `tf.data` dataset whose batches have a known size."""
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
                f"Global batch size must be divisible by the number of processes or model replicas that share it: "
                f"{size} by {shares}."
            )
        return dataset if shares == 1 else dataset.rebatch(size // shares).shard(shares, self.data_shard_id)

    def __repr__(self):
        return f"<{type(self).__name__} device_mesh={self.device_mesh}>"


class DataParallel(Distribution):
    """Each device has the whole model and takes a share of every batch; the gradients are those of the whole batch.

    Args:
        device_mesh: a mesh of one axis.
        devices: in its place, a list of devices; all of them if neither is given.
        auto_shard_dataset: with several processes, True when each is given the whole data, in the same order, and takes
            its share of each batch; False when each is given batches of its own, which together are one.

    >>> import lamina as keras
    >>> with keras.distribution.DataParallel().scope():
    ...     model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    >>> model.layers[0].kernel.layout.axes
    (None, None)
    """

    def __init__(self, device_mesh=None, devices=None, auto_shard_dataset=True):
        if device_mesh is None:
            devices = np.array(list_devices() if devices is None else devices)
            device_mesh = DeviceMesh(devices.shape, [_BATCH], devices)
        if not isinstance(device_mesh, DeviceMesh):
            raise ConfigError(f"Expect `mesh` to be an instance of `DeviceMesh`. Received: mesh={device_mesh}")
        super().__init__(device_mesh, device_mesh.axis_names[0], auto_shard_dataset)
        if device_mesh.devices.ndim != 1:
            warn(f"DataParallel splits batches along {self.batch_dim_name!r} alone, the first axis of {device_mesh}.")

    @property
    def num_model_replicas(self):
        return self.device_mesh.devices.size


class ModelParallel(Distribution):
    """Variables are split over devices too, as a LayoutMap says.

    Args:
        layout_map: path -> layout. A variable without one is whole on each device.
        batch_dim_name: the axis of the mesh along which batches are split; the first if not given.
        auto_shard_dataset: as in DataParallel.
        device_mesh: not needed: it is that of the layout map.

    >>> import lamina as keras
    >>> mesh = keras.distribution.DeviceMesh((1, 1), ["batch", "model"], ["cpu:0"])
    >>> layouts = keras.distribution.LayoutMap(mesh)
    >>> layouts[".*kernel"] = (None, "model")
    >>> with keras.distribution.ModelParallel(layout_map=layouts).scope():
    ...     model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
    >>> model.layers[0].kernel.layout.axes, model.layers[0].bias.layout.axes
    ((None, 'model'), (None,))
    """

    def __init__(self, *, layout_map=None, batch_dim_name=None, auto_shard_dataset=True, **kwargs):
        kwargs.pop("device_mesh", None)
        if kwargs:
            raise ConfigError(f"ModelParallel has no argument {', '.join(map(repr, kwargs))}.")
        if layout_map is None:
            raise ConfigError("You must specify a layout_map argument.")
        if not isinstance(layout_map, LayoutMap):
            raise ConfigError(
                f"Argument `layout_map` must be a `LayoutMap` instance. Received: layout_map={layout_map}"
            )
        mesh = layout_map.device_mesh
        super().__init__(mesh, batch_dim_name or mesh.axis_names[0], auto_shard_dataset)
        self.layout_map = layout_map
        if self.num_processes > self.num_model_replicas and self.num_processes % self.num_model_replicas:
            raise ConfigError(
                f"{self.num_processes} processes cannot share {self.num_model_replicas} copies of a model evenly.",
                fix="If there are more processes than copies, their number must divide by that of the copies.",
            )

    @property
    def num_model_replicas(self):
        return self.device_mesh.shape[list(self.device_mesh.axis_names).index(self.batch_dim_name)]

    def get_variable_layout(self, variable):
        return variable.layout or self.layout_map[variable.path] or super().get_variable_layout(variable)

    def get_tensor_layout(self, path):
        return self.layout_map[path]

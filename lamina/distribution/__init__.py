"""Many devices: meshes of them, layouts of data and variables over a mesh, and several processes that train one model.

It stands on `jax.sharding`: a step stays one compiled program, which XLA splits over the devices (SPMD).
"""

from lamina.distribution.automatic import auto_layout
from lamina.distribution.devices import get_device_count, initialize, list_devices
from lamina.distribution.distributions import DataParallel, Distribution, ModelParallel, distribution, set_distribution
from lamina.distribution.layouts import DeviceMesh, LayoutMap, TensorLayout, distribute_tensor

__all__ = [
    "DataParallel", "DeviceMesh", "LayoutMap", "ModelParallel", "TensorLayout", "auto_layout", "distribute_tensor",
    "distribution", "get_device_count", "initialize", "list_devices",
    "set_distribution",
]  # fmt: skip

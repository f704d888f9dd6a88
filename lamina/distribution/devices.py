"""Devices of all processes, and how processes join one program."""

from __future__ import annotations

import math
import os
from typing import Any

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from lamina import random
from lamina.distribution.launchers import arguments_of_launcher, has_cluster
from lamina.errors import ConfigError, warn
from lamina.runtime import processes
from lamina.runtime.process import configure_process, devices_of
from lamina.runtime.progress import say

__all__ = ["device_of", "get_device_count", "initialize", "join_processes", "list_devices", "several"]


def list_devices(device_type: str | None = None) -> list[str]:
    """The devices of all processes, as "cpu:0" or "gpu:1".

    Args:
        device_type: "cpu", "gpu" or "tpu"; None means the kind that JAX computes on.

    >>> import lamina as keras
    >>> keras.distribution.list_devices("cpu")[0]
    'cpu:0'
    """
    configure_process()
    return [f"{device.platform}:{device.id}" for device in devices_of(device_type)]


def several(owner: str, devices: Any) -> np.ndarray[Any, Any]:
    """Devices as an array.

    Args:
        owner: Class whose argument they are.
        devices: What it got.

    Raises:
        ConfigError: It is their number.
    """
    found = np.array(devices)
    if found.ndim == 0:
        count = f"[:{devices}]" if found.dtype.kind in "iu" else ""
        message = f"{owner}: `devices` is a list of names; got {devices!r}."
        raise ConfigError(message, fix=f"{owner}(devices=keras.distribution.list_devices(){count})")
    return found


def get_device_count(device_type: str | None = None) -> int:
    """The number of devices of all processes.

    Args:
        device_type: "cpu", "gpu" or "tpu"; None means the kind that JAX computes on.
    """
    configure_process()
    return jax.device_count(device_type and device_type.lower())


def initialize(
    job_addresses: str | None = None,
    num_processes: int | None = None,
    process_id: int | None = None,
    wait_limit: float | None = None,
    **settings: Any,
) -> None:
    """Join this process with others that run the same program, over `jax.distributed`. Call it before any computation.

    All processes take the seed of process 0, set or drawn, so that they draw the same initial values and read their
    data in the same order. Arguments that are None come from the environment: from KERAS_DISTRIBUTION_JOB_ADDRESSES,
    KERAS_DISTRIBUTION_NUM_PROCESSES and KERAS_DISTRIBUTION_PROCESS_ID, or from a launcher (`mpirun` of Open MPI and
    MPICH, `torchrun`, Kubeflow, Ray Train; JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID), or from a
    cluster that JAX knows (Slurm, Cloud TPU). Without any of them the process trains alone. Where someone else has
    called `jax.distributed.initialize`, the processes are those that it joined.

    Args:
        job_addresses: "host:port" of process 0, or of all processes, separated by commas. None means
            KERAS_DISTRIBUTION_JOB_ADDRESSES.
        num_processes: Number of processes. None means KERAS_DISTRIBUTION_NUM_PROCESSES.
        process_id: Number of this process, from 0. None means KERAS_DISTRIBUTION_PROCESS_ID.
        wait_limit: Seconds that a process waits for another that is alive, before an error that says where each is.
            None means the environment's LAMINA_WAIT_LIMIT, or 600.
        **settings: Further arguments of `jax.distributed.initialize`, such as `local_device_ids`,
            `cluster_detection_method`, `initialization_timeout` and `heartbeat_timeout_seconds`.

    Raises:
        ConfigError: `num_processes` is not the number of addresses.
    """
    job_addresses = job_addresses or os.environ.get("KERAS_DISTRIBUTION_JOB_ADDRESSES")
    num_processes = _or_environment(num_processes, "KERAS_DISTRIBUTION_NUM_PROCESSES")
    process_id = _or_environment(process_id, "KERAS_DISTRIBUTION_PROCESS_ID")
    configure_process()
    addresses = job_addresses.split(",") if job_addresses else [None]
    if len(addresses) > 1 and num_processes not in (None, len(addresses)):
        raise ConfigError(
            f"job_addresses has {len(addresses)} jobs, but num_processes is {num_processes}.",
            fix=f"num_processes={len(addresses)}",
        )
    if not jax.distributed.is_initialized():
        given = {"coordinator_address": addresses[0], "num_processes": num_processes, "process_id": process_id}
        given = {name: value for name, value in given.items() if value is not None}
        if not given and not settings.get("cluster_detection_method"):
            given = arguments_of_launcher()
            if not given and "JAX_COORDINATOR_ADDRESS" not in os.environ and not has_cluster():
                say("No launcher has set its variables: this process trains alone.")
                return
        jax.distributed.initialize(**{**given, **settings})
    if processes.together() is not None:  # called once more: a distribution is made already
        processes.set_limit(wait_limit)
    elif processes.join(range(jax.process_count())) is not None:
        _agree_on_seed("keras.distribution.initialize")
        processes.set_limit(wait_limit)
        processes.leave()  # until a distribution is made


def join_processes(mesh: Any) -> tuple[int, int]:
    """Let the processes whose devices a mesh has train together, with the same random numbers. Returns the number of
    all processes, and that of this one.

    Args:
        mesh: DeviceMesh.
    """
    if jax.distributed.is_initialized() and processes.join(device_of(name).process_index for name in mesh.devices.flat):
        with processes.as_one("making a distribution"):
            _agree_on_seed("the seed of a distribution")
            _connect(mesh.backend_mesh)
    return jax.process_count(), jax.process_index()


def _connect(mesh):
    """Let the devices of CPUs meet now, when all processes are at the same place: XLA waits 30 s for the last of them,
    and the first step may take longer than that to compile in one of them."""
    if mesh.devices.flat[0].platform != "cpu":
        return
    several = [(axis,) for axis in mesh.axis_names if mesh.shape[axis] > 1]
    for axes in dict.fromkeys([mesh.axis_names, *several]):  # in one order in all processes, unlike a set of names
        split, whole = NamedSharding(mesh, PartitionSpec(axes)), NamedSharding(mesh, PartitionSpec())
        size = math.prod(mesh.shape[axis] for axis in axes)
        ones = jax.make_array_from_callback((size,), split, np.ones(size, "float32").__getitem__)
        processes.computes()  # of who does not come, because of an error, the neighbours tell
        total = jax.jit(jax.numpy.sum, out_shardings=whole)(ones)
        processes.computes(total)
        jax.block_until_ready(total)


def _agree_on_seed(where):
    """Take the seed of the first process, unless all draw the same numbers already."""
    from lamina.runtime.digests import digest
    from lamina.runtime.random_state import random_states

    states = [digest(state) for state in random_states().values()]
    found = processes.gather([random.global_seed(), states], where)
    if all(one == found[0] for one in found):
        return
    seeds = [seed for seed, _ in found]
    if len(set(seeds)) > 1:
        warn(
            f"The processes have different seeds: {', '.join(map(str, seeds))}. All take that of the first, so that "
            "they have the same model: keras.utils.set_random_seed(1) in each process."
        )
    random.set_global_seed(processes.agree(random.default_seed() if seeds[0] is None else seeds[0], where))


def _or_environment(number, name):
    return int(os.environ[name]) if number is None and name in os.environ else number


def device_of(name: Any) -> Any:
    """The device with a name from `list_devices`.

    Args:
        name: Name, or a `jax.Device`, which stays as it is.

    Raises:
        ConfigError: There is no such device.
    """
    if isinstance(name, jax.Device):
        return name
    configure_process()
    kind, _, number = str(name).partition(":")
    for device in devices_of(kind):
        if device.id == int(number or 0):
            return device
    raise ConfigError(
        f"There is no device {str(name)!r}; there are: {', '.join(list_devices(kind))}.", fix=list_devices(kind)[0]
    )

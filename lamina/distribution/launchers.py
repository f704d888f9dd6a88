"""Launchers: what the program that started this process says about the others, in environment variables."""

from __future__ import annotations

import dataclasses
import os
import re
import socket
import sys
from collections.abc import Callable
from typing import Any

from lamina.errors import ConfigError

__all__ = ["arguments_of_launcher", "has_cluster"]

_FIRST_PORT, _PORTS = 61440, 4096  # of those that JAX chooses among, too


@dataclasses.dataclass(frozen=True)
class _Launcher:
    """A launcher by its variables.

    Attributes:
        count, number: Variables of the number of processes, and of the number of this one.
        address: Function that returns "host:port" of process 0, or None.
        local: Variables of the number of processes on this machine, and of the number of this one among them.
    """

    count: str
    number: str
    address: Callable[[], str | None]
    local: tuple[str, str] | None = None


def _torchrun():
    if "MASTER_ADDR" not in os.environ:
        return None
    port = int(os.environ.get("MASTER_PORT", _FIRST_PORT))
    port += os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"  # the launcher itself listens at MASTER_PORT
    return f"{os.environ['MASTER_ADDR']}:{port}"


def _open_mpi():
    """Of version 5: the namespace names the host and the process of mpirun. JAX knows version 4."""
    found = re.match(r"prte(?:run)?-(.+)-(\d+)@", os.environ.get("PMIX_NAMESPACE", ""))
    return found and _at(found[1], int(found[2]))


def _mpich():
    """Of MPICH and Intel MPI, on one machine: all processes have one parent."""
    same = os.environ.get("MPI_LOCALNRANKS") == os.environ["PMI_SIZE"]
    return _at("127.0.0.1", os.getppid()) if same else None


def _at(host, number):
    return f"{host}:{os.environ.get('JAX_COORDINATOR_PORT') or _FIRST_PORT + number % _PORTS}"


def _kubeflow():
    address = os.environ.get("COORDINATOR_ADDRESS")
    return address and f"{address}:{os.environ.get('COORDINATOR_PORT', '6666')}"


_LAUNCHERS = (  # the innermost first: Slurm may start mpirun or torchrun
    _Launcher("JAX_NUM_PROCESSES", "JAX_PROCESS_ID", lambda: None),
    _Launcher("WORLD_SIZE", "RANK", _torchrun, ("LOCAL_WORLD_SIZE", "LOCAL_RANK")),
    _Launcher("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", _open_mpi,
              ("OMPI_COMM_WORLD_LOCAL_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK")),
    _Launcher("PMI_SIZE", "PMI_RANK", _mpich, ("MPI_LOCALNRANKS", "MPI_LOCALRANKID")),
    _Launcher("NUM_PROCESSES", "PROCESS_ID", _kubeflow),
)  # fmt: skip


def arguments_of_launcher() -> dict[str, Any]:
    """The arguments of `jax.distributed.initialize` that a launcher has put into the environment; none if JAX has to
    look for a cluster itself.

    Raises:
        ConfigError: There is a launcher, and the address of process 0 is not known.
    """
    found = _of_ray()
    if found:
        return found
    for launcher in _LAUNCHERS:
        names = [launcher.count, launcher.number, *(launcher.local or ())]
        if not all(name in os.environ for name in names[:2]):
            continue
        count, number, *local = [int(os.environ[name]) if name in os.environ else None for name in names]
        address = os.environ.get("JAX_COORDINATOR_ADDRESS") or launcher.address()
        if not address and has_cluster():  # as Open MPI 4, or Slurm, which sets PMI_SIZE
            return {}
        if not address and count == 1:
            address = _at("127.0.0.1", os.getpid())
        if not address:
            raise ConfigError(
                f"{launcher.count} is {count}, and no variable has the address of process 0.",
                fix="JAX_COORDINATOR_ADDRESS=HOST:1234 in the environment of all processes.",
            )
        found = {"coordinator_address": address, "num_processes": count, "process_id": number}
        found["cluster_detection_method"] = "deactivate"  # all is known; a cluster around it has other numbers
        return found | ({"local_device_ids": [local[1]]} if local and (local[0] or 1) > 1 else {})
    return {}


def _of_ray():
    """The arguments in a worker of Ray Train, whose JaxTrainer calls `jax.distributed.initialize` on GPUs and TPUs
    alone."""
    try:
        context: Any = sys.modules["ray.train"].get_context()
        count, number = context.get_world_size(), context.get_world_rank()
    except (KeyError, RuntimeError):  # not there, or not in a worker
        return {}
    from ray.train.collective import broadcast_from_rank_zero  # pyright: ignore[reportMissingImports]
    from ray.util import get_node_ip_address  # pyright: ignore[reportMissingImports]

    with socket.socket() as free:
        free.bind(("", 0))
        mine = f"{get_node_ip_address()}:{free.getsockname()[1]}"
    address = broadcast_from_rank_zero(mine if number == 0 else None)
    return {"coordinator_address": address, "num_processes": count, "process_id": number,
            "cluster_detection_method": "deactivate"}  # fmt: skip


def has_cluster() -> bool:
    """Whether JAX knows the cluster that this process runs on."""
    from jax._src.clusters import ClusterEnv

    return any(env.is_env_present() for env in ClusterEnv._cluster_types if not env.opt_in_only_method)

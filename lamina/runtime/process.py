"""Settings of the process that lamina changes, once, before it makes its first array. Importing changes none.

They hold for the whole process, so the user's own JAX code runs under them as well:

- JAX runs a program for the CPU in the thread that asks for it (`jax_cpu_enable_async_dispatch` is False). Handing a
  small program to another thread takes longer than running it.
- The C library keeps memory that was freed, and asks for large pages (`lamina.runtime.allocator`).
- Behind errors of Python's own that end a program stands what to write instead (`lamina.runtime.tracebacks`, from the
  first object on).
- Attributes that arrays of PyTorch and TensorFlow have and those of JAX lack, as `.numpy()`, raise an AttributeError
  that says what to write in their place; `hasattr` stays False (`lamina.spelling.arrays`).

`lamina.config.set_process_settings(False)`, or LAMINA_CONFIGURE_PROCESS=0 in the environment, leaves the process as it
is. JAX reads its setting when it first looks for a CPU, so it has no effect where the user's code used JAX before.
"""

from __future__ import annotations

import ctypes
import functools
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

import jax
from jax._src import distributed

from lamina.errors import CallError, ConfigError
from lamina.runtime.allocator import keep_freed_memory

__all__ = ["configure_process", "configures_process", "devices_of", "has_coordinator", "set_process_settings"]

changes: list[Callable[[], None]] = []  # what other parts change beside
VARIABLE = "LAMINA_CONFIGURE_PROCESS"
_state: dict[str, bool | None] = {  # enabled: None asks the environment
    "enabled": None,
    "is_configured": False,
    "is_forked": False,
}


def configures_process() -> bool:
    """Whether lamina changes settings of the process, once, before it makes its first array.

    >>> configures_process()
    True
    """
    return os.environ.get(VARIABLE) != "0" if _state["enabled"] is None else bool(_state["enabled"])


def set_process_settings(enabled: bool) -> None:
    """Choose whether lamina may change settings of the process: the thread that JAX uses on CPUs, the allocator, and
    what is said of attributes that arrays lack and behind errors of Python's own.

    Call it before the first layer or variable is made. Without it the environment decides:
    LAMINA_CONFIGURE_PROCESS=0 stands for False.

    Args:
        enabled: False leaves the process as it is. Small models then train and predict more slowly on CPUs.

    Raises:
        ConfigError: `enabled` is False, but the settings were changed already.
    """
    if not enabled and _state["is_configured"]:
        raise ConfigError(
            "The settings of the process were changed already, when the first array was made.",
            fix=f"Call set_process_settings(False) right after the import, or set {VARIABLE}=0.",
        )
    _state["enabled"] = bool(enabled)
    configure_process.cache_clear()


@functools.cache
def configure_process() -> None:
    """Change the settings, the first time this is called. Whatever makes a first array calls it before.

    Raises:
        CallError: The process was forked from one that had made arrays. It lacks the threads of JAX, so that computing
            would wait for them forever.
    """
    if _state["is_forked"]:
        raise CallError(
            "This process was forked from one that had computed with JAX, whose threads a fork does not copy.",
            fix='multiprocessing.set_start_method("spawn"); or load models after the fork (gunicorn: no preload).',
        )
    if not configures_process():
        return
    keep_freed_memory()  # before JAX starts its threads, each of which chooses its part of the memory when it starts
    if "JAX_CPU_ENABLE_ASYNC_DISPATCH" not in os.environ:
        jax.config.update("jax_cpu_enable_async_dispatch", False)
    for change in changes:
        change()
    _state["is_configured"] = True


def devices_of(kind: str | None) -> list[Any]:
    """The devices of a kind.

    Args:
        kind: "cpu", "gpu", "cuda" or "tpu", in any case; None means the kind that JAX computes on.

    Raises:
        ConfigError: There is none.
    """
    try:
        return jax.devices(None if kind is None else {"cuda": "gpu"}.get(kind.lower(), kind.lower()))
    except RuntimeError:
        known = jax.default_backend()
        raise ConfigError(
            f"There is no device {kind!r}: JAX finds {', '.join(f'{known}:{one.id}' for one in jax.devices())} here.",
            fix=f"{known!r}, or leave it out: JAX computes on the fastest kind of device that it finds.",
        ) from None


def _after_fork():
    if configure_process.cache_info().currsize:
        _state["is_forked"] = True
        compiler = sys.modules.get("jax._src.interpreters.mlir")
        pools = [getattr(compiler, "global_thread_pool", None), *(device.client for device in jax.local_devices())]
        for pool in pools:  # kept alive past the exit, where their ends would wait for threads
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(pool))
        configure_process.cache_clear()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)


def has_coordinator() -> bool:
    """Whether the process that coordinates the others of `jax.distributed` still listens."""
    host, _, port = (distributed.global_state.coordinator_address or "").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=2).close()
    except OSError:
        return False
    return True

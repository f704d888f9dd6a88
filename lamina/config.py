"""Settings of the process: types, epsilon, image data format, logs, limits, checks, disk cache, lamina-native."""

from __future__ import annotations

from lamina.core.registry import allow_bytecode
from lamina.dtype_policies import dtype_policy, set_dtype_policy
from lamina.errors import ConfigError
from lamina.kernels.native import is_native, set_native
from lamina.runtime.compilation_cache import compilation_cache, set_compilation_cache
from lamina.runtime.process import configures_process, set_process_settings
from lamina.runtime.settings import (
    broadcast_targets,
    checks,
    disable_flash_attention,
    disable_interactive_logging,
    disable_traceback_filtering,
    enable_flash_attention,
    enable_interactive_logging,
    enable_traceback_filtering,
    epsilon,
    floatx,
    image_data_format,
    is_flash_attention_enabled,
    is_interactive_logging_enabled,
    is_traceback_filtering_enabled,
    max_epochs,
    max_steps_per_epoch,
    set_broadcast_targets,
    set_checks,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    set_max_epochs,
    set_max_steps_per_epoch,
)

__all__ = [
    "backend", "broadcast_targets", "checks", "compilation_cache", "configures_process",
    "disable_flash_attention", "disable_interactive_logging",
    "disable_traceback_filtering", "dtype_policy", "enable_flash_attention", "enable_interactive_logging",
    "enable_traceback_filtering", "enable_unsafe_deserialization", "epsilon", "floatx", "image_data_format",
    "is_flash_attention_enabled", "is_interactive_logging_enabled", "is_native", "is_nnx_enabled",
    "is_traceback_filtering_enabled", "max_epochs", "max_steps_per_epoch", "set_backend", "set_broadcast_targets",
    "set_checks", "set_compilation_cache", "set_dtype_policy", "set_epsilon", "set_floatx", "set_image_data_format",
    "set_max_epochs", "set_max_steps_per_epoch", "set_native", "set_process_settings",
]  # fmt: skip


def backend() -> str:
    """The engine: always 'jax'.

    >>> backend()
    'jax'
    """
    return "jax"


def set_backend(backend: str) -> None:
    """Does nothing: JAX is the only engine.

    Args:
        backend: "jax".

    Raises:
        ConfigError: For another name.
    """
    if backend != "jax":
        raise ConfigError(f"lamina runs only on JAX; got backend {backend!r}.", fix="Drop the call, or pass 'jax'.")


def is_nnx_enabled() -> bool:
    """Whether variables are those of Flax NNX: never."""
    return False


def enable_unsafe_deserialization() -> None:
    """Allow Python bytecode in configs and files from now on, in this thread: only if you trust all that you load."""
    allow_bytecode()

"""Settings of lamina in this process: float type, epsilon, image data format, logs; public as `lamina.config`."""

from __future__ import annotations

from typing import Any

import jax

from lamina.errors import ConfigError
from lamina.runtime import tracebacks

_settings: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "interactive_logging": True,
    "flash_attention": None,
    "checks": "warn",
    "broadcast_targets": "warn",
    "max_epochs": None,
    "max_steps_per_epoch": None,
}


def held_by_programs() -> tuple[Any, ...]:
    """The settings that compiled programs hold as constants."""
    return tuple(map(_settings.get, ("floatx", "epsilon", "image_data_format", "flash_attention", "broadcast_targets")))


def floatx() -> str:
    """The default float type, as a string.

    >>> floatx()
    'float32'
    """
    return _settings["floatx"]


def set_floatx(value: str) -> None:
    """Set the default float type.

    Args:
        value: "bfloat16", "float16", "float32" or "float64", which turns on JAX's 64-bit mode.

    Raises:
        ConfigError: For another value.
    """
    if value not in ("bfloat16", "float16", "float32", "float64"):
        raise ConfigError(
            f"floatx is one of 'bfloat16', 'float16', 'float32', 'float64'; got {value!r}.",
            fix='keras.config.set_floatx("float32")',
        )
    if value == "float64":
        jax.config.update("jax_enable_x64", True)
    _settings["floatx"] = str(value)


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite.

    >>> epsilon()
    1e-07
    """
    return _settings["epsilon"]


def set_epsilon(value: float) -> None:
    """Set the small number that keeps divisions and logarithms finite.

    Args:
        value: The number.
    """
    _settings["epsilon"] = value


def image_data_format() -> str:
    """'channels_last' (batch, height, width, channels) or 'channels_first' (batch, channels, height, width)."""
    return _settings["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Set the default of every layer's `data_format`.

    Args:
        data_format: "channels_last" or "channels_first".

    Raises:
        ConfigError: For another value.
    """
    _settings["image_data_format"] = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """A data format in lower case, checked.

    Args:
        data_format: "channels_last" or "channels_first"; None means `image_data_format()`.

    Raises:
        ConfigError: For another value.
    """
    if data_format is None:
        return image_data_format()
    name = str(data_format).lower()
    if name not in ("channels_last", "channels_first"):
        raise ConfigError(
            f"data_format is 'channels_last' or 'channels_first'; got {data_format!r}.",
            fix=f'data_format="channels_{"first" if "first" in name or name.startswith("nc") else "last"}"',
        )
    return name


def is_interactive_logging_enabled() -> bool:
    """Whether progress goes to the terminal (True) or to `logging` (False)."""
    return _settings["interactive_logging"]


def enable_interactive_logging() -> None:
    """Write progress to the terminal."""
    _settings["interactive_logging"] = True


def disable_interactive_logging() -> None:
    """Write progress to `logging` at level INFO."""
    _settings["interactive_logging"] = False


def is_traceback_filtering_enabled() -> bool:
    """Whether tracebacks leave out the frames of lamina and JAX."""
    return tracebacks.is_enabled()


def enable_traceback_filtering() -> None:
    """Leave the frames of lamina and JAX out of tracebacks, as by default."""
    tracebacks.set_enabled(True)
    jax.config.update("jax_traceback_filtering", "auto")


def disable_traceback_filtering() -> None:
    """Show every frame in tracebacks, as the environment variable `LAMINA_TRACEBACK=full` does."""
    tracebacks.set_enabled(False)
    jax.config.update("jax_traceback_filtering", "off")


def is_flash_attention_enabled() -> bool | None:
    """Whether attention uses a fused kernel: True, False, or None where each call decides by the device."""
    return _settings["flash_attention"]


def enable_flash_attention() -> None:
    """Use a fused kernel for attention where the device has one."""
    _settings["flash_attention"] = True


def reset_flash_attention() -> None:
    """Let each call decide by the device, as at the start."""
    _settings["flash_attention"] = None


def disable_flash_attention() -> None:
    """Compute attention from its formula."""
    _settings["flash_attention"] = False


def max_epochs() -> int | None:
    """The largest number of epochs that `fit` runs even if more are requested; None is no limit."""
    return _settings["max_epochs"]


def set_max_epochs(max_epochs: int | None) -> None:
    """Limit the epochs of `fit`, to try a script quickly.

    Args:
        max_epochs: Largest number of epochs; None is no limit.
    """
    _settings["max_epochs"] = max_epochs


def max_steps_per_epoch() -> int | None:
    """The largest number of steps in an epoch of `fit`, `evaluate` or `predict`; None is no limit."""
    return _settings["max_steps_per_epoch"]


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limit the steps in an epoch of `fit`, `evaluate` and `predict`, to try a script quickly.

    Args:
        max_steps_per_epoch: Largest number of steps; None is no limit.
    """
    _settings["max_steps_per_epoch"] = max_steps_per_epoch


def checks() -> str:
    """How `fit` treats the findings of `lamina.check`: 'off', 'warn' or 'error'.

    >>> checks()
    'warn'
    """
    return _settings["checks"]


def set_checks(checks: str) -> None:
    """Set how `fit` treats what `lamina.check` finds in a model and its first batch, before it trains.

    Args:
        checks: "warn" (the default) prints errors and warnings, one line each, unless verbose=0; "error" raises
            `lamina.errors.CheckError` for errors, regardless of verbose; "off" does not check.

    Raises:
        ConfigError: For another value.
    """
    if checks not in ("off", "warn", "error"):
        raise ConfigError(
            f"Checks are 'off', 'warn' or 'error'; got {checks!r}.", fix='keras.config.set_checks("warn")'
        )
    _settings["checks"] = checks


def broadcast_targets() -> str:
    """What losses and metrics do with targets whose shape broadcasts to the outputs': 'error', 'warn' or 'off'.

    >>> broadcast_targets()
    'warn'
    """
    return _settings["broadcast_targets"]


def set_broadcast_targets(broadcast_targets: str) -> None:
    """Set what losses and metrics do with targets whose shape is not that of the outputs but broadcasts to it.

    Crossentropies never broadcast, nor do they in Keras. Compiled steps keep the setting that they were compiled with.

    Args:
        broadcast_targets: "warn" (the default) broadcasts targets (batch, ..., 1) to outputs (batch, ..., units), says
            so once, and refuses all others; "error" refuses these too; "off" silently broadcasts as
            NumPy and Keras do.

    Raises:
        ConfigError: For another value.

    >>> import numpy as np
    >>> import lamina as keras
    >>> keras.config.set_broadcast_targets("off")
    >>> keras.losses.mean_absolute_error(np.zeros((1, 2)), np.ones((3, 2))).tolist()
    [1.0, 1.0, 1.0]
    >>> keras.config.set_broadcast_targets("warn")
    """
    if broadcast_targets not in ("error", "warn", "off"):
        raise ConfigError(
            f"broadcast_targets must be 'error', 'warn' or 'off'; got {broadcast_targets!r}.",
            fix='keras.config.set_broadcast_targets("warn")',
        )
    _settings["broadcast_targets"] = broadcast_targets

"""Process-wide settings: float type, epsilon, image data format, and where logs go. `lamina.config` is their public
face."""

import jax

from lamina.errors import ConfigError

_settings = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "interactive_logging": True,
    "traceback_filtering": True,
    "flash_attention": None,
    "checks": "warn",
    "max_epochs": None,
    "max_steps_per_epoch": None,
}


def floatx():
    """The default float type, as a string.

    >>> floatx()
    'float32'
    """
    return _settings["floatx"]


def set_floatx(value):
    """Set the default float type: 'bfloat16', 'float16', 'float32' or 'float64' (which turns on JAX's 64-bit mode)."""
    if value not in ("bfloat16", "float16", "float32", "float64"):
        raise ConfigError(f"floatx is one of 'bfloat16', 'float16', 'float32', 'float64'; got {value!r}.")
    if value == "float64":
        jax.config.update("jax_enable_x64", True)
    _settings["floatx"] = str(value)


def epsilon():
    """The small number that keeps divisions and logarithms finite.

    >>> epsilon()
    1e-07
    """
    return _settings["epsilon"]


def set_epsilon(value):
    """Set the small number that keeps divisions and logarithms finite."""
    _settings["epsilon"] = value


def image_data_format():
    """'channels_last' (batch, height, width, channels) or 'channels_first' (batch, channels, height, width)."""
    return _settings["image_data_format"]


def set_image_data_format(data_format):
    """Set the default of every layer's `data_format`: 'channels_last' or 'channels_first'."""
    _settings["image_data_format"] = standardize_data_format(data_format)


def standardize_data_format(data_format):
    """`data_format` checked; None means the setting."""
    if data_format is None:
        return image_data_format()
    name = str(data_format).lower()
    if name not in ("channels_last", "channels_first"):
        raise ConfigError(f"data_format is 'channels_last' or 'channels_first'; got {data_format!r}.")
    return name


def is_interactive_logging_enabled():
    """Whether progress goes to the terminal (True) or to `logging` (False)."""
    return _settings["interactive_logging"]


def enable_interactive_logging():
    """Write progress to the terminal."""
    _settings["interactive_logging"] = True


def disable_interactive_logging():
    """Write progress to `logging` at level INFO."""
    _settings["interactive_logging"] = False


def is_traceback_filtering_enabled():
    """Whether JAX hides its own frames in tracebacks."""
    return _settings["traceback_filtering"]


def enable_traceback_filtering():
    """Hide JAX's own frames in tracebacks."""
    _settings["traceback_filtering"] = True
    jax.config.update("jax_traceback_filtering", "auto")


def disable_traceback_filtering():
    """Show every frame in tracebacks."""
    _settings["traceback_filtering"] = False
    jax.config.update("jax_traceback_filtering", "off")


def is_flash_attention_enabled():
    """Whether attention uses a fused kernel: True, False, or None where each call decides by what the device can do."""
    return _settings["flash_attention"]


def enable_flash_attention():
    """Use a fused kernel for attention where the device has one."""
    _settings["flash_attention"] = True


def disable_flash_attention():
    """Compute attention from its formula."""
    _settings["flash_attention"] = False


def max_epochs():
    """The most epochs that `fit` runs, whatever it is asked for; None is no limit."""
    return _settings["max_epochs"]


def set_max_epochs(max_epochs):
    """Let `fit` run at most so many epochs (to try a script quickly); None is no limit."""
    _settings["max_epochs"] = max_epochs


def max_steps_per_epoch():
    """The most steps an epoch of `fit`, `evaluate` or `predict` has; None is no limit."""
    return _settings["max_steps_per_epoch"]


def set_max_steps_per_epoch(max_steps_per_epoch):
    """Let an epoch of `fit`, `evaluate` or `predict` have at most so many steps; None is no limit."""
    _settings["max_steps_per_epoch"] = max_steps_per_epoch


def checks():
    """What `fit` does about the findings of `lamina.check`: 'off', 'warn' or 'error'.

    >>> checks()
    'warn'
    """
    return _settings["checks"]


def set_checks(checks):
    """Set what `fit` does about what is wrong with a model or its first batch, before it trains.

    'warn' (as it begins) prints errors and warnings, one line each, unless verbose=0; 'error' raises
    `lamina.errors.CheckError` for errors, whatever verbose is; 'off' does not look.
    """
    if checks not in ("off", "warn", "error"):
        raise ConfigError(f"Checks are 'off', 'warn' or 'error'; got {checks!r}.")
    _settings["checks"] = checks

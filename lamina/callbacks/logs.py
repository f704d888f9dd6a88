"""Logs: losses and metrics of a step or an epoch, read from the device when they are needed."""

from __future__ import annotations

from typing import Any

import jax

from lamina import metrics
from lamina.errors import ConfigError
from lamina.legacy import warn_renamed
from lamina.runtime.tracebacks import filters_traceback
from lamina.spelling.nearest import nearest

__all__ = ["EpochLogs", "Figures", "Logs", "MissingFigure", "name_in", "read_logs"]


class MissingFigure(ConfigError, KeyError):
    """A loss or metric that a history, or logs, do not have."""

    def __init__(self, name: Any, figures: dict[str, Any], code: str = "history.history") -> None:
        near = nearest(str(name), figures)
        what, extra, fix = ("The history has", "", None) if code != "logs" else ("logs have", "", None)
        if str(name).startswith("val_") and not any(key.startswith("val_") for key in figures):
            extra, fix = " Validation data add it.", "model.fit(x, y, validation_split=0.2)"
        elif not near and code != "logs" and _is_metric(str(name)):
            fix = f"model.compile(..., metrics=[{name!r}])"
        elif near or code == "logs":
            fix = f"{code}[{near[0]!r}]" if near else f"compile(..., metrics=[{name!r}]), or logs['loss']"
        super().__init__(f"{what} no {name!r}, but {', '.join(map(repr, figures)) or 'nothing yet'}.{extra}", fix=fix)


def _is_metric(name):
    try:
        return bool(metrics.get(name))
    except ConfigError:
        return False


OLD_NAMES: dict[str, str] = {}
"""Names of figures in Keras 2.2 and older -> names of today. `as_keras` fills it."""


def name_in(figures: Any, name: Any) -> Any:
    """The name that a figure has, where a program asks for it by its name in Keras 2.2, with a warning.

    Args:
        figures: Figures by name.
        name: Name that is asked for.
    """
    today = OLD_NAMES.get(name)
    if today is None or name in figures or today not in figures:
        return name
    warn_renamed(f"The figure {name!r} is called {today!r} since Keras 2.3.")
    return today


class Figures(dict[str, Any]):
    """Name of each loss or metric -> its values by epoch; another name is an error that says which there are."""

    _code = "history.history"

    @filters_traceback
    def __missing__(self, name: Any) -> Any:
        today = name_in(self, name)
        if today != name:
            return self[today]
        raise MissingFigure(name, self, self._code)

    def get(self, name: Any, default: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The figure of a name, or the default.

        Args:
            name: Name of a loss or metric.
            default: What is given where there is none.
        """
        return super().get(name_in(self, name), default)


class EpochLogs(Figures):
    """Logs of an epoch, as callbacks get them."""

    _code = "logs"


def read_logs(logs: dict[str, Any] | None) -> dict[str, Any]:
    """Logs as a new dict of floats, once all of them are computed; nested dicts are flattened.

    Args:
        logs: Numbers, or arrays on a device, by name.

    >>> import jax.numpy as jnp
    >>> read_logs({"loss": jnp.float32(0.5), "more": {"size": 3}})
    {'loss': 0.5, 'size': 3.0}
    """
    found = {}
    for name, value in jax.device_get(dict(logs or {})).items():
        if isinstance(value, dict):
            found.update(read_logs(value))
        else:
            is_number = getattr(value, "shape", ()) == () and hasattr(value, "__float__")
            found[name] = float(value) if is_number else value
    return found


class Logs(dict):
    """A dict of floats that is read from the device at the first access: logs that nobody reads delay no step.

    Args:
        logs: Numbers, or arrays on a device, by name.

    >>> import jax.numpy as jnp
    >>> Logs({"loss": jnp.float32(0.5)})
    {'loss': 0.5}
    """

    def __init__(self, logs: dict[str, Any] | None = None):
        super().__init__(logs or {})
        self._unread = bool(logs)

    @filters_traceback
    def __missing__(self, name: Any) -> Any:
        raise MissingFigure(name, self, "logs")

    def unread(self) -> dict[str, Any]:
        """The values without waiting: arrays that may still be computed."""
        return {name: dict.__getitem__(self, name) for name in dict.__iter__(self)}

    def _read(self):
        self._unread = False
        values = read_logs(self)
        self.clear()
        self.update(values)


def _reading(name):
    method = getattr(dict, name)

    def read_first(self, *args, **kwargs):
        if self._unread:
            self._read()
        return method(self, *args, **kwargs)

    read_first.__name__ = name
    return read_first


# All ways to read a dict but len and truth. Because __iter__ is among them, dict(logs) and {**logs} use [] too.
_READS = (
    "__contains__", "__delitem__", "__eq__", "__getitem__", "__iter__", "__ne__", "__or__", "__repr__", "__reversed__",
    "__ror__", "__setitem__", "copy", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values",
)  # fmt: skip
for _name in _READS:
    setattr(Logs, _name, _reading(_name))

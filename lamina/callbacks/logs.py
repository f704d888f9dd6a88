"""Logs: losses and metrics of a step or an epoch, read from the device when they are needed."""

from __future__ import annotations

from typing import Any

import jax

__all__ = ["Logs", "read_logs"]


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

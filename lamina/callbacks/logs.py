"""Logs: the figures of a step or an epoch, read from the device when someone looks."""

import jax

__all__ = ["Logs", "read_logs"]


def read_logs(logs):
    """`logs` as a new dict of floats, waiting for those still being computed; nested dicts are laid flat.

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
    """A dict of floats that is filled when it is first looked at, so that a step whose logs nobody reads need not end
    first.

    >>> import jax.numpy as jnp
    >>> Logs({"loss": jnp.float32(0.5)})
    {'loss': 0.5}
    """

    def __init__(self, logs=None):
        super().__init__(logs or {})
        self._unread = bool(logs)

    def as_they_are(self):
        """The figures without waiting for them: arrays that may still be computed."""
        return {name: dict.__getitem__(self, name) for name in dict.__iter__(self)}

    def _read(self):
        self._unread = False
        figures = read_logs(self)
        self.clear()
        self.update(figures)


def _reading(name):
    method = getattr(dict, name)

    def read_first(self, *args, **kwargs):
        if self._unread:
            self._read()
        return method(self, *args, **kwargs)

    read_first.__name__ = name
    return read_first


# All ways to look into a dict but len and truth. Because __iter__ is among them, dict(logs) and {**logs} use [] too.
_LOOKS = (
    "__contains__", "__delitem__", "__eq__", "__getitem__", "__iter__", "__ne__", "__or__", "__repr__", "__reversed__",
    "__ror__", "__setitem__", "copy", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values",
)  # fmt: skip
for _name in _LOOKS:
    setattr(Logs, _name, _reading(_name))

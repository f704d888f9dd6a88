"""Config: named values of an experiment."""

import json

from lamina.errors import ConfigError

__all__ = ["Config"]


class Config:
    """Named values, read and written as attributes or items; `freeze()` forbids changes.

    >>> config = Config(learning_rate=0.1)
    >>> config.seed = 3
    >>> config["seed"], config.to_json()
    (3, '{"learning_rate": 0.1, "seed": 3}')
    """

    def __init__(self, **kwargs):
        self.__dict__["_values"], self.__dict__["_frozen"] = kwargs, False

    def __getattr__(self, name):
        if (
            name.startswith("_") or name not in self._values
        ):  # copy and pickle ask for names of theirs before there are values
            raise AttributeError(f"The config has no {name!r}; it has {', '.join(self.__dict__.get('_values', ()))}.")
        return self._values[name]

    def __setattr__(self, name, value):
        self[name] = value

    def __delattr__(self, name):
        if name not in self._values:
            raise AttributeError(f"The config has no {name!r}.")
        del self[name]

    def __getitem__(self, name):
        return self._values[name]

    def __setitem__(self, name, value):
        self._changing()[name] = value

    def __delitem__(self, name):
        del self._changing()[name]

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)

    def __contains__(self, name):
        return name in self._values

    def __repr__(self):
        return f"<Config {self._values}>"

    def _changing(self):
        if self._frozen:
            raise ConfigError("This config is frozen.", fix="config.unfreeze()")
        return self._values

    @property
    def frozen(self):
        """Whether it can be changed."""
        return self._frozen

    def freeze(self):
        """Forbid changes."""
        self.__dict__["_frozen"] = True

    def unfreeze(self):
        """Allow changes again."""
        self.__dict__["_frozen"] = False

    def as_dict(self):
        """The values as a dict of their own."""
        return dict(self._values)

    def to_json(self):
        """The values as JSON."""
        return json.dumps(self._values)

    def keys(self):
        """The names."""
        return self._values.keys()

    def values(self):
        """The values, in order."""
        return self._values.values()

    def items(self):
        """The pairs (name, value)."""
        return self._values.items()

    def get(self, *args):
        """`get(name, default=None)`, as of a dict."""
        return self._values.get(*args)

    def pop(self, *args):
        """Take a value out, as of a dict."""
        return self._changing().pop(*args)

    def update(self, *args, **kwargs):
        """Set several values, as of a dict."""
        self._changing().update(*args, **kwargs)

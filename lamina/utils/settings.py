"""Config: named settings of an experiment."""

from __future__ import annotations

import json
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

from lamina.errors import ConfigError

__all__ = ["Config"]


class Config:
    """Named values, which are read and written as attributes or as items.

    Args:
        **kwargs: The first values by name.

    >>> config = Config(learning_rate=0.1)
    >>> config.seed = 3
    >>> config["seed"], config.to_json()
    (3, '{"learning_rate": 0.1, "seed": 3}')
    """

    def __init__(self, **kwargs: Any) -> None:
        self.__dict__["_values"], self.__dict__["_frozen"] = kwargs, False

    def __getattr__(self, name: str) -> Any:
        # `copy` and `pickle` look up private names before `_values` exists.
        if name.startswith("_") or name not in self._values:
            raise AttributeError(f"The config has no {name!r}; it has {', '.join(self.__dict__.get('_values', ()))}.")
        return self._values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self._values:
            raise AttributeError(f"The config has no {name!r}.")
        del self[name]

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._mutable()[name] = value

    def __delitem__(self, name: str) -> None:
        del self._mutable()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __repr__(self) -> str:
        return f"<Config {self._values}>"

    def _mutable(self):
        if self._frozen:
            raise ConfigError("This config is frozen.", fix="config.unfreeze()")
        return self._values

    @property
    def frozen(self) -> bool:
        """Whether changes are forbidden."""
        return self._frozen

    def freeze(self) -> None:
        """Forbid changes."""
        self.__dict__["_frozen"] = True

    def unfreeze(self) -> None:
        """Allow changes again."""
        self.__dict__["_frozen"] = False

    def as_dict(self) -> dict[str, Any]:
        """The values as a new dict."""
        return dict(self._values)

    def to_json(self) -> str:
        """The values as JSON."""
        return json.dumps(self._values)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._values.keys()

    def values(self) -> ValuesView[Any]:
        """The values, in order."""
        return self._values.values()

    def items(self) -> ItemsView[str, Any]:
        """The pairs (name, value)."""
        return self._values.items()

    def get(self, *args: Any) -> Any:
        """A value or a default, as `dict.get`."""
        return self._values.get(*args)

    def pop(self, *args: Any) -> Any:
        """Remove a value and return it, as `dict.pop`."""
        return self._mutable().pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several values, as `dict.update`."""
        self._mutable().update(*args, **kwargs)

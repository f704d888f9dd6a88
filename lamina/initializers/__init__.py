"""Initializers: the first values of weights.

>>> import lamina as keras
>>> keras.initializers.get("he_normal")
HeNormal()
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from lamina.core.family import Family
from lamina.core.typing import Config
from lamina.core.variable import Variable
from lamina.initializers import constants, random_initializers
from lamina.initializers.constants import *
from lamina.initializers.constants import Constant, Ones, Zeros
from lamina.initializers.initializer import Initializer, InitializerLike
from lamina.initializers.random_initializers import *
from lamina.initializers.random_initializers import RandomNormal, RandomUniform, compute_fans
from lamina.legacy import old_names_of
from lamina.runtime.tracebacks import filters_traceback

__all__ = ["Initializer", "deserialize", "get", "serialize"]
__all__ += constants.__all__
__all__ += random_initializers.__all__

_CLASSES = {name: value for name, value in list(globals().items()) if name in __all__ and isinstance(value, type)}
_ALIASES = {**_CLASSES, "initializer": Initializer, "normal": RandomNormal, "uniform": RandomUniform, "one": Ones,
            "zero": Zeros}  # fmt: skip
_FAMILY = Family("initializer", "keras.initializers", base=Initializer, aliases=_ALIASES)


@filters_traceback
def get(identifier: InitializerLike) -> Any:
    """The initializer meant by a name, config, class, function or array.

    Args:
        identifier: "he_normal" or "HeNormal", a config, a class, a function (shape, dtype), or an array, which is the
            value itself. None gives None.

    >>> get("he_normal")
    HeNormal()
    """
    if isinstance(identifier, (np.ndarray, jax.Array, Variable)):
        return Constant(identifier)
    return _FAMILY.get(identifier)


def serialize(initializer: Any) -> Config:
    """A JSON-able description of an initializer, as files hold it.

    Args:
        initializer: Object or function that is described.
    """
    return _FAMILY.serialize(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """An initializer from a name or a description.

    Args:
        config: Name, or what `serialize` returned.
        custom_objects: Classes and functions of the user by the names that the description has for them.
    """
    return _FAMILY.deserialize(config, custom_objects)


__getattr__: Any = old_names_of(__name__)

"""Layers as configs and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.core.family import Family
from lamina.core.typing import Config

__all__ = ["deserialize", "serialize"]

_FAMILY = Family("layer", "keras.layers", also_in=("keras", "keras.models"))


def serialize(layer: Any) -> Config:
    """A JSON-able description of a layer, as files hold it.

    Args:
        layer: Layer that is described.
    """
    return _FAMILY.serialize(layer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A layer from a description.

    Args:
        config: Description of a layer, which `serialize` returned.
        custom_objects: Classes and functions of the user by the names that the description has for them.
    """
    return _FAMILY.deserialize(config, custom_objects)

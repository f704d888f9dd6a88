"""Arguments that name objects: one place turns "zeros" or "l2" into an initializer or a regularizer, for all layers."""

from __future__ import annotations

from typing import Any

from lamina import activations, constraints, initializers, regularizers

CONVERTERS: dict[str, Any] = {
    "activation": activations.get,
    "initializer": initializers.get,
    "regularizer": regularizers.get,
    "constraint": constraints.get,
}
# Arguments that a base class keeps.
_KEPT_BY_BASES = frozenset(
    ("self", "kwargs", "__class__", "activity_regularizer", "data_format", "lora_rank", "lora_alpha")
)


def keep_arguments(layer: Any, arguments: Any) -> None:
    """Set the arguments of an `__init__` (its `locals()`) as attributes of the layer.

    What the last word of a name stands for is converted: `kernel_initializer` becomes an initializer, `activation` and
    `recurrent_activation` become functions. Left out are arguments that the `__init__` of a base class keeps, and those
    that are properties of the class.
    """
    for name, value in arguments.items():
        if name not in _KEPT_BY_BASES and not isinstance(getattr(type(layer), name, None), property):
            convert = CONVERTERS.get(name.rpartition("_")[2])
            setattr(layer, name, convert(value) if convert else value)


def weight_settings(layer: Any, family: Any) -> Any:
    """The initializer, regularizer and constraint of a layer that are named after `family`, "kernel" for example."""
    return {
        setting: getattr(layer, f"{family}_{setting}", None) for setting in ("initializer", "regularizer", "constraint")
    }

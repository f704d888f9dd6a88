"""Quantizers: floats to small integers and back, and the configs that say how a model is quantized."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.core.context import snake_case
from lamina.core.family import Family
from lamina.core.typing import Config
from lamina.quantizers.configs import (
    AWQConfig,
    Float8QuantizationConfig,
    GPTQConfig,
    Int4QuantizationConfig,
    Int8QuantizationConfig,
    QuantizationConfig,
)
from lamina.quantizers.numbers import (
    abs_max_quantize,
    abs_max_quantize_grouped_with_zero_point,
    compute_float8_amax_history,
    compute_float8_scale,
    fake_quant_with_min_max_vars,
    pack_int4,
    quantize_and_dequantize,
    unpack_int4,
)
from lamina.quantizers.quantizer import AbsMaxQuantizer, Quantizer
from lamina.runtime.tracebacks import filters_traceback

__all__ = [
    "AWQConfig",
    "AbsMaxQuantizer",
    "Float8QuantizationConfig",
    "GPTQConfig",
    "Int4QuantizationConfig",
    "Int8QuantizationConfig",
    "QuantizationConfig",
    "Quantizer",
    "abs_max_quantize",
    "abs_max_quantize_grouped_with_zero_point",
    "compute_float8_amax_history",
    "compute_float8_scale",
    "deserialize",
    "fake_quant_with_min_max_vars",
    "get",
    "pack_int4",
    "quantize_and_dequantize",
    "serialize",
    "unpack_int4",
]

_classes = (Quantizer, AbsMaxQuantizer, QuantizationConfig, Int8QuantizationConfig, Int4QuantizationConfig,
            Float8QuantizationConfig, GPTQConfig, AWQConfig)  # fmt: skip
_named = {name: cls for cls in _classes for name in (cls.__name__, snake_case(cls.__name__))}
_FAMILY = Family("quantizer", "keras.quantizers", base=Quantizer)


@filters_traceback
def get(identifier: Any, **kwargs: Any) -> Any:
    """A quantizer or quantization config from a name, a description, a class or an object.

    Args:
        identifier: Name, description, class or object; None gives None.
        **kwargs: Arguments of the class, where `identifier` is a name or a class.

    Raises:
        ConfigError: The name is unknown, or the value is of another kind.

    >>> get("abs_max_quantizer", axis=-1)
    AbsMaxQuantizer(axis=(-1,))
    """
    cls = _named.get(identifier) if isinstance(identifier, str) else identifier
    return cls(**kwargs) if isinstance(cls, type) else _FAMILY.get(identifier)


def serialize(initializer: Any) -> Config:
    """A JSON-able description of a quantizer, as files hold it.

    Args:
        initializer: Object or function that is described.
    """
    return _FAMILY.serialize(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A quantizer from a name or a description.

    Args:
        config: Name, or what `serialize` returned.
        custom_objects: Classes and functions of the user by the names that the description has for them.
    """
    return _FAMILY.deserialize(config, custom_objects)

"""Quantizers: floats to small integers and back, and the configs that say how a model is quantized."""

from lamina.core import configurable
from lamina.core.configurable import resolver
from lamina.core.context import snake_case
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
_resolve = resolver("quantizer", "keras.quantizers", base=Quantizer)


def get(identifier, **kwargs):
    """The quantizer or config meant by a name (made with `kwargs`), a description, a class or an object; or None.

    >>> get("abs_max_quantizer", axis=-1)
    AbsMaxQuantizer(axis=(-1,))
    """
    cls = _named.get(identifier) if isinstance(identifier, str) else identifier
    return cls(**kwargs) if isinstance(cls, type) else _resolve(identifier)


def serialize(initializer):
    """A JSON-able description of a quantizer or a config."""
    return configurable.serialize(initializer)


def deserialize(config, custom_objects=None):
    """The quantizer or config that a description stands for."""
    return configurable.deserialize(config, custom_objects, namespaces=("keras.quantizers",))

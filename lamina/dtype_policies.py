"""Dtype policies: the type in which a layer computes, and the type of its variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina.core import dtypes, registry, serialization
from lamina.core.arguments import choice, name_of, nearest, whole
from lamina.core.configurable import Configurable
from lamina.core.typing import Config
from lamina.errors import ArgumentError, ConfigError
from lamina.runtime import settings

__all__ = [
    "AWQDTypePolicy", "DTypePolicy", "DTypePolicyMap", "FloatDTypePolicy", "GPTQDTypePolicy", "Int4DTypePolicy",
    "QuantizedDTypePolicy", "QuantizedFloat8DTypePolicy", "deserialize", "dtype_policy", "get", "serialize",
    "set_dtype_policy",
]  # fmt: skip

QUANTIZATION_MODES = ("int8", "int4", "float8", "gptq", "awq")


class DTypePolicy(Configurable):
    """A type for computing and one for variables: `float32` names both, `mixed_float16` and `mixed_bfloat16` compute in
    the half type and keep variables in float32.

    Args:
        name: Name of a type, or "mixed_float16" or "mixed_bfloat16"; None means the global policy.

    >>> policy = DTypePolicy("mixed_bfloat16")
    >>> policy.compute_dtype, policy.variable_dtype
    ('bfloat16', 'float32')
    """

    _keras_module = "keras"
    name: str = ""  # read-only in DTypePolicyMap, as are the next three
    quantization_mode: str | None = None
    compute_dtype: str = ""
    variable_dtype: str = ""

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = dtype_policy().name
        if not isinstance(name, str):
            raise ArgumentError(f"A dtype policy's name is a string; got {name!r}.", fix="DTypePolicy('mixed_float16')")
        self.name = name
        self.compute_dtype, self.variable_dtype = _types_of(name)

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """An input as a layer of this policy takes it: an array of JAX, with floats cast.

        Args:
            x: Input.
            autocast: Whether floats are cast.
            dtype: Type to which they are cast.
        """
        if isinstance(x, np.ndarray):
            x = jnp.asarray(x)
        kind = getattr(x, "dtype", None)
        if not autocast or kind is None or not dtypes.is_float(kind) or dtypes.standardize_dtype(kind) == dtype:
            return x
        return x.astype(dtypes.standardize_dtype(dtype))

    def __eq__(self, other: Any) -> bool:
        return repr(self) == repr(other) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<{type(self).__name__.removeprefix("Float")} "{self.name}">'


def _types_of(name):
    """(compute type, variable type) of a policy's name."""
    kind, _, half = name.partition("_")
    if kind == "mixed" and half in ("float16", "bfloat16"):
        return half, "float32"
    try:
        dtype = dtypes.standardize_dtype(name)
    except ConfigError as error:
        known = ("mixed_float16", "mixed_bfloat16", "float32", "float16", "bfloat16", "float64")
        raise ConfigError(f"{name!r} is no dtype policy.", fix=repr(nearest(name, known))) from error
    return dtype, dtype


class FloatDTypePolicy(DTypePolicy):
    """The name of `DTypePolicy` in Keras 3.0 to 3.3, which files have.

    Args:
        name: Name of a type, or "mixed_float16" or "mixed_bfloat16"; None means the global policy.
    """

    _keras_module = "keras"


class QuantizedDTypePolicy(DTypePolicy):
    """Kernels of few bits; everything else has the types of another policy.

    Args:
        mode: Quantization mode: "int8", "int4", "float8", "gptq/bits/group_size" or "awq/bits/group_size".
        source_name: Policy of everything but the kernels; None means the global policy.

    >>> QuantizedDTypePolicy("int8", "mixed_bfloat16").name
    'int8_from_mixed_bfloat16'
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        source = DTypePolicy(source_name)
        self.source_name: str = source.name
        self.name: str = f"{mode}_from_{source.name}"
        kind, *numbers = str(mode).split("/")
        self.mode: str = kind
        self.quantization_mode: str | None = kind
        choice(self, "mode", kind, QUANTIZATION_MODES)
        if source.compute_dtype == "float16" and self.quantization_mode == "int8":
            raise ConfigError(f"int8 kernels do not go with {source.name!r}: float16 overflows.", fix="'bfloat16'")
        self.compute_dtype: str = source.compute_dtype
        self.variable_dtype: str = source.variable_dtype
        self._numbers = self._read(numbers)

    def _argument(self, name, parameter, owner):
        return self.name.partition("_from_")[0] if name == "mode" else super()._argument(name, parameter, owner)

    def _read(self, numbers):
        """The numbers after the name of the mode, checked by the class."""
        return numbers


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """Float8 kernels and inputs, scaled by the largest value of the last steps.

    Args:
        mode: "float8".
        source_name: Policy of everything but the kernels; None means the global policy.
        amax_history_length: Number of steps whose largest values are kept.
    """

    default_amax_history_length = 1024
    amax_history_length: int = default_amax_history_length

    def __init__(self, mode: str, source_name: str | None = None, amax_history_length: int = 1024) -> None:
        super().__init__(mode, source_name)
        whole(self, "amax_history_length", amax_history_length, example=1024)
        self.amax_history_length = amax_history_length


class Int4DTypePolicy(QuantizedDTypePolicy):
    """Kernels of 4 bits, with one scale for each block of rows.

    Args:
        mode: "int4/block_size": the number of rows of a block; -1 means all rows.
        source_name: Policy of everything but the kernels; None means the global policy.
    """

    block_size: int

    def _read(self, numbers):
        (self.block_size,) = _integers(self, numbers, 1)


class _CalibratedDTypePolicy(QuantizedDTypePolicy):
    weight_bits: int
    group_size: int

    def _read(self, numbers):
        self.weight_bits, self.group_size = _integers(self, numbers, 2)


class GPTQDTypePolicy(_CalibratedDTypePolicy):
    """Kernels quantized by GPTQ (Frantar et al., 2022, arXiv:2210.17323).

    Args:
        mode: "gptq/bits/group_size": the bits of a weight, and the number of rows with one scale; -1 means all rows.
        source_name: Policy of everything but the kernels; None means the global policy.
    """


class AWQDTypePolicy(_CalibratedDTypePolicy):
    """Kernels quantized by AWQ (Lin et al., 2023, arXiv:2306.00978).

    Args:
        mode: "awq/bits/group_size": the bits of a weight, and the number of rows with one scale; -1 means all rows.
        source_name: Policy of everything but the kernels; None means the global policy.
    """


def _integers(policy, numbers, count):
    values = [int(number) for number in numbers if number.removeprefix("-").isdecimal()]
    if len(values) != count or any(value < 1 and value != -1 for value in values):
        form = "int4/block_size" if count == 1 else f"{policy.quantization_mode}/bits/group_size"
        right = f"'{policy.quantization_mode}/{'128' if count == 1 else '4/128'}_from_float32'"
        raise ConfigError(f"The mode of {name_of(policy)} has the form {form!r}; got {policy.name!r}.", fix=right)
    return values


class DTypePolicyMap(DTypePolicy, MutableMapping[str, Any]):
    """Policies by layer path: `map[path]` is the policy whose key is the path or, as a regular expression, matches
    all of it.

    Args:
        default_policy: Policy of paths without a key; None means the global policy.
        policy_map: Policies by path or regular expression.

    >>> policies = DTypePolicyMap("float32", {"encoder/.*": DTypePolicy("bfloat16")})
    >>> policies["encoder/dense"], policies["head"]
    (<DTypePolicy "bfloat16">, <DTypePolicy "float32">)
    """

    _keras_module = "keras.dtype_policies"
    __contains__: Any = lambda self, path: path in self.policy_map
    __hash__: Any = None  # pyright: ignore[reportIncompatibleMethodOverride]  # it is mutable

    def __init__(self, default_policy: Any = None, policy_map: Mapping[str, Any] | None = None) -> None:
        self._default = None if default_policy is None else get(default_policy)
        self.policy_map: dict[str, DTypePolicy] = {}
        for key, policy in (policy_map or {}).items():
            self[key] = policy

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of paths without a key."""
        return dtype_policy() if self._default is None else self._default

    name: Any = property(lambda self: "map_" + self.default_policy.name)
    compute_dtype: Any = property(lambda self: self.default_policy.compute_dtype)
    variable_dtype: Any = property(lambda self: self.default_policy.variable_dtype)
    quantization_mode: Any = property(lambda self: self.default_policy.quantization_mode)

    def __getitem__(self, path: str) -> DTypePolicy:
        if path in self.policy_map:
            return self.policy_map[path]
        keys = [key for key in self.policy_map if re.fullmatch(key, path)]
        if len(keys) > 1:
            message = f"The path {path!r} matches several keys of the DTypePolicyMap: {keys}."
            raise ConfigError(message, fix=f"del policy_map[{keys[-1]!r}]")
        return self.policy_map[keys[0]] if keys else self.default_policy

    def __setitem__(self, path: str, policy: Any) -> None:
        if path in self.policy_map:
            message = f"{path!r} is in the DTypePolicyMap already: {self.policy_map[path]!r}."
            raise ConfigError(message, fix=f"del policy_map[{path!r}]")
        self.policy_map[path] = get(policy)

    def __delitem__(self, path: str) -> None:
        del self.policy_map[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.policy_map)

    def __len__(self) -> int:
        return len(self.policy_map)

    def get_config(self) -> Config:
        """The default policy and the policies by path."""
        return {
            "default_policy": None if self._default is None else serialize(self._default),
            "policy_map": {key: serialize(policy) for key, policy in self.policy_map.items()},
        }

    def __repr__(self) -> str:
        names = [(key, policy.name) for key, policy in self.policy_map.items()]
        return f"<DTypePolicyMap default_policy={self.default_policy.name}, mapping={names}>"


registry.CLASSES["keras.mixed_precision", "Policy"] = DTypePolicy  # the name in files of Keras 2

_global_policy: DTypePolicy | None = None


def dtype_policy() -> DTypePolicy:
    """The global policy, of layers made without `dtype`. It is that of `keras.config.floatx()` until one is set."""
    return DTypePolicy(settings.floatx()) if _global_policy is None else _global_policy


def set_dtype_policy(policy: Any) -> None:
    """Set the global policy.

    Args:
        policy: Name, policy or config; None means the policy of `keras.config.floatx()`.

    >>> set_dtype_policy("mixed_bfloat16")
    >>> dtype_policy()
    <DTypePolicy "mixed_bfloat16">
    >>> set_dtype_policy(None)
    """
    global _global_policy
    _global_policy = None if policy is None else get(policy)


def get(identifier: Any) -> DTypePolicy:
    """A policy from a name, a type, a config or an object.

    Args:
        identifier: Name, type, config or policy; None means the global policy.

    >>> get("int8_from_float32").quantization_mode
    'int8'
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return _quantized(identifier) if identifier.startswith(QUANTIZATION_MODES) else DTypePolicy(identifier)
    try:
        return DTypePolicy(dtypes.standardize_dtype(identifier))
    except (ConfigError, TypeError) as error:
        message = f"A dtype is a name, a type or a DTypePolicy; got {identifier!r}."
        raise ConfigError(message, fix="dtype='float32'") from error


def _quantized(name):
    """The policy of a name such as `int8_from_float32`."""
    mode, found, source = name.partition("_from_")
    if name.startswith("float8_e"):
        return DTypePolicy(name)
    if not found:
        raise ConfigError(f"{name!r} says no policy to quantize from.", fix=f"'{name}_from_float32'")
    classes = {"float8": QuantizedFloat8DTypePolicy, "gptq": GPTQDTypePolicy, "awq": AWQDTypePolicy}
    if mode.startswith("int4/"):
        return Int4DTypePolicy(mode, source)
    return classes.get(mode.partition("/")[0], QuantizedDTypePolicy)(mode, source)


def serialize(dtype_policy: DTypePolicy) -> Config:
    """A JSON-able description of a policy, as files hold it.

    Args:
        dtype_policy: Policy that is described.
    """
    return serialization.serialize(dtype_policy)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A policy from a description.

    Args:
        config: What `serialize` returned.
        custom_objects: Classes of the user by the names that the description has for them.
    """
    namespaces = ("keras", "keras.dtype_policies", "keras.mixed_precision")
    return serialization.deserialize(config, custom_objects, namespaces=namespaces)

"""Dtype policies: the type a layer computes in and the type it keeps its variables in."""

import re
from collections.abc import MutableMapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina.core import dtypes, registry, serialization
from lamina.core.configurable import Configurable
from lamina.errors import ConfigError
from lamina.runtime import settings

__all__ = [
    "AWQDTypePolicy", "DTypePolicy", "DTypePolicyMap", "FloatDTypePolicy", "GPTQDTypePolicy", "Int4DTypePolicy",
    "QuantizedDTypePolicy", "QuantizedFloat8DTypePolicy", "deserialize", "dtype_policy", "get", "serialize",
    "set_dtype_policy",
]  # fmt: skip

QUANTIZATION_MODES = ("int8", "int4", "float8", "gptq", "awq")


class DTypePolicy(Configurable):
    """A type for computing and one for variables: `float32` names both, `mixed_float16` and `mixed_bfloat16` compute in
    the half type and keep variables in float32. None takes the global policy.

    >>> policy = DTypePolicy("mixed_bfloat16")
    >>> policy.compute_dtype, policy.variable_dtype
    ('bfloat16', 'float32')
    """

    _keras_module = "keras"
    name: Any = None
    quantization_mode: Any = None
    compute_dtype: Any = None
    variable_dtype: Any = None

    def __init__(self, name=None):
        if name is None:
            name = dtype_policy().name
        if not isinstance(name, str):
            raise ConfigError(f"A dtype policy's name is a string such as 'mixed_float16'; got {name!r}.")
        self.name = name
        self.compute_dtype, self.variable_dtype = _types_of(name)

    def convert_input(self, x, autocast, dtype):
        """`x` as a layer of this policy takes it: a JAX array, floats cast to `dtype` where `autocast` is set."""
        if isinstance(x, np.ndarray):
            x = jnp.asarray(x)
        kind = getattr(x, "dtype", None)
        if not autocast or kind is None or not dtypes.is_float(kind) or dtypes.standardize_dtype(kind) == dtype:
            return x
        return x.astype(dtypes.standardize_dtype(dtype))

    def __eq__(self, other):
        return type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self):
        return hash((type(self), self.name))

    def __repr__(self):
        return f'<{type(self).__name__} "{self.name}">'


def _types_of(name):
    """(compute type, variable type) of a policy's name."""
    kind, _, half = name.partition("_")
    if kind == "mixed" and half in ("float16", "bfloat16"):
        return half, "float32"
    try:
        dtype = dtypes.standardize_dtype(name)
    except ConfigError as error:
        raise ConfigError(
            f"{name!r} is no dtype policy.",
            fix="Use 'mixed_float16', 'mixed_bfloat16' or the name of a type: 'float32'.",
        ) from error
    return dtype, dtype


class FloatDTypePolicy(DTypePolicy):
    """The name Keras 3.0 to 3.3 had for `DTypePolicy`; files have it."""

    _keras_module = "keras"


class QuantizedDTypePolicy(DTypePolicy):
    """Kernels kept in the few bits of `mode`, everything else as the policy `source_name` says.

    >>> QuantizedDTypePolicy("int8", "mixed_bfloat16").name
    'int8_from_mixed_bfloat16'
    """

    def __init__(self, mode, source_name=None):
        source = DTypePolicy(source_name)
        self.mode, self.source_name = mode, source.name
        self.name = f"{mode}_from_{source.name}"
        self.quantization_mode, *numbers = str(mode).split("/")
        if self.quantization_mode not in QUANTIZATION_MODES:
            raise ConfigError(f"A quantization mode is one of {', '.join(QUANTIZATION_MODES)}; got {mode!r}.")
        if source.compute_dtype == "float16" and self.quantization_mode == "int8":
            raise ConfigError(f"int8 kernels do not go with {source.name!r}: float16 overflows.", fix="Use bfloat16.")
        self.compute_dtype, self.variable_dtype = source.compute_dtype, source.variable_dtype
        self._numbers = self._read(numbers)

    def _read(self, numbers):
        """The numbers after the mode's name, as the class wants them."""
        return numbers


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """Float8 kernels and inputs, scaled by the largest value of the last `amax_history_length` steps."""

    default_amax_history_length = 1024
    amax_history_length: Any = default_amax_history_length

    def __init__(self, mode, source_name=None, amax_history_length=1024):
        super().__init__(mode, source_name)
        if not isinstance(amax_history_length, int):
            raise ConfigError(f"amax_history_length is an integer; got {amax_history_length!r}.")
        self.amax_history_length = amax_history_length


class Int4DTypePolicy(QuantizedDTypePolicy):
    """`int4/block_size`: one scale for each `block_size` rows of a kernel; -1 is one a column."""

    def _read(self, numbers):
        (self.block_size,) = _integers(self, numbers, 1)


class _CalibratedDTypePolicy(QuantizedDTypePolicy):
    def _read(self, numbers):
        self.weight_bits, self.group_size = _integers(self, numbers, 2)


class GPTQDTypePolicy(_CalibratedDTypePolicy):
    """`gptq/bits/group_size` (Frantar et al., 2022, arXiv:2210.17323)."""


class AWQDTypePolicy(_CalibratedDTypePolicy):
    """`awq/bits/group_size` (Lin et al., 2023, arXiv:2306.00978)."""


def _integers(policy, numbers, count):
    try:
        values = [int(number) for number in numbers]
    except ValueError:
        values = []
    if len(values) != count or any(value < 1 and value != -1 for value in values):
        form = "int4/block_size" if count == 1 else f"{policy.quantization_mode}/bits/group_size"
        raise ConfigError(f"The mode of {type(policy).__name__} has the form {form!r}; got {policy.mode!r}.")
    return values


class DTypePolicyMap(DTypePolicy, MutableMapping):
    """Policies by layer path: `map[path]` is the policy whose key is the path or, as a regular expression, matches
    all of it; `default_policy` where there is none.

    >>> policies = DTypePolicyMap("float32", {"encoder/.*": DTypePolicy("bfloat16")})
    >>> policies["encoder/dense"], policies["head"]
    (<DTypePolicy "bfloat16">, <DTypePolicy "float32">)
    """

    _keras_module = "keras.dtype_policies"
    __hash__ = None  # pyright: ignore[reportAssignmentType]  # it changes

    def __init__(self, default_policy=None, policy_map=None):
        self._default = None if default_policy is None else get(default_policy)
        self.policy_map = {}
        for key, policy in (policy_map or {}).items():
            self[key] = policy

    @property
    def default_policy(self):
        return dtype_policy() if self._default is None else self._default

    name = property(lambda self: "map_" + self.default_policy.name)
    compute_dtype = property(lambda self: self.default_policy.compute_dtype)
    variable_dtype = property(lambda self: self.default_policy.variable_dtype)
    quantization_mode = property(lambda self: self.default_policy.quantization_mode)

    def __getitem__(self, path):
        if path in self.policy_map:
            return self.policy_map[path]
        keys = [key for key in self.policy_map if re.fullmatch(key, path)]
        if len(keys) > 1:
            raise ConfigError(f"The path {path!r} matches several keys of the DTypePolicyMap: {keys}.")
        return self.policy_map[keys[0]] if keys else self.default_policy

    def __setitem__(self, path, policy):
        if path in self.policy_map:
            raise ConfigError(f"{path!r} is in the DTypePolicyMap already: {self.policy_map[path]!r}.")
        self.policy_map[path] = get(policy)

    def __delitem__(self, path):
        del self.policy_map[path]

    def __iter__(self):
        return iter(self.policy_map)

    def __len__(self):
        return len(self.policy_map)

    def get_config(self):
        return {
            "default_policy": None if self._default is None else serialize(self._default),
            "policy_map": {key: serialize(policy) for key, policy in self.policy_map.items()},
        }

    def __repr__(self):
        mapping = {key: policy.name for key, policy in self.policy_map.items()}
        return f"<DTypePolicyMap default_policy={self.default_policy.name}, mapping={mapping}>"


registry.CLASSES["keras.mixed_precision", "Policy"] = DTypePolicy  # the name in files of Keras 2

_global_policy = None


def dtype_policy():
    """The global policy: what layers made without `dtype` get. It is floatx's until one is set."""
    return DTypePolicy(settings.floatx()) if _global_policy is None else _global_policy


def set_dtype_policy(policy):
    """Set the global policy, by name or object; None goes back to floatx.

    >>> set_dtype_policy("mixed_bfloat16")
    >>> dtype_policy()
    <DTypePolicy "mixed_bfloat16">
    >>> set_dtype_policy(None)
    """
    global _global_policy
    _global_policy = None if policy is None else get(policy)


def get(identifier) -> DTypePolicy:
    """The policy meant by a name, type or config; a policy as it is; None is the global one.

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
    except ConfigError as error:
        raise ConfigError(f"A dtype is a name, a type or a DTypePolicy; got {identifier!r}.") from error


def _quantized(name):
    """`int8_from_float32` and its kin."""
    mode, found, source = name.partition("_from_")
    if name.startswith("float8_e"):
        return DTypePolicy(name)
    if not found:
        raise ConfigError(f"{name!r} says no policy to quantize from.", fix=f"'{name}_from_float32', for example.")
    kind = mode.partition("/")[0]
    classes = {"float8": QuantizedFloat8DTypePolicy, "gptq": GPTQDTypePolicy, "awq": AWQDTypePolicy}
    if mode.startswith("int4/"):
        return Int4DTypePolicy(mode, source)
    return classes.get(kind, QuantizedDTypePolicy)(mode, source)


def serialize(dtype_policy):
    """The description of a policy, as it stands in files."""
    return serialization.serialize(dtype_policy)


def deserialize(config, custom_objects=None) -> Any:
    """The policy that `serialize` described."""
    namespaces = ("keras", "keras.dtype_policies", "keras.mixed_precision")
    return serialization.deserialize(config, custom_objects, namespaces=namespaces)

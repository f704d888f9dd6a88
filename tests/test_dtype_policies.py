"""Dtype policies, the settings of lamina.config and mixed precision, against Keras."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax.numpy as jnp
import keras
import numpy as np
import pytest

import lamina
from lamina import config, dtype_policies, mixed_precision
from lamina.core import registry
from lamina.dtype_policies import DTypePolicy, DTypePolicyMap, QuantizedDTypePolicy

NAMES = [
    "float32", "float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16", "int32", "uint8", "bool",
    "complex64", "int8_from_float32", "int8_from_mixed_bfloat16", "int4_from_float32", "int4/64_from_float32",
    "int4/-1_from_bfloat16", "float8_from_mixed_bfloat16", "gptq/4/128_from_float32", "awq/4/-1_from_mixed_bfloat16",
]  # fmt: skip


@pytest.fixture(autouse=True)
def settings_as_they_were():
    yield
    dtype_policies.set_dtype_policy(None)
    config.set_floatx("float32")


@pytest.mark.parametrize("name", NAMES)
def test_policies_are_those_of_keras(name):
    ours, theirs = dtype_policies.get(name), keras.dtype_policies.get(name)
    assert type(ours).__name__ == type(theirs).__name__
    assert repr(ours) == repr(theirs)
    for attribute in ("name", "compute_dtype", "variable_dtype", "quantization_mode"):
        assert getattr(ours, attribute) == getattr(theirs, attribute), attribute
    for attribute in ("block_size", "weight_bits", "group_size", "amax_history_length"):
        assert getattr(ours, attribute, None) == getattr(theirs, attribute, None), attribute
    described = dtype_policies.serialize(ours)
    assert described == keras.dtype_policies.serialize(theirs)
    assert dtype_policies.deserialize(described) == ours == dtype_policies.get(described)


def test_float_dtype_policy_keeps_its_name_in_files():
    policy = dtype_policies.FloatDTypePolicy("float16")
    described = dtype_policies.serialize(policy)
    assert described == keras.dtype_policies.serialize(keras.dtype_policies.FloatDTypePolicy("float16"))
    assert dtype_policies.get(described) == policy
    legacy = {"class_name": "Policy", "config": {"name": "mixed_float16"}}
    assert dtype_policies.get(legacy) == DTypePolicy("mixed_float16")


def test_types_and_policies_are_themselves():
    assert dtype_policies.get(float).name == "float32"
    assert dtype_policies.get(jnp.float16).name == "float16"
    assert dtype_policies.get(np.dtype("int8")).name == "int8"
    policy = DTypePolicy("bfloat16")
    assert dtype_policies.get(policy) is policy
    assert policy == DTypePolicy("bfloat16") != DTypePolicy("float16")
    assert len({policy, DTypePolicy("bfloat16")}) == 1
    assert QuantizedDTypePolicy("int8", "float32") != DTypePolicy("float32")


def test_the_global_policy():
    assert dtype_policies.get(None).name == config.dtype_policy().name == "float32"
    config.set_floatx("float16")
    assert config.dtype_policy().name == "float16"
    mixed_precision.set_global_policy("mixed_bfloat16")
    assert mixed_precision.global_policy() == DTypePolicy(None) == DTypePolicy("mixed_bfloat16")
    assert QuantizedDTypePolicy("int8").name == "int8_from_mixed_bfloat16"
    assert DTypePolicyMap().compute_dtype == "bfloat16"
    assert mixed_precision.Policy is DTypePolicy


def test_inputs_are_converted_as_in_keras():
    ours, theirs = DTypePolicy("mixed_bfloat16"), keras.DTypePolicy("mixed_bfloat16")
    for x in (np.ones(2, "float32"), np.ones(2, "int32"), jnp.ones(2)):
        for autocast in (True, False):
            result, expected = (policy.convert_input(x, autocast, "bfloat16") for policy in (ours, theirs))
            assert result.dtype == expected.dtype
    assert ours.convert_input(None, True, "bfloat16") is None
    assert ours.convert_input([1.0], True, "bfloat16") == [1.0]


def test_maps():
    ours, theirs = (
        package.dtype_policies.DTypePolicyMap(
            package.DTypePolicy("bfloat16"),
            {"encoder/.*": package.DTypePolicy("float16"), "head": package.dtype_policies.get("int8_from_float32")},
        )
        for package in (lamina, keras)
    )
    for path in ("encoder/dense", "head", "head/kernel", "other", "my/encoder/dense"):
        assert ours[path].name == theirs[path].name, path
    assert (ours.name, ours.compute_dtype, len(ours), list(ours)) == (
        theirs.name, theirs.compute_dtype, len(theirs), list(theirs),
    )  # fmt: skip
    described = dtype_policies.serialize(ours)
    assert described == keras.dtype_policies.serialize(theirs)
    assert dtype_policies.get(described) == ours
    del ours["head"]
    assert ours["head"].name == "bfloat16"


def test_a_map_without_a_default_keeps_its_policies_in_files():
    """Where Keras writes the names of all of them as None."""
    policies = DTypePolicyMap(policy_map={"head": "float16"})
    assert dtype_policies.deserialize(dtype_policies.serialize(policies))["head"].name == "float16"


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: DTypePolicy(3), "is a string"),
        (lambda: DTypePolicy("mixed_float8"), "no dtype policy"),
        (lambda: dtype_policies.get("foo"), "no dtype policy"),
        (lambda: dtype_policies.get(3), "a name, a type or a DTypePolicy"),
        (lambda: dtype_policies.get("int8"), "no policy to quantize from"),
        (lambda: QuantizedDTypePolicy("int9", "float32"), "`mode` must be"),
        (lambda: QuantizedDTypePolicy("int8", "mixed_float16"), "float16 overflows"),
        (lambda: dtype_policies.get("gptq/4_from_float32"), "gptq/bits/group_size"),
        (lambda: dtype_policies.get("int4/many_from_float32"), "int4/block_size"),
        (lambda: DTypePolicyMap(policy_map={"a.*": "float16", ".*a": "float32"})["a"], "several keys"),
        (lambda: DTypePolicyMap(policy_map={"a": "float16"}).__setitem__("a", "float32"), "already"),
        (lambda: dtype_policies.QuantizedFloat8DTypePolicy("float8", "float32", 1.5), "must be a positive integer"),
        (lambda: config.set_backend("torch"), "only on JAX"),
        (lambda: config.set_floatx("float8"), "floatx"),
    ],
)
def test_errors(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_int8_from_float16_is_an_error_in_keras_too():
    with pytest.raises(ValueError):
        keras.dtype_policies.QuantizedDTypePolicy("int8", "mixed_float16")


def test_settings():
    assert config.backend() == keras.config.backend() == "jax"
    assert config.is_nnx_enabled() is keras.config.is_nnx_enabled() is False
    assert config.is_flash_attention_enabled() is None
    config.enable_flash_attention()
    assert config.is_flash_attention_enabled() is True
    config.disable_flash_attention()
    assert config.is_flash_attention_enabled() is False
    assert config.max_epochs() is None and config.max_steps_per_epoch() is None
    config.set_max_epochs(2)
    config.set_max_steps_per_epoch(3)
    assert (config.max_epochs(), config.max_steps_per_epoch()) == (2, 3)
    config.set_max_epochs(None)
    config.set_max_steps_per_epoch(None)
    config.set_backend("jax")


def test_unsafe_deserialization():
    assert registry.in_safe_mode()
    with registry.safe_mode(True):  # so that what follows ends with the block
        config.enable_unsafe_deserialization()
        assert not registry.in_safe_mode()
    assert registry.in_safe_mode()


def test_policies_by_both_names_and_quantized_modes_are_as_in_keras():
    for on in (lamina, keras):
        policies = on.dtype_policies
        assert policies.FloatDTypePolicy("mixed_float16") == policies.DTypePolicy("mixed_float16")
        assert repr(policies.FloatDTypePolicy("float32")) == '<DTypePolicy "float32">'
        quantized = policies.get("gptq/4/128_from_float32")
        assert quantized.mode == "gptq" and quantized.get_config()["mode"] == "gptq/4/128"
        named = policies.DTypePolicyMap(policy_map={"a.*": policies.DTypePolicy("bfloat16")})
        assert "a.*" in named and "ab" not in named
        assert "mapping=[('a.*', 'bfloat16')]" in repr(named)

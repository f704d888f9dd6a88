"""The dtype policy of a layer: the types it computes in and keeps its variables in, and quantization."""

from __future__ import annotations

from typing import Any

from lamina import dtype_policies
from lamina.core.serialization import deserialize_nested
from lamina.core.typing import Config
from lamina.dtype_policies import DTypePolicy, DTypePolicyMap
from lamina.errors import UnsupportedError

_WITH_KERNEL = "model.quantize(mode) quantizes the layers of a model that can be, and leaves the others."


def with_policy_name(config: Config) -> Config:
    """The config of a layer with the name of its dtype policy in place of the policy, where it is one of floats: own
    classes compare `dtype` with strings.

    Args:
        config: Config of a layer.
    """
    policy = deserialize_nested(config["dtype"]) if isinstance(config.get("dtype"), dict) else None
    return {**config, "dtype": policy.name} if type(policy) is DTypePolicy else config


class DTypePolicyMixin:
    """The dtype policy of a layer and what follows from it. Layers with kernels override `quantize`."""

    path: Any
    built: bool
    _path: Any
    _dtype_policy: Any
    _flatten_layers: Any
    _is_quantized: bool = False
    _set_by_init = "built"

    @property
    def dtype_policy(self) -> Any:
        """The policy with the compute type and the type of variables. Set to a policy or the name of one; a quantized
        policy quantizes a layer that is built."""
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        policy, before = dtype_policies.get(value), self.__dict__.get("_dtype_policy")
        if isinstance(before, DTypePolicyMap) and self._path:
            before.policy_map[self.path] = policy
        else:
            self.__dict__["_dtype_policy"] = policy
        if policy.quantization_mode is not None and self.__dict__.get("built") and not self._is_quantized:
            self.quantize(policy.quantization_mode)

    @property
    def _policy(self) -> Any:
        """Its own policy, where `dtype_policy` is a map of many."""
        policy = self.dtype_policy
        return policy[self.path] if isinstance(policy, DTypePolicyMap) else policy

    def _repr_argument(self, name, parameter, owner):
        if name == "dtype":
            policy = self._policies()
            return None if policy == dtype_policies.dtype_policy() else policy.name
        return super()._repr_argument(name, parameter, owner)  # pyright: ignore[reportAttributeAccessIssue]

    def _policies(self):
        """Its policy for a config: a map, where layers inside were quantized after they were made."""
        policy = self.dtype_policy
        if isinstance(policy, DTypePolicyMap):
            return policy
        inner = {layer.path: layer._policy for layer in self._flatten_layers(include_self=False)}
        inner = {path: one for path, one in inner.items() if one.quantization_mode is not None and one != policy}
        return DTypePolicyMap(policy, inner) if inner else policy

    @property
    def dtype(self) -> Any:
        """The type of its variables."""
        return self._policy.variable_dtype

    variable_dtype = dtype

    @property
    def compute_dtype(self) -> Any:
        """The type it computes in."""
        return self._policy.compute_dtype

    @property
    def input_dtype(self) -> Any:
        """The type that float inputs are cast to."""
        return self.compute_dtype

    @property
    def quantization_mode(self) -> str | None:
        """How its kernels are quantized, "int8" for example; None where they are not."""
        return self._policy.quantization_mode

    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None) -> None:
        """Quantize the kernels. Layers without a kernel that can be quantized raise NotImplementedError.

        Args:
            mode: "int8", "int4", "float8", "gptq" or "awq"; None where `config` says it.
            type_check: Whether a subclass, whose formula may be another, is an error.
            config: Quantizers, block size or calibration data; see keras.quantizers.
        """
        raise UnsupportedError(
            f"{type(self).__name__} does not have a `quantize` method implemented.", fix=_WITH_KERNEL
        )

    def quantized_build(self, input_shape: Any, mode: str) -> None:
        """Make the variables of a quantized layer; `build` does it where the dtype policy says so.

        Args:
            input_shape: Shape of the inputs.
            mode: Mode of quantization.
        """
        raise UnsupportedError(
            f"{type(self).__name__} does not have a `quantized_build` method implemented.", fix=_WITH_KERNEL
        )

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """`call`, which is the same formula for quantized kernels.

        Args:
            *args: Arguments of `call`.
            **kwargs: Arguments of `call`.
        """
        return self.call(*args, **kwargs)  # pyright: ignore[reportAttributeAccessIssue]

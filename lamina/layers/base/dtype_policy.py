"""What every layer has of types: the one it computes in, the one of its variables, and the few bits of its kernels."""

from typing import Any

from lamina import dtype_policies
from lamina.dtype_policies import DTypePolicyMap


class DTypePolicyMixin:
    """The dtype policy of a layer and what follows from it. Layers with kernels write `quantize`."""

    path: Any
    built: bool
    _path: Any
    _flatten_layers: Any
    _is_quantized = False

    @property
    def dtype_policy(self) -> Any:
        """The types it computes in and keeps its variables in. Set to a policy or the name of one; a quantized one
        quantizes a layer that is built."""
        return self.__dict__["dtype_policy"]

    @dtype_policy.setter
    def dtype_policy(self, value):
        policy, before = dtype_policies.get(value), self.__dict__.get("dtype_policy")
        if isinstance(before, DTypePolicyMap) and self._path:
            before.policy_map[self.path] = policy
        else:
            self.__dict__["dtype_policy"] = policy
        if policy.quantization_mode is not None and self.__dict__.get("built") and not self._is_quantized:
            self.quantize(policy.quantization_mode)

    @property
    def _policy(self) -> Any:
        """Its own policy, where `dtype_policy` is a map of many."""
        policy = self.dtype_policy
        return policy[self.path] if isinstance(policy, DTypePolicyMap) else policy

    def _policies(self):
        """Its policy for a config: a map, where layers inside were quantized since, so that they are made so again."""
        policy = self.dtype_policy
        if isinstance(policy, DTypePolicyMap):
            return policy
        inner = {layer.path: layer._policy for layer in self._flatten_layers(include_self=False)}
        inner = {path: one for path, one in inner.items() if one.quantization_mode is not None and one != policy}
        return DTypePolicyMap(policy, inner) if inner else policy

    @property
    def dtype(self):
        """The type of its variables."""
        return self._policy.variable_dtype

    variable_dtype = dtype

    @property
    def compute_dtype(self):
        """The type it computes in."""
        return self._policy.compute_dtype

    @property
    def input_dtype(self):
        """The type float inputs are cast to."""
        return self.compute_dtype

    @property
    def quantization_mode(self):
        """The way its kernels are kept in few bits, "int8" for example; None where they are not."""
        return self._policy.quantization_mode

    def quantize(self, mode=None, type_check=True, config=None):
        """Keep the kernels in the few bits of `mode`; see Dense and Model. This layer has no kernel that can be."""
        raise NotImplementedError(f"{type(self).__name__} does not have a `quantize` method implemented.")

    def quantized_build(self, input_shape, mode):
        """Make the variables of `mode`; `build` does it where the dtype policy says so."""
        raise NotImplementedError(f"{type(self).__name__} does not have a `quantized_build` method implemented.")

    def quantized_call(self, *args, **kwargs):
        """`call`, which is the same formula whatever a kernel is kept in."""
        return self.call(*args, **kwargs)  # pyright: ignore[reportAttributeAccessIssue]

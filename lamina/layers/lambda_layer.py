"""Lambda: a function as a layer."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from lamina import activations
from lamina.core.keras_tensor import trace
from lamina.core.serialization import deserialize, serialize
from lamina.errors import ConfigError
from lamina.layers.base.layer import Layer

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from lamina.core.typing import Config, LayerArguments

__all__ = ["Lambda"]


class Lambda(Layer):
    """`function(inputs, **arguments)`, for what is too small to be a layer of its own.

    Variables that the function uses are not seen by the layer and not trained: write a Layer for those. A file holds
    a lambda as bytecode, which is read only with `safe_mode=False`; a named, registered function is read always.

    Args:
        function: Function of the inputs, which also gets `mask` and `training` where it has parameters of these names.
        output_shape: Shape of one sample of the outputs, or a function of the whole input shape; None traces the
            function.
        mask: Mask of the outputs, or a function `(inputs, mask) -> mask`; None drops masks.
        arguments: Dict of further arguments of the function.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.Lambda(lambda x, power: x**power, arguments={"power": 2})(keras.ops.array([3.0])).tolist()
    [9.0]
    """

    _config_optional = frozenset(("activity_regularizer", "output_shape", "mask"))

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        if isinstance(function, str):
            name = function if hasattr(activations, function) else "relu"
            fix = f"keras.layers.Activation({name!r})"
            raise ConfigError(f"Lambda needs a function; got the text {function!r}.", fix=fix)
        if isinstance(function, (int, float, list, tuple, bool)):
            raise ConfigError(
                f"Lambda needs a function; got {function!r}.", fix="keras.layers.Lambda(lambda inputs: inputs * 2.0)"
            )
        self.function = function
        self.output_shape = output_shape
        self.mask = mask
        self.arguments: dict[str, Any] = arguments or {}
        self.supports_masking: bool = mask is not None

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        wanted = inspect.signature(self.function).parameters
        passed = {name: value for name, value in (("mask", mask), ("training", training)) if name in wanted}
        result = self.function(inputs, **self.arguments, **passed)
        is_one = self.output_shape is not None and isinstance(result, list) and len(result) == 1
        return result[0] if is_one else result  # as Keras 2 took a list of one tensor, such as K.gradients gives

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        if self.output_shape is None:
            return trace(self._run, *args, **kwargs)
        return super().compute_output_spec(*args, **kwargs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self.output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self.output_shape):
            return self.output_shape(input_shape)
        first = input_shape[0] if isinstance(input_shape[0], (list, tuple)) else input_shape
        return (first[0], *self.output_shape)

    def get_config(self) -> Config:
        return {**super().get_config(), "function": serialize(self.function)}

    @classmethod
    def from_config(cls, config: Config, custom_objects: Any = None, safe_mode: bool | None = None) -> Any:
        """The layer that `get_config` described; `safe_mode=False` also reads lambdas, which can run any code."""
        made = cls(**deserialize(config, custom_objects, safe_mode))
        if not callable(made.function):
            raise ConfigError(f"The function of Lambda {made.name!r} in the config is {made.function!r}, no function.")
        return made

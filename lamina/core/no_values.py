"""What a symbolic tensor does where Python, NumPy or another library asks for its values: it names the op to use."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lamina.core import op_advice
from lamina.core.call_sites import op_of, site_above
from lamina.errors import CallError, TracingError
from lamina.runtime.tracebacks import filters_traceback, readable
from lamina.spelling.names import unknown_attribute


def refuse_layers(outputs: list[Any]) -> list[Any]:
    """The outputs of a call; an error if a layer is among them.

    Args:
        outputs: What the call returned.

    Raises:
        CallError: One is a layer.
    """
    for layer in outputs:
        if hasattr(layer, "_inbound_nodes"):
            raise CallError(f"The call returned the layer {layer!r}.", fix="return layer(x)  # call it")
    return outputs


class NoAttributeError(TracingError, AttributeError):
    """A method that tensors of other libraries have."""


class NoValues:
    """Base class of KerasTensor: each use of its values raises an error that says what to write."""

    shape: Any

    def _refuse(self, fix: Any, kind: type[CallError] = TracingError) -> Any:
        site = site_above()
        where = "The program" if site is None else site.described
        raise kind(
            f"{where} needs the values of {self!r}, which has none: it stands for the tensors that a model is given.",
            fix=(site and fix(site)) or "Compute it by functions of keras.ops, or by a layer.",
        )

    @filters_traceback
    def _no_values(self, *args: Any, **kwargs: Any) -> Any:
        return self._refuse(op_advice.for_values)

    __array__: Any = _no_values
    __tf_tensor__: Any = _no_values
    __int__: Any = _no_values
    __float__: Any = _no_values
    __complex__: Any = _no_values
    __index__: Any = _no_values
    __round__: Any = _no_values

    @property
    @filters_traceback
    def __jax_array__(self) -> Any:  # JAX has a message of its own for a method, and for a TypeError
        if sys._getframe(2).f_code.co_name == "bind":  # JAX asks by C, which ignores errors; Python 3.13 prints them
            raise AttributeError("__jax_array__")
        return self._refuse(op_advice.for_function, CallError)

    @filters_traceback
    def __bool__(self) -> bool:
        return self._refuse(op_advice.for_condition)

    @filters_traceback
    def __setitem__(self, index: Any, value: Any) -> None:
        self._refuse(lambda site: "x = keras.ops.slice_update(x, start_indices, updates)")

    @property
    @filters_traceback
    def _length(self) -> Any:  # a property, so that hasattr(x, "__len__") tells whether len(x) gives a number
        if not self.shape or self.shape[0] is None:
            advice = "keras.ops.shape(x)[0], or x.shape for the sizes that are known"
            self._refuse(lambda site: advice, NoAttributeError)
        return lambda: self.shape[0]

    __len__: Callable[[Any], int] = _length  # pyright: ignore[reportAssignmentType]

    @filters_traceback
    def __iter__(self) -> Any:
        if not self.shape or self.shape[0] is None:
            self._refuse(op_advice.for_iteration)
        return (self[index] for index in range(len(self)))  # pyright: ignore[reportIndexIssue]

    @filters_traceback
    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self._refuse(lambda site: op_advice.for_function(site) or op_of(function.__name__, "numpy"))

    @classmethod
    @filters_traceback
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        symbol = next(value for value in (*args, *(kwargs or {}).values()) if isinstance(value, NoValues))
        return symbol._refuse(lambda site: op_advice.for_function(site) or op_of(function.__name__, "torch"))

    if not TYPE_CHECKING:  # an editor shall know a misspelling

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            site = site_above()
            fix = site and op_advice.for_attribute(site, name)
            if fix is None and not hasattr(type(self), name):
                raise unknown_attribute(self, name)
            with readable(NoAttributeError(f"A symbolic tensor has no attribute {name!r}.", fix=fix)) as error:
                raise error


_rewrite: Callable[[Any], Any] | None = None


def rewrite_with(function: Callable[[Any], Any]) -> None:
    """Let `rewritten` return what a function makes of each function, in this process.

    Args:
        function: Function of a function.
    """
    global _rewrite
    _rewrite = function


def rewritten(function: Any) -> Any:
    """A function of the program, or what runs in its place.

    Args:
        function: Method `call` of a layer, `train_step` of a model, loss, metric or schedule.
    """
    return function if _rewrite is None else _rewrite(function)

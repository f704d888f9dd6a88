"""Scopes: values for variables, prefixes for names, and the device that computes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any, Self

import jax

from lamina.core import context, keras_tensor
from lamina.core.variable import Variable, to_array, unwrap
from lamina.errors import ConfigError, ShapeError
from lamina.runtime.process import configure_process, devices_of

__all__ = ["StatelessScope", "SymbolicScope", "device", "name_scope"]


class StatelessScope:
    """Inside the block variables have the values of the scope, and what is written to them stays in the scope.

    Args:
        state_mapping: Pairs (variable, value).
        collect_losses: Whether `losses` has the losses that layers add with `add_loss`.
        initialize_variables: Has no effect: a variable always has a value.

    Raises:
        ConfigError: A pair does not begin with a variable.
        ShapeError: A value does not have the shape of its variable.

    >>> import lamina as keras
    >>> v = keras.Variable([1.0, 2.0])
    >>> with keras.StatelessScope([(v, [3.0, 4.0])]) as scope:
    ...     _ = v.assign_add([1.0, 1.0])
    >>> scope.get_current_value(v), v.numpy()
    (Array([4., 5.], dtype=float32), array([1., 2.], dtype=float32))
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        self.collect_losses: bool = collect_losses
        self.initialize_variables: bool = initialize_variables
        self.state_mapping: dict[Any, Any] = {
            variable: _fitting(variable, value) for variable, value in state_mapping or ()
        }
        self._added: list[Any] = []
        self._blocks: list[Any] = []

    def __enter__(self) -> Self:
        self._blocks.append(context.bind(list(self.state_mapping), list(self.state_mapping.values())))
        self.state_mapping = self._blocks[-1].__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._blocks.pop().__exit__(*exception)

    @property
    def losses(self) -> list[Any]:
        """The losses that layers, or `add_loss` of this scope, added inside."""
        if not self.collect_losses:
            return []
        lists = [losses for ref, losses in self.state_mapping.items() if not isinstance(ref, Variable)]
        return [*self._added, *(loss for losses in lists for loss in losses)]

    def add_loss(self, loss: Any) -> None:
        """Add a loss to `losses`.

        Args:
            loss: Scalar.
        """
        self._added.append(loss)

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Set the value of a variable in this scope.

        Args:
            update: Pair (variable, new value).
        """
        variable, value = update
        self.state_mapping[variable] = _fitting(variable, value)

    def get_current_value(self, variable: Variable) -> Any:
        """The value of a variable in this scope; None if it has none here.

        Args:
            variable: Variable.
        """
        return self.state_mapping.get(variable)


def _fitting(variable, value):
    if not isinstance(variable, Variable):
        raise ConfigError(
            f"state_mapping holds pairs (variable, value); got {variable!r} for a variable.",
            fix="state_mapping=[(variable, value)]",
        )
    value = to_array(unwrap(value), variable.dtype)
    if value.shape != variable.shape:
        raise ShapeError(
            f"Variable {variable.path} has shape {variable.shape}; the scope gives it {value.shape}.",
            fix=f"Give it a value of shape {variable.shape}.",
        )
    return value


class SymbolicScope:
    """For inference of shapes: what is written to variables inside the block is discarded at its end.

    >>> import lamina as keras
    >>> v = keras.Variable(1.0)
    >>> with keras.SymbolicScope():
    ...     _ = v.assign(2.0)
    >>> float(v)
    1.0
    """

    def __init__(self) -> None:
        self._blocks: list[Any] = []

    def __enter__(self) -> Self:
        self._blocks.append(keras_tensor.bind_symbolic())
        self._blocks[-1].__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._blocks.pop().__exit__(*exception)


_caller: ContextVar[Any] = ContextVar("caller", default=None)


class name_scope:
    """Variables made inside the block have `name/` before their path; JAX's programs and profiles show the name too.

    Args:
        name: Name without "/".
        **kwargs: `caller`: object that opens the scope; `deduplicate` (True): a scope with the caller and the name of
            the scope around it adds nothing; `override_parent`: path that replaces that of the open scopes.

    Raises:
        ConfigError: The name has a "/", or an argument is unknown.

    >>> import lamina as keras
    >>> with keras.name_scope("block"), keras.name_scope("head"):
    ...     keras.Variable(0.0, name="scale").path
    'block/head/scale'
    """

    def __init__(self, name: str, **kwargs: Any) -> None:
        if not isinstance(name, str) or "/" in name:
            raise ConfigError(
                f"The name of a scope is a string without '/'; got {name!r}.",
                fix=f"name_scope({str(name).replace('/', '_')!r})",
            )
        self.name: str = name
        self.caller: Any = kwargs.pop("caller", None)
        self.deduplicate: bool = kwargs.pop("deduplicate", True)
        self.override_parent: str | None = kwargs.pop("override_parent", None)
        if kwargs:
            raise ConfigError(f"A name_scope has no {', '.join(kwargs)}.", fix="keras.name_scope('encoder')")
        self._blocks: list[contextlib.ExitStack] = []

    def __enter__(self) -> Self:
        block = contextlib.ExitStack()
        self._blocks.append(block)
        around = context.name_path()
        repeated = self.deduplicate and self.caller is not None and self.caller is _caller.get()
        if repeated and around and around[-1] == self.name:
            return self
        if self.override_parent is not None:
            around = tuple(part for part in self.override_parent.split("/") if part)
        block.enter_context(context.path_scope((*around, self.name) if self.name else around))
        block.enter_context(jax.named_scope(self.name))
        block.callback(_caller.reset, _caller.set(self.caller))
        return self

    def __exit__(self, *exception: Any) -> None:
        self._blocks.pop().__exit__(*exception)


def device(device_name: Any) -> Any:
    """Inside the block arrays are made and computed on one device.

    Args:
        device_name: Name such as "cpu:0" or "gpu:1", or a `jax.Device`.

    Raises:
        ConfigError: There is no such device.

    >>> import lamina as keras
    >>> with keras.device("cpu:0"):
    ...     keras.ops.ones(2).devices()
    {CpuDevice(id=0)}
    """
    if isinstance(device_name, str):
        configure_process()
        kind, _, number = device_name.lower().removeprefix("/").removeprefix("device:").partition(":")
        devices = devices_of(kind)
        if not (number or "0").isdigit() or int(number or 0) >= len(devices):
            raise ConfigError(
                f"There is no device {device_name!r}; there are: {', '.join(map(str, devices))}.",
                fix=f"device({str(kind)!r})",
            )
        device_name = devices[int(number or 0)]
    elif not isinstance(device_name, jax.Device):
        raise ConfigError(
            f"A device is a string like 'gpu:0' or a jax.Device; got {device_name!r}.", fix="device('cpu:0')"
        )
    return jax.default_device(device_name)

"""MultiOptimizer, and the map from variables to optimizers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence, ValuesView
from typing import Any

from lamina.core.configurable import Configurable
from lamina.core.variable import Variable
from lamina.errors import ConfigError, UnknownNameError
from lamina.optimizers.loss_scale_optimizer import LossScaleOptimizer
from lamina.optimizers.optimizer import Optimizer

__all__ = ["MultiOptimizer", "OptimizerMap"]


def _checked(optimizer):
    if isinstance(optimizer, Optimizer) and not isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
        return optimizer
    raise ConfigError(f"An OptimizerMap holds plain optimizers; got {optimizer!r}.", fix="keras.optimizers.Adam()")


_NO_RATE = "A MultiOptimizer has no learning_rate of its own; each of its `optimizers` has one."


class OptimizerMap(Configurable, MutableMapping):
    """Paths of variables, or regular expressions that match a whole path, to optimizers.

    Args:
        default_optimizer: Optimizer of the variables that no key matches.
        optimizer_map: Optimizers by path or regular expression.

    >>> import lamina as keras
    >>> optimizers = keras.optimizers.OptimizerMap(keras.optimizers.SGD(), {"encoder/.*": keras.optimizers.Adam()})
    >>> type(optimizers["encoder/dense/kernel"]).__name__, type(optimizers["decoder/kernel"]).__name__
    ('Adam', 'SGD')
    """

    default_optimizer: Any = None

    def __init__(self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None) -> None:
        self.default_optimizer = _checked(default_optimizer)
        self.optimizer_map: Any = {}
        self.update(optimizer_map or {})

    def __call__(self, variable: Variable) -> Optimizer:
        return self[variable.path]

    def __getitem__(self, key: str) -> Optimizer:
        if key in self.optimizer_map:
            return self.optimizer_map[key]
        matching = [pattern for pattern in self.optimizer_map if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ConfigError(f"Several patterns match {key!r}: {matching}.", fix="Let one of them match it.")
        return self.optimizer_map[matching[0]] if matching else self.default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(key, str) or key in self.optimizer_map:
            raise ConfigError(
                f"A key is a string that is not in the map yet; got {key!r}.",
                fix="Delete the old one first: del optimizer_map[key].",
            )
        self.optimizer_map[key] = _checked(optimizer)

    def __delitem__(self, key: str) -> None:
        del self.optimizer_map[key]

    def __len__(self) -> int:
        return len(self.optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self.optimizer_map)

    def values(self) -> ValuesView[Optimizer]:
        """The optimizers under keys, without the default."""
        return self.optimizer_map.values()


class MultiOptimizer(Optimizer):
    """Several optimizers, each for some of the variables. Learning rates are those of the `optimizers`.

    Args:
        optimizer_map: An OptimizerMap, or a function that returns the optimizer of a variable.
        loss_scale_factor: Loss scale of all of them. None scales nothing.
        name: Name of the optimizer. None makes one from the class name.

    >>> import lamina as keras
    >>> slow, fast = keras.optimizers.SGD(0.1), keras.optimizers.SGD(1.0)
    >>> optimizer = keras.optimizers.MultiOptimizer(lambda variable: slow if variable.ndim else fast)
    >>> vector, number = keras.Variable([1.0]), keras.Variable(1.0)
    >>> _ = optimizer.apply([[1.0], 1.0], [vector, number])
    >>> round(float(vector[0]), 3), float(number)
    (0.9, 0.0)
    """

    optimizers: Any = ()

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        self.optimizers = []
        self.optimizer_map = optimizer_map
        self._optimizer_of = {}
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._add(optimizer)

    def _add(self, optimizer):
        if optimizer not in self.optimizers:
            self.optimizers.append(_checked(optimizer))
            optimizer.loss_scale_factor = self.loss_scale_factor
        return optimizer

    def build(self, variables: Sequence[Variable]) -> None:
        for variable in variables:
            if variable not in self._optimizer_of:
                self._optimizer_of[variable] = self._add(self.optimizer_map(variable))
        for optimizer, own in self._divided(variables):
            optimizer.ensure_built(own)
        super().build(variables)

    def _divided(self, variables):
        """(optimizer, its share of `variables`) pairs."""
        shares = [
            (optimizer, [v for v in variables if self._optimizer_of[v] is optimizer]) for optimizer in self.optimizers
        ]
        return [(optimizer, share) for optimizer, share in shares if share]

    @property
    def variables(self) -> list[Variable]:
        return [*super().variables, *(v for optimizer in self.optimizers for v in optimizer.variables)]

    @property
    def loss_scale_factor(self) -> float | None:
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._loss_scale_factor = value
        for optimizer in self.optimizers:
            optimizer.loss_scale_factor = value

    @property
    def learning_rate(self) -> Any:
        raise UnknownNameError(_NO_RATE, lambda: ("", "optimizer.optimizers[0].learning_rate"))

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        raise UnknownNameError(_NO_RATE, lambda: ("", "optimizer.optimizers[0].learning_rate = 0.001"))

    def _settings(self):
        return (*super()._settings(), *(optimizer._settings() for optimizer in self.optimizers))

    def update(self, grads: Sequence[Any], variables: Sequence[Variable]) -> None:
        gradient_of = dict(zip(variables, grads, strict=True))
        for optimizer, share in self._divided(variables):
            optimizer.update([gradient_of[v] for v in share], share)
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        for optimizer, share in self._divided(var_list):
            optimizer.finalize_variable_values(share)

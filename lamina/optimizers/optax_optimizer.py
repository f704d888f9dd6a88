"""OptaxOptimizer: any optax transformation in the place of an optimizer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from lamina.core import context
from lamina.core.typing import Config
from lamina.core.variable import Variable
from lamina.errors import ConfigError
from lamina.optimizers.optimizer import LearningRateLike, Optimizer

__all__ = ["OptaxOptimizer", "is_transformation"]


def is_transformation(obj: Any) -> bool:
    """Whether `obj` is an `optax.GradientTransformation`, by its two functions: optax itself is never imported."""
    return (
        not isinstance(obj, Optimizer)
        and callable(getattr(obj, "init", None))
        and callable(getattr(obj, "update", None))
    )


class OptaxOptimizer(Optimizer):
    """An `optax.GradientTransformation` as an optimizer: `model.compile(optax.adam(1e-3))` makes one.

    Args:
        transformation: The `optax.GradientTransformation`, which holds its own learning rate.
        learning_rate: Multiplies the updates of the transformation.
        **kwargs: Arguments of every optimizer, such as `weight_decay` and `clipnorm`.

    >>> import collections, lamina as keras
    >>> Transformation = collections.namedtuple("Transformation", "init update")
    >>> def halve(grads, state, values):
    ...     return {key: -gradient / 2 for key, gradient in grads.items()}, ()
    >>> halves = Transformation(lambda values: (), halve)
    >>> weight = keras.Variable([1.0])
    >>> _ = keras.optimizers.OptaxOptimizer(halves).apply([[1.0]], [weight])
    >>> weight.numpy().tolist()
    [0.5]
    """

    def __init__(self, transformation: Any, learning_rate: LearningRateLike = 1.0, **kwargs: Any) -> None:
        if not is_transformation(transformation):
            raise ConfigError(
                f"An optax transformation has init and update; got {transformation!r}.",
                fix="OptaxOptimizer(optax.adam(0.001))",
            )
        super().__init__(learning_rate, **kwargs)
        self.transformation = transformation
        self._leaves = {}

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        with context.concrete():
            state = jax.jit(self.transformation.init)(self._by_key(self._slots))
        for path, value in jax.tree_util.tree_leaves_with_path(state):
            path = jax.tree_util.keystr(path)
            if path not in self._leaves:  # leaves of variables that are known already stay
                name = re.sub(r"\W+", "_", path).strip("_")
                self._leaves[path] = self.add_variable(value.shape, np.asarray(value), value.dtype.name, name=name)

    def _by_key(self, variables):
        """The values of `variables` by keys that stay the same when others come or go."""
        keys = {v: f"{number}_{v.path.replace('/', '_')}" for number, v in enumerate(self._slots)}
        return {keys[v]: v.read() for v in variables}

    def _update_all(self, grads, variables, learning_rate):
        values = self._by_key(variables)
        paths, structure = jax.tree_util.tree_flatten_with_path(jax.eval_shape(self.transformation.init, values))
        leaves = [self._leaves[jax.tree_util.keystr(path)] for path, _ in paths]
        state = jax.tree_util.tree_unflatten(structure, [leaf.read() for leaf in leaves])
        changes, state = self.transformation.update(dict(zip(values, grads, strict=True)), state, values)
        for leaf, value in zip(leaves, jax.tree_util.tree_leaves(state), strict=True):
            leaf.assign(value)
        for variable, key in zip(variables, values, strict=True):
            variable.assign_add((learning_rate * changes[key]).astype(variable.dtype))

    def get_config(self) -> Config:
        """Raises ConfigError: functions of optax cannot be written in a config."""
        raise ConfigError(
            "An optax transformation is made of functions, which a config cannot hold.",
            fix="Save the weights, and compile with the transformation again after loading.",
        )

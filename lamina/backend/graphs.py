"""Inputs and functions of graphs, and the learning phase, under the names of `keras.backend` in Keras 2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina import ops
from lamina.core import context
from lamina.core.typing import DTypeLike, TensorLike
from lamina.errors import ConfigError
from lamina.layers.input_layer import Input
from lamina.models import Model
from lamina.optimizers.update import Descent
from lamina.utils.session import is_keras_tensor

__all__ = [
    "function", "in_test_phase", "in_train_phase", "learning_phase", "placeholder", "set_learning_phase",
]  # fmt: skip


def placeholder(
    shape: Sequence[int | None] | None = None,
    ndim: int | None = None,
    dtype: DTypeLike | None = None,
    sparse: bool = False,
    name: str | None = None,
) -> Any:
    """`keras.Input(batch_shape=shape)`.

    Args:
        shape: Shape with the batch, None where a size is not known.
        ndim: Number of axes, all of unknown size; used if `shape` is None.
        dtype: Type of the values; None means `keras.config.floatx()`.
        sparse: Whether the tensor is marked as sparse, for files; values are dense.
        name: Name of the input; None makes one.
    """
    if shape is None and ndim is None:
        raise ConfigError("A placeholder needs a shape or a number of axes.", fix="keras.Input(shape=(784,))")
    return Input(batch_shape=shape or (None,) * (ndim or 0), dtype=dtype, sparse=sparse, name=name)


def function(inputs: Any, outputs: Any, updates: Any = None, name: str | None = None) -> Callable[..., Any]:
    """A function from a list of arrays to a list of NumPy arrays: the graph between symbolic tensors.

    A last input `learning_phase()` stands for `training`.

    Args:
        inputs: List of symbolic tensors, where the graph starts; `learning_phase()` may be the last.
        outputs: Symbolic tensor or list of them, where the graph ends.
        updates: Steps of optimizers (`get_updates`) and pairs (variable, symbolic tensor), which a call makes after it
            has computed the outputs.
        name: Not used; accepted for old programs.

    >>> import lamina as keras
    >>> x = keras.Input((2,))
    >>> function([x], [2 * x])([np.ones((1, 2))])[0].tolist()
    [[2.0, 2.0]]
    """
    starts = [tensor for tensor in inputs if is_keras_tensor(tensor)]
    model = Model(starts, [outputs] if is_keras_tensor(outputs) or isinstance(outputs, dict) else list(outputs))
    steps = [_step(starts, update) for update in updates or ()]

    def run(arrays):
        arrays = arrays if isinstance(arrays, (list, tuple)) else [arrays]  # one array, for one input
        values, phase = list(arrays[: len(starts)]), arrays[len(starts) :]
        training = bool(phase[0]) if phase else None
        results = model(values, training=training)
        results = [np.array(result) for result in (results if isinstance(results, (list, tuple)) else [results])]
        for step in steps:
            step(values, training)
        return results

    return run


def _step(starts, update):
    """A function of the values of the inputs that makes one of the updates."""
    if isinstance(update, tuple) and not isinstance(update, Descent):
        variable, graph = update[0], Model(starts, [update[1]])
        return lambda values, training: variable.assign(graph(values, training=training))
    graph = Model(starts, [update.loss])

    def descend(values, training):
        gradients = ops.grad(lambda _: ops.sum(graph(values, training=training)))(update.params)
        update.optimizer.apply(gradients, update.params)

    return descend


def learning_phase() -> int:
    """0: calls run in inference mode unless they pass `training=True`. As an input of `function` it is that flag."""
    return 0


def set_learning_phase(value: Any) -> None:
    """0 has no effect; in place of 1, pass `training=True` to calls.

    Args:
        value: 0 or False; 1 and True are an error.
    """
    if value:
        raise ConfigError("There is no global learning phase any more.", fix="model(x, training=True)")


def in_train_phase(x: TensorLike, alt: Any, training: bool | None = None) -> Any:
    """`x` if the current call runs in training mode, else `alt`; each a tensor or a callable without arguments.

    Args:
        x: Value in training mode, or a function without arguments that returns it.
        alt: Value in inference mode, likewise.
        training: Whether it is training mode; None means the mode of the current call, and inference outside of one.
    """
    call = context.current_call()
    if training is None and call is not None:
        training = call.training
    chosen = x if training else alt
    return chosen() if callable(chosen) else chosen


def in_test_phase(x: TensorLike, alt: Any, training: bool | None = None) -> Any:
    """`alt` if the current call runs in training mode, else `x`.

    Args:
        x: Value in inference mode, or a function without arguments that returns it.
        alt: Value in training mode, likewise.
        training: Whether it is training mode; None means the mode of the current call, and inference outside of one.
    """
    return in_train_phase(alt, x, training)

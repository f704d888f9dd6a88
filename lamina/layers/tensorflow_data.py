"""Layers in pipelines of `tf.data`, as in `dataset.map(layer)`: TensorFlow calls Python for each element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from lamina.core import tree
from lamina.core.keras_tensor import KerasTensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from lamina.core.typing import Tensor

__all__ = ["call_back", "has_graph_tensors"]


def has_graph_tensors(inputs: Tensor) -> bool:
    """Whether the inputs contain tensors of a TensorFlow graph; eager tensors are like other arrays.

    Args:
        inputs: Structure of arrays or tensors.
    """
    return any(
        type(leaf).__module__.partition(".")[0] == "tensorflow" and not hasattr(leaf, "numpy")
        for leaf in jax.tree_util.tree_leaves(inputs)
    )


def call_back(function: Callable[..., Any], inputs: Tensor, describe: Callable[..., Any]) -> Any:
    """The outputs of `function`, as tensors of the TensorFlow graph to which the inputs belong.

    Args:
        function: Function of arrays.
        inputs: Tensors of a TensorFlow graph.
        describe: Function that returns symbolic outputs for symbolic inputs.
    """
    import tensorflow as tf  # type: ignore[import-not-found]

    leaves, structure = jax.tree_util.tree_flatten(inputs)
    symbols = [KerasTensor(tuple(leaf.shape), leaf.dtype.name) for leaf in leaves]
    outputs: Any = describe(jax.tree_util.tree_unflatten(structure, symbols))
    described = tree.flatten(outputs)

    def run(*values):
        results = function(jax.tree_util.tree_unflatten(structure, values))
        return [np.asarray(result) for result in tree.flatten(results)]

    results = tf.numpy_function(run, leaves, [tf.as_dtype(symbol.dtype) for symbol in described])
    for result, symbol in zip(results, described, strict=True):
        result.set_shape(symbol.shape)
    return tree.unflatten(tree.structure_of(outputs), results)

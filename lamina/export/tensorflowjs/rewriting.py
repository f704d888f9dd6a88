"""What TensorFlow.js has no layer for, as a small model of layers that it has.

A rewriter is a function of (make, operation, *symbolic inputs, **arguments of the call) that returns symbolic outputs,
made with `make` alone, so that names and weights belong to the operation that is replaced.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

import lamina.layers as layers

__all__ = ["REWRITERS", "Make", "Unable", "rewrites", "rewritten"]

REWRITERS: dict[str, list[Callable[..., Any]]] = {}


class Unable(Exception):
    """Raised by a rewriter for settings or shapes that it does not cover."""


def rewrites(*kinds: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a rewriter; of several, the first that is able is used.

    Args:
        *kinds: Names of layers, or of functions of `keras.ops`.
    """

    def register(function):
        for kind in kinds:
            REWRITERS.setdefault(kind, []).append(function)
        return function

    return register


def rewritten(operation: Any, node: Any, model_class: Any) -> Any:
    """A model of layers that computes what an operation does in one call, or None.

    Args:
        operation: Layer, or call of a function of `keras.ops`.
        node: Its call.
        model_class: The class of models with a graph.
    """
    for rewriter in REWRITERS.get(getattr(operation, "op_name", None) or type(operation).__name__, ()):
        make = Make(operation.name)
        inputs = [make.input(tensor) for tensor in node.tensors]
        filled: Any = node.fill({id(tensor): x for tensor, x in zip(node.tensors, inputs, strict=True)})
        settings = {**getattr(operation, "settings", {}), **filled[1]}  # those of a function of keras.ops
        kwargs = {name: value for name, value in settings.items() if value is not None and name != "training"}
        args = list(filled[0])
        while args and args[-1] is None:
            args.pop()
        try:
            inspect.signature(rewriter).bind(make, operation, *args, **kwargs)
            outputs = rewriter(make, operation, *args, **kwargs)
        except (Unable, TypeError, ValueError):
            continue
        if [tuple(x.shape) for x in _leaves(outputs)] == [tuple(x.shape) for x in _leaves(node.outputs)]:
            return model_class(inputs, outputs, name=operation.name)
    return None


def _leaves(structure):
    return list(structure) if isinstance(structure, (list, tuple)) else jax.tree_util.tree_leaves(structure)


class Make:
    """Makes the layers of a model that replaces an operation.

    Args:
        name: Name of the operation, with which the names of the layers begin.
    """

    def __init__(self, name: str) -> None:
        self.name, self.count = name, 0

    def named(self) -> str:
        """A name for the next layer."""
        self.count += 1
        return f"{self.name}_part{self.count}"

    def input(self, tensor: Any) -> Any:
        """A symbolic input like a tensor."""
        return layers.Input(tensor.shape[1:], dtype=tensor.dtype, name=self.named())

    def __call__(self, kind: str, *inputs: Any, weights: Sequence[Any] = (), **settings: Any) -> Any:
        """The output of a new layer.

        Args:
            kind: Its class.
            *inputs: One tensor, or several for a layer that merges.
            weights: Values of its weights.
            **settings: Its other arguments.
        """
        layer = self.layer(kind, **settings)
        made = layer(inputs[0] if len(inputs) == 1 else list(inputs))
        if weights:
            layer.set_weights([np.asarray(value, np.float32) for value in weights])
        return made

    def layer(self, kind: str, **settings: Any) -> Any:
        """A new layer."""
        return getattr(layers, kind)(name=self.named(), dtype="float32", **settings)

    def like(self, layer: Any, x: Any, weights: Sequence[Any] | None = None, kind: str = "", **changes: Any) -> Any:
        """The output of a layer with the settings and weights of another one.

        Args:
            layer: The other layer.
            x: Input.
            weights: Values of the weights; None means those of the layer.
            kind: Another class, which takes those of the settings that it knows.
            **changes: Settings that differ.
        """
        made = getattr(layers, kind or type(layer).__name__)
        known = inspect.signature(made.__init__).parameters
        changes = {"lora_rank": None, "lora_alpha": None, **changes}
        config = {name: value for name, value in {**layer.get_config(), **changes}.items() if name in known}
        again = made.from_config({**config, "name": self.named(), "dtype": "float32"})
        made = again(x)
        values = plain_weights(layer) if weights is None else weights
        if values:
            again.set_weights([np.asarray(value, np.float32) for value in values])
        return made

    def reshape(self, x: Any, *shape: int | None) -> Any:
        """A tensor in another shape, of which one size may be open."""
        if sum(size is None for size in shape) > 1 or (None in shape and None not in x.shape[1:]):
            raise Unable
        if tuple(x.shape[1:]) == shape:
            return x
        return self("Reshape", x, target_shape=[-1 if size is None else size for size in shape])

    def permute(self, x: Any, *axes: int) -> Any:
        """A tensor with its axes, that of the batch apart, in another order."""
        return x if axes == tuple(sorted(axes)) else self("Permute", x, dims=axes)

    def scale(self, x: Any, scale: float = 1.0, offset: float = 0.0) -> Any:
        """x * scale + offset."""
        return self("Rescaling", x, scale=float(scale), offset=float(offset))

    def minus(self, x: Any, y: Any) -> Any:
        """x - y."""
        return self("Add", x, self.scale(y, -1))

    def affine(self, x: Any, scale: Any = 1.0, offset: Any = 0.0) -> Any:
        """x * scale + offset for arrays of known values, which broadcast to a sample."""
        shape = tuple(x.shape[1:])
        arrays = [np.asarray(value, np.float32) for value in (scale, offset)]
        arrays = [array[0] if array.ndim > len(shape) and len(array) == 1 else array for array in arrays]
        if all(array.size == 1 for array in arrays):
            return self.scale(x, *(array.item() for array in arrays))
        varies = max(
            len(array.shape[next(n for n, size in enumerate(array.shape) if size != 1) :]) if array.size > 1 else 1
            for array in arrays
        )  # over so many of the last axes
        full = shape[len(shape) - varies :]
        size = _product(full)
        values = [np.broadcast_to(a.reshape(a.shape[-varies:]), full).reshape(-1) for a in arrays]
        values += [np.zeros(size), np.ones(size)]  # mean and variance
        before = shape[: len(shape) - varies]
        flat = self.reshape(x, *([None if None in before else math.prod(before)] if before else []), size)
        return self.reshape(self("BatchNormalization", flat, weights=values, epsilon=0.0), *shape)

    def along(self, x: Any, axis: int, kind: str, **settings: Any) -> Any:
        """A layer for the rows of pictures, on one axis of known sizes; `settings` are for this axis."""
        shape = list(x.shape)
        before, after = _product(shape[1:axis]), _product(shape[axis + 1 :])
        made = self(kind, self.reshape(x, before, shape[axis], after), **settings)
        return self.reshape(made, *shape[1:axis], made.shape[2], *shape[axis + 1 :])

    def linear(self, x: Any, axis: int, matrix: Any) -> Any:
        """The product with a matrix along an axis."""
        last = len(x.shape) - 1
        others = [number for number in range(1, last + 1) if number != axis]
        turned = self.permute(x, *others, axis)
        made = self("Dense", turned, units=matrix.shape[1], use_bias=False, weights=[matrix])
        order = [*others, axis]
        return self.permute(made, *(order.index(number) + 1 for number in range(1, last + 1)))


def plain_weights(layer: Any) -> list[np.ndarray]:
    """The values of the weights of a layer, without states of random numbers; a product of a low rank is added."""
    values = [w.numpy() for w in layer.weights if "seed_generator" not in w.path and not w.name.startswith("lora_")]
    if getattr(layer, "lora_enabled", False):
        whole = layer.embeddings if type(layer).__name__ == "Embedding" else layer.kernel
        values[0] = np.asarray(getattr(whole, "value", whole))
    return values


def _product(sizes):
    if None in sizes:
        raise Unable
    return math.prod(sizes)

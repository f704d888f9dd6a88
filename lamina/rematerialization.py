"""Rematerialization: what the backward pass computes again instead of keeping it (Chen et al., 2016)."""

import functools
import math
from contextvars import ContextVar
from typing import Any

import jax

from lamina.core import context, tree
from lamina.core.keras_tensor import get_mask, set_mask
from lamina.errors import ConfigError

__all__ = ["RematScope", "remat"]

MODES = ("full", "activations", "larger_than", "list_of_layers", None)
_scope: ContextVar[Any] = ContextVar("remat_scope", default=None)


class RematScope:
    """Layers made inside the block compute again in the backward pass instead of keeping their intermediate values.

    Args:
        mode: "full": every layer; "activations": only the `activation` of layers that have one; "larger_than": layers
            whose outputs have more than `output_size_threshold` numbers; "list_of_layers": those in `layer_names`;
            None: none, also inside another scope.

    >>> import lamina as keras
    >>> with keras.RematScope(mode="larger_than", output_size_threshold=512):
    ...     layer = keras.layers.Dense(1024)
    >>> layer(keras.ops.ones((1, 2))).shape
    (1, 1024)
    """

    def __init__(self, mode="full", output_size_threshold=1024, layer_names=None):
        if mode not in MODES:
            raise ConfigError(f"The mode of a RematScope is one of {MODES}; got {mode!r}.")
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = list(layer_names or ())
        self._tokens = []

    def __enter__(self):
        self._tokens.append(_scope.set(self))
        return self

    def __exit__(self, *exception):
        _scope.reset(self._tokens.pop())

    def applies_to(self, layer, args, kwargs):
        """Whether the whole call of `layer` is computed again."""
        if self.mode == "larger_than":
            return _output_size(layer, args, kwargs) > self.output_size_threshold
        return self.mode == "full" or (self.mode == "list_of_layers" and layer.name in self.layer_names)


def current_scope():
    """The scope that layers made now belong to, or None."""
    scope = _scope.get()
    if scope is None or scope.mode is None:
        return None
    return RematScope(scope.mode, scope.output_size_threshold, scope.layer_names)  # one that a layer can be copied with


def call_of(layer, scope):
    """`layer.call`, as `scope` wants it."""

    def call(*args, **kwargs):
        if scope.applies_to(layer, args, kwargs):
            return remat(layer.call)(*args, **kwargs)
        if scope.mode == "activations" and callable(layer.__dict__.get("activation")):
            with _replaced(layer, "activation", remat(layer.activation)):
                return layer.call(*args, **kwargs)
        return layer.call(*args, **kwargs)

    return call


class _replaced:
    """An attribute has another value inside the block."""

    def __init__(self, owner, name, value):
        self.attributes, self.name, self.value = owner.__dict__, name, value

    def __enter__(self):
        self.before = self.attributes[self.name]
        self.attributes[self.name] = self.value

    def __exit__(self, *exception):
        self.attributes[self.name] = self.before


def _output_size(layer, args, kwargs):
    """How many numbers the outputs of a call have, without computing them."""

    def outputs():
        with context.bind():
            return layer.call(*args, **kwargs)

    return sum(math.prod(leaf.shape) for leaf in jax.tree_util.tree_leaves(jax.eval_shape(outputs)))


def remat(f) -> Any:
    """`f`, computed again in the backward pass instead of keeping what it computed. `f` may read and change variables.

    >>> import lamina as keras
    >>> double = keras.remat(lambda x: 2 * x)
    >>> double(keras.ops.ones(2))
    Array([2., 2.], dtype=float32)
    """

    @functools.wraps(f, updated=())
    def recomputed(*args, **kwargs):
        leaves, treedef = jax.tree_util.tree_flatten((args, kwargs))
        places = [index for index, leaf in enumerate(leaves) if isinstance(leaf, jax.Array)]
        arrays = [leaves[index] for index in places]
        masks = [get_mask(array) for array in arrays]
        changed = []

        @jax.checkpoint
        def pure(arrays):
            filled = list(leaves)
            for index, array, mask in zip(places, arrays, masks, strict=True):
                set_mask(array, mask)
                filled[index] = array
            f_args, f_kwargs = jax.tree_util.tree_unflatten(treedef, filled)
            with context.bind() as slots:
                before = dict(slots)
                outputs = f(*f_args, **f_kwargs)
                changed[:] = [cell for cell in slots if cell not in before or slots[cell] is not before[cell]]
                values = [slots[cell] for cell in changed]
            return outputs, [get_mask(leaf) for leaf in tree.flatten(outputs)], values

        outputs, output_masks, values = pure(arrays)
        for leaf, mask in zip(tree.flatten(outputs), output_masks, strict=True):
            set_mask(leaf, mask)
        for cell, value in zip(changed, values, strict=True):
            cell.write(value)
        return outputs

    return recomputed

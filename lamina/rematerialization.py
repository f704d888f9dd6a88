"""Rematerialization: values that the backward pass computes again instead of storing them (Chen et al., 2016)."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, ParamSpec, Self, TypeVar

import jax

from lamina.core import context, tree
from lamina.core.arguments import choice
from lamina.core.keras_tensor import get_mask, set_mask

__all__ = ["RematScope", "remat"]

P = ParamSpec("P")
R = TypeVar("R")

MODES = ("full", "activations", "larger_than", "list_of_layers", None)
_scope: ContextVar[Any] = ContextVar("remat_scope", default=None)


class RematScope:
    """Layers made inside the block compute intermediate values again in the backward pass instead of storing them.

    Args:
        mode: "full": every layer; "activations": only the `activation` of layers that have one; "larger_than": layers
            whose outputs have more than `output_size_threshold` numbers; "list_of_layers": those in `layer_names`;
            None: none, also inside another scope.
        output_size_threshold: Number of outputs up to which a layer stores its values, with mode "larger_than".
        layer_names: Names of layers, with mode "list_of_layers".

    Raises:
        ConfigError: The mode is unknown.

    >>> import lamina as keras
    >>> with keras.RematScope(mode="larger_than", output_size_threshold=512):
    ...     layer = keras.layers.Dense(1024)
    >>> layer(keras.ops.ones((1, 2))).shape
    (1, 1024)
    """

    def __init__(
        self,
        mode: str | None = "full",
        output_size_threshold: int = 1024,
        layer_names: Sequence[str] | None = None,
    ) -> None:
        choice(self, "mode", mode, MODES)
        self.mode: str | None = mode
        self.output_size_threshold: int = output_size_threshold
        self.layer_names: list[str] = list(layer_names or ())
        self._tokens: list[Any] = []

    def __enter__(self) -> Self:
        self._tokens.append(_scope.set(self))
        return self

    def __exit__(self, *exception: Any) -> None:
        _scope.reset(self._tokens.pop())

    def applies_to(self, layer: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
        """Whether the whole call of a layer is computed again.

        Args:
            layer: Layer.
            args, kwargs: Arguments of the call.
        """
        if self.mode == "larger_than":
            return _output_size(layer, args, kwargs) > self.output_size_threshold
        return self.mode == "full" or (self.mode == "list_of_layers" and layer.name in self.layer_names)


def current_scope() -> RematScope | None:
    """The scope of layers that are made now, or None."""
    scope = _scope.get()
    if scope is None or scope.mode is None:
        return None
    return RematScope(
        scope.mode, scope.output_size_threshold, scope.layer_names
    )  # without tokens, so that a layer with it can be copied


def call_of(layer: Any, scope: RematScope) -> Callable[..., Any]:
    """`layer.call` under a scope.

    Args:
        layer: Layer.
        scope: Scope in which the layer was made.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        if scope.applies_to(layer, args, kwargs):
            return remat(layer.call)(*args, **kwargs)
        if scope.mode == "activations" and callable(layer.__dict__.get("activation")):
            with _replaced(layer, "activation", remat(layer.activation)):
                return layer.call(*args, **kwargs)
        return layer.call(*args, **kwargs)

    return call


class _replaced:
    """Inside the block an attribute has another value."""

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


def remat(f: Callable[P, R]) -> Callable[P, R]:
    """The same function, which the backward pass computes again instead of storing its intermediate values.

    Args:
        f: Function of arrays. It may read and write variables.

    >>> import lamina as keras
    >>> double = keras.remat(lambda x: 2 * x)
    >>> double(keras.ops.ones(2))
    Array([2., 2.], dtype=float32)
    """

    function: Callable[..., Any] = f

    @functools.wraps(f, updated=())
    def recomputed(*args: P.args, **kwargs: P.kwargs) -> R:
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
                outputs = function(*f_args, **f_kwargs)
                changed[:] = [ref for ref in slots if ref not in before or slots[ref] is not before[ref]]
                values = [slots[ref] for ref in changed]
            return outputs, [get_mask(leaf) for leaf in tree.flatten(outputs)], values

        outputs, output_masks, values = pure(arrays)
        for leaf, mask in zip(tree.flatten(outputs), output_masks, strict=True):
            set_mask(leaf, mask)
        for ref, value in zip(changed, values, strict=True):
            ref.write(value)
        return outputs

    return recomputed

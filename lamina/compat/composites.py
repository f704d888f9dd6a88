"""Ragged and sparse tensors on tapes: what is differentiated are their values."""

from __future__ import annotations

import functools
from typing import Any

import jax

from lamina.core.recording import recorded, recording
from lamina.training.data.elements import Composite

__all__ = ["with_tapes"]


@jax.tree_util.register_pytree_node_class
class _Parts:
    """A ragged or sparse tensor as its values, and what is not differentiated."""

    def __init__(self, values: Any, like: Any) -> None:
        self.values, self.like = values, like

    def tree_flatten(self):
        return (self.values,), self.like

    @classmethod
    def tree_unflatten(cls, like, children):
        return cls(children[0], like)


def _parts_of(value):
    has_values = lambda leaf: isinstance(leaf, Composite) and hasattr(leaf, "with_flat_values")  # noqa: E731
    return jax.tree_util.tree_map(lambda leaf: _Parts(leaf.flat_values, leaf) if has_values(leaf) else leaf, value)


def _whole(value):
    return jax.tree_util.tree_map(
        lambda leaf: leaf.like.with_flat_values(leaf.values) if isinstance(leaf, _Parts) else leaf,
        value,
        is_leaf=lambda leaf: isinstance(leaf, _Parts),
    )


def with_tapes(function: Any) -> Any:
    """A function that takes or gives ragged or sparse tensors, which open tapes record.

    Args:
        function: Function, which computes with the values by JAX.
    """

    @functools.wraps(function)
    def run(*args, **kwargs):
        if not recording() or any(map(callable, [*args, *kwargs.values()])):
            return function(*args, **kwargs)

        def of_parts(args, kwargs):
            return _parts_of(function(*_whole(args), **_whole(kwargs)))

        return _whole(recorded(of_parts, (_parts_of(args), _parts_of(kwargs)), {}))

    return run

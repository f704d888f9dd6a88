"""Nested structures (dicts, lists, tuples) of leaves, by JAX's rules. None is a leaf. `lamina.tree` is public."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax


def _none(leaf):
    return leaf is None


def flatten(structure: Any) -> list[Any]:
    """The leaves in order, those of dicts by sorted key.

    Args:
        structure: Nested structure.
    """
    return jax.tree_util.tree_flatten(structure, is_leaf=_none)[0]


def structure_of(structure: Any) -> Any:
    """The form of a structure, which `unflatten` fills.

    Args:
        structure: Nested structure.
    """
    return jax.tree_util.tree_flatten(structure, is_leaf=_none)[1]


def unflatten(treedef: Any, leaves: Any) -> Any:
    """The structure of a form with other leaves.

    Args:
        treedef: Form from `structure_of`.
        leaves: Leaves in order.
    """
    return jax.tree_util.tree_unflatten(treedef, leaves)


def map_structure(function: Callable[..., Any], *structures: Any) -> Any:
    """The results of a function of corresponding leaves, in a structure of the same form.

    Args:
        function: Function of one leaf from each structure.
        *structures: Nested structures of one form.
    """
    return jax.tree_util.tree_map(function, *structures, is_leaf=_none)

"""Nested structures (dicts, lists, tuples) of leaves, by JAX's rules. None and a sparse array are leaves. `lamina.tree`
is public."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from lamina.core.sparse import is_sparse_leaf


def _none(leaf):
    return leaf is None or is_sparse_leaf(leaf)


def flatten(structure: Any) -> list[Any]:
    """The leaves in order; dicts are ordered by key.

    Args:
        structure: Nested structure.
    """
    return jax.tree_util.tree_flatten(structure, is_leaf=_none)[0]


def structure_of(structure: Any) -> Any:
    """The tree definition of a structure, which `unflatten` fills with leaves.

    Args:
        structure: Nested structure.
    """
    return jax.tree_util.tree_flatten(structure, is_leaf=_none)[1]


def unflatten(treedef: Any, leaves: Any) -> Any:
    """A structure with the given tree definition and leaves.

    Args:
        treedef: Tree definition from `structure_of`.
        leaves: Leaves in order.
    """
    return jax.tree_util.tree_unflatten(treedef, leaves)


def in_order_of(form: Any, structure: Any) -> Any:
    """A structure whose dicts have their keys in the order of another one, as it was written: JAX sorts them.

    Args:
        form: Nested structure that gives the order.
        structure: Nested structure of the same form.

    >>> in_order_of([{"b": 0, "a": 0}], [{"a": 1, "b": 2}])
    [{'b': 2, 'a': 1}]
    """
    if type(form) is dict and type(structure) is dict:
        return {key: in_order_of(one, structure[key]) for key, one in form.items()}
    if type(form) in (list, tuple) and type(structure) is type(form):
        return type(form)(in_order_of(one, part) for one, part in zip(form, structure, strict=True))
    return structure


def form_of(structure: Any) -> Any:
    """The dicts, lists and tuples of a structure, in which each leaf is None: an order for `in_order_of`.

    Args:
        structure: Nested structure.
    """
    if type(structure) is dict:
        return {key: form_of(part) for key, part in structure.items()}
    return type(structure)(map(form_of, structure)) if type(structure) in (list, tuple) else None


def keys_of(structure: Any) -> list[str] | None:
    """The keys of the leaves in order, if each is in a dict, under a text that is the key of no other.

    Args:
        structure: Nested structure.
    """
    paths = [path for path, _ in jax.tree_util.tree_flatten_with_path(structure, is_leaf=_none)[0]]
    keys = [path[-1].key for path in paths if path and isinstance(path[-1], jax.tree_util.DictKey)]
    return keys if len(set(map(str, keys))) == len(paths) and all(isinstance(key, str) for key in keys) else None


def map_structure(function: Callable[..., Any], *structures: Any) -> Any:
    """Apply a function to corresponding leaves. The results have the same structure.

    Args:
        function: Function with one leaf of each structure as arguments.
        *structures: Nested structures of the same form.
    """
    return jax.tree_util.tree_map(function, *structures, is_leaf=_none)

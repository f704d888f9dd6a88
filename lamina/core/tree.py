"""Nested structures (dicts, lists, tuples) of leaves. None is a leaf. `lamina.tree` is the public face."""

import jax


def _none(leaf):
    return leaf is None


def flatten(structure):
    """The leaves of `structure` in order (dict keys sorted)."""
    return jax.tree_util.tree_flatten(structure, is_leaf=_none)[0]


def structure_of(structure):
    """What `unflatten` needs to put leaves back."""
    return jax.tree_util.tree_flatten(structure, is_leaf=_none)[1]


def unflatten(treedef, leaves):
    """The structure with `leaves` in its places."""
    return jax.tree_util.tree_unflatten(treedef, leaves)


def map_structure(function, *structures):
    """`function` on each leaf of the structures, which must agree."""
    return jax.tree_util.tree_map(function, *structures, is_leaf=_none)

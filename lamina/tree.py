"""Nested structures: lists, tuples, named tuples, deques and dicts, with leaves of any kind; None is a leaf.

>>> flatten({"b": [1, (2, 3)], "a": 0})
[0, 1, 2, 3]
"""

from __future__ import annotations

import warnings
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

from lamina.core.typing import PyTree
from lamina.errors import ArgumentError, CallError

__all__ = [
    "MAP_TO_NONE", "assert_same_paths", "assert_same_structure", "flatten", "flatten_with_path", "is_nested",
    "lists_to_tuples", "map_shape_structure", "map_structure", "map_structure_up_to", "pack_sequence_as", "traverse",
]  # fmt: skip

_SEQUENCES = (list, tuple, deque)
CONTAINERS: dict[type, Callable[[Any], Any]] = {}
"""Other classes of lists, sets and dicts that are structures too -> what makes them from a list, or from pairs."""
_DICTS = (dict, OrderedDict, defaultdict)


class MAP_TO_NONE:
    """The result with which a function in `traverse` asks for None in place of a part."""


def is_nested(structure: PyTree) -> bool:
    """Whether a value is a list, tuple, deque or dict, rather than a leaf.

    Args:
        structure: Any value.

    >>> is_nested({"foo": 42}), is_nested(42)
    (True, False)
    """
    kind = type(structure)
    return kind in (*_SEQUENCES, *_DICTS) or kind in CONTAINERS or _is_namedtuple(structure)


def _is_namedtuple(structure):
    return isinstance(structure, tuple) and hasattr(structure, "_fields")


def _children(structure):
    """(key, child) of each child: dicts by sorted key, OrderedDicts and sequences in their order."""
    if not isinstance(structure, dict):
        return list(enumerate(structure))
    if isinstance(structure, OrderedDict):
        return list(structure.items())
    try:
        return sorted(structure.items(), key=lambda item: item[0])
    except TypeError:  # keys of several types
        return sorted(structure.items(), key=lambda item: (type(item[0]).__name__, item[0]))


def _rebuild(structure, values):
    """A structure like `structure` with `values`, in the order of `_children`, as its children."""
    if isinstance(structure, dict):
        found = {key: value for (key, _), value in zip(_children(structure), values, strict=True)}
        ordered = [(key, found[key]) for key in structure]
        if type(structure) is defaultdict:
            return defaultdict(structure.default_factory, ordered)
        return type(structure)(ordered)
    if _is_namedtuple(structure):
        return type(structure)(*values)
    if type(structure) is deque:
        return deque(values, structure.maxlen)
    return CONTAINERS.get(type(structure), type(structure))(values)


def _map(function, first, *others, is_leaf):
    """`function` of the leaves of `first` and of the parts of the others in the same places."""
    if is_leaf(first) or not is_nested(first):
        return function(first, *others)
    children = _children(first)
    columns = [[child for _, child in children]]
    for other in others:
        _check_alike(first, other)
        found = dict(_children(other))
        columns.append([found[key] for key, _ in children])
    return _rebuild(first, [_map(function, *row, is_leaf=is_leaf) for row in zip(*columns, strict=True)])


def _check_alike(a, b):
    """An error unless `b` is of the kind of `a` and has the same keys; the children themselves are not compared."""
    both_dicts = type(a) in _DICTS and type(b) in _DICTS
    if type(a) is not type(b) and not both_dicts:
        raise CallError(
            f"The structures differ: {type(a).__name__} {a!r} against {type(b).__name__} {b!r}.",
            fix=f"Give both the type {type(a).__name__}.",
        )
    if both_dicts and a.keys() != b.keys():
        raise CallError(
            f"The structures differ: keys {list(a)} against {list(b)}.", fix=f"Give both the keys {list(a)}."
        )
    if len(a) != len(b):
        raise CallError(
            f"The structures differ: {len(a)} elements against {len(b)}, in {a!r} and {b!r}.",
            fix=f"Give both {len(a)} elements.",
        )


def _never(structure):
    return False


def flatten_with_path(structure: PyTree) -> list[tuple[tuple[Any, ...], Any]]:
    """(path, leaf) of each leaf in order; a path is the tuple of keys and indices that leads to it.

    Args:
        structure: Nested structure.

    >>> flatten_with_path([{"foo": 42}])
    [((0, 'foo'), 42)]
    """
    if not is_nested(structure):
        return [((), structure)]
    return [
        ((key, *path), leaf) for key, child in _children(structure) for path, leaf in flatten_with_path(child)
    ]  # fmt: skip


def flatten(structure: PyTree) -> list[Any]:
    """The leaves in order: dicts by sorted key, OrderedDicts in their own order.

    Args:
        structure: Nested structure.
    """
    return [leaf for _, leaf in flatten_with_path(structure)]


def pack_sequence_as(structure: PyTree, flat_sequence: Any) -> PyTree:
    """A structure with other leaves, in the order of `flatten`.

    Args:
        structure: Nested structure that gives the form.
        flat_sequence: The leaves.

    Raises:
        CallError: Their number is not that of the leaves of `structure`.

    >>> pack_sequence_as({"b": 0, "a": [0, 0]}, [1, 2, 3])
    {'b': 3, 'a': [1, 2]}
    """
    values, expected = list(flat_sequence), len(flatten(structure))
    if len(values) != expected:
        raise CallError(
            f"The structure has {expected} leaves; got {len(values)} values.", fix=f"Give {expected} values."
        )
    remaining = iter(values)
    return _map(lambda leaf: next(remaining), structure, is_leaf=_never)


def map_structure(func: Callable[..., Any], *structures: PyTree, none_is_leaf: bool = True) -> PyTree:
    """The results of a function of corresponding leaves, in a structure of the same form.

    Args:
        func: Function of one leaf from each structure.
        structures: Nested structures of one form.
        none_is_leaf: Whether the function is called with None. False leaves None as it is.

    Raises:
        CallError: The structures differ.

    >>> map_structure(lambda x, y: x * y, [[1], [2]], [[3], [4]])
    [[3], [8]]
    """
    if not callable(func):
        raise ArgumentError(f"func is a function; got {func!r}.", fix="lambda x: x")
    if not structures:
        raise CallError("map_structure needs at least one structure.", fix="map_structure(func, structure)")
    for other in structures[1:]:
        assert_same_structure(structures[0], other)

    def on_leaf(*leaves):
        if none_is_leaf or all(leaf is not None for leaf in leaves):
            return func(*leaves)
        if any(leaf is not None for leaf in leaves):
            raise CallError(
                f"The structures differ: None against another leaf, in {leaves!r}.", fix="none_is_leaf=True"
            )
        return None

    return _map(on_leaf, *structures, is_leaf=_never)


def map_structure_up_to(shallow_structure: PyTree, func: Callable[..., Any], *structures: PyTree) -> PyTree:
    """The results of a function of the parts in the places of the leaves of a shallower structure.

    Args:
        shallow_structure: Nested structure whose leaves give the places.
        func: Function of one part from each structure.
        structures: Nested structures that begin with the form of `shallow_structure`.

    Raises:
        CallError: The structures differ.

    >>> map_structure_up_to([None, None], len, [[1, 1], [2, 2, 2]])
    [2, 3]
    """
    if not structures:
        raise CallError(
            "map_structure_up_to needs at least one structure.",
            fix="map_structure_up_to(shallow_structure, func, structure)",
        )
    return _map(lambda _, *parts: func(*parts), shallow_structure, *structures, is_leaf=_never)


def map_shape_structure(func: Callable[..., Any], structure: PyTree) -> PyTree:
    """The results of a function of each shape (a tuple or list of ints and Nones), in a structure of the same form.

    Args:
        func: Function of a shape.
        structure: Nested structure of shapes.

    >>> map_shape_structure(len, {"a": (1, 2), "b": [(None, 3, 4)]})
    {'a': 2, 'b': [3]}
    """
    if not callable(func):
        raise ArgumentError(f"func is a function; got {func!r}.", fix="lambda x: x")
    return _map(func, structure, is_leaf=_is_shape)


def _is_shape(structure):
    return isinstance(structure, (list, tuple)) and all(size is None or isinstance(size, int) for size in structure)


def lists_to_tuples(structure: PyTree) -> PyTree:
    """The structure with a tuple in place of each list.

    Args:
        structure: Nested structure.
    """
    return traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, top_down=False)


def traverse(func: Callable[[Any], Any], structure: PyTree, top_down: bool = True) -> PyTree:
    """The structure with `func(part)` in place of each part for which it is not None.

    Args:
        func: Function of a part; `MAP_TO_NONE` as its result puts None in place of the part.
        structure: Nested structure.
        top_down: Whether parents come before their children, which are skipped where the parent was replaced.

    >>> traverse(lambda part: sum(part) if isinstance(part, tuple) else None, [(1, 2), 3])
    [3, 3]
    """
    if not callable(func):
        raise ArgumentError(f"func is a function; got {func!r}.", fix="lambda x: x")
    if top_down:
        result = func(structure)
        if result is not None:
            return None if result is MAP_TO_NONE else result
    if is_nested(structure):
        structure = _rebuild(structure, [traverse(func, child, top_down) for _, child in _children(structure)])
    if top_down:
        return structure
    result = func(structure)
    return structure if result is None else (None if result is MAP_TO_NONE else result)


def assert_same_structure(a: PyTree, b: PyTree, check_types: bool | None = None) -> None:
    """An error unless two structures have the same form: lists with lists, dicts with dicts, the same named tuples.

    Args:
        a, b: Nested structures.
        check_types: Has no effect; see `assert_same_paths`.

    Raises:
        CallError: They differ; it is a ValueError, and names the place.
    """
    if check_types is not None:
        warnings.warn("check_types has no effect; see assert_same_paths.", DeprecationWarning, stacklevel=2)
    if is_nested(a) != is_nested(b):
        raise CallError(
            f"The structures differ: {a!r} against {b!r}.",
            fix="Give both one value, or both a list, tuple or dict of the same form.",
        )
    if is_nested(a):
        _check_alike(a, b)
        found = dict(_children(b))
        for key, child in _children(a):
            assert_same_structure(child, found[key])


def assert_same_paths(a: PyTree, b: PyTree) -> None:
    """An error unless the leaves of two structures have the same paths, whatever the kinds of sequences.

    Args:
        a, b: Nested structures.

    Raises:
        CallError: They differ; it is a ValueError, and names the paths that only one has.
    """
    paths_a, paths_b = ({path for path, _ in flatten_with_path(structure)} for structure in (a, b))
    if paths_a != paths_b:
        only_a, only_b = sorted(paths_a - paths_b, key=str), sorted(paths_b - paths_a, key=str)
        raise CallError(
            f"The structures differ: only the first has the paths {only_a}, only the second {only_b}.",
            fix=f"Give both the same paths, {only_a or only_b} too or neither.",
        )

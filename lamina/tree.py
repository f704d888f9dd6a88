"""Nested structures: lists, tuples, named tuples, deques and dicts, with leaves of any kind; None is a leaf.

>>> flatten({"b": [1, (2, 3)], "a": 0})
[0, 1, 2, 3]
"""

import warnings
from collections import OrderedDict, defaultdict, deque

from lamina.errors import CallError

__all__ = [
    "MAP_TO_NONE", "assert_same_paths", "assert_same_structure", "flatten", "flatten_with_path", "is_nested",
    "lists_to_tuples", "map_shape_structure", "map_structure", "map_structure_up_to", "pack_sequence_as", "traverse",
]  # fmt: skip

_SEQUENCES = (list, tuple, deque)
_DICTS = (dict, OrderedDict, defaultdict)


class MAP_TO_NONE:
    """What a function given to `traverse` returns to put None in a place."""


def is_nested(structure):
    """Whether `structure` is a list, tuple, deque or dict, rather than a leaf.

    >>> is_nested({"foo": 42}), is_nested(42)
    (True, False)
    """
    return type(structure) in (*_SEQUENCES, *_DICTS) or _is_namedtuple(structure)


def _is_namedtuple(structure):
    return isinstance(structure, tuple) and hasattr(structure, "_fields")


def _children(structure):
    """(key, child) of each child: dicts by sorted key, OrderedDicts and sequences in their order."""
    if not isinstance(structure, dict):
        return list(enumerate(structure))
    if type(structure) is OrderedDict:
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
    return deque(values, structure.maxlen) if type(structure) is deque else type(structure)(values)


def _map(function, first, *others, is_leaf):
    """`function` on what stands in the places of the leaves of `first`."""
    if is_leaf(first) or not is_nested(first):
        return function(first, *others)
    children = _children(first)
    columns = [[child for _, child in children]]
    for other in others:
        _check_alike(first, other)
        columns.append([other[key] for key, _ in children])
    return _rebuild(first, [_map(function, *row, is_leaf=is_leaf) for row in zip(*columns, strict=True)])


def _check_alike(a, b):
    """An error unless `b` is of the kind of `a` and has the same children; their own children are not looked at."""
    both_dicts = type(a) in _DICTS and type(b) in _DICTS
    if type(a) is not type(b) and not both_dicts:
        raise CallError(f"The structures differ: {type(a).__name__} {a!r} against {type(b).__name__} {b!r}.")
    if both_dicts and a.keys() != b.keys():
        raise CallError(f"The structures differ: keys {list(a)} against {list(b)}.")
    if len(a) != len(b):
        raise CallError(f"The structures differ: {len(a)} elements against {len(b)}, in {a!r} and {b!r}.")


def _never(structure):
    return False


def flatten_with_path(structure):
    """(path, leaf) of each leaf in order; a path is the tuple of keys and indices that leads to it.

    >>> flatten_with_path([{"foo": 42}])
    [((0, 'foo'), 42)]
    """
    if not is_nested(structure):
        return [((), structure)]
    return [
        ((key, *path), leaf) for key, child in _children(structure) for path, leaf in flatten_with_path(child)
    ]  # fmt: skip


def flatten(structure):
    """The leaves in order: dicts by sorted key, OrderedDicts in their own order."""
    return [leaf for _, leaf in flatten_with_path(structure)]


def pack_sequence_as(structure, flat_sequence):
    """`structure` with the values of `flat_sequence` as its leaves, in the order of `flatten`.

    >>> pack_sequence_as({"b": 0, "a": [0, 0]}, [1, 2, 3])
    {'b': 3, 'a': [1, 2]}
    """
    values, expected = list(flat_sequence), len(flatten(structure))
    if len(values) != expected:
        raise CallError(f"The structure has {expected} leaves; got {len(values)} values.")
    remaining = iter(values)
    return _map(lambda leaf: next(remaining), structure, is_leaf=_never)


def map_structure(func, *structures, none_is_leaf=True):
    """`func` on each leaf of the structures, which are alike. With `none_is_leaf=False` a None stays None.

    >>> map_structure(lambda x, y: x * y, [[1], [2]], [[3], [4]])
    [[3], [8]]
    """
    if not callable(func):
        raise TypeError(f"func is a function; got {func!r}.")
    if not structures:
        raise CallError("map_structure needs at least one structure.")
    for other in structures[1:]:
        assert_same_structure(structures[0], other)

    def on_leaf(*leaves):
        if none_is_leaf or all(leaf is not None for leaf in leaves):
            return func(*leaves)
        if any(leaf is not None for leaf in leaves):
            raise CallError(f"The structures differ: None against another leaf, in {leaves!r}.")
        return None

    return _map(on_leaf, *structures, is_leaf=_never)


def map_structure_up_to(shallow_structure, func, *structures):
    """`func` on what the structures have in the places of the leaves of `shallow_structure`.

    >>> map_structure_up_to([None, None], len, [[1, 1], [2, 2, 2]])
    [2, 3]
    """
    if not structures:
        raise CallError("map_structure_up_to needs at least one structure.")
    return _map(lambda _, *parts: func(*parts), shallow_structure, *structures, is_leaf=_never)


def map_shape_structure(func, structure):
    """`func` on each shape, a tuple or list of ints and Nones, in `structure`.

    >>> map_shape_structure(len, {"a": (1, 2), "b": [(None, 3, 4)]})
    {'a': 2, 'b': [3]}
    """
    if not callable(func):
        raise TypeError(f"func is a function; got {func!r}.")
    return _map(func, structure, is_leaf=_is_shape)


def _is_shape(structure):
    return isinstance(structure, (list, tuple)) and all(size is None or isinstance(size, int) for size in structure)


def lists_to_tuples(structure):
    """`structure` with each list made a tuple."""
    return traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, top_down=False)


def traverse(func, structure, top_down=True):
    """`structure` with `func(part)` in place of each part for which it is not None (to put None: `MAP_TO_NONE`).

    Parents come before their children, and what replaced one is not looked into; or else children come first.

    >>> traverse(lambda part: sum(part) if isinstance(part, tuple) else None, [(1, 2), 3])
    [3, 3]
    """
    if not callable(func):
        raise TypeError(f"func is a function; got {func!r}.")
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


def assert_same_structure(a, b, check_types=None):
    """An error unless the two are nested alike, lists with lists, named tuples with their own kind, dicts with dicts.

    Raises:
        CallError: a ValueError that says where they differ.
    """
    if check_types is not None:
        warnings.warn("check_types has no effect; see assert_same_paths.", DeprecationWarning, stacklevel=2)
    if is_nested(a) != is_nested(b):
        raise CallError(f"The structures differ: {a!r} against {b!r}.")
    if is_nested(a):
        _check_alike(a, b)
        for key, child in _children(a):
            assert_same_structure(child, b[key])


def assert_same_paths(a, b):
    """An error unless the leaves of the two have the same paths, whatever the kinds of sequence.

    Raises:
        CallError: a ValueError with the paths that only one has.
    """
    paths_a, paths_b = ({path for path, _ in flatten_with_path(structure)} for structure in (a, b))
    if paths_a != paths_b:
        only_a, only_b = sorted(paths_a - paths_b, key=str), sorted(paths_b - paths_a, key=str)
        raise CallError(f"The structures differ: only the first has the paths {only_a}, only the second {only_b}.")

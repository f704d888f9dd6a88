"""lamina.tree against keras.tree."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

from collections import OrderedDict, defaultdict, deque, namedtuple

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina import tree

Point = namedtuple("Point", "x y")
leaves = st.one_of(st.integers(0, 9), st.none(), st.text("ab", max_size=2))
structures = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.lists(inner, max_size=3).map(deque),
        st.builds(Point, inner, inner),
        st.dictionaries(st.sampled_from("zab"), inner, max_size=3),
        st.lists(st.tuples(st.sampled_from("zab"), inner), max_size=3).map(OrderedDict),
        st.dictionaries(st.sampled_from("zab"), inner, max_size=3).map(lambda d: defaultdict(list, d)),
    ),
    max_leaves=8,
)
SHAPES = {"a": (1, 2), "b": [(None, 3), (4,)], "c": ((5,), {"d": (6, None)})}


def parts_seen(module, structure, top_down):
    seen = []
    module.traverse(lambda part: seen.append(repr(part)), structure, top_down)
    return seen


@given(structures)
@settings(max_examples=60, deadline=None)
def test_every_structure_is_seen_as_keras_sees_it(structure):
    flat = tree.flatten(structure)
    assert flat == keras.tree.flatten(structure)
    assert tree.flatten_with_path(structure) == keras.tree.flatten_with_path(structure)
    assert tree.is_nested(structure) == keras.tree.is_nested(structure)
    numbers = list(range(len(flat)))
    packed = tree.pack_sequence_as(structure, numbers)
    assert repr(packed) == repr(keras.tree.pack_sequence_as(structure, numbers))
    assert tree.flatten(packed) == numbers
    assert repr(tree.lists_to_tuples(structure)) == repr(keras.tree.lists_to_tuples(structure))
    for none_is_leaf in (True, False):
        mapped = [module.map_structure(str, structure, none_is_leaf=none_is_leaf) for module in (tree, keras.tree)]
        assert repr(mapped[0]) == repr(mapped[1])
    for top_down in (True, False):
        assert parts_seen(tree, structure, top_down) == parts_seen(keras.tree, structure, top_down)


@given(structures, structures)
@settings(max_examples=60, deadline=None)
def test_structures_differ_where_keras_says_so(a, b):
    for name in ("assert_same_structure", "assert_same_paths"):
        errors = []
        for module in (tree, keras.tree):
            try:
                getattr(module, name)(a, b)
                errors.append(None)
            except ValueError:
                errors.append("differ")
        assert errors[0] == errors[1], name


def test_several_structures():
    assert tree.map_structure(lambda a, b: a + b, {"x": [1, 2]}, {"x": [3, 4]}) == {"x": [4, 6]}
    assert tree.map_structure(lambda a, b: a + b, {"a": 1, "b": 2}, OrderedDict(b=20, a=10)) == {"a": 11, "b": 22}
    pairs = tree.map_structure_up_to([0, 0], lambda a, b: (a, b), [1, [2, 3]], [4, 5])
    assert pairs == [(1, 4), ([2, 3], 5)]
    assert tree.map_structure_up_to([None, [None, None]], str, [[1, 1], [2, 2]]) == ["[1, 1]", ["2", "2"]]


def test_shapes():
    assert tree.map_shape_structure(len, SHAPES) == keras.tree.map_shape_structure(len, SHAPES)
    assert tree.map_shape_structure(len, (1, None)) == 2


def test_replacing_while_traversing():
    def as_tuple(part):
        return tuple(part) if isinstance(part, list) else None

    for module in (tree, keras.tree):
        assert module.traverse(as_tuple, [1, [2]]) == (1, [2])
        assert module.traverse(as_tuple, [1, [2]], top_down=False) == (1, (2,))
        without_ones = module.traverse({1: module.MAP_TO_NONE}.get, (1, (2, 1)))
        assert without_ones == (None, (2, None))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: tree.pack_sequence_as([0, 0], [1]), ValueError, "2 leaves; got 1"),
        (lambda: tree.map_structure(lambda a, b: a, [1, 2], (1, 2)), ValueError, "list .* against tuple"),
        (lambda: tree.map_structure(lambda a, b: a, {"a": 1}, {"b": 1}), ValueError, r"\['a'\] against \['b'\]"),
        (lambda: tree.map_structure(lambda a, b: a, [1], [1, 2]), ValueError, "1 elements against 2"),
        (lambda: tree.map_structure(lambda a, b: a, [1], [None], none_is_leaf=False), ValueError, "None against"),
        (lambda: tree.map_structure(3, [1]), TypeError, "is a function"),
        (lambda: tree.map_structure(str), ValueError, "at least one"),
        (lambda: tree.map_structure_up_to([0], str), ValueError, "at least one"),
        (lambda: tree.map_shape_structure(3, (1,)), TypeError, "is a function"),
        (lambda: tree.traverse(3, [1]), TypeError, "is a function"),
        (lambda: tree.assert_same_structure([1], [[1]]), ValueError, "differ"),
        (lambda: tree.assert_same_paths([1, 2], (3,)), ValueError, r"only the first has the paths \[\(1,\)\]"),
    ],
)
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_check_types_warns():
    with pytest.warns(DeprecationWarning, match="no effect"):
        tree.assert_same_structure([1], [2], check_types=False)

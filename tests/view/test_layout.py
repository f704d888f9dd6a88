"""Rows of boxes and arrows between them."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.drawing.graph_layout import curve, layered
from lamina.errors import ConfigError


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 25), st.integers(0, 40), st.integers(0, 10**6))
def test_arrows_go_down_and_boxes_do_not_overlap(size, count, seed):
    draw = random.Random(seed)
    widths = {number: draw.randint(1, 100) for number in range(size)}
    pairs = [sorted(draw.sample(range(size), 2)) for _ in range(count if size > 1 else 0)]
    arrows = list(dict.fromkeys(map(tuple, pairs)))
    layout = layered(widths, arrows, 7)
    row = {name: number for number, names in enumerate(layout.rows) for name in names}
    assert sorted(name for name in row if name in widths) == sorted(widths)
    for (start, end), chain in zip(arrows, layout.chains, strict=True):
        assert chain[0] == start and chain[-1] == end
        assert [row[name] for name in chain] == list(range(row[start], row[end] + 1))
    for names in layout.rows:
        for left, right in itertools.pairwise(names):
            apart = (widths.get(left, 0) + widths.get(right, 0)) / 2 + 7
            assert layout.centres[right] - layout.centres[left] >= apart - 1e-6
    assert all(-1e-6 <= x <= layout.width + 1e-6 for x in layout.centres.values())


def test_few_arrows_cross():
    layout = layered(dict.fromkeys("abcdef", 10), [("a", "e"), ("b", "d"), ("c", "f"), ("d", "f")], 5)
    assert [names.index("a") < names.index("b") for names in layout.rows if {"a", "b"} <= set(names)] == [
        names.index("e") < names.index("d") for names in layout.rows if {"d", "e"} <= set(names)
    ]


def test_a_chain_is_straight_and_a_shortcut_passes_beside_it():
    layout = layered(dict.fromkeys("abcd", 50), [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")], 20)
    assert layout.centres["b"] == pytest.approx(layout.centres["c"])
    points = layout.chains[-1][1:-1]
    assert len(points) == 2 and abs(layout.centres[points[0]] - layout.centres["b"]) >= 45


def test_first_and_last_rows():
    layout = layered({"in": 1, "out": 1, "a": 9, "b": 9}, [("in", "a"), ("a", "out")], 5, ["in"], ["out"])
    assert layout.rows[0] == ["in"] and layout.rows[-1] == ["out"]
    assert "b" in layout.rows[1]


def test_circles_are_refused():
    with pytest.raises(ConfigError, match="cycle"):
        layered({"a": 1, "b": 1}, [("a", "b"), ("b", "a")], 5)


def test_curves_begin_and_end_where_they_should():
    points = curve([(0, 0), (10, 20), (10, 30), (4, 50)])
    assert points[0] == (0, 0) and points[-1] == (4, 50)
    assert all(a[1] <= b[1] for a, b in itertools.pairwise(points))

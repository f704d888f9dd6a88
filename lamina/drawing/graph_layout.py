"""A graph in rows: arrows point downwards, few of them cross, and boxes are below their sources.

The steps are those of Sugiyama, Tagawa and Toda, Methods for visual understanding of hierarchical system structures,
1981.
"""

from __future__ import annotations

import bisect
import dataclasses
import graphlib
import itertools
from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any

from lamina.errors import ConfigError

__all__ = ["Layout", "curve", "layered"]

_SWEEPS, _MOVES = 8, 24  # passes over the rows: to order their members, and to position them
_STRAIGHT = 4.0  # weight of a straight long arrow against a centred box


@dataclasses.dataclass
class Layout:
    """Positions of boxes and arrows.

    Attributes:
        rows: Names from left to right, and points (number of an arrow, row) where an arrow passes through a row.
        centres: Centre of each name and point along its row; the leftmost side is at 0.
        chains: Names and points that each arrow passes through.
        width: Width of the widest row.
    """

    rows: list[list[Any]]
    centres: dict[Any, float]
    chains: list[list[Any]]
    width: float


def layered(
    widths: Mapping[Any, float], arrows: Sequence[tuple[Any, Any]], gap: float, first: Collection[Hashable] = (),
    last: Collection[Hashable] = (),
) -> Layout:  # fmt: skip
    """The Layout of boxes and arrows between them.

    Args:
        widths: name -> width of each box in pixels.
        arrows: (start, end) of each arrow.
        gap: Pixels between neighbours in a row.
        first, last: Names in the first and in the last row.

    Raises:
        ConfigError: The arrows form a cycle.

    >>> layered({"a": 10, "b": 10, "c": 10}, [("a", "b"), ("b", "c"), ("a", "c")], 5).rows
    [['a'], ['b', (2, 1)], ['c']]
    """
    rank = _ranks(list(widths), arrows, first, last)
    rows = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for name in widths:
        rows[rank[name]].append(name)
    chains, above, below = [], defaultdict(list), defaultdict(list)
    for number, (start, end) in enumerate(arrows):
        points = [(number, row) for row in range(rank[start] + 1, rank[end])]
        for point in points:
            rows[point[1]].append(point)
        chains.append([start, *points, end])
        for upper, lower in itertools.pairwise(chains[-1]):
            above[lower].append(upper)
            below[upper].append(lower)
    rows = _ordered(rows, above, below)
    centres, width = _placed(rows, above, below, widths, gap)
    return Layout(rows, centres, chains, width)


def _ranks(names, arrows, first, last):
    """name -> row: the length of the longest path to it; a box without sources is right above its first receiver."""
    parents, children = {name: [] for name in names}, defaultdict(list)
    for start, end in arrows:
        parents[end].append(start)
        children[start].append(end)
    try:
        order = list(graphlib.TopologicalSorter(parents).static_order())
    except graphlib.CycleError as error:
        raise ConfigError("The arrows of a diagram form a cycle.") from error
    rank = {}
    for name in order:
        rank[name] = max(
            (rank[parent] + 1 for parent in parents[name]), default=1 if first and name not in first else 0
        )
    for name in order:
        if not parents[name] and children[name] and name not in first:
            rank[name] = min(rank[child] for child in children[name]) - 1
    bottom = max((rank[name] for name in names if name not in last), default=0) + 1
    return {name: bottom if name in last else rank[name] for name in names}


def _ordered(rows, above, below):
    """The rows, each sorted by the middle of its neighbours in the row before, down and up again."""
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        near = above if down else below
        for fixed, row in itertools.pairwise(rows if down else rows[::-1]):
            place = {name: index for index, name in enumerate(fixed)}
            own = {name: index for index, name in enumerate(row)}
            ties = 1e-6 if sweep // 2 % 2 else -1e-6  # ties: alternately in their order and in the reverse
            row.sort(key=lambda name: _mean([place[n] for n in near[name]], own[name]) + ties * own[name])
        crossings = _crossings(rows, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _crossings(rows, below):
    count = 0
    for upper, lower in itertools.pairwise(rows):
        place = {name: index for index, name in enumerate(lower)}
        passed = []
        for name in upper:
            ends = sorted(place[end] for end in below[name])
            count += sum(len(passed) - bisect.bisect_right(passed, end) for end in ends)
            for end in ends:
                bisect.insort(passed, end)
    return count


def _placed(rows, above, below, widths, gap):
    """(centre of each name and point, width): near to the mean of its neighbours, without overlap."""
    centres = {}
    for row in rows:
        centres.update(_settled(row, dict.fromkeys(row, 0.0), widths, gap))
    for sweep in range(_MOVES):
        near = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = {name: _mean([centres[n] for n in near[name]], centres[name]) for name in row}
            centres.update(_settled(row, wanted, widths, gap))
    left = min((x - widths.get(name, 0) / 2 for name, x in centres.items()), default=0)
    right = max((x + widths.get(name, 0) / 2 for name, x in centres.items()), default=0)
    return {name: x - left for name, x in centres.items()}, right - left


def _settled(row, wanted, widths, gap):
    """Centres nearest to the wanted ones, in least squares, that order and widths allow: neighbours that would overlap
    are pooled and move as one."""
    pools, offsets, offset = [], [], 0.0
    for index, name in enumerate(row):
        if index:
            offset += (widths.get(row[index - 1], 0) + widths.get(name, 0)) / 2 + gap
        offsets.append(offset)
        weight = 1.0 if name in widths else _STRAIGHT
        total, size = weight * (wanted[name] - offset), 1
        while pools and pools[-1][0] / pools[-1][1] >= total / weight:
            before = pools.pop()
            total, weight, size = total + before[0], weight + before[1], size + before[2]
        pools.append((total, weight, size))
    starts = [total / weight for total, weight, size in pools for _ in range(size)]
    return {name: start + offset for name, start, offset in zip(row, starts, offsets, strict=True)}


def _mean(values, otherwise):
    return sum(values) / len(values) if values else otherwise


def curve(points: Sequence[tuple[float, float]], axis: int = 1, steps: int = 8) -> list[tuple[float, ...]]:
    """Points along an arrow: straight where it passes through a row, S-shaped between rows.

    Args:
        points: Pairs of points, the end of one row and the beginning of the next.
        axis: Axis along which rows follow each other.
        steps: Pieces of each curve.
    """
    found = []
    for start, end in zip(points[::2], points[1::2], strict=True):
        for step in range(steps + 1):
            part = step / steps
            bend = part * part * (3 - 2 * part)
            parts = (bend, part) if axis else (part, bend)
            found.append(tuple(a + (b - a) * p for a, b, p in zip(start, end, parts, strict=True)))
    return found

"""Blocks: parts of a large model that are drawn as one box until they are opened."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict

from lamina.layers.base.traits import has_trait
from lamina.view.scene import Box, Scene

__all__ = ["LARGE", "fold_blocks"]

LARGE: int = 24
"""Layers up to which a model is drawn without blocks."""

_BLOCK_NAME = re.compile(r"(.*block_?\d+[a-z]?)(?=_)")  # conv2_block1_1_conv, block_3_expand, block2a_se_reduce
_SMALLEST = 3  # boxes in a block


def fold_blocks(scene: Scene) -> None:
    """Put the repeated parts of a large model into boxes of their own: by their names (conv2_block1_...), by the boxes
    where all paths meet, and each convolution with its normalization and activation.

    Args:
        scene: Scene that is changed.
    """
    if len(scene.root.leaves) <= LARGE:
        return
    for group in _groups(scene.root):
        if len(group.leaves) > LARGE:
            _fold(group, scene, _named)
            _fold(group, scene, _between_meetings)
    for group in _groups(scene.root):
        _fold(group, scene, _runs)


def _groups(box):
    return [box, *(inner for child in box.children for inner in _groups(child))] if box.children else []


def _fold(group, scene, find):
    links = _links(group, scene)
    for name, kind, origin, members in find(group.children, links):
        if len(members) < len(group.children) and _closed(members, links):
            block = Box(name, kind, shapes=members[-1].shapes, parent=group, origin=origin)
            group.children[group.children.index(members[0])] = block
            for member in members:
                block.put(member)
            group.children = [child for child in group.children if child.parent is group]
    _sort(group, scene)


def _links(group, scene):
    """child -> the children of the group that its arrows lead to, in order."""
    links = {child: {} for child in group.children}
    for arrow in scene.arrows:
        up, down = ({box: None for box in end.lineage} for end in (arrow.source, arrow.target))
        if group in up and group in down:
            start, end = (next((box for box in lineage if box.parent is group), None) for lineage in (up, down))
            if start is not end and start is not None and end is not None:
                links[start][end] = None
    return links


def _sort(group, scene):
    """The children in topological order."""
    links, order, seen = _links(group, scene), [], set()
    for start in reversed(group.children):
        stack = [(start, iter(links[start]))] if start not in seen else []
        seen.add(start)
        while stack:
            ahead = stack[-1][1]
            following = next((box for box in ahead if box not in seen), None)
            if following is None:
                order.append(stack.pop()[0])
            else:
                seen.add(following)
                stack.append((following, iter(links[following])))
    group.children = order[::-1]


def _closed(members, links):
    """Whether no path leads out of these boxes and in again."""
    inside, seen = set(members), set()
    stack = [end for member in members for end in links[member] if end not in inside]
    while stack:
        box = stack.pop()
        if box in inside:
            return False
        if box not in seen:
            seen.add(box)
            stack.extend(links[box])
    return True


def _named(children, links):
    """Boxes whose names begin alike, with the word block and a number."""
    found = defaultdict(list)
    for child in children:
        match = _BLOCK_NAME.match(child.name)
        if match:
            found[match[1]].append(child)
    for name, members in found.items():
        if len(members) >= _SMALLEST:
            yield name, "block", "block", members


def _between_meetings(children, links):
    """Boxes between two that every path goes through, where the paths between them branch."""
    place = {child: index for index, child in enumerate(children)}
    over = [0] * (len(children) + 1)  # how many arrows pass over a box: the sums of what begins and ends
    for start, ends in links.items():
        for end in ends:
            over[place[start] + 1] += 1
            over[place[end]] -= 1
    meetings, passing = [], 0
    for index in range(len(children)):
        passing += over[index]
        if passing == 0:
            meetings.append(index)
    parts = [children[a + 1 : b + 1] for a, b in itertools.pairwise(meetings) if b - a >= _SMALLEST]
    if len(parts) > 1:
        for part in parts:
            if len(part) <= len(children) / 2:
                yield part[-1].name, "block", "block", part


def _runs(children, links):
    """A layer with weights and the normalization and activation after it."""
    sources = defaultdict(list)
    for start, ends in links.items():
        for end in ends:
            sources[end].append(start)
    for child in children:
        if child.children or _follows(child) or not child.fact or not child.fact.count:
            continue
        run = [child]
        while len(links[run[-1]]) == 1:
            (following,) = links[run[-1]]
            if not _follows(following) or following.children or len(sources[following]) != 1:
                break
            run.append(following)
        if len(run) > 1:
            yield child.name, " + ".join(box.kind for box in run), "run", run


def _follows(box):
    """Whether a box is a normalization or an activation, which belong to the layer before them."""
    return has_trait(box.layer, "normalization", "activation")

"""Boxes of a scene with their positions, as plain data for the page.

A box keeps its position along its row whether it is open or folded, so that the page only stacks rows.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from lamina.drawing.graph_layout import layered
from lamina.layers import Repeat
from lamina.layers.base.traits import has_trait

if TYPE_CHECKING:
    from lamina.core.typing import Shape
    from lamina.view.scene import Scene

__all__ = ["TIMES", "drawn", "shape_text"]

CHARACTER, BOLD, PADDING, NARROWEST, GAP, MARGIN = 7.0, 8.0, 38, 110, 26, 16  # pixels
LONGEST = 46  # characters of the line about settings
VISIBLE = 40  # boxes that are shown at first
TIMES: str = " x "
"""Between the sizes of an array."""
_PORT = 10  # the width of the gap where an arrow enters or leaves an open box

_FAMILIES = (  # family of colours, the traits of its layers, and words in the names of classes without these traits
    ("input", (), ("Input",)),
    ("convolution", ("convolution", "convolutional_recurrent"), ("Conv",)),
    ("pooling", ("pooling", "global_pooling", "adaptive_pooling", "rearranging"), ("Pool", "Resizing")),
    ("normalization", ("normalization",), ("Norm", "Rescaling")),
    ("random", ("noise",), ("Random",)),
    ("recurrent", ("recurrent", "recurrent_cell"), ()),
    ("attention", ("attention", "embedding"), ()),
    ("merge", ("merge",), ("Add", "Concatenate", "Multiply", "Average", "Maximum", "Minimum", "Subtract", "Dot")),
    ("activation", ("activation",), ("ReLU", "Softmax")),
    ("dense", ("weighted",), ()),
)


def drawn(scene: Scene) -> list[dict[str, Any]]:
    """[{id, parent, name, kind, x, row, width, ...}, ...] of all boxes, a box before those inside it.

    x is measured from the centre of the box around; a box with boxes inside has `rows` and `arrows` as well.

    Args:
        scene: Boxes and arrows of a model.
    """
    boxes = scene.root.all
    ids = {box: number for number, box in enumerate(boxes)}
    local = _local_arrows(scene)
    entries, opened = {}, _opened(scene.root)
    for box in reversed(boxes):
        entries[box] = _entry(box, ids, box in opened)
        if box.children:
            _lay_out(box, local[box], entries, ids)
    return [{**entries[box], "inputs": _inputs_of(box, scene, ids)} for box in boxes]


def _opened(root):
    """The boxes that are open at first: the outermost, and others as long as few enough are shown."""
    opened, shown, level = {root}, 1, root.children if root.kind == "comparison" else [root]
    most = max(VISIBLE * len(level), shown + sum(len(box.children) for box in level))
    while level and shown + sum(len(box.children) for box in level) <= most:
        opened.update(level)
        shown += sum(len(box.children) for box in level)
        level = [child for box in level for child in box.children if child.children and child.origin != "run"]
    return opened


def _entry(box, ids, is_open):
    detail = _detail(box)
    longest = max(min(len(box.name), 40) * BOLD, min(len(detail), LONGEST) * CHARACTER) + (14 if box.children else 0)
    entry = {
        "id": ids[box],
        "parent": ids[box.parent] if box.parent else None,
        "name": box.name,
        "kind": box.kind,
        "detail": detail,
        "family": _family(box),
        "origin": box.origin,
        "shape": ", ".join(map(shape_text, box.shapes)),
        "boxWidth": round(max(NARROWEST, longest + PADDING)),
    }
    return {**entry, "open": is_open, "count": len(box.leaves)} if box.children else entry


def _family(box):
    if box.origin in ("model", "block"):
        return box.origin
    layer, kind = box.layer if box.layer is not None else box.leaves[0].layer, box.leaves[0].kind
    of_traits = (family for family, traits, _ in _FAMILIES if has_trait(layer, *traits))
    of_words = (family for family, _, words in _FAMILIES if any(word in kind for word in words))
    return next(of_traits, None) or next(of_words, "other")


def _detail(box):
    """`Conv2D 32, 3x3, relu`."""
    if box.origin == "block":
        kinds = ", ".join(dict.fromkeys(leaf.kind for leaf in box.leaves))
        return kinds if len(kinds) < LONGEST else f"block of {len(box.leaves)} layers"
    if box.origin == "model":
        times = f", {box.layer.n} times" if isinstance(box.layer, Repeat) else ""
        return f"{box.kind} of {len(box.leaves)} layers{times}"
    if box.origin == "run":
        activation = _setting(box.children[-1].layer, "activation")
        first = _detail(box.children[0])
        return " + ".join([first, *("norm" for child in box.children if "Norm" in child.kind), *activation])
    layer = box.layer
    sizes = [
        *(_setting(layer, "units") or _setting(layer, "filters") or _setting(layer, "output_dim")),
        *(_setting(layer, "kernel_size") or _setting(layer, "pool_size")),
        *_setting(layer, "strides", "stride "),
        *_setting(layer, "rate"),
        *_setting(layer, "num_heads", "heads "),
        *_setting(layer, "activation"),
        *(["sequences"] if getattr(layer, "return_sequences", False) else []),
    ]
    return f"{box.kind} {', '.join(sizes)}".strip()


def _setting(layer, name, word=""):
    """A setting of a layer as a list of one short text; empty where it has none, or the usual one."""
    value = getattr(layer, name, None)
    if name == "activation" and value is not None:
        value = getattr(value, "__name__", type(value).__name__.lower())
        return [] if value == "linear" else [value]
    if isinstance(value, tuple) and value and all(isinstance(size, int) for size in value):
        if name == "strides" and value in ((1,) * len(value), getattr(layer, "pool_size", None)):
            return []
        return [word + TIMES.join(map(str, value))]
    return [f"{word}{value:g}"] if isinstance(value, (int, float)) and not isinstance(value, bool) else []


def shape_text(shape: Shape) -> str:
    """A sample's shape, for a small label.

    Args:
        shape: Shape with the batch.

    >>> [shape_text(shape).replace(TIMES, "x") for shape in ((None, 28, 28, 1), (None,), (None, None, 8))]
    ['28x28x1', '1', 'anyx8']
    """
    return TIMES.join("any" if size is None else str(size) for size in shape[1:]) or "1"


def _inputs_of(box, scene, ids):
    """[id, shape] of the layers whose outputs a layer takes."""
    if box.children:
        return []
    return [[ids[arrow.source], shape_text(arrow.shape)] for arrow in scene.arrows if arrow.target is box]


def _local_arrows(scene):
    """box -> {(start, end): shapes} between its children. Where an arrow enters or leaves the box, start or end is a
    port, ("in" or "out", the layer that the arrow comes from)."""
    found = defaultdict(lambda: defaultdict(list))
    for arrow in scene.arrows:
        up, down, source, shape = arrow.source.lineage, arrow.target.lineage, arrow.source, shape_text(arrow.shape)
        common = sum(a is b for a, b in zip(up, down, strict=False))
        end = down[common] if len(down) > common else ("out", source)
        steps = [(up[common - 1], up[common], end, source)]
        steps += [(outer, inner, ("out", source), source) for outer, inner in itertools.pairwise(up[common:])]
        steps += [(outer, ("in", source), inner, source) for outer, inner in itertools.pairwise(down[common:])]
        for around, start, stop, key in steps:
            shapes = found[around][start, stop, key]
            if shape not in shapes:
                shapes.append(shape)
    return found


def _lay_out(box, arrows, entries, ids):
    """Set rows and positions of the children of a box, and width and arrows of the box."""
    ports = dict.fromkeys(end for start, stop, _ in arrows for end in (start, stop) if isinstance(end, tuple))
    first = [port for port in ports if port[0] == "in"]
    last = [port for port in ports if port[0] == "out"]
    widths = {child: entries[child].get("width", 0) or entries[child]["boxWidth"] for child in box.children}
    widths = {**dict.fromkeys(first, _PORT), **widths, **dict.fromkeys(last, _PORT)}
    layout = layered(widths, [key[:2] for key in arrows], GAP, first, last)
    middle = layout.width / 2
    x = {name: round(centre - middle, 1) for name, centre in layout.centres.items()}
    row = {name: number for number, names in enumerate(layout.rows) for name in names}
    for child in box.children:
        entries[child].update(x=x[child], row=row[child])
    entry = entries[box]
    entry["ports"] = {f"{side} {ids[source]}": x[side, source] for side, source in ports}
    entry["width"] = round(max(layout.width + 2 * MARGIN, entry["boxWidth"] + 30))
    entry["rows"] = len(layout.rows)
    entry["arrows"] = [
        {
            "from": ids[start] if not isinstance(start, tuple) else None,
            "to": ids[stop] if not isinstance(stop, tuple) else None,
            "source": ids[source],
            "row": row[start],
            "xs": [x[name] for name in chain],
            "shape": ", ".join(shapes),
        }
        for ((start, stop, source), shapes), chain in zip(arrows.items(), layout.chains, strict=True)
    ]

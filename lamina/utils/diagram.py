"""Boxes and arrows, as DOT text, SVG or PNG; no program but this draws them."""

import html
import itertools
import pathlib
from collections import defaultdict

from lamina.core.files import replacing
from lamina.errors import ConfigError
from lamina.utils.images import pillow

__all__ = ["Diagram"]

CHARACTER, LINE, MARGIN, GAP = (
    7.2,
    17,
    9,
    34,
)  # pixels: width of a character, height of a line, inside and between boxes
DIRECTIONS = ("TB", "BT", "LR", "RL")


class Diagram:
    """Boxes of lines of text, arrows between them, and frames around some of them.

    >>> diagram = Diagram()
    >>> diagram.box("a", ["Input"])
    >>> diagram.box("b", ["Dense"])
    >>> diagram.arrow("a", "b")
    >>> print(diagram.to_string())
    digraph G {
    rankdir=TB; dpi=200; splines=ortho; node [shape=box, fontname=monospace];
    "a" [label="Input"];
    "b" [label="Dense"];
    "a" -> "b";
    }
    """

    def __init__(self, rankdir="TB", dpi=200, splines="ortho", cluster=None):
        if rankdir not in DIRECTIONS:
            raise ConfigError(f"rankdir is one of {', '.join(DIRECTIONS)}; got {rankdir!r}.")
        self.rankdir, self.dpi, self.splines, self.cluster = rankdir, dpi, splines, cluster
        self.boxes, self.arrows, self.frames = {}, [], {}

    def box(self, name, lines):
        """A box with lines of text."""
        self.boxes[name] = [str(line) for line in lines]

    def arrow(self, start, end):
        """An arrow from a box to another; once, however often it is asked for."""
        if (start, end) not in self.arrows:
            self.arrows.append((start, end))

    def frame(self, title, names):
        """A frame with a title around boxes."""
        self.frames[title] = list(names)

    def to_string(self):
        """The diagram in the DOT language of Graphviz."""
        head = f"subgraph {_quoted('cluster_' + self.cluster)} {{" if self.cluster else "digraph G {"
        settings = f"rankdir={self.rankdir}; dpi={self.dpi}; splines={self.splines};"
        lines = [head, f"{settings} node [shape=box, fontname=monospace];"]
        lines += [f"{_quoted(name)} [label={_quoted(*text)}];" for name, text in self.boxes.items()]
        for title, names in self.frames.items():
            inside = " ".join(f"{_quoted(name)};" for name in names)
            lines.append(f"subgraph {_quoted('cluster_' + title)} {{ label={_quoted(title)}; {inside} }}")
        lines += [f"{_quoted(start)} -> {_quoted(end)};" for start, end in self.arrows]
        return "\n".join([*lines, "}"])

    def to_svg(self):
        """The diagram as an SVG image."""
        size, boxes, paths, frames = self._layout()
        parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]:.0f} {size[1]:.0f}" '
                 f'width="{size[0]:.0f}" height="{size[1]:.0f}" font-family="monospace" font-size="12">',
                 '<marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
                 '<path d="M0 1L7 4L0 7z"/></marker>']  # fmt: skip
        for title, (left, top, right, bottom) in frames.items():
            parts.append(_rectangle(left, top, right, bottom, 'fill="none" stroke="#888" stroke-dasharray="4"'))
            parts.append(f'<text x="{left + 4:.1f}" y="{top + 12:.1f}" fill="#555">{html.escape(title)}</text>')
        for points in paths:
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline points="{line}" fill="none" stroke="black" marker-end="url(#tip)"/>')
        for name, (left, top, right, bottom) in boxes.items():
            parts.append(_rectangle(left, top, right, bottom, 'fill="#f4f6fb" stroke="black" rx="3"'))
            for row, text in enumerate(self.boxes[name]):
                place = f'x="{(left + right) / 2:.1f}" y="{top + MARGIN + LINE * row + 12:.1f}"'
                parts.append(f'<text {place} text-anchor="middle">{html.escape(text)}</text>')
        return "\n".join([*parts, "</svg>"])

    def to_image(self):
        """The diagram as a Pillow image."""
        from PIL import ImageDraw, ImageFont

        scale = self.dpi / 96
        size, boxes, paths, frames = self._layout()
        image = pillow().new("RGB", (round(size[0] * scale), round(size[1] * scale)), "white")
        draw, font = ImageDraw.Draw(image), ImageFont.load_default(12 * scale)
        for title, frame in frames.items():
            draw.rectangle([side * scale for side in frame], outline="#888888")
            draw.text(((frame[0] + 4) * scale, (frame[1] + 2) * scale), title, "#555555", font)
        for points in paths:
            points = [(x * scale, y * scale) for x, y in points]
            draw.line(points, "black", max(1, round(scale)))
            draw.polygon(_tip(*points[-2:], 6 * scale), "black")
        for name, box in boxes.items():
            draw.rectangle([side * scale for side in box], "#f4f6fb", "black", max(1, round(scale)))
            middle = (box[0] + box[2]) / 2 * scale
            for row, text in enumerate(self.boxes[name]):
                draw.text((middle, (box[1] + MARGIN + LINE * (row + 0.5)) * scale), text, "black", font, "mm")
        return image

    def write(self, path, prog=None, format=None):
        """Write the diagram: as DOT text (.dot, .gv, raw), SVG, or whatever image Pillow writes."""
        kind = (format or pathlib.Path(path).suffix[1:] or "dot").lower()
        with replacing(path) as beside:
            if kind in ("dot", "gv", "raw", "svg"):
                text = self.to_svg() if kind == "svg" else self.to_string()
                pathlib.Path(beside).write_text(text, encoding="utf-8")
            else:
                self.to_image().save(beside, "jpeg" if kind == "jpg" else kind)

    def _repr_svg_(self):
        return self.to_svg()

    def _layout(self):
        """((width, height), box of each name, points of each arrow, box of each frame), in pixels."""
        layers, chains = _layers(list(self.boxes), self.arrows)
        across = self.rankdir in ("LR", "RL")
        sizes = {name: _size(lines) for name, lines in self.boxes.items()}
        rows = layers[::-1] if self.rankdir in ("BT", "RL") else layers
        side = 1 if across else 0  # the axis along a layer
        spans = [sum(sizes.get(name, (0, 0))[side] + GAP for name in row) for row in rows]
        centres, depth = {}, GAP
        for row, span in zip(rows, spans, strict=True):
            thick = max(sizes.get(name, (0, 0))[1 - side] for name in row)
            along = (max(spans) - span) / 2 + GAP
            for name in row:
                length = sizes.get(name, (0, 0))[side]
                centre = (along + length / 2, depth + thick / 2)
                centres[name] = centre[::-1] if across else centre
                along += length + GAP
            depth += thick + GAP
        boxes = {name: _around(centres[name], sizes[name]) for name in self.boxes}
        paths = [_path([centres[name] for name in chain], boxes[chain[0]], boxes[chain[-1]]) for chain in chains]
        size = (max(spans, default=0) + GAP, depth)
        frames = {title: _frame([boxes[name] for name in names]) for title, names in self.frames.items() if names}
        return (size[::-1] if across else size), boxes, paths, frames


def _layers(names, arrows):
    """(layers of names, chain of names of each arrow): each arrow goes one layer on, through points that it adds."""
    parents = defaultdict(list)
    for start, end in arrows:
        parents[end].append(start)
    rank, waiting = {}, list(names)
    while waiting:
        ready = [name for name in waiting if all(parent in rank for parent in parents[name])]
        if not ready:
            raise ConfigError("The arrows of a diagram go round in a circle.")
        for name in ready:
            rank[name] = max((rank[parent] + 1 for parent in parents[name]), default=0)
        waiting = [name for name in waiting if name not in rank]
    layers = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for name in names:
        layers[rank[name]].append(name)
    chains, above = [], defaultdict(list)
    for number, (start, end) in enumerate(arrows):
        between = [(number, level) for level in range(rank[start] + 1, rank[end])]
        for point in between:
            layers[point[1]].append(point)
        chain = [start, *between, end]
        chains.append(chain)
        for upper, lower in itertools.pairwise(chain):
            above[lower].append(upper)
    for upper, lower in itertools.pairwise(layers):  # the middle of what is above, so that few arrows cross
        place = {name: index / len(upper) for index, name in enumerate(upper)}
        lower.sort(key=lambda name: sum(place[n] for n in above[name]) / len(above[name]))
    return layers, chains


def _size(lines):
    return max(map(len, lines)) * CHARACTER + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN


def _around(centre, size):
    return centre[0] - size[0] / 2, centre[1] - size[1] / 2, centre[0] + size[0] / 2, centre[1] + size[1] / 2


def _path(points, first, last):
    """The points, the ends moved from the centres to the edges of their boxes."""
    return [_edge(points[1], points[0], first), *points[1:-1], _edge(points[-2], points[-1], last)]


def _edge(outside, centre, box):
    """Where the line from the centre of a box to a point outside leaves the box."""
    dx, dy = outside[0] - centre[0], outside[1] - centre[1]
    half = (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
    part = 1 / max(abs(dx) / half[0], abs(dy) / half[1], 1e-9)
    return centre[0] + dx * part, centre[1] + dy * part


def _frame(boxes):
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left) - MARGIN, min(top) - 2 * MARGIN, max(right) + MARGIN, max(bottom) + MARGIN


def _tip(start, end, length):
    dx, dy = end[0] - start[0], end[1] - start[1]
    size = max((dx * dx + dy * dy) ** 0.5, 1e-9)
    dx, dy = dx / size * length, dy / size * length
    return [end, (end[0] - dx - dy / 2, end[1] - dy + dx / 2), (end[0] - dx + dy / 2, end[1] - dy - dx / 2)]


def _rectangle(left, top, right, bottom, style):
    return f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" {style}/>'


def _quoted(*lines):
    text = "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for line in lines)
    return f'"{text}"'

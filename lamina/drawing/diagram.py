"""Boxes and arrows, as DOT text, SVG or PNG; Graphviz is not needed."""

from __future__ import annotations

import functools
import pathlib
import shutil
import tempfile
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from lamina.drawing.canvas import Picture
from lamina.drawing.graph_layout import curve, layered
from lamina.errors import ConfigError, harmless
from lamina.runtime.atomic_files import atomic_write

if TYPE_CHECKING:
    import os

__all__ = ["Diagram"]

CHARACTER, LINE, MARGIN, GAP = 7.2, 17, 9, 34  # pixels: of a character, of a line, inside and between boxes
DIRECTIONS: tuple[str, ...] = ("TB", "BT", "LR", "RL")


class Node(NamedTuple):
    """A box, with the methods of `pydot.Node`."""

    name: str
    label: str

    def get_name(self) -> str:
        """Its name in quotes."""
        return self.name

    def get_label(self) -> str:
        """Its text in quotes."""
        return self.label


class Edge(NamedTuple):
    """An arrow, with the methods of `pydot.Edge`."""

    source: str
    destination: str

    def get_source(self) -> str:
        """The name of the box where it begins."""
        return self.source

    def get_destination(self) -> str:
        """The name of the box where it ends."""
        return self.destination


class Diagram:
    """Boxes of lines of text, arrows between them, and frames around some of them.

    Args:
        rankdir: Direction of the arrows: "TB", "BT", "LR" or "RL".
        dpi: Dots per inch of an image.
        splines: How Graphviz draws arrows of the DOT text.
        cluster: Name of the subgraph that the DOT text is; None makes it a graph.

    Raises:
        ConfigError: `rankdir` is none of the four.

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

    def __init__(self, rankdir: str = "TB", dpi: int = 200, splines: str = "ortho", cluster: str | None = None):
        if rankdir not in DIRECTIONS:
            raise ConfigError(f"rankdir is one of {', '.join(DIRECTIONS)}; got {rankdir!r}.", fix='rankdir="TB"')
        self.rankdir: str = rankdir
        self.dpi: int = dpi
        self.splines: str = splines
        self.cluster: str | None = cluster
        self.boxes: dict[str, list[str]] = {}
        self.arrows: list[tuple[str, str]] = []
        self.frames: dict[str, list[str]] = {}

    def box(self, name: str, lines: Iterable[Any]) -> None:
        """Add a box with lines of text.

        Args:
            name: Name by which arrows and frames refer to it.
            lines: Lines of text.
        """
        self.boxes[name] = [str(line) for line in lines]

    def arrow(self, start: str, end: str) -> None:
        """Add an arrow between two boxes, unless there is one.

        Args:
            start: Name of the box where it begins.
            end: Name of the box where it ends.
        """
        if (start, end) not in self.arrows:
            self.arrows.append((start, end))

    def frame(self, title: str, names: Iterable[str]) -> None:
        """Add a frame with a title around boxes.

        Args:
            title: Text on the frame.
            names: Names of the boxes.
        """
        self.frames[title] = list(names)

    def to_string(self) -> str:
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

    def to_svg(self) -> str:
        """The diagram as an SVG image."""
        return self._picture().svg()

    def to_image(self) -> Any:
        """The diagram as a Pillow image."""
        return self._picture().image(self.dpi / 96)

    def write(
        self, path: str | os.PathLike[str], prog: Any = None, format: str | None = None, encoding: str | None = None
    ) -> None:
        """Write the diagram: as DOT text (.dot, .gv, raw), SVG, or any image that Pillow writes.

        Args:
            path: File.
            prog: Not used; programs of Graphviz are not needed.
            format: Format; None means that of the file's ending, or DOT.
            encoding: Not used; texts are UTF-8.
        """
        kind = (format or pathlib.Path(path).suffix[1:] or "dot").lower()
        if kind in ("dot", "gv", "raw"):
            with atomic_write(path) as beside:
                pathlib.Path(beside).write_text(self.to_string(), encoding="utf-8")
        else:
            self._picture().write(path, kind, self.dpi / 96)

    def create(self, prog: Any = None, format: str = "dot", encoding: str | None = None) -> bytes:
        """The diagram as the bytes of a file, as `pydot.Dot.create` returns them.

        Args:
            prog: Not used; programs of Graphviz are not needed.
            format: "dot", "svg", or any format that Pillow writes.
            encoding: Not used; texts are UTF-8.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "diagram")
            self.write(path, format=format)
            return path.read_bytes()

    def get_nodes(self) -> list[Node]:
        """The boxes, with `get_name()` and `get_label()`."""
        return [Node(_quoted(name), _quoted(*lines)) for name, lines in self.boxes.items()]

    def get_edges(self) -> list[Edge]:
        """The arrows, with `get_source()` and `get_destination()`."""
        return [Edge(_quoted(start), _quoted(end)) for start, end in self.arrows]

    def as_pydot(self) -> Any:
        """The diagram as a `pydot.Dot` where pydot is installed, which draws without Graphviz; else itself."""
        try:
            import pydot  # pyright: ignore[reportMissingImports]
        except ImportError:
            return self
        settings = dict(rankdir=self.rankdir, dpi=self.dpi, splines=self.splines)
        make: Any = pydot.Cluster if self.cluster else pydot.Dot
        dot = make(_quoted(self.cluster or "G"), graph_type="digraph", **settings)
        dot.set_node_defaults(shape="box", fontname="monospace")
        for node in self.get_nodes():
            dot.add_node(pydot.Node(node.name, label=node.label))
        for title, names in self.frames.items():
            frame = pydot.Cluster(_quoted(title), label=_quoted(title))
            dot.add_subgraph(frame)
            for name in names:
                frame.add_node(pydot.Node(_quoted(name)))
        for edge in self.get_edges():
            dot.add_edge(pydot.Edge(edge.source, edge.destination))
        for name in ("create", "write"):
            setattr(dot, name, _by_graphviz_or(getattr(self, name), getattr(dot, name, getattr(self, name))))
        for name in ("to_svg", "to_image", "_repr_svg_", "boxes", "arrows", "frames"):
            setattr(dot, name, getattr(self, name))
        return dot

    def __getattr__(self, name: str) -> Any:
        action, _, kind = name.partition("_")
        if action in ("write", "create") and kind:  # as pydot has `write_png` and `create_svg`
            return functools.partial(getattr(self, action), format=kind)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.")

    def _repr_svg_(self):
        return self.to_svg()

    def _picture(self):
        size, boxes, paths, frames = self._layout()
        picture = Picture(size[0], size[1], f"a diagram of {len(boxes)} boxes", ground="white")
        for title, (left, top, right, bottom) in frames.items():
            picture.box((left, top, right, bottom), None, "#888888", dashed=True)
            picture.words(left + 4, top + 9, title, "#555555")
        for points in paths:
            picture.line(points)
            picture.area(_tip(points[-2], points[-1], 6), "#000000")
        for name, (left, top, right, bottom) in boxes.items():
            picture.box((left, top, right, bottom), "#f4f6fb", "#000000", 3)
            for row, text in enumerate(self.boxes[name]):
                picture.words((left + right) / 2, top + MARGIN + LINE * (row + 0.5), text, anchor="middle")
        return picture

    def _layout(self):
        """((width, height), box of each name, points of each arrow, box of each frame), in pixels."""
        across = self.rankdir in ("LR", "RL")
        side = 1 if across else 0  # the axis along a row
        sizes = {name: _size(lines) for name, lines in self.boxes.items()}
        layout = layered({name: size[side] for name, size in sizes.items()}, self.arrows, GAP)
        backwards = self.rankdir in ("BT", "RL")
        depth, spans = GAP, {}  # name or point -> (begin, end) of its row, in the direction of the arrows
        for row in layout.rows[::-1] if backwards else layout.rows:
            thick = max(sizes.get(name, (0, 0))[1 - side] for name in row)
            spans.update(dict.fromkeys(row, (depth + thick, depth) if backwards else (depth, depth + thick)))
            depth += thick + GAP
        centres = {name: (layout.centres[name] + GAP, sum(span) / 2) for name, span in spans.items()}
        boxes = {name: _around(_transposed(centres[name], across), sizes[name]) for name in self.boxes}
        paths = [self._path(chain, centres, spans, sizes, across) for chain in layout.chains]
        size = (layout.width + 2 * GAP, depth)
        frames = {title: _frame([boxes[name] for name in names]) for title, names in self.frames.items() if names}
        return _transposed(size, across), boxes, paths, frames

    def _path(self, chain, centres, spans, sizes, across):
        """The points of an arrow: from the side of its box, through the rows between, to the side of the other box."""
        first, last = chain[0], chain[-1]
        ahead = 1 if spans[first][1] > spans[first][0] else -1
        along = 0 if across else 1
        leave = centres[first][1] + ahead * sizes[first][along] / 2
        arrive = centres[last][1] - ahead * sizes[last][along] / 2
        between = [(centres[point][0], side) for point in chain[1:-1] for side in spans[point]]
        begin, end = (centres[first][0], spans[first][1]), (centres[last][0], spans[last][0])
        bent = curve([_transposed(point, across) for point in (begin, *between, end)], along)
        before = [(begin[0], leave)] if abs(begin[1] - leave) > 1 else []
        after = [(end[0], arrive)] if abs(end[1] - arrive) > 1 else []  # a piece of length 0 would turn the tip
        return [
            *(_transposed(point, across) for point in before),
            *bent,
            *(_transposed(point, across) for point in after),
        ]


def _by_graphviz_or(ours, theirs):
    """What pydot does where Graphviz is installed, since it draws what a program changed in the graph; else ours."""

    def drawn(*args, **kwargs):
        return (theirs if shutil.which("dot") else ours)(*args, **kwargs)

    return drawn


def _transposed(pair, across):
    return pair[::-1] if across else pair


def _size(lines):
    return max(map(len, lines)) * CHARACTER + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN


def _around(centre, size):
    return centre[0] - size[0] / 2, centre[1] - size[1] / 2, centre[0] + size[0] / 2, centre[1] + size[1] / 2


def _frame(boxes):
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left) - MARGIN, min(top) - 2 * MARGIN, max(right) + MARGIN, max(bottom) + MARGIN


def _tip(start, end, length):
    dx, dy = end[0] - start[0], end[1] - start[1]
    size = max((dx * dx + dy * dy) ** 0.5, 1e-9)
    dx, dy = dx / size * length, dy / size * length
    return [end, (end[0] - dx - dy / 2, end[1] - dy + dx / 2), (end[0] - dx + dy / 2, end[1] - dy - dx / 2)]


def _quoted(*lines):
    text = "\\n".join(harmless(line).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for line in lines)
    return f'"{text}"'

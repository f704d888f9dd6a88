"""Figure: a picture with its numbers, which shows itself in a terminal, a notebook or a file."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lamina.drawing.canvas import Picture
from lamina.errors import ConfigError
from lamina.runtime.atomic_files import atomic_write
from lamina.runtime.terminal import Printable, escape

if TYPE_CHECKING:
    import os

__all__ = ["Figure"]

_IMAGES = ("png", "jpg", "jpeg", "webp", "gif", "bmp", "tiff", "pdf")
_THEME = (
    "<style>svg { color: #222; background: #fff }"
    " @media (prefers-color-scheme: dark) { svg { color: #ddd; background: #161616 } }</style>"
)


class Figure(Printable):
    """A result to look at. Printed, it is text; a notebook shows a picture; `save` writes a file. Matplotlib is not
    needed.

    Args:
        title: What it shows.
        text: What is printed.
        draw: Function that returns the Picture.
        label: The picture in words, for screen readers; None means the title.
        numbers: What was computed, by name.

    Attributes:
        title: What it shows.
        numbers: What was computed, by name.

    >>> def draw():
    ...     picture = Picture(40, 20)
    ...     picture.words(20, 10, "yes")
    ...     return picture
    >>> figure = Figure("An answer", "yes", draw, numbers={"share": 1.0})
    >>> figure
    yes
    >>> figure.numbers["share"]
    1.0
    """

    def __init__(
        self,
        title: str,
        text: str,
        draw: Callable[[], Picture],
        label: str | None = None,
        numbers: Mapping[str, Any] | None = None,
    ):
        self.title: str = title
        self.numbers: dict[str, Any] = dict(numbers or {})
        self._text, self._draw, self._label = text, draw, label

    @property
    def text(self) -> str:
        """What is printed."""
        return self._text

    @property
    def label(self) -> str:
        """The picture in words, for screen readers."""
        return self._label or self.title

    def picture(self) -> Picture:
        """The drawing."""
        picture = self._draw()
        picture.label = self.label
        return picture

    def svg(self) -> str:
        """The picture as SVG, to stand alone: light or dark as the reader's system is."""
        return self.picture().svg("system-ui, sans-serif").replace(">", f">{_THEME}", 1)

    def html(self) -> str:
        """The picture as an HTML page, light or dark as the reader's system is."""
        return (
            '<!doctype html><html lang="en"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>{escape(self.title)}</title>"
            "<style>:root { color-scheme: light dark } body { font-family: system-ui, sans-serif; overflow-x: auto }"
            "</style>"
            f"<body><main><h1>{escape(self.title.partition(':')[0])}</h1>{self._inline()}"
            "<details><summary>As text</summary>"
            f"<pre>{escape(self.text)}</pre></details></main></body></html>"
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the figure to a file.

        Args:
            path: Path that ends in .svg, .html, .txt, or in the ending of an image, such as .png (which needs Pillow).

        Raises:
            ConfigError: The ending is another one.
            ImportError: Pillow is not installed, and an image was asked for.
        """
        kind = pathlib.Path(path).suffix[1:].lower()
        if kind in _IMAGES:
            return self.picture().write(path, kind, 2.0)
        texts = {"svg": self.svg, "html": self.html, "txt": lambda: self.text + "\n"}
        if kind not in texts:
            known = ", ".join(f".{ending}" for ending in (*texts, *_IMAGES))
            stem = pathlib.Path(path).name.removesuffix(f".{kind}") or "figure"
            raise ConfigError(f"A figure is saved as {known}; got {str(path)!r}.", fix=f'figure.save("{stem}.svg")')
        with atomic_write(path) as beside:
            pathlib.Path(beside).write_text(texts[kind](), encoding="utf-8")

    def _inline(self):
        """The picture inside a page, in whose colour of text it is drawn."""
        return self.picture().svg("system-ui, sans-serif")

    def _repr_html_(self):
        return f'<div style="overflow-x:auto">{self._inline()}</div>'

    def _repr_svg_(self):
        return self.svg()

"""Lines, boxes and words: one drawing, as SVG or as an image."""

from __future__ import annotations

import base64
import pathlib
import struct
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.errors import ConfigError
from lamina.runtime.atomic_files import atomic_write
from lamina.runtime.packages import MissingPackageError
from lamina.runtime.terminal import escape

if TYPE_CHECKING:
    import os

__all__ = ["INK", "Picture", "pillow"]

INK = "currentColor"  # the colour of the text around an SVG
_ON_WHITE = "#222222"  # what it is in an image
_DASH = 4  # pixels of a dash and of a gap
_ANCHORS = {"start": "l", "middle": "m", "end": "r"}


def pillow() -> Any:
    """Pillow's `Image` module.

    Raises:
        ImportError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingPackageError("Reading or writing an image", "pillow") from error
    return Image


class Picture:
    """A drawing in pixels, with y downwards.

    Args:
        width, height: Size in pixels.
        label: Description of the drawing, for screen readers.
        ground: Colour of the background; None leaves it transparent.

    >>> picture = Picture(40, 20, "a box")
    >>> picture.box((5, 5, 35, 15), fill="#eee")
    >>> picture.words(20, 10, "a < b", anchor="middle")
    >>> "a &lt; b" in picture.svg()
    True
    """

    def __init__(self, width: float, height: float, label: str = "", ground: str | None = None):
        self.width: float = width
        self.height: float = height
        self.label: str = label
        self.ground: str | None = ground
        self._shapes = []  # (kind, coordinates, settings)

    def line(self, points: Iterable[tuple[float, float]], colour: str = "#000", width: float = 1.0) -> None:
        """Draw a line through points.

        Args:
            points: (x, y) of each point.
            colour: Colour of the line.
            width: Its width in pixels.
        """
        self._shapes.append(("line", list(points), dict(colour=colour, width=width)))

    def area(self, points: Iterable[tuple[float, float]], fill: str) -> None:
        """Draw a filled polygon.

        Args:
            points: (x, y) of each corner.
            fill: Colour of the inside.
        """
        self._shapes.append(("area", list(points), dict(fill=fill)))

    def box(
        self, sides: tuple[float, float, float, float], fill: str | None = None, colour: str | None = None,
        radius: float = 0, dashed: bool = False,
    ) -> None:  # fmt: skip
        """Draw a rectangle, filled, outlined or both.

        Args:
            sides: (left, top, right, bottom).
            fill: Colour of the inside; None leaves it empty.
            colour: Colour of the outline; None draws none.
            radius: Radius of the corners in pixels.
            dashed: Whether the outline is dashed.
        """
        self._shapes.append(("box", sides, dict(fill=fill, colour=colour, radius=radius, dashed=dashed)))

    def words(
        self, x: float, y: float, text: Any, colour: str = "#000", size: float = 12, anchor: str = "start",
        turned: bool = False,
    ) -> None:  # fmt: skip
        """Write a line of text.

        Args:
            x, y: Position of the anchor; y is the middle height of the line.
            text: The text.
            colour: Colour of the letters.
            size: Height of the letters in pixels.
            anchor: "start", "middle" or "end" of the line.
            turned: Whether the line runs upwards; x is then its middle.
        """
        settings = dict(text=str(text), colour=colour, size=size, anchor=anchor, turned=turned)
        self._shapes.append(("words", (x, y), settings))

    def pixels(self, sides: tuple[float, float, float, float], pixels: np.ndarray[Any, Any]) -> None:
        """Draw an image, stretched into a rectangle.

        Args:
            sides: (left, top, right, bottom).
            pixels: uint8 array of shape (height, width, channels) with 1, 3 or 4 channels.
        """
        self._shapes.append(("pixels", sides, dict(pixels=pixels)))

    def svg(self, font: str = "monospace") -> str:
        """The drawing as SVG.

        Args:
            font: Family of fonts.
        """
        size = f'viewBox="0 0 {self.width:.0f} {self.height:.0f}" width="{self.width:.0f}" height="{self.height:.0f}"'
        label = f'role="img" aria-label="{escape(self.label)}"'
        parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} {label} font-family="{font}">']
        if self.ground:
            parts.append(f'<rect width="100%" height="100%" fill="{self.ground}"/>')
        parts += [getattr(self, f"_svg_{kind}")(places, **settings) for kind, places, settings in self._shapes]
        return "\n".join([*parts, "</svg>"])

    def image(self, scale: float = 1.0) -> Any:
        """The drawing as a Pillow image.

        Args:
            scale: Dots per pixel.
        """
        size = round(self.width * scale), round(self.height * scale)
        image = pillow().new("RGB", size, self.ground or "white")
        from PIL import ImageDraw

        draw = ImageDraw.Draw(image, "RGBA")  # so that translucent colours blend
        for kind, places, settings in self._shapes:
            settings = {name: _ON_WHITE if value is INK else value for name, value in settings.items()}
            getattr(self, f"_draw_{kind}")(draw, scale, places, **settings)
        return image

    def write(self, path: str | os.PathLike[str], kind: str | None = None, scale: float = 1.0) -> None:
        """Write a file: SVG, or any image that Pillow writes.

        Args:
            path: File.
            kind: Format; None means that of the file's ending.
            scale: Dots per pixel of an image.
        """
        kind = (kind or pathlib.Path(path).suffix[1:]).lower()
        with atomic_write(path) as beside:
            if kind == "svg":
                pathlib.Path(beside).write_text(self.svg(), encoding="utf-8")
            else:
                try:
                    self.image(scale).save(beside, "jpeg" if kind == "jpg" else kind)
                except KeyError:
                    known = str(pathlib.Path(path).with_suffix(".png"))
                    message = f"A picture is written as .png, .svg or what Pillow writes; got {str(path)!r}."
                    raise ConfigError(message, fix=repr(known)) from None

    def _svg_line(self, points, colour, width):
        return f'<polyline points="{_listed(points)}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>'

    def _svg_area(self, points, fill):
        return f'<polygon points="{_listed(points)}" fill="{fill}"/>'

    def _svg_box(self, sides, fill, colour, radius, dashed):
        left, top, right, bottom = sides
        style = f'fill="{fill or "none"}"' + (f' stroke="{colour}"' if colour else "")
        style += (f' rx="{radius}"' if radius else "") + (f' stroke-dasharray="{_DASH}"' if dashed else "")
        return f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" {style}/>'

    def _svg_words(self, place, text, colour, size, anchor, turned):
        x, y = place
        style = f'fill="{colour}" font-size="{size:g}" text-anchor="{anchor}"'
        if turned:
            style += f' transform="rotate(-90 {x:.1f} {y:.1f})"'
        return f'<text x="{x:.1f}" y="{y + 0.35 * size:.1f}" {style}>{escape(text)}</text>'

    def _svg_pixels(self, sides, pixels):
        left, top, right, bottom = sides
        data = base64.b64encode(_png(pixels)).decode()
        return (
            f'<image x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" '
            f'preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
        )

    def _draw_pixels(self, draw, scale, sides, pixels):
        left, top, right, bottom = (round(side * scale) for side in sides)
        image = pillow().fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).convert("RGBA")
        image = image.resize((right - left, bottom - top), 0)
        draw._image.paste(image, (left, top), image)

    def _draw_line(self, draw, scale, points, colour, width):
        draw.line([(x * scale, y * scale) for x, y in points], colour, max(1, round(width * scale)), joint="curve")

    def _draw_area(self, draw, scale, points, fill):
        draw.polygon([(x * scale, y * scale) for x, y in points], fill)

    def _draw_box(self, draw, scale, sides, fill, colour, radius, dashed):
        left, top, right, bottom = sides = [side * scale for side in sides]
        width = max(1, round(scale))
        if dashed:
            for start, end in _sides(left, top, right, bottom):
                _draw_dashes(draw, start, end, _DASH * scale, colour, width)
        else:
            draw.rounded_rectangle(sides, radius * scale, fill, colour, width)

    def _draw_words(self, draw, scale, place, text, colour, size, anchor, turned):
        from PIL import ImageFont

        x, y = place
        font = ImageFont.load_default(size * scale)
        if turned:
            box = font.getbbox(text)
            letters = pillow().new("L", (round(box[2]) + 2, round(box[3]) + 2))
            type(draw)(letters).text((0, 0), text, 255, font)
            letters = letters.rotate(90, expand=True)
            start = {"start": -letters.height, "middle": -letters.height / 2, "end": 0}[anchor]
            corner = round(x * scale - letters.width / 2), round(y * scale + start)
            draw._image.paste(colour, (*corner, corner[0] + letters.width, corner[1] + letters.height), letters)
            return
        draw.text((x * scale, y * scale), text, colour, font, f"{_ANCHORS[anchor]}m")


def _png(pixels):
    """A PNG file of a uint8 array of shape (height, width, channels)."""
    height, width, channels = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), "uint8"), pixels.reshape(height, -1)], axis=1)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows.tobytes()))
        + chunk(b"IEND", b"")
    )


def _listed(points):
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _sides(left, top, right, bottom):
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return zip(corners, [*corners[1:], corners[0]], strict=True)


def _draw_dashes(draw, start, end, dash, colour, width):
    length = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1e-9)
    direction = [(end[axis] - start[axis]) / length for axis in (0, 1)]
    place = 0.0
    while place < length:
        ends = [min(place + dash, length) if far else place for far in (False, True)]
        draw.line([(start[0] + direction[0] * at, start[1] + direction[1] * at) for at in ends], colour, width)
        place += 2 * dash

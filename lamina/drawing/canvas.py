"""Lines, boxes and words: one drawing, as SVG or as an image."""

import html
import pathlib

from lamina.runtime.atomic_files import atomic_write

__all__ = ["Picture", "pillow"]

_DASH = 4  # pixels of a stroke and of a gap
_ANCHORS = {"start": "l", "middle": "m", "end": "r"}


def pillow():
    """Pillow's `Image` module, or an error that says how to get it."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("Images are read and written by Pillow: pip install pillow.") from error
    return Image


class Picture:
    """A drawing of `width` x `height` pixels, y downwards. `label` says what it shows, for who cannot see it.

    >>> picture = Picture(40, 20, "a box")
    >>> picture.box((5, 5, 35, 15), fill="#eee")
    >>> picture.words(20, 10, "a < b", anchor="middle")
    >>> "a &lt; b" in picture.svg()
    True
    """

    def __init__(self, width, height, label="", ground=None):
        self.width, self.height, self.label, self.ground = width, height, label, ground
        self.shapes = []  # (kind, places, settings)

    def line(self, points, colour="#000", width=1.0):
        """A line through points."""
        self.shapes.append(("line", list(points), dict(colour=colour, width=width)))

    def area(self, points, fill):
        """A filled polygon."""
        self.shapes.append(("area", list(points), dict(fill=fill)))

    def box(self, sides, fill=None, colour=None, radius=0, dashed=False):
        """A rectangle (left, top, right, bottom), filled, outlined or both."""
        self.shapes.append(("box", sides, dict(fill=fill, colour=colour, radius=radius, dashed=dashed)))

    def words(self, x, y, text, colour="#000", size=12, anchor="start"):
        """A line of text, its middle height at y."""
        self.shapes.append(("words", (x, y), dict(text=str(text), colour=colour, size=size, anchor=anchor)))

    def svg(self, font="monospace"):
        """The drawing as SVG."""
        size = f'viewBox="0 0 {self.width:.0f} {self.height:.0f}" width="{self.width:.0f}" height="{self.height:.0f}"'
        label = f'role="img" aria-label="{html.escape(self.label)}"'
        parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} {label} font-family="{font}">']
        if self.ground:
            parts.append(f'<rect width="100%" height="100%" fill="{self.ground}"/>')
        parts += [getattr(self, f"_svg_{kind}")(places, **settings) for kind, places, settings in self.shapes]
        return "\n".join([*parts, "</svg>"])

    def image(self, scale=1.0):
        """The drawing as a Pillow image, `scale` dots a pixel."""
        size = round(self.width * scale), round(self.height * scale)
        image = pillow().new("RGB", size, self.ground or "white")
        from PIL import ImageDraw

        draw = ImageDraw.Draw(image, "RGBA")  # so that faint colours are faint
        for kind, places, settings in self.shapes:
            getattr(self, f"_draw_{kind}")(draw, scale, places, **settings)
        return image

    def write(self, path, kind=None, scale=1.0):
        """Write a file: .svg, or whatever image Pillow writes."""
        kind = (kind or pathlib.Path(path).suffix[1:]).lower()
        with atomic_write(path) as beside:
            if kind == "svg":
                pathlib.Path(beside).write_text(self.svg(), encoding="utf-8")
            else:
                self.image(scale).save(beside, "jpeg" if kind == "jpg" else kind)

    def _svg_line(self, points, colour, width):
        return f'<polyline points="{_listed(points)}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>'

    def _svg_area(self, points, fill):
        return f'<polygon points="{_listed(points)}" fill="{fill}"/>'

    def _svg_box(self, sides, fill, colour, radius, dashed):
        left, top, right, bottom = sides
        style = f'fill="{fill or "none"}"' + (f' stroke="{colour}"' if colour else "")
        style += (f' rx="{radius}"' if radius else "") + (f' stroke-dasharray="{_DASH}"' if dashed else "")
        return f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" {style}/>'

    def _svg_words(self, place, text, colour, size, anchor):
        x, y = place
        style = f'fill="{colour}" font-size="{size}" text-anchor="{anchor}"'
        return f'<text x="{x:.1f}" y="{y + 0.35 * size:.1f}" {style}>{html.escape(text)}</text>'

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

    def _draw_words(self, draw, scale, place, text, colour, size, anchor):
        from PIL import ImageFont

        x, y = place
        font = ImageFont.load_default(size * scale)
        draw.text((x * scale, y * scale), text, colour, font, f"{_ANCHORS[anchor]}m")


def _listed(points):
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _sides(left, top, right, bottom):
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return zip(corners, [*corners[1:], corners[0]], strict=True)


def _draw_dashes(draw, start, end, dash, colour, width):
    length = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1e-9)
    ways = [(end[axis] - start[axis]) / length for axis in (0, 1)]
    place = 0.0
    while place < length:
        ends = [min(place + dash, length) if far else place for far in (False, True)]
        draw.line([(start[0] + ways[0] * at, start[1] + ways[1] * at) for at in ends], colour, width)
        place += 2 * dash

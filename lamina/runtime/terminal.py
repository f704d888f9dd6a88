"""Text for terminals of any encoding: where one cannot show a character, its ASCII twin is printed."""

from __future__ import annotations

import codecs
import html
import io
import sys
from typing import IO, TYPE_CHECKING, Any

from lamina.errors import harmless

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Printable", "console", "escape", "harmless", "one_line", "printable", "text_buffer", "use_twins"]

_TWINS = str.maketrans(
    dict(zip("▁▂▃▄▅▆▇█░│┃└├─━·×•●○■□–—“”‘’²σμ", ".:-=+*#@.||`|-=.x**o#o--\"\"''2su", strict=True))  # noqa: RUF001
    | {"→": "->", "←": "<-", "…": "...", "≤": "<=", "≥": ">=", "≈": "~", "±": "+-", "∞": "inf"}
)


def printable(text: str, file: Any = None) -> str:
    """The text, or its ASCII twin where the encoding of a file has no place for some character in it.

    Args:
        text: Text.
        file: Text file that it is for; None means the standard output.

    >>> import io
    >>> printable("4 → 1 █▃▁", io.TextIOWrapper(io.BytesIO(), "cp1252"))
    '4 -> 1 @-.'
    """
    encoding = getattr(sys.stdout if file is None else file, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_TWINS).encode(encoding, "backslashreplace").decode(encoding)
    return text


def escape(text: str) -> str:
    """A text of a file, such as a name, for a page: neither markup nor characters that command what shows it.

    Args:
        text: Text.

    >>> escape("<b>\\x1b[2J")
    '&lt;b&gt;\\\\x1b[2J'
    """
    return html.escape(harmless(text))


def one_line(text: str) -> str:
    """`harmless`, and on one line: for what is printed as a line of a report, so that no name adds lines to it.

    Args:
        text: Text.

    >>> one_line("a\\nb.keras: nothing found")
    'a\\\\nb.keras: nothing found'
    """
    return harmless(text).replace("\n", "\\n")


def use_twins(*files: Any) -> None:
    """Let files write ASCII twins of what they cannot encode, in place of an error.

    Args:
        *files: Text files, such as sys.stdout; None and those that cannot be changed are left as they are.
    """
    codecs.register_error("lamina.twins", _twins)
    for file in files:
        if hasattr(file, "reconfigure") and file.errors == "strict":
            file.reconfigure(errors="lamina.twins")


def _twins(error):
    text = error.object[error.start : error.end].translate(_TWINS)
    return text.encode("ascii", "backslashreplace").decode("ascii"), error.end


def text_buffer() -> io.StringIO:
    """A file in memory for a text that will be printed: consoles write into it what the standard output can encode."""
    return _Buffer()


class _Buffer(io.StringIO):
    encoding: Any = property(lambda self: getattr(sys.stdout, "encoding", None))  # pyright: ignore[reportAssignmentType]


class Printable:
    """Base of objects that are printed as their `text`, in any terminal."""

    @property
    def text(self) -> str:
        """What is printed."""
        raise NotImplementedError

    def __str__(self) -> str:
        return printable(harmless(self.text))

    def __repr__(self) -> str:
        return printable(harmless(self.text))


def console(file: IO[str] | None = None, **settings: Any) -> Console:
    """A console of rich that writes what its file can encode, and takes no text for markup of rich.

    Args:
        file: Text file; None means the standard output.
        **settings: Arguments of `rich.console.Console`.
    """
    from rich.console import Console

    target = sys.stdout if file is None else file
    utf = (getattr(target, "encoding", None) or "utf-8").lower().startswith("utf")
    made = Console(file=file if utf else _Encodable(target), markup=False, emoji=False, **settings)  # pyright: ignore[reportArgumentType]
    made.push_render_hook(_Cleaning())  # pyright: ignore[reportArgumentType]
    return made


class _Cleaning:
    """A render hook of rich: what is printed is `harmless`, but for the escape sequences of rich itself."""

    def process_renderables(self, renderables):
        """What is printed in place of the renderables."""
        return [_Cleaned(renderable) for renderable in renderables]


class _Cleaned:
    def __init__(self, renderable):
        self._renderable = renderable

    def __rich_console__(self, console, options):
        for segment in console.render(self._renderable, options):
            yield segment if segment.control else segment._replace(text=harmless(segment.text))


class _Encodable:
    """A text file that is given ASCII twins of what it cannot encode."""

    def __init__(self, file):
        self._file = file

    def write(self, text):
        """Write text."""
        return self._file.write(printable(text, self._file))

    def __getattr__(self, name):
        return getattr(self._file, name)

"""The page of a code: a wrong program, what `check` says about it, the corrected program, and the source."""

from __future__ import annotations

import functools
import html
import importlib.metadata
import pathlib
import re

from lamina.errors import ConfigError
from lamina.spelling.nearest import nearest

__all__ = ["address_of", "html_of", "page_of"]

_HERE = pathlib.Path(__file__).parent
_FOLDERS = (_HERE / "pages", _HERE.parents[1] / "docs" / "checks")  # of an installed package, of a checkout
_PART = re.compile(r"^```(\w*)\n(.*?)^```\n?|^# ([^\n]*)\n|^## ([^\n]*)\n", re.MULTILINE | re.DOTALL)


def page_of(code: str) -> str:
    """The page of a code as Markdown.

    Args:
        code: Code of a finding, `LAM101`.

    Raises:
        ConfigError: There is no such code.

    >>> print(page_of("LAM102").splitlines()[0])
    # LAM102: softmax over one unit
    """
    for folder in _FOLDERS:
        path = folder / f"{code.upper()}.md"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    known = sorted({path.stem for folder in _FOLDERS for path in folder.glob("LAM*.md")})
    near = nearest(code.upper(), known) or known
    raise ConfigError(
        f"There is no finding {code}; the codes go from {known[0]} to {known[-1]}.", fix=f"lamina explain {near[0]}"
    )


def address_of(code: str) -> str | None:
    """The web address of the page of a code; None while the package has no address of its documentation.

    Args:
        code: Code of a finding.
    """
    site = _site()
    return f"{site}/checks/{code.upper()}.html" if site else None


@functools.cache
def _site():
    """`Documentation` of [project.urls] in pyproject.toml, as the package was installed with it; None without."""
    try:
        urls = importlib.metadata.metadata("lamina").get_all("Project-URL") or []
    except importlib.metadata.PackageNotFoundError:  # a checkout on sys.path
        return None
    named = dict(url.split(", ", 1) for url in urls if ", " in url)
    return next((url.rstrip("/") for name, url in named.items() if name.lower() == "documentation"), None)


def html_of(code: str) -> str:
    """The page of a code as HTML.

    Args:
        code: Code of a finding.
    """
    text, parts, end = page_of(code), [], 0
    for match in _PART.finditer(text):
        parts += [_paragraphs(text[end : match.start()])]
        end = match.end()
        if match[2] is not None:
            parts.append(f"<pre>{html.escape(match[2].rstrip())}</pre>")
        else:
            parts.append(f"<h3>{html.escape(match[3] or match[4])}</h3>")
    return "\n".join([*parts, _paragraphs(text[end:])])


def _paragraphs(text):
    found = [html.escape(part.strip()) for part in text.split("\n\n") if part.strip()]
    found = [re.sub(r"`(.+?)`", r"<code>\1</code>", re.sub(r"^\*(\w+)\*$", r"<i>\1</i>", part)) for part in found]
    return "\n".join(f"<p>{part}</p>" for part in found)

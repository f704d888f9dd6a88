"""The look of reports in notebooks and HTML files: left-aligned, in the colours of the page around them."""

from __future__ import annotations

from lamina.errors import harmless
from lamina.runtime.terminal import escape

__all__ = ["badge", "page", "report"]

_STYLE = """
.lamina-report { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-size: 14px;
  line-height: 1.5; max-width: 70em; text-align: left; overflow-wrap: break-word }
.lamina-report table { border-collapse: collapse; margin: 0; width: 100%; display: table }
.lamina-report th, .lamina-report td { text-align: left !important; vertical-align: top; padding: 6px 10px;
  border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); white-space: normal; max-width: none }
.lamina-report tr { background: none !important }
.lamina-report th { font-weight: 600 } .lamina-report th, .lamina-report td:first-child { white-space: nowrap }
.lamina-report details { margin: 6px 10px }
.lamina-report code, .lamina-report pre { font-family: ui-monospace, Consolas, "Liberation Mono", monospace;
  font-size: 13px; background: color-mix(in srgb, currentColor 8%, transparent); color: inherit; border-radius: 4px;
  padding: 1px 4px }
.lamina-report pre { padding: 8px 10px; overflow-x: auto; white-space: pre-wrap }
.lamina-report h2 { font-size: 18px; margin: 0 0 8px } .lamina-report h3 { font-size: 15px; margin: 14px 0 2px }
.lamina-report p { margin: 2px 0 } .lamina-report ol { padding-left: 2.2em; margin: 0 }
.lamina-report li { margin: 0 0 10px } .lamina-report small, .lamina-report .soft { opacity: 0.75; font-size: 13px }
.lamina-report a { color: inherit; text-decoration: underline; text-underline-offset: 2px }
.lamina-report summary { cursor: pointer }
.lamina-report .badge { color: #fff; border-radius: 4px; padding: 1px 7px; font-size: 12px; white-space: nowrap }
.lamina-report .error { background: #b3261e } .lamina-report .warning { background: #8a5300 }
.lamina-report .info { background: #0b5cad }
"""

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>:root {{ color-scheme: light dark }} body {{ margin: 24px auto; padding: 0 16px; max-width: 72em }}</style>
<body>
{body}
</body>
</html>"""


def report(body: str) -> str:
    """A part of a page, with its style. Names of files in it are escaped, and shown without characters of control.

    Args:
        body: HTML.
    """
    return f'<style>{_STYLE}</style><div class="lamina-report">{harmless(body)}</div>'


def page(title: str, body: str) -> str:
    """A whole page.

    Args:
        title: Title, as text.
        body: HTML.
    """
    return _PAGE.format(title=escape(title), body=body)


def badge(severity: str) -> str:
    """A severity as a coloured word.

    Args:
        severity: "error", "warning" or "info".
    """
    return f'<span class="badge {severity}">{severity}</span>'

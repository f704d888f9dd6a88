"""Findings: what is wrong with a model or its data, how it was measured, why it matters and how to fix it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any

from lamina.check.page import address_of, html_of
from lamina.drawing.report import badge, report
from lamina.runtime.terminal import Printable, console, escape

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["SEVERITIES", "Finding", "Findings"]

SEVERITIES: tuple[str, ...] = ("error", "warning", "info")


@dataclasses.dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        code: Stable code such as `LAM101`; its page in the documentation has a wrong program and the corrected one.
        severity: "error" (it cannot learn what was meant), "warning" (it learns worse) or "info".
        layer: Name of the layer; None where the finding is not about one.
        value: The measured value.
        message: What was found.
        why: Why it matters.
        fix: The one line that fixes it.
    """

    code: str
    severity: str
    layer: str | None
    value: object
    message: str
    why: str
    fix: str

    @property
    def page(self) -> str:
        """The command that prints the page of the code: a wrong program, the corrected one, and the source."""
        return f"lamina explain {self.code}"

    @property
    def address(self) -> str | None:
        """The web address of the page; None while the package has no address of its documentation."""
        return address_of(self.code)

    @property
    def _where(self):
        return ", ".join(filter(None, (self.page, self.address)))

    def __str__(self) -> str:
        return f"{self.code} {self.severity}: {self.message} {self.fix} ({self._where})"


class Findings(Printable):
    """The findings of one check, the most severe first. Iterable; true where there are any.

    Args:
        findings: The Finding objects, in any order.
    """

    def __init__(self, findings: Iterable[Finding]):
        self._findings = sorted(findings, key=lambda finding: (SEVERITIES.index(finding.severity), finding.code))

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._findings)

    def __len__(self) -> int:
        return len(self._findings)

    def __getitem__(self, index: int) -> Finding:
        return self._findings[index]

    @property
    def codes(self) -> list[str]:
        """The codes, most severe first."""
        return [finding.code for finding in self]

    def of(self, *severities: str) -> list[Finding]:
        """The findings of these severities.

        Args:
            *severities: "error", "warning" or "info".
        """
        return [finding for finding in self if finding.severity in severities]

    @property
    def text(self) -> str:
        """A paragraph for each."""
        if not self._findings:
            return "No findings."
        return "\n\n".join(
            f"{finding.code} {finding.severity}{f' in {finding.layer}' if finding.layer else ''}: {finding.message}\n"
            f"    {finding.why}\n    Fix: {finding.fix}\n    More: {finding._where}"
            for finding in self
        )

    def as_dicts(self) -> list[dict[str, Any]]:
        """A dict for each finding, for JSON; the measured value is a string."""
        return [
            {
                **dataclasses.asdict(finding), "value": str(finding.value), "page": finding.page,
                **({"address": finding.address} if finding.address else {}),
            }
            for finding in self
        ]  # fmt: skip

    def html(self) -> str:
        """The findings as an HTML table; each code is a link to its page, which is folded below."""
        if not self._findings:
            return report("<p>No findings.</p>")
        rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in _cells(finding))}</tr>" for finding in self)
        heads = "".join(f"<th>{head}</th>" for head in ("Code", "Severity", "Layer", "What, why, and the fix"))
        pages = "".join(map(_folded_page, sorted(set(self.codes))))
        return report(f"<table><tr>{heads}</tr>{rows}</table>{pages}")

    _repr_html_ = html

    def __rich__(self) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        if not self._findings:
            return Text("No findings.", style="green")
        table = Table("Code", "Severity", "Layer", "What, why, and the fix", show_lines=True)
        style = {"error": "bold red", "warning": "yellow", "info": "cyan"}
        for finding in self:
            words = Text(f"{finding.message}\n{finding.why}\n").append(finding.fix, style="green")
            words.append(f"\n{finding._where}", style="dim")
            grave = style[finding.severity]
            table.add_row(Text(finding.code, grave), Text(finding.severity, grave), Text(finding.layer or ""), words)
        return table

    def print(self, file: IO[str] | None = None, width: int | None = None) -> None:
        """Print them to the terminal.

        Args:
            file: Text file to write to; None means the standard output.
            width: Characters per line; None means the width of the terminal.
        """
        console(file, width=width).print(self)


def _cells(finding):
    """The cells of a row, as HTML."""
    message, why, fix, layer = map(escape, (finding.message, finding.why, finding.fix, finding.layer or ""))
    address = finding.address and escape(finding.address)
    online = f'<br><a href="{address}" target="_blank">{address}</a>' if address else ""
    words = f'{message}<br><span class="soft">{why}</span><br><b>Fix:</b> {fix}{online}'
    return f'<a href="#lamina-{finding.code}">{finding.code}</a>', badge(finding.severity), layer, words


def _folded_page(code):
    title, _, page = html_of(code).partition("</h3>")
    title = title.partition("<h3>")[2]
    return f'<details><summary>{title}</summary><div id="lamina-{code}">{page}</div></details>'

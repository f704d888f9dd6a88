"""Findings: what is wrong with a model or its data, how it was seen, why it matters and how to mend it."""

import dataclasses
import html
from collections.abc import Iterable

__all__ = ["SEVERITIES", "Finding", "Findings"]

SEVERITIES = ("error", "warning", "info")


@dataclasses.dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        code: stable, `LAM101`; its page in the documentation has a wrong program and the mended one.
        severity: "error" (it cannot learn what was meant), "warning" (it learns worse) or "info".
        layer: the name of the layer, None where it is not about one.
        value: what was measured.
        message: what is the case.
        why: why it matters.
        fix: the one line that mends it.
    """

    code: str
    severity: str
    layer: str | None
    value: object
    message: str
    why: str
    fix: str

    def __str__(self):
        return f"{self.code} {self.severity}: {self.message} {self.fix}"


class Findings:
    """The findings of one check, the gravest first. Iterable; true where there are any."""

    def __init__(self, findings: Iterable[Finding]):
        self._findings = sorted(findings, key=lambda finding: (SEVERITIES.index(finding.severity), finding.code))

    def __iter__(self):
        return iter(self._findings)

    def __len__(self):
        return len(self._findings)

    def __getitem__(self, index):
        return self._findings[index]

    @property
    def codes(self):
        """The codes, gravest first."""
        return [finding.code for finding in self]

    def of(self, *severities):
        """The findings of these severities."""
        return [finding for finding in self if finding.severity in severities]

    @property
    def text(self):
        """A paragraph for each."""
        if not self._findings:
            return "No findings."
        return "\n\n".join(
            f"{finding.code} {finding.severity}{f' in {finding.layer}' if finding.layer else ''}: {finding.message}\n"
            f"    {finding.why}\n    Fix: {finding.fix}"
            for finding in self
        )

    def __str__(self):
        return self.text

    __repr__ = __str__

    def as_dicts(self):
        """For JSON: a dict for each, the measured value as text."""
        return [{**dataclasses.asdict(finding), "value": str(finding.value)} for finding in self]

    def html(self):
        """A table."""
        if not self._findings:
            return "<p>No findings.</p>"
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(str(cell or ''))}</td>" for cell in self._cells(finding)) + "</tr>"
            for finding in self
        )
        heads = "".join(f"<th>{head}</th>" for head in ("Code", "Severity", "Layer", "What", "Why", "Fix"))
        return f"<table><tr>{heads}</tr>{rows}</table>"

    @staticmethod
    def _cells(finding):
        return finding.code, finding.severity, finding.layer, finding.message, finding.why, finding.fix

    _repr_html_ = html

    def __rich__(self):
        from rich.table import Table
        from rich.text import Text

        if not self._findings:
            return Text("No findings.", style="green")
        table = Table("Code", "Layer", "What, why, and the fix", show_lines=True)
        style = {"error": "bold red", "warning": "yellow", "info": "cyan"}
        for finding in self:
            words = Text(f"{finding.message}\n{finding.why}\n").append(finding.fix, style="green")
            table.add_row(Text(finding.code, style=style[finding.severity]), finding.layer or "", words)
        return table

    def print(self, file=None, width=None):
        """Show them in the terminal."""
        from rich.console import Console

        Console(file=file, width=width).print(self)

"""`lamina check`: report findings about models, with an exit code for CI."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from lamina.check import check
from lamina.check.findings import SEVERITIES
from lamina.cli.models import find_models
from lamina.runtime.terminal import one_line

__all__ = ["main"]


def main(args: argparse.Namespace) -> Any:
    """Print the findings. Returns 1 if any is at least as severe as `--fail-on`."""
    found = [(one, _check(one, args)) for one in find_models(args)]
    if args.json:
        print(json.dumps([{"model": one.name, "findings": findings.as_dicts()} for one, findings in found], indent=2))
    else:
        for one, findings in found:
            print(f"{one_line(one.name)}: {_count(findings)}")
            if findings:
                findings.print()
    grave = SEVERITIES[: SEVERITIES.index(args.fail_on) + 1] if args.fail_on != "never" else ()
    return int(any(finding.severity in grave for _, findings in found for finding in findings))


def _check(one, args):
    probe = args.probe and one.x is not None and one.model.compiled
    if args.probe and not probe:
        print(f"{one_line(one.name)}: no probe, since no fit with arrays was seen.", file=sys.stderr)
    return check(one.model, one.x, one.y, ignore=tuple(args.ignore), probe=probe)


def _count(findings):
    counts = [(len(findings.of(severity)), severity) for severity in SEVERITIES]
    words = [f"{count} {severity}{'s' * (count > 1 and severity != 'info')}" for count, severity in counts if count]
    return ", ".join(words) or "no findings"

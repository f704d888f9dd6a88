"""`lamina versions`: what a report of a defect needs."""

from __future__ import annotations

import argparse
import json

from lamina.runtime.versions import environment, show_versions

__all__ = ["main"]


def main(args: argparse.Namespace) -> None:
    """Print the versions."""
    if args.json:
        print(json.dumps(environment(), indent=2))
    else:
        show_versions()

"""`lamina run SCRIPT`: run an unchanged Keras program on lamina."""

from __future__ import annotations

import argparse
from typing import Any

from lamina.cli.script import ScriptFailed, run_program

__all__ = ["main"]


def main(args: argparse.Namespace) -> Any:
    """Run the program. Returns its exit code, or 1 if it raised an error."""
    try:
        run_program(args.script, args.arguments, args.as_module)
    except ScriptFailed:
        return 1
    except SystemExit as stop:
        if isinstance(stop.code, (int, type(None))):
            return stop.code or 0
        raise
    return 0

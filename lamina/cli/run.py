"""`lamina run SCRIPT`: a program written for Keras, unchanged."""

from __future__ import annotations

import argparse
from typing import Any

from lamina.cli.script import ScriptFailed, run_program

__all__ = ["main"]


def main(args: argparse.Namespace) -> Any:
    """Run the program; 1 if it failed, else its own exit code."""
    try:
        run_program(args.script, args.arguments, args.as_module)
    except ScriptFailed:
        return 1
    except SystemExit as stop:
        if isinstance(stop.code, (int, type(None))):
            return stop.code or 0
        raise
    return 0

"""`lamina` on the command line: run, check, explain, view, summary, convert, bench, completion.

Nothing here imports JAX before a command needs it, so that `lamina --help` answers at once.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from lamina.cli.parser import make_parser
from lamina.errors import LaminaError

__all__ = ["FINDINGS", "FINE", "UNUSABLE", "main"]

FINE, FINDINGS, UNUSABLE = 0, 1, 2  # exit codes: fine; findings, or a program that failed; wrong usage, unreadable file


def main(arguments: Any = None) -> Any:
    """Do what the arguments of the command line say; the exit code.

    >>> main(["completion", "fish"]) == FINE                    # doctest: +ELLIPSIS
    complete -c lamina ...
    True
    """
    parser = make_parser()
    args = parser.parse_args(arguments)
    if args.command is None:
        parser.print_help()
        return FINE
    try:
        module = importlib.import_module(args.module)
        return module.main(args) or FINE
    except (LaminaError, ImportError, OSError) as error:
        if os.environ.get("LAMINA_TRACEBACK"):
            raise
        if isinstance(error, BrokenPipeError):  # `lamina summary MODEL | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FINE
        print(f"lamina {args.command}: {error}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        return 130

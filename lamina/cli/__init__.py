"""The command line interface: `lamina run`, check, explain, view, summary, convert, serve, bench and completion.

JAX is imported only when a command needs it, so `lamina --help` responds immediately.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from lamina.cli.parser import make_parser
from lamina.errors import LaminaError, harmless
from lamina.runtime.terminal import use_twins

__all__ = ["FINDINGS", "FINE", "UNUSABLE", "main"]

FINE, FINDINGS, UNUSABLE = 0, 1, 2  # success; findings or a failed program; wrong usage or an unreadable file


def main(arguments: Any = None) -> Any:
    """Run the command given by the arguments and return the exit code.

    >>> main(["completion", "fish"]) == FINE                    # doctest: +ELLIPSIS
    complete -c lamina ...
    True
    """
    use_twins(sys.stdout, sys.stderr)
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
        print(f"lamina {args.command}: {harmless(str(error))}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        return 130

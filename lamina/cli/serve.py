"""`lamina serve MODEL`: answer requests for predictions over HTTP."""

from __future__ import annotations

import argparse
import os
import pathlib

from lamina.cli.models import has_weights, read_model
from lamina.errors import FileError
from lamina.serve import Limits, serve

__all__ = ["main"]

VARIABLE = "LAMINA_SERVE_KEYS"


def main(args: argparse.Namespace) -> None:
    """Load the model and serve it until SIGTERM or Ctrl-C."""
    model = read_model(args.target)
    if not has_weights(args.target):
        raise FileError(
            f"{args.target} has no weights, so what it predicts would be random.",
            fix=f"lamina convert WEIGHTS model.keras --model {args.target}, and serve model.keras.",
        )
    limits = Limits(int(args.max_body * 2**20), args.timeout, args.max_batch, args.max_wait / 1000, args.max_waiting)
    name = args.name or pathlib.Path(args.target).name.split(".")[0]
    serve(model, args.host, args.port, name, limits, _keys(args.keys))


def _keys(path):
    """The keys of the file, or of the environment; not of the command line, which other users of the machine see."""
    if path is None:
        return os.environ.get(VARIABLE, "").split()
    keys = pathlib.Path(path).read_text(encoding="utf-8").split()
    if not keys:
        raise FileError(f"{path} has no key.", fix="Write one key on each line, or leave --keys out.")
    return keys

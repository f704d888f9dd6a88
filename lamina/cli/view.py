"""`lamina view`: write an HTML page that shows a model."""

from __future__ import annotations

import argparse
import json
import pathlib

from lamina.cli.models import find_models
from lamina.runtime.terminal import one_line
from lamina.view import view

__all__ = ["main"]


def main(args: argparse.Namespace) -> None:
    """Write the pages and print their paths."""
    found = find_models(args)
    paths = [_path(args, one, len(found)) for one in found]
    for one, path in zip(found, paths, strict=True):
        page = view(one.model, str(path), one.x, one.y, open=args.open, compare=args.compare)
        if page.comparison is not None and not args.json:
            print(page.comparison, end="\n\n")
    print(json.dumps([str(path) for path in paths]) if args.json else "\n".join(one_line(str(path)) for path in paths))


def _path(args, one, count):
    target = pathlib.Path(args.output or args.target)
    stem = target.stem if target.suffix else target.name
    ending = ".json" if args.output and target.suffix == ".json" else ".html"
    return target.with_name(f"{stem}{ending}" if count == 1 else f"{stem}.{one.name}{ending}")

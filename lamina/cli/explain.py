"""`lamina explain`: describe what each layer does, in the terminal or in a file."""

from __future__ import annotations

import argparse
import dataclasses
import html
import json
import pathlib

from lamina.cli.models import find_models
from lamina.explanations import explain

__all__ = ["main"]

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<body>
{body}
</body>
</html>"""


def main(args: argparse.Namespace) -> None:
    """Print the explanation of each model."""
    explained = [explain(one.model, args.layer) for one in find_models(args)]
    if args.json:
        text = json.dumps([dataclasses.asdict(one) for one in explained], indent=2)
    elif args.format == "html":
        body = "\n".join(one.html() for one in explained)
        text = _PAGE.format(title=html.escape(explained[0].title), body=body)
    elif args.format == "markdown":
        text = "\n\n".join(one.markdown() for one in explained)
    elif args.format == "text" or args.output:
        text = "\n\n".join(one.text for one in explained)
    else:
        for one in explained:
            one.print()
        return
    if args.output:
        pathlib.Path(args.output).write_text(f"{text}\n", encoding="utf-8")
    else:
        print(text)

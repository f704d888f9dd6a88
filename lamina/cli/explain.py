"""`lamina explain`: describe what each layer does, or what a class is, in the terminal or in a file."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import re

from lamina.check.page import html_of, page_of
from lamina.cli.models import find_models
from lamina.drawing.report import page, report
from lamina.explanations import explain
from lamina.explanations.class_explanation import thing_named
from lamina.runtime.terminal import console, harmless, printable

__all__ = ["main"]

_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_ENDINGS = (".py", ".ipynb", ".keras", ".h5", ".json")
_CODE = re.compile(r"lam\d+", re.IGNORECASE)


def main(args: argparse.Namespace) -> None:
    """Print the explanation of each model, or of a class of layers and the like, or the page of a finding's code."""
    if _CODE.fullmatch(args.target):
        _explain_code(args)
        return
    if _NAME.fullmatch(args.target) and not os.path.exists(args.target) and not args.target.endswith(_ENDINGS):
        explained = [explain(thing_named(args.target))]
    else:
        explained = [explain(one.model, args.layer) for one in find_models(args)]
    if args.json:
        text = json.dumps([dataclasses.asdict(one) for one in explained], indent=2)
    elif args.format == "html":
        body = "\n".join(one.html() for one in explained)
        text = page(explained[0].title, body)
    elif args.format == "markdown":
        text = "\n\n".join(one.markdown() for one in explained)
    elif args.format == "text" or args.output:
        text = "\n\n".join(one.text for one in explained)
    else:
        for one in explained:
            one.print()
        return
    _write(args, text)


def _explain_code(args):
    code = args.target.upper()
    text = page_of(code)
    if args.json:
        text = json.dumps({"code": code, "page": text}, indent=2)
    elif args.format == "html":
        text = page(code, report(html_of(code)))
    elif args.format == "terminal" and not args.output:
        from rich.markdown import Markdown

        console().print(Markdown(text))
        return
    _write(args, text.rstrip())


def _write(args, text):
    if args.output:
        pathlib.Path(args.output).write_text(f"{text}\n", encoding="utf-8")
    else:
        print(printable(harmless(text)))

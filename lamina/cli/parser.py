"""The argument parser of `lamina` and its commands."""

from __future__ import annotations

import argparse
import importlib
import re
import sys
import textwrap
from typing import Any

from lamina.export.formats import FORMATS

__all__ = ["SHELLS", "make_parser"]

SHELLS = ("bash", "zsh", "fish")
_MODEL = "a .keras, .h5 or .json file, or a folder that lamina loads"
_EXAMPLES = {
    "run": """
        lamina run train.py --epochs 10        the arguments behind the script are the script's
        lamina run -m mypackage.train
        lamina run notebook.ipynb             its code cells; magics are skipped
        """,
    "check": """
        lamina check model.keras
        lamina check train.py --fail-on warning      in CI: exit code 1 at a warning
        lamina check train.py --json --ignore LAM203
        lamina check train.py --probe                some steps: rates, gradients, dead units
        """,
    "explain": """
        lamina explain model.keras
        lamina explain model.keras --layer dense_1
        lamina explain train.py --format html -o explained.html
        lamina explain Dense                     what it is; also Adam, losses.MeanSquaredError
        lamina explain LAM101                    the page of a finding
        """,
    "view": """
        lamina view model.keras                model.html beside it, one file, no server
        lamina view train.py -o page.html
        lamina view model.keras -o graph.json  for Google's Model Explorer
        lamina view first.keras --compare second.keras       both beside each other
        lamina view model.keras --compare epoch_9.weights.h5
        """,
    "summary": """
        lamina summary model.keras
        lamina summary model.h5 --json
        """,
    "convert": """
        lamina convert old.h5 new.keras
        lamina convert model.keras model.onnx
        lamina convert model.h5 folder --format tf_saved_model
        lamina convert model.keras model.weights.h5
        lamina convert weights.safetensors model.keras --model architecture.json
        """,
    "serve": """
        lamina serve model.keras                                then open http://127.0.0.1:8000
        curl 127.0.0.1:8000/predict -d '{"instances": [[1, 2, 3, 4]]}'
        curl 127.0.0.1:8000/predict --data-binary @picture.png
        LAMINA_SERVE_KEYS=secret lamina serve model.keras --host 0.0.0.0
        """,
    "scan": """
        lamina scan downloads/
        lamina scan model.pt --json
        lamina scan . --sarif > scan.sarif     for the code scanning of a forge
        """,
    "reproduce": """
        lamina reproduce runs/1                 the folder of fit(resume="runs/1")
        lamina reproduce runs/1 --program train.py
        """,
    "versions": """
        lamina versions
        lamina versions --json
        """,
    "completion": """
        eval "$(lamina completion bash)"       in ~/.bashrc
        lamina completion zsh > ~/.zfunc/_lamina
        lamina completion fish > ~/.config/fish/completions/lamina.fish
        """,
}

# Commands provided by other distributions: name -> (help, what to install). Their entry points in the group
# "lamina.commands" name a function that adds the arguments to a parser and sets the default of `module`.
_EXTENSIONS = {"bench": ("compare lamina with what else is installed, on the same work", "./benchmarks")}


_MEANT = {  # what other tools call the commands
    "run": "train fit python python3 exec execute start test evaluate predict launch", "view": "plot show draw open",
    "check": "lint validate verify debug doctor", "summary": "info describe inspect print", "convert": "export",
    "serve": "server deploy", "versions": "version env",
}  # fmt: skip


class _Parser(argparse.ArgumentParser):
    """A parser whose error messages end with the command that prints the help."""

    given: tuple[str, ...] = ()  # the words of the command line
    extension = ""  # name of a command from another distribution; its arguments are added when they are needed

    def error(self, message):
        wrong = re.match(r"argument COMMAND: invalid choice: '(\w+)'", message)
        meant = wrong and next(
            (command for command, words in _MEANT.items() if wrong[1].lower() in words.split()), None
        )
        if message.startswith("unrecognized arguments") and self.given and self.given[0].isalpha():
            meant = f"{self.given[0]} --help"
        self.exit(2, f"{self.prog}: {message}\nTry: {self.prog} {meant or '--help'}\n")

    def parse_known_args(self, args=None, namespace=None):  # pyright: ignore[reportIncompatibleMethodOverride]
        self.given = tuple(sys.argv[1:] if args is None else args)
        if not self.extend():
            wanted = _EXTENSIONS[self.extension][1]
            self.exit(2, f"{self.prog}: not installed; in a checkout of lamina: pip install {wanted}\n")
        return super().parse_known_args(args, namespace)

    def extend(self):
        """Add the arguments of an extension. Returns False if it is not installed."""
        if not self.extension:
            return True
        metadata = importlib.import_module("importlib.metadata")  # takes 20 ms, which other commands avoid
        found = metadata.entry_points(group="lamina.commands", name=self.extension)
        for entry in list(found)[:1]:
            entry.load()(self)
            self.extension = ""
        return not self.extension


def make_parser() -> Any:
    """Create the parser of the command line."""
    parser = _Parser(
        prog="lamina",
        description="Run, look into and check Keras models.",
        epilog="Exit codes: 0 fine; 1 findings, or a program that failed; 2 wrong usage or a file that cannot be read.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    _add_run(commands)
    _add_check(commands)
    _add_explain(commands)
    _add_view(commands)
    _add_summary(commands)
    _add_convert(commands)
    _add_serve(commands)
    _add_scan(commands)
    _add_reproduce(commands)
    _command(commands, "versions", "print the versions of all that matters, for a report").add_argument(
        "--json", action="store_true", help="print JSON"
    )
    for name, (about, _) in _EXTENSIONS.items():
        _command(commands, name, about).extension = name
    completion = _command(commands, "completion", "print a completion script for a shell")
    completion.add_argument("shell", choices=SHELLS)
    return parser


class _Version(argparse.Action):
    """Prints the version."""

    def __call__(self, parser, namespace, values, option_string=None):
        print(f"lamina {importlib.import_module('lamina').__version__}")
        parser.exit(0)


def _command(commands, name, about):
    examples = textwrap.indent(textwrap.dedent(_EXAMPLES.get(name, "")).strip(), "  ")
    command = commands.add_parser(
        name, help=about, description=f"{about[0].upper()}{about[1:]}.", epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    command.set_defaults(module=f"lamina.cli.{name}")
    return command


def _add_run(commands):
    run = _command(commands, "run", "run a program written for keras or tensorflow.keras on lamina, unchanged")
    run.add_argument("-m", dest="as_module", action="store_true", help="SCRIPT is the name of a module")
    run.add_argument("script", metavar="SCRIPT", help="a Python file or a notebook, or a module with -m")
    run.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="arguments of the script")


def _add_target(command, metavar="SCRIPT|MODEL"):
    """Add the argument for the model or script, which most commands take."""
    command.add_argument("target", metavar=metavar, help=f"{_MODEL}; or a Python file or notebook that makes models")
    command.add_argument("--name", help="the variable of the script that holds the model; all of them if not given")
    command.add_argument(
        "--steps", type=int, default=1, metavar="N",
        help="in a script, let each `fit` run for N steps of one epoch (default 1; 0: to its end)",
    )  # fmt: skip
    command.add_argument("--args", default="", help='arguments for the script, as one word: --args "--epochs 3"')


def _add_check(commands):
    check = _command(commands, "check", "say what is wrong with a model, and the fix")
    _add_target(check)
    check.add_argument(
        "--fail-on", choices=("error", "warning", "info", "never"), default="error",
        help="exit with 1 for findings as grave as this (default: error)",
    )  # fmt: skip
    check.add_argument("--probe", action="store_true", help="make some steps on a copy, and judge what they show")
    check.add_argument("--ignore", action="append", default=[], metavar="CODE", help="leave a finding out, as LAM203")
    check.add_argument("--json", action="store_true", help="print JSON")


def _add_explain(commands):
    explain = _command(commands, "explain", "say what each layer does to the data; or what a class or a finding is")
    _add_target(explain, "SCRIPT|MODEL|CLASS|CODE")
    explain.add_argument("--layer", help="one layer, by its name")
    explain.add_argument("--format", choices=("terminal", "text", "markdown", "html"), default="terminal")
    explain.add_argument("--json", action="store_true", help="print JSON")
    explain.add_argument("-o", "--output", metavar="FILE", help="write into a file")


def _add_view(commands):
    view = _command(commands, "view", "write a page that shows the graph: one HTML file")
    _add_target(view)
    view.add_argument("-o", "--output", metavar="FILE", help="the page; next to the model if not given")
    view.add_argument("--compare", metavar="FILE", help="show another model, or weights for this one, next to it")
    view.add_argument("--open", action="store_true", help="show it in the browser")
    view.add_argument("--json", action="store_true", help="print the paths as JSON")


def _add_reproduce(commands):
    about = "run a recorded training again, and say whether the bits agree, or what differs first"
    reproduce = _command(commands, "reproduce", about)
    reproduce.add_argument("folder", metavar="FOLDER", help="the folder of fit(resume=FOLDER)")
    reproduce.add_argument("--program", metavar="SCRIPT", help="run this file, which may have changed since")
    reproduce.add_argument("--json", action="store_true", help="print JSON")


def _add_summary(commands):
    summary = _command(commands, "summary", "print the layers, shapes and weights")
    _add_target(summary)
    summary.add_argument("--json", action="store_true", help="print JSON")


def _add_scan(commands):
    scan = _command(commands, "scan", "say what in a file of a model could run code, read files or take memory")
    scan.add_argument("targets", metavar="FILE|FOLDER", nargs="+", help="a file of any format of models, or a folder")
    scan.add_argument("--json", action="store_true", help="print JSON")
    scan.add_argument("--sarif", action="store_true", help="print SARIF 2.1.0")
    scan.add_argument(
        "--fail-on", choices=("error", "warning", "note", "never"), default="error",
        help="exit with 1 for findings as grave as this (default: error)",
    )  # fmt: skip


def _add_convert(commands):
    folders = [name for name, entry in FORMATS.items() if not entry.ending]
    convert = _command(commands, "convert", "turn a model or its weights into another format, by the endings")
    convert.add_argument("source", metavar="IN", help=f"{_MODEL}; .weights.h5 and .safetensors with --model")
    convert.add_argument(
        "result",
        metavar="OUT",
        help=".keras, .h5, .weights.h5, .safetensors, .json (no weights), or a program: .onnx, .jax, .tflite",
    )
    convert.add_argument("--model", metavar="MODEL", help="the architecture, where IN is weights alone")
    convert.add_argument("--format", choices=folders, help="OUT is a folder for TensorFlow.js (tfjs) or TensorFlow")
    convert.add_argument("--overwrite", action="store_true", help="replace OUT if it is there")
    convert.add_argument("--json", action="store_true", help="print what was done as JSON")


def _add_serve(commands):
    serve = _command(commands, "serve", "answer requests for predictions over HTTP, until SIGTERM or Ctrl-C")
    serve.add_argument("target", metavar="MODEL", help=_MODEL)
    options = [
        ("--host", str, "127.0.0.1", "ADDRESS", "address to listen at (default 127.0.0.1: this machine alone)"),
        ("--port", int, 8000, "PORT", "port (default 8000; 0: any that is free)"),
        ("--name", str, None, "NAME", "name of the model in addresses; that of the file if not given"),
        ("--max-batch", int, 32, "SAMPLES", "most samples of one prediction (default 32; 1: no batching)"),
        ("--max-wait", float, 0.0, "MS", "milliseconds that a request waits for others (default 0)"),
        ("--max-waiting", int, 10_000, "SAMPLES", "most samples that wait (default 10000)"),
        ("--max-body", float, 32, "MIB", "most MiB of a body (default 32)"),
        ("--timeout", float, 30.0, "SECONDS", "most seconds of a request (default 30)"),
        ("--keys", str, None, "FILE", "file with API keys, one a line; or $LAMINA_SERVE_KEYS"),
    ]
    for flag, type, default, metavar, about in options:
        serve.add_argument(flag, type=type, default=default, metavar=metavar, help=about)

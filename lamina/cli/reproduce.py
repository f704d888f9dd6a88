"""`lamina reproduce FOLDER`: run a recorded training again, and say whether the bits agree."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import shlex
import sys
import tempfile
from typing import Any

from lamina.callbacks.run_record import differences, read_run, recording_elsewhere
from lamina.cli.script import ScriptFailed, run_program
from lamina.core import context
from lamina.errors import CallError
from lamina.runtime.terminal import one_line

__all__ = ["main"]


def main(args: argparse.Namespace) -> int:
    """Run the program and print what differs. Returns 1 if anything but the environment does."""
    folder, before = os.path.abspath(args.folder), read_run(args.folder)
    program = _program_of(before[0]["program"], args)
    with tempfile.TemporaryDirectory() as fresh:
        with recording_elsewhere(folder, fresh), contextlib.redirect_stdout(sys.stderr):
            _run(program, before[0]["program"])
        after = read_run(fresh)
    found = list(differences(before, after))
    steps = [one for one in found if one.startswith(("first different", "epoch"))]
    said = "The bits differ." if steps else f"The bits agree, at all {len(before[1])} steps that are recorded."
    if args.json:
        print(json.dumps({"agree": not steps, "differences": found}, indent=2))
    else:
        print(said, *(f"- {one_line(one)}" for one in found), sep="\n")
        if steps and any(one.startswith("state of the random generator") for one in found):
            print("Equal runs begin with keras.utils.set_random_seed(0), or another number of your choice.")
    return int(bool(steps))


def _program_of(recorded: dict[str, Any], args: argparse.Namespace) -> str:
    """The path of the program; without `--program` it is the recorded one, which must not have changed."""
    if args.program:
        return os.path.abspath(args.program)
    path = recorded["file"]
    if path is None or not os.path.isfile(path):
        raise CallError(
            f"The run was started by {path or 'no file: an interactive session'}, which is not here.",
            fix=f"lamina reproduce {args.folder} --program train.py",
        )
    if not pathlib.Path(path).resolve().is_relative_to(pathlib.Path.cwd()):  # a record may name any, with any arguments
        raise CallError(
            f"The record in {args.folder} names the program {path}, which is not below the folder that you are in.",
            fix=f"lamina reproduce {args.folder} --program {shlex.quote(path)}",
        )
    if hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest() != recorded["digests"].get(path):
        raise CallError(
            f"{path} has changed since the run.",
            fix=f"lamina reproduce {args.folder} --program {os.path.relpath(path)}",
        )
    return path


def _run(program, recorded):
    here = os.getcwd()
    context.reset_names()  # layers have the names that they get in a process of their own
    if os.path.isdir(recorded["folder"]):
        os.chdir(recorded["folder"])
    try:
        run_program(program, [str(one) for one in recorded["arguments"]])
    except SystemExit as stop:
        if stop.code:
            raise ScriptFailed(f"{program} ended with sys.exit({stop.code!r}).") from stop
    finally:
        os.chdir(here)

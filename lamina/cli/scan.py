"""`lamina scan`: say what in a file of a model could run code, read other files or take memory, without loading it."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import re
import urllib.parse
from typing import Any

from lamina.cli.scan_files import RULES, Finding, findings_in
from lamina.errors import FileError
from lamina.runtime.terminal import one_line, printable
from lamina.spelling.paths import nearest_path

__all__ = ["main"]

_LEVELS = ("error", "warning", "note")
_NO_LINKS = re.compile(r"[\[\]\\]")  # what SARIF escapes in a text: [words](address) is a link there


def main(args: argparse.Namespace) -> Any:
    """Print what was found. Returns 1 if anything is as grave as `--fail-on`."""
    reports = [report for target in args.targets for report in _reports(pathlib.Path(target))]
    if args.sarif:
        print(json.dumps(_sarif(reports), indent=2))
    elif args.json:
        print(json.dumps([_as_dict(*report) for report in reports], indent=2))
    else:
        print(printable("\n".join(_lines(reports))))
    grave = _LEVELS[: _LEVELS.index(args.fail_on) + 1] if args.fail_on != "never" else ()
    return int(any(RULES[one.rule][0] in grave for _, _, found in reports for one in found))


def _reports(target):
    """(path, format, findings) of a file, or of each file in a folder."""
    if not target.is_file() and not target.is_dir():
        raise FileError(f"There is no file or folder {target}.", fix=nearest_path(target))
    for path in _files_below(target) if target.is_dir() else [target]:
        try:
            kind, found = findings_in(path)
        except OSError as error:
            kind, found = "", [Finding("", "damaged", f"cannot be read: {error.strerror or error}")]
        if kind or found or not target.is_dir():
            yield path, kind, found


def _files_below(folder):
    """The files in a folder, and those that links in it lead to, as in the cache of the Hugging Face hub, each once. A
    link to another folder is among them: it cannot be read, and that is said."""
    paths, known = sorted(folder.rglob("*")), set()
    for path in sorted(paths, key=lambda path: path.is_symlink()):
        real = path.resolve()
        leads_out = path.is_symlink() and path.is_dir() and not real.is_relative_to(folder.resolve())
        if (path.is_file() or leads_out) and real not in known:
            known.add(real)
            yield path


def _lines(reports):
    for path, kind, found in reports:
        yield f"{one_line(str(path))}: {kind or 'no file of a model'}, {_count(found)}"
        for one in found:
            place = f"{one.place} " if one.place else ""
            yield f"  {RULES[one.rule][0]:<8}{one.rule:<8} {one_line(place + one.message)}"
    total = [one for _, _, found in reports for one in found]
    if len(reports) != 1:
        yield f"{len(reports)} files, {_count(total)}"


def _count(found):
    counts = [(sum(RULES[one.rule][0] == level for one in found), level) for level in _LEVELS]
    return ", ".join(f"{count} {level}{'s' * (count > 1)}" for count, level in counts if count) or "nothing found"


def _as_dict(path, kind, found):
    return {
        "file": str(path), "format": kind,
        "findings": [{"rule": one.rule, "level": RULES[one.rule][0], "place": one.place, "message": one.message}
                     for one in found],
    }  # fmt: skip


def _sarif(reports):
    """The report in SARIF 2.1.0 (OASIS), which forges show beside the files."""
    rules = [
        {"id": name, "shortDescription": {"text": meaning}, "defaultConfiguration": {"level": level}}
        for name, (level, meaning) in RULES.items()
    ]
    results = [
        {
            "ruleId": one.rule, "level": RULES[one.rule][0],
            "message": {"text": _NO_LINKS.sub(r"\\\g<0>", one_line(f"{one.place} {one.message}".strip()))},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(path)}}}],
        }
        for path, _, found in reports for one in found
    ]  # fmt: skip
    driver = {"name": "lamina scan", "rules": rules}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return {"$schema": schema, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _uri(path):
    """A path as SARIF wants it: RFC 3986, so that spaces and the like are escaped."""
    return urllib.parse.quote(os.fsencode(path.as_posix()), safe="/:")

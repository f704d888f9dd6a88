"""`lamina convert IN OUT`: convert a model file. The file extensions determine the formats."""

from __future__ import annotations

import argparse
import json
import pathlib
from typing import Any

from lamina.cli.models import has_weights, read_model
from lamina.errors import FileError
from lamina.export.formats import FORMATS
from lamina.runtime.terminal import one_line
from lamina.saving import load_weights, save_model, save_weights, to_json
from lamina.saving.safety.hdf5 import check_overwrite

__all__ = ["main"]

_WEIGHTS = (".weights.h5", ".safetensors", ".weights.json")
_PROGRAMS = tuple(entry.ending for entry in FORMATS.values() if entry.ending not in ("", *_WEIGHTS))
_RESULTS = (".keras", ".weights.h5", ".h5", ".hdf5", ".safetensors", ".json", *_PROGRAMS)


def main(args: argparse.Namespace) -> None:
    """Convert the file and print a line about the result."""
    source, result = str(args.source), str(args.result)
    if args.format:
        return _write_folder(source, result, args)
    ending = result.lower()
    if not ending.endswith(_RESULTS) or ending.endswith(".weights.json"):
        raise FileError(
            f"{result} has no ending that says what to write.",
            fix=f"One of: {', '.join(_RESULTS)}; or --format tf_saved_model for a folder.",
        )
    check_overwrite_or_say(result, args.overwrite)
    model, exported = _read(source, args.model), None
    if ending.endswith((".weights.h5", ".safetensors")):
        save_weights(model, result)
    elif ending.endswith(".json"):
        pathlib.Path(result).write_text(to_json(model, indent=2), encoding="utf-8")
    elif ending.endswith(_PROGRAMS):
        exported = model.export(result, verbose=False)
    else:
        save_model(model, result)
    _report(args, model, pathlib.Path(result).stat().st_size, exported)


def _write_folder(source, result, args):
    folder = pathlib.Path(result)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        check_overwrite_or_say(result, args.overwrite)
    model = _read(source, args.model)
    report = model.export(result, format=args.format, verbose=False)
    _report(args, model, report.size, report)


def _report(args, model, size, exported):
    source, result, weights = str(args.source), str(args.result), model.count_params()
    if exported and not has_weights(source):
        exported.lost.insert(0, f"weights: {source} has none, and the program has random ones")
    if args.json:
        more = {"difference": exported.difference, "not_kept": exported.lost} if exported else {}
        print(json.dumps({"source": source, "result": result, "weights": weights, "bytes": size, **more}))
    else:
        print(f"{one_line(source)} -> {one_line(result)}: {weights:,} weights, {size:,} bytes")
        for line in exported.remarks() if exported else ():
            print(f"  {one_line(line)}")


def check_overwrite_or_say(result: Any, overwrite: bool) -> None:
    """`check_overwrite`, with an error that names the command line option."""
    try:
        check_overwrite(result, overwrite)
    except FileError as error:
        raise FileError(f"{result} exists.", fix="Pass --overwrite, or another name.") from error


def _read(source, architecture):
    if not source.endswith(_WEIGHTS):
        if architecture:
            raise FileError(f"{source} is a whole model, so --model has no use.", fix="Leave --model out.")
        return read_model(source)
    if not architecture:
        raise FileError(
            f"{source} has weights but no architecture.",
            fix=f"lamina convert {source} OUT --model MODEL, where MODEL is a .keras or .json file of the same layers.",
        )
    model = read_model(architecture)
    load_weights(model, source)
    return model

"""`model.export`: written beside its place, run and compared with `predict`, moved into place, and a report of it."""

from __future__ import annotations

import os
import pathlib
from typing import Any

from lamina.core.keywords import keywords
from lamina.errors import ConfigError
from lamina.export.comparison import compare
from lamina.export.formats import FORMATS, format_of
from lamina.export.huggingface.writing import push
from lamina.export.placing import beside, check_file, check_folder, files_in
from lamina.export.report import ExportReport

__all__ = ["write_model"]


def write_model(
    model: Any, filepath: str | os.PathLike[str], format: str | None, verbose: bool, input_signature: Any, **kwargs: Any
) -> ExportReport:
    """What `Model.export` does; see there.

    Args:
        model: Model.
        filepath: File or folder.
        format: Name of the format; None means that of the ending.
        verbose: Whether to print the report.
        input_signature: Shapes and types of the inputs; None means those of the model.
        **kwargs: `verify`, `is_static`, and those of one format.
    """
    format = format_of(filepath, format)
    options = _options(format, kwargs)
    verify, repo_id = options.pop("verify"), options.pop("repo_id", None)
    target = _place(pathlib.Path(filepath), format)
    signature = model._symbolic_inputs() if input_signature is None else input_signature
    report = ExportReport(target, format)
    last: list[str] = []
    with beside(target, not FORMATS[format].ending, last, FORMATS[format].replaced) as place:
        written = FORMATS[format].write(model, signature, place, **options)
        report.operators, report.facts, report.lost = dict(written.operators), written.facts, written.lost
        report.lost += [*_conditions(written.avals), *(_states(model) if written.operators else ())]
        report.files = files_in(place)
        report.size = sum((place / name).stat().st_size for name in report.files) or place.stat().st_size
        if verify is not False:
            compare(model, written, None if verify is True else verify, report)
        last.append(written.last)
    if repo_id:
        report.checks.append(f"pushed to {push(target, repo_id)}")
    if verbose:
        print(report)
    return report


def _options(format, kwargs):
    """The arguments of the format, and those of all; an error names the format that an argument is of."""
    every = {name: None for entry in FORMATS.values() for name in entry.options}
    names = {"verify": True, "is_static": True, **every}
    options = dict(zip(names, keywords("export", kwargs, **names), strict=True))
    if not options.pop("is_static"):
        raise ConfigError("An exported model keeps no state between calls.", fix="Leave is_static out.")
    for name in every:
        if name not in FORMATS[format].options and options.pop(name) is not None:
            of = next(other for other, entry in FORMATS.items() if name in entry.options)
            raise ConfigError(
                f"{name} is of the format {of!r}; this one is {format!r}.", fix=f'format="{of}", or leave {name} out'
            )
    return options


def _place(target, format):
    """The file, or the folder of a format of several files; a format of one file may be given a folder too."""
    ending = FORMATS[format].ending
    if target.suffix.lower() == ending and ending:
        check_file(target, f"model.export({str(target.with_stem(f'{target.stem}_file'))!r})")
        return target
    check_folder(target, f"model.export({f'{target}_{format}'!r}, format={format!r})")
    return target / f"serve{ending}" if ending else target


def _states(model):
    """Layers whose state the file has as it is now."""
    layers = [layer.name for layer in model._flatten_layers() if getattr(layer, "stateful", False)]
    return [f"the state of {name!r} between calls: each call starts from that of now" for name in layers]


def _conditions(avals):
    """What open sizes must be for the program to take them."""
    lines, names = [], []
    for number, aval in enumerate(avals or ()):
        for axis, size in enumerate(aval.shape):
            if isinstance(size, int) or str(size) == "batch" or not hasattr(size, "scope"):
                continue
            factor, _, name = str(size).rpartition("*")
            names.append(name)
            least = [str(each) for each in size.scope._explicit_constraints if f"({name}>=" in str(each)]
            least = int(least[0].partition(">=")[2].rstrip(")")) if least else 1
            if least > 1 or factor:
                what = f"a multiple of {factor}" if factor else f"at least {least}"
                lines.append(f"axis {axis} of input {number} has to be {what}")
    if len(names) > len(set(names)):
        lines.append("all open sizes but that of the batch have to be equal")
    return lines

"""Find the models that a command works on, in a file or by running a script."""

from __future__ import annotations

import argparse
import contextlib
import pathlib
import shlex
import sys
from collections import namedtuple
from typing import Any

import numpy as np

from lamina.cli.script import ScriptFailed, run_program
from lamina.errors import CallError, FileError
from lamina.models import Model
from lamina.runtime import settings
from lamina.saving import load_model
from lamina.saving.safety.limits import parse_json
from lamina.spelling.nearest import nearest
from lamina.training.trainer import Trainer

__all__ = ["Found", "find_models", "has_weights", "read_model"]

Found = namedtuple("Found", "name model x y")
"""A model, its name, and the arrays of its last `fit` (None if `fit` was not called with arrays)."""


def find_models(args: argparse.Namespace) -> Any:
    """A list of Found: the model in a file, or the models in a script's global variables."""
    target = pathlib.Path(args.target)
    if target.suffix not in (".py", ".ipynb"):
        if args.name:
            raise CallError(f"--name is for scripts; {target} is a model.", fix="Leave --name out.")
        return [Found(str(target), read_model(target), None, None)]
    said = contextlib.redirect_stdout(sys.stderr)  # keep the output of the script separate from that of the command
    with said, _short_training(args.steps), _watching_fit() as trained:
        names = _globals_of(target, shlex.split(args.args))
    models = {name: value for name, value in names.items() if isinstance(value, Model) and not name.startswith("_")}
    if args.name:
        if args.name not in models:
            raise CallError(
                f"{target} has no model {args.name!r}; it has: {', '.join(models) or 'none'}.",
                fix=f"--name {(nearest(args.name, models, 1) or [*models])[0]}" if models else None,
            )
        models = {args.name: models[args.name]}
    if not models:
        raise CallError(
            f"{target} ran, and none of its global variables holds a model.",
            fix="Keep the model in a variable of the module: model = make_model().",
        )
    once = {id(model): (name, model) for name, model in reversed(models.items())}
    return [Found(name, model, *trained.get(id(model), (None, None))) for name, model in reversed(once.values())]


def read_model(path: str | pathlib.Path) -> Any:
    """Load a model from a file or folder."""
    path = pathlib.Path(path)
    if path.name.endswith((".weights.h5", ".safetensors", ".weights.json")):
        raise FileError(f"{path} has weights but no architecture.", fix="lamina convert needs --model MODEL.")
    return load_model(path)


def has_weights(path: str | pathlib.Path) -> bool:
    """Whether a file that `read_model` read has weights; that of `to_json` has none, and the model gets random ones."""
    path = pathlib.Path(path)
    return path.suffix != ".json" or "class_name" not in parse_json(path.read_bytes(), path)


def _globals_of(target, arguments):
    try:
        return run_program(str(target), arguments)
    except ScriptFailed as error:
        raise ScriptFailed(f"{error.message} Its models were not looked at.") from error
    except SystemExit as stop:
        raise ScriptFailed(
            f"{target} ended itself by sys.exit({stop.code!r}), so its variables are gone.",
            fix="Pass what it needs: --args '...'.",
        ) from stop


@contextlib.contextmanager
def _short_training(steps):
    """A context in which `fit` makes no checks and runs `steps` steps of one epoch; 0 does not limit the run."""
    before = settings.checks(), settings.max_epochs(), settings.max_steps_per_epoch()
    _set("off", *((1, steps) if steps else before[1:]))
    try:
        yield
    finally:
        _set(*before)


def _set(checks, epochs, steps):
    settings.set_checks(checks)
    settings.set_max_epochs(epochs)
    settings.set_max_steps_per_epoch(steps)


@contextlib.contextmanager
def _watching_fit():
    """A context that records the arrays passed to `fit`: {id of the model: (x, y)}."""
    trained, fit = {}, Trainer.fit

    def watched(self, x=None, y=None, *args, **kwargs):
        if _are_arrays(x):
            trained[id(self)] = x, y
        return fit(self, x, y, *args, **kwargs)

    Trainer.fit = watched
    try:
        yield trained
    finally:
        Trainer.fit = fit


def _are_arrays(x):
    leaves = list(x.values()) if isinstance(x, dict) else x if isinstance(x, (list, tuple)) else [x]
    return bool(leaves) and all(isinstance(leaf, np.ndarray) or hasattr(leaf, "__array__") for leaf in leaves)

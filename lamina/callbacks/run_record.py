"""RunRecord: what a run of `fit` depended on and what its steps gave, in a folder, to be compared with another run."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import re
import sys
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from lamina.callbacks.run_state import Snapshot
from lamina.core import context, tree
from lamina.errors import FileError
from lamina.runtime import processes
from lamina.runtime.atomic_files import atomic_write, make_folder
from lamina.runtime.digests import digest, digests
from lamina.runtime.random_state import random_states
from lamina.runtime.versions import environment, versions_of_run
from lamina.saving.checkpoints import LatestWriter
from lamina.saving.safety.damage import contents_of

__all__ = ["RunRecord", "differences", "read_run", "record_folder", "recording_elsewhere"]

_RECORD, _TRACE = "run.json", "steps.jsonl"
_PARTS = {**dict.fromkeys(("program", "versions", "environment", "data", "seeds", "weights"), dict),
          "model": str, "optimizer": str}  # fmt: skip
_PROGRAM = {"file": (str, type(None)), "arguments": list, "folder": str, "digests": dict}
_STEP = {"epoch": int, "batch": int, "logs": dict, "weights": dict}
_LOSS = "A step could not be noted in the record of the run: {}. Training continues."
_SECRET = re.compile("KEY|TOKEN|SECRET|PASSWORD", re.IGNORECASE)  # names of settings that are not written down
_elsewhere: dict[str, str] = {}  # folder of a run -> where `lamina reproduce` lets the same program record instead


def record_folder(folder: str | os.PathLike[str]) -> str:
    """Where a run with this folder is kept: there, or where `recording_elsewhere` says.

    Args:
        folder: Folder of the run.
    """
    return _elsewhere.get(os.path.abspath(folder), os.fspath(folder))


@contextlib.contextmanager
def recording_elsewhere(folder: str | os.PathLike[str], instead: str | os.PathLike[str]) -> Iterator[None]:
    """Inside the block a run with this folder begins anew in another one.

    Args:
        folder: Folder of the run.
        instead: Empty folder.
    """
    _elsewhere[os.path.abspath(folder)] = os.fspath(instead)
    try:
        yield
    finally:
        del _elsewhere[os.path.abspath(folder)]


class RunRecord:
    """Writes the record of a run: `run.json` when it begins, and a line of `steps.jsonl` at steps 1, 2, 4, 8, ... of
    the first epoch and at the end of each.

    Args:
        folder: Folder of the run.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder: pathlib.Path = pathlib.Path(folder)
        self._next: int = 1
        self._writer = LatestWriter(self._write, _LOSS)

    def begin(self, model: Any) -> None:
        """Write what the run depends on.

        Args:
            model: Model that is about to be trained.
        """
        seeds = {name: digest(value) for name, value in random_states().items()}
        seeds |= {f"lamina {place}": digest(ref.read()) for place, ref in enumerate(context.global_refs())}
        known = {name: value for name, value in environment().items() if not _SECRET.search(name)}
        record = {
            "format": 1, "program": _program(), "versions": versions_of_run(), "environment": known,
            "seeds": seeds, "data": _data(model.training_batches), "weights": _weights(model),
            "optimizer": _config(model.optimizer), "model": hashlib.sha256(_config(model).encode()).hexdigest(),
        }  # fmt: skip
        if not processes.is_first():
            return
        make_folder(self.folder)
        with atomic_write(self.folder / _RECORD) as beside:
            pathlib.Path(beside).write_text(json.dumps(record, indent=1), "utf-8")
        (self.folder / _TRACE).write_text("", "utf-8")

    def go_on(self, epoch: int, batch: int) -> None:
        """Go on with the trace of a run that is resumed: lines of steps that it makes again are dropped, and so is one
        that was not written whole.

        Args:
            epoch, batch: Epochs, and batches of the running epoch, that were trained.
        """
        if not processes.is_first():
            return
        lines = []
        with contextlib.suppress(FileNotFoundError):  # of a copied folder: the trace begins here
            lines = contents_of(self.folder / _TRACE).decode("utf-8", "replace").splitlines()
        lines = [line for line in lines if _is_before(line, (epoch, batch))]
        self._next = max([1, *(2 * json.loads(line)["batch"] for line in lines)])
        with atomic_write(self.folder / _TRACE) as beside:
            pathlib.Path(beside).write_text("".join(f"{line}\n" for line in lines), "utf-8")

    def note(
        self, model: Any, snapshot: Snapshot, epoch: int, batch: int, logs: dict[str, Any], at_end: bool = False
    ) -> None:
        """Note the loss and the weights after a step, where it is time. A thread digests and writes them; the next call
        waits for it.

        Args:
            model: Model.
            snapshot: Snapshot of its variables.
            epoch: Number of the epoch.
            batch: How many batches of it were trained; at its end 0.
            logs: Losses and metrics.
            at_end: Whether the epoch ends.
        """
        if not at_end and (epoch or batch < self._next):
            return
        self._next = max(2 * batch, 1)
        if not processes.is_first():
            return
        values = {name: float(np.asarray(value)).hex() for name, value in logs.items() if np.size(value) == 1}
        self._writer.finish()  # so that at most one copy of the weights waits here
        weights = {variable.path: snapshot.of(variable) for variable in model.variables}
        self._writer.put({"epoch": epoch, "batch": batch, "logs": values}, weights)

    def _write(self, line, weights):
        line["weights"] = {name: digest(value) for name, value in weights.items()}
        with open(self.folder / _TRACE, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def wait(self) -> None:
        """Wait until the last line is written."""
        self._writer.wait()

    def settle(self) -> None:
        """Wait until the last line is written, and warn if it could not be."""
        self._writer.finish()


def _is_before(line, place):
    """Whether a line of the trace is whole and of a step that was made before a place (epoch, batch)."""
    try:
        found = json.loads(line)
        epoch, batch = found["epoch"], found["batch"]
        return isinstance(epoch, int) and isinstance(batch, int) and (epoch + (not batch), batch) <= place
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _weights(model):
    return digests({variable.path: variable.read() for variable in model.variables})


def _data(batches):
    """name -> digest of each array of the data (of large ones a sample); of the first batch where they come one by
    one."""
    whole = hasattr(batches, "leaves")
    parts = batches.structure.unflatten(batches.leaves) if whole else batches.peek()
    named = {}
    for name, part in zip(("x", "y", "sample_weight"), parts, strict=False):
        leaves = [leaf for leaf in tree.flatten(part) if isinstance(leaf, (np.ndarray, jax.Array))]
        for place, leaf in enumerate(leaves):
            label = (name if len(leaves) == 1 else f"{name}[{place}]") + ("" if whole else ", first batch")
            named[label] = digest(leaf, sample=True)
    return named


def _program():
    """The main program with its arguments, and the digests of its file and of the modules beside it."""
    main = sys.modules.get("__main__")
    path = getattr(main, "__file__", None) or (sys.argv[0] if sys.argv else "")
    path = os.path.abspath(path) if path and os.path.isfile(path) else None
    folder = os.path.dirname(path) + os.sep if path else None
    beside = {str(getattr(module, "__file__", None) or "") for module in list(sys.modules.values())}
    files = sorted(
        {path, *(one for one in beside if folder and one.startswith(folder) and one.endswith(".py"))} - {None}
    )
    return {
        "file": path, "arguments": sys.argv[1:], "folder": os.getcwd(),
        "digests": {str(one): hashlib.sha256(pathlib.Path(one).read_bytes()).hexdigest() for one in files if one},
    }  # fmt: skip


def _config(thing):
    """The config of a model or an optimizer as text; its class alone where it has none."""
    try:
        config = thing.get_config()
    except Exception:  # of the user's own: a record must not stop a training
        config = {}
    name = type(thing).__name__
    return name + json.dumps(config, default=lambda one: type(one).__name__, sort_keys=True, skipkeys=True)


def read_run(folder: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[tuple[int, int], dict[str, Any]]]:
    """(what a run depended on, (epoch, batch) -> its line): the record in a folder.

    Args:
        folder: Folder of the run.

    Raises:
        FileError: There is no record, or it is damaged.
    """
    path, fix = pathlib.Path(folder), f'model.fit(x, y, resume="{folder}")'
    try:
        record = json.loads(contents_of(path / _RECORD))
        lines = [json.loads(line) for line in contents_of(path / _TRACE).splitlines()]
        for part, kinds in ((record, _PARTS), (record["program"], _PROGRAM), *((line, _STEP) for line in lines)):
            if wrong := [name for name, kind in kinds.items() if not isinstance(part[name], kind)]:
                raise FileError(
                    f"{path} has no record of a run that can be read: its {wrong[0]} is of another kind.", fix=fix
                )
        for value in (value for line in lines for value in line["logs"].values()):
            float.fromhex(value)
        return record, {(line["epoch"], line["batch"] or sys.maxsize): line for line in lines}
    except FileError:
        raise
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise FileError(f"{path} has no record of a run that can be read: {error}.", fix=fix) from error


def differences(
    first: tuple[dict[str, Any], dict[Any, Any]], second: tuple[dict[str, Any], dict[Any, Any]]
) -> Iterator[str]:
    """What differs between two runs, in the order in which a run uses it: program, versions, environment, data, seeds,
    initial weights, then the first step whose numbers differ.

    Args:
        first: What `read_run` returned for the run that was recorded.
        second: The same for the run that is compared with it.
    """
    (before, steps), (after, again) = first, second
    for what, old, new in (
        ("program", before["program"]["digests"], after["program"]["digests"]),
        ("version of", before["versions"], after["versions"]),
        ("environment:", before["environment"], after["environment"]),
        ("data:", before["data"], after["data"]),
        ("state of the random generator", before["seeds"], after["seeds"]),
        ("initial weights of", before["weights"], after["weights"]),
    ):
        for name in [name for name in {**old, **new} if old.get(name) != new.get(name)]:
            known = {"version of", "environment:"}
            yield f"{what} {name}" + (f": {old.get(name)}, now {new.get(name)}" if what in known else " differs")
    for what in ("model", "optimizer"):
        if before[what] != after[what]:
            yield f"the config of the {what} differs"
    for place in sorted({*steps, *again}):
        where = f"epoch {place[0] + 1}" + (f", batch {place[1]}" if place[1] != sys.maxsize else ", at its end")
        if place not in steps or place not in again:
            yield f"{where}: only {'the recorded' if place in steps else 'the new'} run came there"
            return
        old, new = steps[place], again[place]
        wrong = [name for name in old["weights"] if old["weights"][name] != new["weights"].get(name)]
        logs = [name for name in old["logs"] if old["logs"][name] != new["logs"].get(name)]
        if wrong or logs:
            said = [f"{n} was {float.fromhex(old['logs'][n]):.9g}" for n in logs]
            yield f"first different step: {where}; " + "; ".join(
                [*said[:3], *(f"{name} differs" for name in wrong[:3])]
            )
            return

"""The whole state of a run of `fit`: captured, and restored so that the run continues to the bit."""

from __future__ import annotations

import contextlib
import io
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from lamina.core import context
from lamina.core.dtypes import numpy_dtype
from lamina.core.placement import is_locally_complete, to_numpy
from lamina.errors import FileError, warn
from lamina.runtime import processes
from lamina.runtime.versions import versions_of_run
from lamina.saving.safety.damage import damaged
from lamina.saving.safety.limits import naming
from lamina.saving.safety.records import is_plain, read_record, write_record

__all__ = [
    "KEYS", "Changes", "ResumePoint", "Snapshot", "capture", "describe", "labelled", "of_each_process",
    "read_variables", "watch_data", "write_variables",
]  # fmt: skip

KEYS = frozenset("data epoch batch logs stopped taken opened_at states values callbacks".split())  # of a backup
_KINDS = {"epoch": int, "batch": int, "taken": int, "stopped": bool, "logs": dict, "values": list, "callbacks": dict}
_ADVICE = "Give each run a folder of its own, or delete the backup."
_LARGEST_OF_DATA = 16 * 2**20  # bytes; a larger attribute of a data set is the data itself


class Changes:
    """What changed in an object since this was created: attributes with plain values, or what `get_state` returns.

    What did not change is not part of the state: the run that resumes may have other settings.
    """

    before: Any

    def __init__(self, thing: Any, largest: Any = None) -> None:
        self.thing = thing
        self.largest = largest
        self.before = {name: _digest(record) for name, record in self._records().items()}

    def state(self) -> Any:
        """name -> record, in bytes."""
        return {name: data for name, data in self._records().items() if self.before.get(name) != _digest(data)}

    def restore(self, state: Any) -> None:
        """Give the object the state of another object of its class."""
        values = {name: read_record(data.tobytes()) for name, data in state.items()}
        if hasattr(self.thing, "set_state"):
            if values:
                self.thing.set_state(values["state"])
            return
        for name, value in values.items():
            setattr(self.thing, name, value)

    def _records(self):
        if hasattr(self.thing, "get_state"):
            return {"state": _record(self.thing.get_state())}
        kept = {name: value for name, value in vars(self.thing).items() if name not in ("model", "params")}
        small = {name: value for name, value in kept.items() if not self.largest or _size(value) <= self.largest}
        return {name: _record(value) for name, value in small.items() if is_plain(value)}


def _size(value):
    return sum(map(_size, value)) if isinstance(value, (list, tuple)) else getattr(value, "nbytes", 0)


def _record(value):
    file = io.BytesIO()
    write_record(value, file)
    return np.frombuffer(file.getvalue(), "uint8")


def _digest(record):
    """The SHA-256 of what a record holds, with which it ends."""
    return record[-32:].tobytes()


def watch_data(batches: Any) -> None:
    """Let `batches` save the state of their data set, which hooks of the epoch may change."""
    data = getattr(batches, "hooks", None)
    if data is not None and hasattr(data, "__dict__"):
        changes = Changes(data, _LARGEST_OF_DATA)
        batches.state_of_data, batches.set_state_of_data = changes.state, changes.restore


def describe(batches: Any) -> Any:
    """The size of the data, in words."""
    of = {"samples": batches.num_samples, "batches": batches.num_batches, "a batch": batches.batch_size}
    known = (f"{count} {name}" for name, count in of.items() if count is not None)
    return ", ".join(known) or "no known number of batches"


def is_whole(record: Any) -> bool:
    """Whether a record has all parts of a backup, and words where a run is compared with it."""
    if not isinstance(record, dict) or not set(record) >= KEYS or not isinstance(record.get("versions", {}), dict):
        return False
    words = [record["data"], *record.get("versions", {}).values()]
    return all(isinstance(one, str) for one in words)


def labelled(callbacks: Any) -> Any:
    """name -> Changes for each callback: its class, and a number from the second of a class on."""
    seen, changes = Counter(), {}
    for callback in callbacks:
        name = type(callback).__name__
        seen[name] += 1
        changes[name if seen[name] == 1 else f"{name} {seen[name]}"] = Changes(callback)
    return changes


class Snapshot:
    """The values of variables between two steps. Each is copied once, however often it is asked for, so that the next
    step does not overwrite it."""

    def __init__(self) -> None:
        self._values: dict[Any, Any] = {}

    def of(self, variable: Any) -> Any:
        """The value of a variable.

        Args:
            variable: Variable, or a seed of the process.
        """
        if variable not in self._values:
            self._values[variable] = variable.read()
        return self._values[variable]


def capture(
    model: Any,
    snapshot: Snapshot,
    changes: Any,
    epoch: Any,
    batch: Any,
    logs: dict[str, Any],
    position: tuple[Any, int] | None = None,
) -> Any:
    """All that the rest of the run depends on.

    Args:
        model: Model of the run.
        snapshot: Snapshot of its variables.
        changes: Changes of the callbacks, by name.
        epoch, batch: Epochs, and batches of the running epoch, that were trained.
        logs: Logs of the last step.
        position: Position in the data. None means the current one.
    """
    batches = model.training_batches
    opened_at, taken = batches.position() if position is None else position
    return {
        "versions": versions_of_run(),
        "epoch": epoch,
        "batch": batch,
        "logs": {name: value for name, value in logs.items() if is_plain(value)},
        "stopped": bool(model.stop_training),
        "taken": taken,
        "opened_at": opened_at,
        "states": batches.states(),
        "iterator": batches.state_of_iterator(taken),
        "values": [
            value if is_locally_complete(value) else to_numpy(value) for value in map(snapshot.of, _variables(model))
        ],
        "callbacks": {name: change.state() for name, change in changes.items()},
    }


_OWN = ("opened_at", "taken", "states", "iterator")  # what differs where each process reads data of its own


def of_each_process(record: dict[str, Any], joins: bool) -> dict[str, Any]:
    """{"processes": number -> the part of a record that is of one process}, for those that differ from the first.

    Args:
        record: What `capture` returned in this process.
        joins: Whether this process writes a file.
    """
    if processes.together() is None:
        return {}
    part = _record({name: record[name] for name in _OWN})
    digests = processes.gather(part[-32:].tobytes().hex(), "comparing positions in the data")
    if len(set(digests)) == 1:
        return {}
    mine = part.tobytes().hex() if digests[processes.number()] != digests[0] else None
    parts = processes.gather(mine, "gathering positions in the data")
    found = {str(index): np.frombuffer(bytes.fromhex(one), "uint8") for index, one in enumerate(parts) if one}
    return {"processes": found} if joins else {}


class ResumePoint:
    """Where a run resumes: the epoch, the number of its batches trained before, and whether the run was stopped."""

    epoch: Any
    batch: Any
    stopped: Any
    logs: Any

    def __init__(self, model: Any, record: Any) -> None:
        self._model, self._before = model, [to_numpy(value) for value in read_variables(model)]
        with self.whole_or_as_before():
            own = record.get("processes", {}).get(str(processes.number()))
            self._record = record if own is None else {**record, **read_record(own.tobytes())}
            if any(type(record[key]) is not kind or (kind is int and record[key] < 0) for key, kind in _KINDS.items()):
                raise damaged("The newest backup has a part of another kind than a run writes.")
            self.epoch, self.batch, self.stopped = record["epoch"], record["batch"], record["stopped"]
            self.logs = record["logs"]  # of the last batch, which may be the last of its epoch
            write_variables(model, record["values"])

    def restore(self, changes: Any) -> None:
        """Restore the states of the other callbacks."""
        with self.whole_or_as_before():
            for name, state in self._record["callbacks"].items():
                if name in changes:
                    changes[name].restore(state)
                elif state:
                    warn(f"The backup has the state of the callback {name}, which is not in this run.")

    def replay(self, batches: Any) -> Any:
        """The rest of the epoch: batches in the same order, without those trained before."""
        with self.whole_or_as_before():
            record = self._record
            batches.resume(record["opened_at"], record["taken"], self.batch, record.get("iterator"))
            batches.set_states(self._record["states"])
        if self.batch:  # restore the metrics in the middle of an epoch; at its start they are reset
            write_variables(self._model, self._record["values"])
        return batches.epoch(self.batch)

    @contextlib.contextmanager
    def whole_or_as_before(self) -> Iterator[None]:
        """A context whose errors name the backup, after which the model is as it was before the run."""
        try:
            with naming("The newest backup"):
                yield
        except BaseException:
            write_variables(self._model, self._before)
            raise


def _variables(model):
    """Every variable that a training step reads, in a fixed order, and the seeds of the process."""
    model._runner.refresh()
    groups = model._runner.groups
    return [*(variable for group in sorted(groups) for variable in groups[group]), *context.global_refs()]


def read_variables(model: Any) -> list[Any]:
    """The value of every variable that a training step reads, and of the seeds of the process."""
    return [variable.read() for variable in _variables(model)]


def write_variables(model: Any, values: Any) -> None:
    """Set what `read_variables` returned.

    Raises:
        FileError: For the values of another model.
    """
    variables = _variables(model)
    if len(variables) != len(values):
        raise FileError(
            f"The backup has {len(values)} variables, this run has {len(variables)}: the models differ.", fix=_ADVICE
        )
    for variable, value in zip(variables, values, strict=True):
        if value.shape != variable.shape or value.dtype != numpy_dtype(variable.dtype):
            raise FileError(
                f"The backup has {value.dtype}{value.shape} for {variable.path}, "
                f"which is {variable.dtype}{variable.shape}.",
                fix=_ADVICE,
            )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)

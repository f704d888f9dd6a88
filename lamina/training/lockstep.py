"""Lockstep: processes that train one model take each step together, or none of them takes it."""

from __future__ import annotations

import contextlib
import itertools
import signal
import zlib
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from lamina.core import context
from lamina.errors import DataError, warn
from lamina.runtime import processes
from lamina.runtime.digests import digest
from lamina.runtime.random_state import random_states, set_random_states
from lamina.training.data.shares import share_of

__all__ = ["agree_on_order", "batch_of_all", "call_of_all", "in_lockstep", "is_agreed"]

_NAMES = {"train": "fit", "test": "evaluate or a validation", "predict": "predict"}


def in_lockstep(rest: Iterator[Any], first: int, run: Any, stop: str) -> Iterator[Any]:
    """The batches of a pass in this process, as long as all processes have one and none asked to stop.

    Args:
        rest: The batches.
        first: Number of the first of them in its pass.
        run: The Pass. A signal that one process received becomes the `agreed` of its Interrupts in all.
        stop: Attribute of the model that asks to stop.

    Raises:
        DataError: The batches differ, or one process has fewer.
        ProcessError: Another process raised an error, has ended, or is doing something else.
    """
    model, interrupts = run.model, run.interrupts
    share, is_told = run.batches.share, not _have_same_data()
    if share is not None:
        model._runner.refresh()  # a ShardedExecution is there before the first step
    for number in itertools.count(first):
        batch = next(rest, None)
        # JAX tells of a notice once, so a call that cannot end the program does not ask
        ends = interrupts.requested or (interrupts.takes_ends and _preemption()) or None
        state = {"stop": bool(getattr(model, stop)), "ends": ends, "point": _points[0], **_state_of(batch, share)}
        states = processes.gather(state, f"batch {number} of {_NAMES[run.kind]}")
        _points[0] = max(one["point"] for one in states) + interrupts.takes_ends
        if any(one["stop"] for one in states):
            setattr(model, stop, True)
            return
        asked = [one["ends"] for one in states if one["ends"] is not None]
        interrupts.agreed = asked[0] if asked else None
        if all(one["batch"] is None for one in states):
            return
        is_told = _agree(model, number, states, share, is_told)
        yield batch


@contextlib.contextmanager
def call_of_all(call: str, model: Any, batches: Any, settings: str = "", validation: Any = None) -> Iterator[None]:
    """A block that all processes begin and end together, with a model and data that fit those of the others.

    Args:
        call: Name of the method.
        model: Model.
        batches: Its data.
        settings: What else has to be the same, in words.
        validation: Its validation data, or None.
    """
    size = batches.batch_size
    if size is not None and _have_same_data():
        settings = f"batches of {size}{settings}"
    sharded = model._runner.sharded
    if call == "fit" and not (sharded is not None and sharded.comparison.is_done):
        settings += ", the first of this model"
    with processes.as_one(f"the start of {call} ({settings.removeprefix(', ')})", f"the end of {call}"):
        _compare_data(batches, "data")
        _compare_data(validation, "validation data")
        yield


def _have_same_data():
    """Whether all processes have the same data, in contrast to shares of it, or to models of their own."""
    return getattr(context.distribution(), "auto_shard_dataset", False)


def _compare_data(batches, name):
    """Raise an error if processes have different arrays, of which each would take its rows: some rows would be taken
    twice, and others never."""
    if processes.together() is None or not hasattr(batches, "sample") or not _have_same_data():
        return
    parts = zip(("x", "y", "sample_weight"), batches.sample(), strict=True)
    mine = {name: [digest(leaf) for leaf in jax.tree_util.tree_leaves(part)] for name, part in parts}
    settings = {"the number of rows": batches.num_samples, "shuffle": getattr(batches, "shuffle", None)}
    found = processes.gather(settings | mine, f"comparing the {name}")
    for number, other in enumerate(found):
        wrong = [part for part, value in found[0].items() if other[part] != value]
        if wrong:
            raise DataError(
                f"The processes have different {name}: {', '.join(wrong)} in process {number} and in process 0 differ.",
                fix="Give each process the same data in the same order. Where each has its own: "
                "DataParallel(auto_shard_dataset=False).",
            )


def batch_of_all(model: Any, batch: Any) -> Any:
    """A batch of `train_on_batch` and the like, which fits those of the other processes.

    Args:
        model: Model.
        batch: The batch.

    Raises:
        DataError: The batches differ.
    """
    if processes.together() is not None:
        model._runner.refresh()
        are_same = _have_same_data()
        share = None if are_same else share_of(context.distribution())
        _agree(model, 0, processes.gather(_state_of(batch, share), "comparing the batch"), share, not are_same)
    return batch


def agree_on_order() -> None:
    """Take the random numbers of the first process, if they differ, before an epoch draws the order of its rows: after
    a number that only one process drew, rows would be taken twice, and others never."""
    if processes.together() is None or not _have_same_data():
        return
    states = random_states()
    found = processes.gather([digest(value) for value in states.values()], "the order of an epoch")
    if any(one != found[0] for one in found):
        lists = {name: value.tolist() for name, value in states.items()}
        first = processes.agree(lists, "the random numbers of an epoch")
        set_random_states({name: np.array(first[name], value.dtype) for name, value in states.items()})


def is_agreed(value: Any, where: str) -> bool:
    """Whether a value is true in one of the processes.

    Args:
        value: The value in this process.
        where: What the process is doing, in words.
    """
    return any(processes.gather(bool(value), where))


_points = [0]  # of the next step: JAX asks for numbers that grow, and that are the same in all processes


def _preemption():
    """SIGTERM if JAX saw it in one of the processes; else None."""
    from jax._src import distributed
    from jax.experimental import multihost_utils

    if distributed.global_state.preemption_sync_manager is None:
        return None
    return signal.SIGTERM if multihost_utils.reached_preemption_sync_point(_points[0]) else None


def _state_of(batch, share):
    """What the other processes need to know of a batch: its shapes, and its number of rows or its first row."""
    shapes = _shapes(batch)
    if share is None:
        return {"batch": shapes, "rows": _first_rows(batch)}
    return {"batch": shapes, "share": (share.number, max((shape[0] for shape, _ in shapes or () if shape), default=0))}


def _agree(model, number, states, share, is_told):
    """Refuse batches that do not fit each other, and note how many rows each process has. Returns whether a warning
    told of different rows."""
    _check_alike(number, [one["batch"] for one in states], share is not None)
    if share is not None:
        model._runner.sharded.sizes = [rows for _, rows in sorted({tuple(one["share"]) for one in states})]
    elif not is_told and any(one["rows"] != states[0]["rows"] for one in states):
        return _tell_of_rows(number)
    return is_told


def _first_rows(batch):
    """Numbers that tell the first row of a batch from others."""
    leaves = [leaf for leaf in jax.tree_util.tree_leaves(batch) if isinstance(leaf, np.ndarray) and leaf.ndim]
    return [zlib.crc32(leaf[:1].tobytes()) for leaf in leaves if not leaf.dtype.hasobject]


def _tell_of_rows(number):
    """Say that the processes have different rows in batches of which each takes its part, or that all compute as one.
    Returns True."""
    if share_of(context.distribution()) is None:
        raise DataError(
            f"The processes have different data in batch {number}, which all of them compute together.",
            fix="Give each process the same batches: the same seeds, and no DistributedSampler.",
        )
    warn(
        f"The processes have different rows in batch {number}, of which each takes its own: some are used twice and "
        "others never. Give each the same batches, or where each has its own: DataParallel(auto_shard_dataset=False)."
    )
    return True


def _shapes(batch):
    """The shapes and dtypes of the leaves of a batch; None for the end of the data."""
    if batch is None:
        return None
    return [[list(leaf.shape), str(leaf.dtype)] for leaf in jax.tree_util.tree_leaves(batch)]


def _check_alike(number, shapes, are_parts):
    """Raise an error if the processes have different batches; parts of one batch may have different numbers of rows."""
    first = 1 if are_parts else 0
    alike = [one and [(shape[first:], dtype) for shape, dtype in one] for one in shapes]
    if any(one != alike[0] for one in alike):
        words = ", ".join(f"process {index} has {one}" for index, one in enumerate(_words(shapes)))
        raise DataError(
            f"The processes have different batches: of batch {number}, {words}.",
            fix="Give each process as many batches of the same size: batches.take(count), or steps_per_epoch=count.",
        )


def _words(shapes):
    """The batch of each process in words: its rows, if these differ, else its shapes."""
    rows = [one and {shape[0] for shape, _ in one if shape} for one in shapes]
    tell = any(one != rows[0] for one in rows) and all(one is None or len(one) == 1 for one in rows)
    return [
        "none" if one is None else f"{max(sizes)} rows" if tell else str([tuple(shape) for shape, _ in one])
        for one, sizes in zip(shapes, rows, strict=True)
    ]

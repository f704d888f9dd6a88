"""A record of compilations: of which program, when, how long they took, and whether they came from the disk."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import threading
import time
from collections.abc import Callable
from typing import Any

import jax

from lamina.runtime import compilation_cache
from lamina.runtime.gc_pause import no_collection
from lamina.runtime.terminal import console, text_buffer

__all__ = ["Compilation", "Compilations", "Recorder"]

_COMPILED = "/jax/core/compile/backend_compile_duration"
_FOUND, _WRITTEN = "/jax/compilation_cache/cache_hits", "/jax/compilation_cache/cache_misses"


@dataclasses.dataclass(frozen=True)
class Compilation:
    """One program that was compiled.

    Args:
        kind: "train", "test" or "predict"; "train, many of 32" is many steps of 32 samples in one program.
        batch: Shapes and types of its batch, "float32(32, 9), float32(32, 1)".
        when: Time at which it was ready.
        tracing: Seconds in which JAX traced the functions of Python.
        compiling: Seconds in which XLA compiled it or read it from the disk, or in which it was translated to a list
            of operations that needs no XLA.
        from_disk: Whether it was in the disk cache.
    """

    kind: str
    batch: str
    when: datetime.datetime
    tracing: float
    compiling: float
    from_disk: bool


class Compilations(list[Compilation]):
    """The compilations of a model in order; its repr is a table."""

    def __repr__(self) -> str:
        file = text_buffer()
        console(file, width=120).print(self)
        return file.getvalue().rstrip()

    def __rich__(self) -> Any:
        from rich.table import Table

        table = Table("Program", "Batch", "When", "Tracing", "Compiling", "From disk")
        for one in self:
            times = f"{one.tracing:.2f} s", f"{one.compiling:.2f} s"
            table.add_row(one.kind, one.batch, f"{one.when:%H:%M:%S}", *times, "yes" if one.from_disk else "no")
        return table


class Recorder:
    """Records the compilations of one model. `traced` is called inside a function while JAX traces it, `finish` after
    the call that caused the trace.

    Args:
        after: Called without arguments after each.

    Attributes:
        records: The compilations.
        current: The compilations in progress, by thread.
    """

    def __init__(self, after: Callable[[], object] = int) -> None:
        self.after: Callable[[], object] = after
        self.records: Compilations = Compilations()
        self.current: dict[int, Any] = {}

    def traced(self, kind: str, program: str, batch: Any) -> None:
        """Start the record of a compilation.

        Args:
            kind: Kind of the program.
            program: Name of the compiled function.
            batch: Arrays of the batch.
        """
        _listen()
        self.finish()
        self.current[threading.get_ident()] = _compiling.open = _Open(kind, program, batch)

    def finish(self, since: float | None = None) -> None:
        """End the record, whether or not the compilation succeeded.

        Args:
            since: Time at which a translation without XLA began; None if XLA compiled the program.
        """
        current = self.current.pop(threading.get_ident(), None)
        _compiling.open = None
        if current is not None and since is not None:
            current.end = time.perf_counter()
            current.compiling = current.end - since
        record = current.close() if current is not None else None
        if record is not None:
            self.records.append(record)
        if current is not None:
            self.after()


class _Open:
    """A program that is being compiled."""

    def __init__(self, kind, program, batch):
        self.kind, self.program = kind, program
        self.batch = ", ".join(f"{leaf.dtype}{leaf.shape}" for leaf in jax.tree_util.tree_leaves(batch))
        self.before, self.start = compilation_cache.entries(program), time.perf_counter()
        self.end, self.compiling = self.start, None
        self.found = self.written = False
        self.around = contextlib.ExitStack()
        self.around.enter_context(compilation_cache.quiet())
        self.around.enter_context(no_collection())

    def close(self):
        """The record; None if nothing was compiled."""
        self.around.close()
        if self.compiling is None:
            return None
        if self.written and not self.found and compilation_cache.entries(self.program) <= self.before:
            compilation_cache.forget(self.program)  # JAX wanted to write an entry that exists: it could not be read
        tracing = self.end - self.start - self.compiling
        return Compilation(self.kind, self.batch, datetime.datetime.now(), tracing, self.compiling, self.found)


_compiling = threading.local()
_listening: list[bool] = []


def _listen():
    """Register listeners for compilations of JAX, once in a process."""
    if not _listening:
        _listening.append(True)
        jax.monitoring.register_event_duration_secs_listener(_on_duration)
        jax.monitoring.register_event_listener(_on_event)


def _on_duration(event, duration_secs, **kwargs):
    current = getattr(_compiling, "open", None)
    if event == _COMPILED and current is not None:  # the last event is that of the whole program
        current.compiling, current.end = duration_secs, time.perf_counter()


def _on_event(event, **kwargs):
    current = getattr(_compiling, "open", None)
    if current is not None and event in (_FOUND, _WRITTEN):
        current.found, current.written = event == _FOUND, event == _WRITTEN

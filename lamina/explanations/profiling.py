"""profile: where the time of a training step goes, by layer, forward and backward, measured in the compiled step."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import glob
import re
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from lamina.core import context, tree
from lamina.core.typing import PyTree
from lamina.errors import CallError
from lamina.layers.base.call_context import around_layers
from lamina.runtime.terminal import console, text_buffer
from lamina.training.state import peek

__all__ = ["Profile", "ProfileRow", "profile"]

OTHERS = ("(loss)", "(optimizer and metrics)", "(calling the program)")
_CALL = OTHERS[2]
_SECONDS = 0.2  # of steps with the profiler, and without; the fastest one counts: other programs disturb it least
_FEWEST, _MOST = 7, 100  # steps
_CONTROL = ("while", "conditional", "call", "async")  # operations that contain others
_WINDOW = "lamina_step"


@dataclasses.dataclass
class ProfileRow:
    """The time of a layer, or of what is no layer, in one training step.

    Attributes:
        name: Name of the layer; in parentheses what is no layer.
        forward, backward: Milliseconds.
        layer: The layer; None for what is no layer.
    """

    name: str
    forward: float = 0.0
    backward: float = 0.0
    layer: Any = dataclasses.field(default=None, repr=False, compare=False)

    @property
    def total(self) -> float:
        """Milliseconds, forward and backward."""
        return self.forward + self.backward


@dataclasses.dataclass
class Profile:
    """Where the time of a training step goes. Print it, or let a notebook show it.

    Attributes:
        rows: A ProfileRow for each layer that takes time, in their order, then the loss, the optimizer, and what it
            takes to call a program with these arguments that computes nothing. Each is measured, and none is scaled.
        step: Milliseconds of the fastest of some steps, measured without the profiler.
        batch: Samples in the step.
        kind: "train", or "predict" for the step of a prediction.
    """

    rows: list[ProfileRow]
    step: float
    batch: int
    kind: str = "train"

    def __getitem__(self, name: str) -> ProfileRow:
        return next(row for row in self.rows if row.name == name)

    @property
    def accounted(self) -> float:
        """The sum of the rows, in shares of `step`: about 1."""
        return sum(row.total for row in self.rows) / self.step

    def as_dicts(self) -> list[dict[str, Any]]:
        """The rows as dicts, for JSON."""
        return [
            {"name": row.name, "forward": row.forward, "backward": row.backward, "share": row.total / self.step}
            for row in self.rows
        ]

    def __repr__(self) -> str:
        file = text_buffer()
        console(file, width=100).print(self)
        return file.getvalue().rstrip()

    def __rich__(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        what = "step" if self.kind == "train" else "prediction"
        title = (
            f"One {what} of {self.batch} samples: {self.step:.3g} ms, of which the rows make up {self.accounted:.0%}"
        )
        table = Table("Layer", title=title)
        for head in ("Forward ms", "Backward ms", "Share"):
            table.add_column(head, justify="right")
        for row in self.rows:
            times = (f"{time:.3f}" if time else "" for time in (row.forward, row.backward))
            table.add_row(Text(row.name), *times, f"{row.total / self.step:.0%}")
        return table


def profile(
    model: Any, x: PyTree, y: PyTree = None, sample_weight: PyTree = None, batch_size: int = 32, kind: str = "train"
) -> Profile:
    """Where the time of a training step goes, or that of a prediction.

    The compiled step runs under the profiler of JAX, on copies: nothing of the model changes. Each operation counts for
    the innermost layer that it was traced in, and operations at the same time share it. While none runs, the time
    counts for the one that starts next. XLA joins operations of neighbouring layers, such as a bias with the activation
    after it: these count for the layer of the last one. What it takes to call a program is measured by one that takes
    the same arguments and returns as many results, and computes nothing.

    Args:
        model: Model, compiled.
        x: Inputs.
        y: Targets.
        sample_weight: Weight of each sample.
        batch_size: Samples of the step.
        kind: "train", or "predict" for a prediction, for which the model need not be compiled.

    Raises:
        CallError: The model is not compiled, runs eagerly, or this JAX cannot read profiles.

    >>> import numpy as np
    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="dense")])
    >>> model.compile("sgd", "mse")
    >>> found = model.profile(np.ones((8, 4)), np.ones((8, 3)))
    >>> found.kind, found.batch
    ('train', 8)
    """
    if model.run_eagerly or (kind == "train" and not model.compiled):
        raise CallError("A profile is one of a compiled training step.", fix="model.compile('adam', 'mse')")
    reader = getattr(jax.profiler, "ProfileData", None)
    if reader is None:
        message = f"JAX {jax.__version__} has no jax.profiler.ProfileData, which reads profiles."
        raise CallError(message, fix="pip install --upgrade jax")
    batch = next(iter(model._batches(x, y, sample_weight, batch_size, None, False, None).epoch()))
    layers: list[Any] = []
    run, call, scopes = _compiled(model, batch, layers, kind)
    before = _fastest(run, call)
    windows, events = _traced(reader, run, _count(before[0]))
    times = _quickest(windows, events, _cost_of_an_event(reader))
    step, called = map(min, before, _fastest(run, call))  # the load of the machine changes meanwhile
    rows = {layer: ProfileRow(layer.name, layer=layer) for layer in layers}
    rows |= {name: ProfileRow(name) for name in OTHERS}
    rows[_CALL].forward = called * 1e3
    for operation, spent in times.items():
        place, backward = _place_of(scopes.get(operation, ""), layers, kind)
        row, spent = rows[place], spent / 1e6
        row.forward, row.backward = row.forward + spent * (not backward), row.backward + spent * backward
    size = next(leaf.shape[0] for leaf in tree.flatten(batch[0]) if getattr(leaf, "ndim", 0))
    return Profile([row for row in rows.values() if row.total], step * 1e3, size, kind)


def _count(seconds):
    """How many steps of this length are made."""
    return int(min(max(_SECONDS / seconds, _FEWEST), _MOST))


def _fastest(*functions):
    """The seconds of the fastest run of each function; they take turns, so that other programs disturb them alike."""
    for function in functions * 2:
        function()
    count = _count(_seconds(functions[0]))
    rounds = [[_seconds(function) for function in functions] for _ in range(count)]
    return [min(seconds) for seconds in zip(*rounds, strict=True)]


def _quickest(windows, events, cost):
    """operation -> nanoseconds, less those that noting its events takes, in the window in which they are fewest."""
    found: list[dict[str, float]] = []
    for start, end in windows:
        counts = Counter(name for first, _, name in events if start <= first < end)
        times = _attributed(events, start, end).items()  # None: the profiler itself takes time before and after
        found.append({name: max(spent - cost * counts[name], 0.0) for name, spent in times if name is not None})
    return min(found, key=lambda times: sum(times.values()))


@functools.cache
def _cost_of_an_event(reader) -> float:
    """Nanoseconds that the profiler adds to an operation, by a loop of small ones with and without it."""
    given = jnp.ones(3)

    def turns(x):
        return jax.lax.fori_loop(0, 300, lambda number, x: jnp.sort(x) * 1.01, x)

    loop = jax.jit(turns).lower(given).compile()
    nothing = jax.jit(lambda x: jnp.zeros(3), keep_unused=True).lower(given).compile()
    run, call = (lambda: jax.block_until_ready(loop(given))), (lambda: jax.block_until_ready(nothing(given)))
    alone, called = _fastest(run, call)
    windows, events = _traced(reader, run, _count(alone))
    noted = sum(windows[0][0] <= first < windows[0][1] for first, _, _ in events)
    spent = sum(_quickest(windows, events, 0.0).values())
    return max(spent - (alone - called) * 1e9, 0.0) / max(noted, 1)


def _traced(reader, run, count):
    """What `_read` finds in the trace of a few steps."""
    with tempfile.TemporaryDirectory() as folder:
        options = jax.profiler.ProfileOptions()
        options.python_tracer_level = 0  # under it, threads of CPython 3.11 can wait for each other for ever
        with jax.profiler.trace(folder, profiler_options=options):
            for _ in range(count):
                with jax.profiler.TraceAnnotation(_WINDOW):
                    run()
        (path,) = glob.glob(f"{folder}/**/*.xplane.pb", recursive=True)
        with warnings.catch_warnings():  # from Python 3.13 on jaxlib gives one, and ends the process if it is an error
            warnings.filterwarnings("ignore", r"builtin type \w+ has no __module__", DeprecationWarning)
            return _read(reader.from_file(path))


def _compiled(model, batch, layers, kind) -> tuple[Callable[[], Any], Callable[[], Any], dict[str, str]]:
    """(what runs a step, what calls a program that computes nothing, operation of the step -> the scope it was traced
    in). `layers` is filled."""
    runner = model._runner
    runner.build(batch)
    runner.refresh()
    ids: dict[Any, int] = {}

    def scoped(layer, run):
        if layer not in ids:
            ids[layer] = len(layers)
            layers.append(layer)

        def inside(*args, **kwargs):
            with jax.named_scope(f"lamina_{ids[layer]}_"):
                return run(*args, **kwargs)

        return inside

    groups = {name: peek(group) for name, group in runner.groups.items()}
    state, kept = (groups["trainable"], groups["others"], groups["optimizer"]), (groups["metrics"], {})
    if kind == "predict":
        state, kept = (), state[:2]
    arguments = state, kept, context.global_values(), batch
    step = runner.build_step(kind, None, "lamina_profile")
    step.__name__ = "lamina_profile"
    with around_layers(scoped), _scopes_in_disk_cache():
        program = jax.jit(step).lower(*arguments).compile()
    found = re.findall(r'%?([\w.\-]+) = [^\n]*?metadata=\{[^}]*?op_name="([^"]*)"', program.as_text() or "")
    count = len(jax.tree_util.tree_leaves(program.out_info))
    nothing = jax.jit(lambda *given: [jnp.zeros(())] * count, keep_unused=True).lower(*arguments).compile()

    def runner_of(one):
        return lambda: jax.block_until_ready(one(*arguments))

    return runner_of(program), runner_of(nothing), dict(found)


@contextlib.contextmanager
def _scopes_in_disk_cache():
    """A context in which the disk cache tells programs apart that differ in their scopes alone."""
    option = "jax_compilation_cache_include_metadata_in_key"
    before = getattr(jax.config, option)
    jax.config.update(option, True)
    try:
        yield
    finally:
        jax.config.update(option, before)


def _seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _read(data) -> tuple[list[tuple[float, float]], list[tuple[float, float, str]]]:
    """(start and end of each step, (start, end, operation) of each event), in nanoseconds."""
    windows, events = [], []
    for plane in data.planes:
        for line in plane.lines:
            for event in line.events:
                if event.name == _WINDOW:
                    windows.append((event.start_ns, event.start_ns + event.duration_ns))
                    continue
                operation = dict(event.stats).get("hlo_op")
                if operation:
                    events.append((event.start_ns, event.start_ns + event.duration_ns, str(operation)))
    return windows, events


def _attributed(events, start, end) -> dict[str | None, float]:
    """operation -> its part of the time between two moments; None -> the time before the first one and after the last.
    Operations at the same time share it, one that contains others has what these leave, and the time in which none runs
    counts for the one that starts next: it waits for its inputs and a thread."""
    marks = sorted(
        mark
        for first, last, name in events
        if last > start and first < end
        for mark in ((max(first, start), 1, name), (min(last, end), -1, name))
    )
    spent: dict[str | None, float] = defaultdict(float)
    active: dict[str, int] = defaultdict(int)
    now, begun = start, False
    for moment, change, name in [*marks, (end, 0, None)]:
        running = [one for one, count in active.items() if count > 0]
        inner = [one for one in running if not one.startswith(_CONTROL)] or running or [name if begun else None]
        for one in inner:
            spent[one] += (moment - now) / len(inner)
        if name is not None:
            active[name] += change
        now, begun = moment, True
    return dict(spent)


def _place_of(scope, layers, kind="train") -> tuple[Any, bool]:
    """(layer, or name of the row, whether it is backward) of an operation."""
    numbers, differentiated = re.findall(r"lamina_(\d+)_", scope), "jvp" in scope
    place = (
        layers[int(numbers[-1])]
        if numbers
        else OTHERS[0]
        if differentiated
        else OTHERS[1]
        if kind == "train"
        else _CALL
    )
    return place, "transpose" in scope.split("jvp")[0] if differentiated else False

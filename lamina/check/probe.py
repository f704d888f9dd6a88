"""The probe: some steps of a model on copies of its values, at its own learning rate and at others."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from lamina.callbacks.logs import read_logs
from lamina.check.looks import Looks, Record, is_fresh, norms_of_change
from lamina.check.plans import steps_of
from lamina.core import context, tree
from lamina.optimizers.schedules import LearningRateSchedule
from lamina.runtime.random_state import random_states, set_random_states
from lamina.training.state import peek

if TYPE_CHECKING:
    from lamina.check.subject import Subject
    from lamina.core.typing import PyTree

__all__ = ["LEARNS", "STAYS", "Probe", "Run", "take_probe"]

SECONDS = 3.0  # of the processor, in steps; a clock would let the load of the machine change what is found
FACTORS = (1.0, 0.1, 10.0, 0.01, 100.0)  # of the learning rate, in the order in which they are tried
LEARNS, STAYS = 0.3, 0.05  # falls of the loss, in shares, that are progress and none
_ROWS = 64  # of a batch at most
_STEPS, _REPEATS = 60, 40  # steps over the data, and on one batch with each learning rate
_FARTHEST = 1e-9, 1e6  # factors that are tried where those do not tell
_FEWEST, _FEWEST_REPEATS = 20, 15
_NEW = 10  # steps after which a model is no longer new: `lamina check train.py` trains one
_LATER = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5)  # steps at which a schedule is read


@dataclasses.dataclass
class Run:
    """Some steps with one learning rate.

    Attributes:
        losses: The loss before each step, on its batch.
        first, last: Logs of the first and of the last step.
    """

    losses: list[float] = dataclasses.field(default_factory=list)
    first: dict[str, Any] = dataclasses.field(default_factory=dict)
    last: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def is_finite(self) -> bool:
        """Whether all losses are finite."""
        return bool(np.isfinite(self.losses).all())

    @property
    def end(self) -> float:
        """The middle one of the last three losses."""
        return float(np.median(self.losses[-3:]))

    @property
    def fall(self) -> float:
        """By how much of its first value, or of its last where that is larger, the loss fell; negative if it rose."""
        if not self.is_finite:
            return -np.inf
        return (self.losses[0] - self.end) / max(abs(self.losses[0]), abs(self.end), 1e-12)


@dataclasses.dataclass
class Probe(Record):
    """What a probe measured; the rules that need a "probe" read it, and those that "watch".

    Attributes:
        subject: The model and the data.
        rate: The largest learning rate of the model's schedule, or its learning rate; None where it has none.
        along: Steps over the batches of the data.
        runs: factor of the learning rate -> steps on one batch.
        planned: How many steps `fit` would make; None where that is not known.
        error: What a step raised.
    """

    subject: Any = None
    rate: float | None = None
    along: Run = dataclasses.field(default_factory=Run)
    runs: dict[float, Run] = dataclasses.field(default_factory=dict)
    planned: int | None = None
    error: Exception | None = None

    @property
    def learns(self) -> bool:
        """Whether the loss falls on one batch at the model's own rate."""
        return 1.0 in self.runs and self.runs[1.0].fall >= STAYS


def take_probe(subject: Subject) -> Probe:
    """Make the steps. Nothing of the model, of the seeds or of NumPy's and Python's random generators changes.

    Args:
        subject: Model, compiled, and data.
    """
    model, found = subject.model, Probe(subject.model, subject=subject)
    states = None
    try:
        batches = _batches(subject)
        model._runner.build(batches[0])
        states = random_states()
        _make_steps(found, batches)
    except Exception as error:  # of the user's layers, or of data that do not fit: a finding
        found.error = error
    finally:
        if states is not None:
            set_random_states(states)
    return found


def _make_steps(found, batches):
    model, subject = found.model, found.subject
    stepper = _Stepper(model)
    found.rate, found.rows = stepper.rate, _rows_of(batches[0])
    found.fresh = is_fresh(model, _NEW)
    found.planned = steps_of(subject)
    looks = Looks(model) if subject.own_step else None
    began, seconds = time.process_time(), 0.0
    found.along, seconds = stepper.run(1.0, batches, _STEPS, began, looks, found)
    if stepper.rate is None or not (subject.own_step or "loss" in found.along.last):
        return  # the losses of several players say nothing about a rate
    left = SECONDS - (time.process_time() - began)
    repeats = min(_REPEATS, int(left / len(FACTORS) / max(seconds, 1e-9)))
    factors = FACTORS if repeats >= _FEWEST_REPEATS else FACTORS[:3]
    repeats = min(_REPEATS, int(left / len(factors) / max(seconds, 1e-9)))
    if repeats < _FEWEST_REPEATS:
        return
    for factor in factors:
        found.runs[factor], _ = stepper.run(factor, batches[:1], repeats)
    while (factor := _further(found.runs)) and time.process_time() - began < SECONDS:
        found.runs[factor], _ = stepper.run(factor, batches[:1], repeats)


def _further(runs):
    """A factor beyond those tried, where none of them brings the loss down: lower if the lowest makes it rise, higher
    if the highest leaves it as it is; None for none."""
    if max(run.fall for run in runs.values()) > LEARNS:
        return None
    lowest, highest = min(runs), max(runs)
    if runs[lowest].fall < -STAYS and lowest > _FARTHEST[0]:
        return lowest / 10
    return highest * 10 if abs(runs[highest].fall) < LEARNS and highest < _FARTHEST[1] else None


def _batches(subject):
    """Batches of one size, in an order of their own."""
    model, fit = subject.model, subject.settings
    leaves = [leaf for leaf in tree.flatten(subject.x) if leaf is not None]
    count, fixed = len(leaves[0]), _fixed_size(model)
    size = fixed or min(fit.get("batch_size") or 32, _ROWS, count)
    order = np.random.default_rng(0).permutation(count)[: _STEPS * size]
    data = tree.map_structure(
        lambda leaf: None if leaf is None else np.asarray(leaf)[order], (subject.x, subject.y, subject.sample_weight)
    )
    batches = model._batches(*data, size, None, False, fit.get("class_weight"))
    return list(batches.epoch())[: max(len(order) // size, 1)]


def _fixed_size(model):
    graph = getattr(model, "_graph", None)
    return None if graph is None else next((tensor.shape[0] for tensor in graph.input_tensors), None)


def _rows_of(batch):
    return next(leaf.shape[0] for leaf in tree.flatten(batch[0]) if getattr(leaf, "ndim", 0))


class _Stepper:
    """Makes steps from the values that a model has, as one compiled program.

    Args:
        model: Model, compiled and built.
    """

    def __init__(self, model: Any):
        runner: Any = model._runner
        runner.refresh()
        groups = {name: peek(group) for name, group in runner.groups.items()}
        with context.bind(runner.groups["metrics"], groups["metrics"]):
            model.reset_metrics()
            self._metrics: Any = [variable.read() for variable in runner.groups["metrics"]]
        self._values: Any = (groups["trainable"], groups["others"], groups["optimizer"])
        self._globals: Any = context.global_values()
        optimizers = list(_optimizers(model.optimizer))
        rates = [(one, _rate_of(one)) for one in optimizers]
        self.rate: float | None = rates[0][1] if rates else None
        step = runner.build_step("train", None, "lamina_probe")

        def steps(factor, values, metrics, global_values, batch):
            with _constant_rates(rates, factor):
                (logs, (*new, _, _)), changed = step(values, (metrics, {}), global_values, batch)
            after = [changed.get(index, value) for index, value in enumerate(global_values)]
            return logs, norms_of_change(new[0], values[0]), tuple(map(list, new)), after

        self._program: Any = steps if model.run_eagerly else jax.jit(steps)

    def run(
        self,
        factor: float,
        batches: list[PyTree],
        count: int,
        began: float = 0.0,
        looks: Any = None,
        record: Any = None,
    ) -> tuple[Run, float]:
        """(steps from the model's values, seconds of a step).

        Args:
            factor: Factor of the learning rate.
            batches: Batches that are taken in turns.
            count: How many steps.
            began: Processor time when the probe began
            looks: Looks to take at the first steps, in the middle and at the last ones; None for none.
            record: Record that gets the looks.
        """
        run, values, global_values, seconds, number = Run(), self._values, self._globals, 0.0, 0
        while number < count:
            batch = batches[number % len(batches)]
            look = None
            if looks is not None and (number in (0, count // 2) or number >= count - 3):
                look = looks.take((*values[:2], self._metrics), batch)
            start = time.process_time()
            logs, changes, values, global_values = self._program(factor, values, self._metrics, global_values, batch)
            logs = read_logs(logs)
            seconds = time.process_time() - start if number < 3 else min(seconds, time.process_time() - start)
            if look is not None and looks is not None:
                record.looks.append(looks.read({**look, "updates": changes}))
            run.losses.append(float(logs["loss"] if "loss" in logs else sum(logs.values())))
            run.first, run.last = run.first or logs, logs
            number += 1
            if number == 4 and looks is not None:
                count = max(_FEWEST, min(count, int(SECONDS / 4 / max(seconds, 1e-9))))
            if not np.isfinite(run.losses[-1]):
                break
        return run, seconds


def _optimizers(optimizer):
    """An optimizer, or those that it wraps."""
    inner = getattr(optimizer, "inner_optimizer", None) or getattr(optimizer, "optimizers", None)
    if inner is None:
        return [] if optimizer is None else [optimizer]
    return [leaf for one in (inner if isinstance(inner, (list, tuple)) else [inner]) for leaf in _optimizers(one)]


def _rate_of(optimizer):
    """The largest learning rate of the first hundred thousand steps: a warm-up begins at 0."""
    rate = optimizer._learning_rate
    if isinstance(rate, LearningRateSchedule):
        return max(float(np.asarray(rate(step))) for step in (0.0, *_LATER))
    return float(np.asarray(optimizer.learning_rate))


@contextlib.contextmanager
def _constant_rates(rates: list[tuple[Any, float]], factor: Any) -> Iterator[None]:
    """Inside the block, each optimizer moves at its rate times a factor, and in each step."""
    kept = [dict(vars(one)) for one, _ in rates]
    for one, rate in rates:
        vars(one).update(_learning_rate=lambda rate=rate: rate * factor, gradient_accumulation_steps=None)
    try:
        yield
    finally:
        for (one, _), before in zip(rates, kept, strict=True):
            vars(one).update({name: before[name] for name in ("_learning_rate", "gradient_accumulation_steps")})

"""Watch: a callback that measures activations, gradients and updates now and then, and prints what goes wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.callbacks import StopOnNonFinite
from lamina.check.findings import Findings
from lamina.check.rule import RULES
from lamina.check.subject import Subject
from lamina.core import context, tree
from lamina.facts.activations import SATURATION
from lamina.runtime.progress import say
from lamina.training import step
from lamina.training.data import unpack_x_y_sample_weight
from lamina.training.state import peek

__all__ = ["Record", "Watch"]

_ROWS = 64  # of the first batch, on which each look is taken


@dataclasses.dataclass
class Record:
    """What was measured so far; the rules LAM5xx read it.

    Attributes:
        model: Model that is trained.
        rows: Samples of the batch that looks are taken on.
        steps: Steps of an epoch; None where this is not known.
        fresh: Whether the optimizer had made no step before.
        looks: Dicts of numbers: "dead" and "saturated" (layer -> share), "gradients" and "weights" (path -> norm),
            "updates" (path -> norm of the change in one step), "loss".
        logs: Losses and metrics of each epoch.
        diagnosis: Diagnosis of a step that was not finite; None where there was none.
    """

    model: Any
    rows: int = 0
    steps: int | None = None
    fresh: bool = True
    looks: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    logs: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    diagnosis: Any = None


class Watch(StopOnNonFinite):
    """Callback that examines the training every few steps, and prints what goes wrong, with its code.

    Dead ReLUs, saturated activations, vanishing and exploding gradients, updates too large or too small for the
    weights, weights that never move; after each epoch a loss that is flat, jumps, or falls only on the training data;
    and like StopOnNonFinite it stops at the first step that is not finite. A look computes gradients of 64 samples in
    one compiled program; nothing waits for it before the epoch ends.

    Args:
        every: Steps between two looks.
        verbose: 1 prints findings, 0 does not; `findings` has them either way.
        ignore: Codes of findings that are left out.

    >>> import numpy as np
    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("adam", "mse")
    >>> watch = keras.check.Watch(every=1)
    >>> _ = model.fit(np.ones((8, 2)), np.ones(8), epochs=2, verbose=0, callbacks=[watch])
    >>> watch.findings
    No findings.
    """

    def __init__(self, every: int = 100, verbose: int = 1, ignore: Collection[str] = ()):
        super().__init__()
        self.every: int = every
        self.verbose: int = verbose
        self.ignore: Collection[str] = ignore
        self.findings: Findings = Findings(())

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        model = self.model
        x, y, sample_weight = unpack_x_y_sample_weight(model.training_batches.peek())
        self._batch = tree.map_structure(_first_rows, (x, y, sample_weight))
        rows = [len(leaf) for leaf in tree.flatten(x) if leaf is not None and getattr(leaf, "ndim", 0)]
        fresh = not int(np.asarray(model.optimizer.iterations)) if model.optimizer is not None else False
        self.record: Record = Record(model, min(rows[0], _ROWS) if rows else 0, (self.params or {}).get("steps"), fresh)
        self.findings = Findings(())
        self._subject = Subject(model)
        self._program, self._steps, self._waiting, self._before = None, 0, [], None

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_train_batch_end(batch, logs)
        if self._before is not None:
            new = self._values()[0]
            self._waiting[-1]["updates"] = _norms_of_change(new, self._before)
            self._before = None
        if self._steps % self.every == 0 and self._subject.own_step and not self.model.stop_training:
            self._waiting.append(self._look())
            self._before = [jnp.copy(value) for value in self._values()[0]]  # the next step takes the arrays themselves
        self._steps += 1

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        done = self._waiting[:-1] if self._before is not None else self._waiting  # the last still waits for its update
        self.record.looks.extend(map(self._read, done))
        self._waiting = self._waiting[len(done) :]
        self.record.logs.append(dict(logs or {}))
        self.record.diagnosis = self.diagnosis
        self._judge()

    def _tell(self, diagnosis):
        if self.verbose:
            super()._tell(diagnosis)

    def settle(self) -> None:
        super().settle()
        self._waiting, self._before, self._program, self._batch = [], None, None, None

    def _judge(self):
        """Print what was not found before."""
        known = {(finding.code, finding.layer) for finding in self.findings}
        rules = [rule for _, rule in sorted(RULES.items()) if rule.needs == "watch" and rule.code not in self.ignore]
        new = [
            finding
            for rule in rules
            for finding in rule.findings(self.record)
            if (finding.code, finding.layer) not in known
        ]
        self.findings = Findings([*self.findings, *new])
        for finding in new if self.verbose else ():
            if finding.code != "LAM509":  # StopOnNonFinite has said it
                say(str(finding))

    # A look

    def _values(self):
        model = self.model
        groups = (model.trainable_variables, model.non_trainable_variables, model.metrics_variables)
        return [peek(group) for group in groups]

    def _look(self):
        if self._program is None:
            heads = {head.layer for head in self._subject.heads}
            kinds = {fact.layer: _kind_of(fact, heads) for fact in self._subject.facts}
            self._program = jax.jit(lambda *values: _look(self.model, kinds, *values))
        cells = context.global_refs()
        return self._program(*self._values(), [cell.read() for cell in cells], self._batch)

    def _read(self, look):
        """A look as numbers by name; kernels alone, in the order of the layers."""
        look = jax.device_get(look)
        paths = [variable.path for variable in self.model.trainable_variables]
        kernels = [len(variable.shape) > 1 for variable in self.model.trainable_variables]
        found: Any = {
            name: dict(zip(look[name], map(float, look[name].values()), strict=True)) for name in ("dead", "saturated")
        }
        for name in ("gradients", "weights", "updates"):
            rows = zip(paths, look.get(name, ()), kernels, strict=False)
            found[name] = {path: float(norm) for path, norm, is_kernel in rows if is_kernel}
        sizes = zip(paths, self.model.trainable_variables, kernels, strict=True)
        found["sizes"] = {path: variable.size for path, variable, is_kernel in sizes if is_kernel}
        found["loss"] = float(look["loss"])
        return found


def _first_rows(leaf):
    return leaf[:_ROWS] if getattr(leaf, "ndim", 0) else leaf


def _kind_of(fact, heads):
    """The activation whose outputs are watched: relu, or one with two flat ends; None for nothing."""
    gate = any(receiver.is_a("Multiply") for receiver in fact.receivers)
    name = fact.activation
    if fact.has("recurrent") or fact.name in heads or gate:
        return None
    two_ends = SATURATION.get(name or "", (None, 1.0))[0] is not None
    return name if name == "relu" or two_ends else None


def _look(model, kinds: Any, trainable, others, metrics, global_values, batch):
    """Shares, norms and loss of one batch, as arrays; nothing changes."""
    x, y, sample_weight = batch
    seen = {"dead": {}, "saturated": {}}

    def note(layer, args, outputs):
        kind, values = kinds.get(layer), tree.flatten(outputs)[0]
        if kind == "relu" and values.ndim > 1:
            seen["dead"][layer.name] = jnp.mean(jnp.all(values <= 0, axis=tuple(range(values.ndim - 1))))
        elif kind in SATURATION:
            low, high = SATURATION[kind]
            seen["saturated"][layer.name] = jnp.mean((values < low) | (values > high))

    def loss_of(trainable):
        loss = step.loss_and_updates(model, trainable, others, metrics, x, y, sample_weight, True)[1][0]
        return loss, {name: dict(shares) for name, shares in seen.items()}

    with context.bind(context.global_refs(), global_values), context.watching_layers(note):
        (loss, shares), gradients = jax.value_and_grad(loss_of, has_aux=True)(trainable)
    return {**shares, "loss": loss, "gradients": _norms(gradients), "weights": _norms(trainable)}


def _norms(values):
    return [jnp.linalg.norm(value.astype("float32").ravel()) for value in values]


@jax.jit
def _norms_of_change(new, old):
    return _norms([after - before for after, before in zip(new, old, strict=True)])

"""Watch: a callback that measures activations, gradients and updates now and then, and prints what goes wrong."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import jax.numpy as jnp

from lamina.callbacks import StopOnNonFinite
from lamina.check.findings import Findings
from lamina.check.looks import Looks, Record, is_fresh, norms_of_change
from lamina.check.rule import RULES
from lamina.core import tree
from lamina.runtime.progress import say
from lamina.training.data import unpack_x_y_sample_weight
from lamina.training.state import peek

__all__ = ["Record", "Watch"]

_ROWS = 64  # of the first batch, on which each look is taken


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
        self.record: Record = Record(model, min(rows[0], _ROWS) if rows else 0, (self.params or {}).get("steps"))
        self.record.fresh = is_fresh(model)
        self.findings = Findings(())
        self._looks: Any = Looks(model)
        self._steps, self._waiting, self._before = 0, [], None

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_train_batch_end(batch, logs)
        if self._before is not None:
            new = self._values()[0]
            self._waiting[-1]["updates"] = norms_of_change(new, self._before)
            self._before = None
        if self._steps % self.every == 0 and self._looks.subject.own_step and not self.model.stop_training:
            self._waiting.append(self._looks.take(self._values(), self._batch))
            self._before = [jnp.copy(value) for value in self._values()[0]]  # the next step takes the arrays themselves
        self._steps += 1

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        done = self._waiting[:-1] if self._before is not None else self._waiting  # the last still waits for its update
        self.record.looks.extend(map(self._looks.read, done))
        self._waiting = self._waiting[len(done) :]
        self.record.logs.append(dict(logs or {}))
        self.record.diagnosis = self.diagnosis
        self._judge()

    def _tell(self, diagnosis):
        if self.verbose:
            super()._tell(diagnosis)

    def settle(self) -> None:
        super().settle()
        self._waiting, self._before, self._looks, self._batch = [], None, None, None

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


def _first_rows(leaf):
    return leaf[:_ROWS] if getattr(leaf, "ndim", 0) else leaf

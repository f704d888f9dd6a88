"""`check`: every rule that applies to a model and a batch of its data."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from lamina.check.findings import Findings
from lamina.check.rules import rules_for
from lamina.check.subject import Subject, as_batch
from lamina.training.data.places import parts_of

__all__ = ["check"]


def check(
    model: Any, x: Any = None, y: Any = None, sample_weight: Any = None, ignore: Collection[str] = (), **settings: Any
) -> Findings:
    """The Findings about a model, and about one batch of its data where that is given.

    Args:
        model: Model.
        x: Inputs as `fit` takes them: arrays, or an object that gives batches; None checks the model alone.
        y: Targets; None where `x` gives them or there are none.
        sample_weight: Weight of each sample; None weighs all alike.
        ignore: Codes of findings that are left out.
        **settings: Other arguments of `fit` (batch_size, epochs, validation_split, callbacks), for their rules.

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="sigmoid", name="head")])
    >>> model.compile("adam", "sparse_categorical_crossentropy")
    >>> [(finding.code, finding.layer) for finding in check(model)]
    [('LAM101', 'head')]
    """
    given = x, y, sample_weight
    x, y, sample_weight = as_batch(x, y, sample_weight)
    named = zip(given, (x, y, sample_weight), ("x", "y", "sample_weight"), strict=True)
    parts = [part for value, arrays, name in named for part in parts_of(value, arrays, name)]
    if x is not None and not model.built and getattr(model, "_graph", None) is None:
        model._runner.build((x, y, sample_weight))
    subject = Subject(model, x, y, sample_weight, settings, parts=parts)
    wanted = [rule for rule in rules_for(subject) if rule.code not in ignore]
    found = [finding for rule in wanted if rule.needs != "forward" for finding in rule.findings(subject)]
    if not any(finding.severity == "error" for finding in found):  # else the model cannot run on this, or not sensibly
        found += [finding for rule in wanted if rule.needs == "forward" for finding in rule.findings(subject)]
    return Findings(found)

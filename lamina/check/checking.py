"""`check`: every rule that applies to a model and a batch of its data."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from typing import Any

from lamina.check.findings import Findings
from lamina.check.probe import take_probe
from lamina.check.rules import RULES, rules_for
from lamina.check.subject import Subject, as_batch
from lamina.check.trials import misfit_of_inputs
from lamina.errors import CallError
from lamina.training.data.leaves import looks_like_arrays
from lamina.training.data.places import parts_of

__all__ = ["check"]


def check(
    model: Any,
    x: Any = None,
    y: Any = None,
    sample_weight: Any = None,
    ignore: Collection[str] = (),
    probe: bool = False,
    **settings: Any,
) -> Findings:
    """The Findings about a model, and about one batch of its data where that is given. Nothing is raised for a model
    and data that do not fit: this is a finding too.

    Args:
        model: Model.
        x: Inputs as `fit` takes them: arrays, or an object that gives batches; None checks only the model.
        y: Targets; None where `x` gives them or there are none.
        sample_weight: Weight of each sample; None weighs all alike.
        ignore: Codes of findings that are left out.
        probe: Whether to make some steps on a copy as well, and judge what they show (LAM501 to LAM506, LAM52x).
            Afterwards weights, optimizer, metrics and random generators are as before, to the bit.
        **settings: Other arguments of `fit` (batch_size, epochs, validation_split, callbacks), for their rules.

    Raises:
        CallError: If `probe` is set, and the model is not compiled or there is no x.

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="sigmoid", name="head")])
    >>> model.compile("adam", "sparse_categorical_crossentropy")
    >>> [(finding.code, finding.layer) for finding in check(model)]
    [('LAM101', 'head')]
    """
    if probe and (x is None or not model.compiled):
        raise CallError(
            "A probe makes steps: it needs a compiled model, and data.", fix="model.check(x, y, probe=True)"
        )
    subject = _subject_of(model, x, y, sample_weight, settings)
    wanted = [rule for rule in rules_for(subject) if rule.code not in ignore]
    found = []
    for rule in sorted(wanted, key=lambda rule: rule.needs == "forward"):
        if rule.needs == "forward" and any(finding.severity == "error" for finding in found):
            break  # the model cannot run on this, or not sensibly
        with contextlib.suppress(*([Exception] if subject.misfit else [])):  # a rule may stumble over the same misfit
            found += rule.findings(subject)
    if probe and subject.misfit is None and not any(finding.code == "LAM118" for finding in found):  # steps can be made
        record = take_probe(subject)
        judges = [rule for _, rule in sorted(RULES.items()) if rule.needs in ("probe", "watch")]
        found += [finding for rule in judges if rule.code not in ignore for finding in rule.findings(record)]
    return Findings(found)


def _subject_of(model, x, y, sample_weight, settings):
    """The Subject of a model and of data as `fit` takes them; of the model alone where the data cannot be read."""
    given = x, y, sample_weight
    try:
        x, y, sample_weight = as_batch(x, y, sample_weight)
        named = zip(given, (x, y, sample_weight), ("x", "y", "sample_weight"), strict=True)
        batch = None if given[0] is None or looks_like_arrays(given[0]) else 0
        parts = [part for value, arrays, name in named for part in parts_of(value, arrays, name, batch)]
    except Exception as error:
        return Subject(model, settings=settings, misfit=error)
    misfit = misfit_of_inputs(model, x, y, sample_weight)
    source = None if batch is None else given[0]
    return Subject(model, x, y, sample_weight, settings, parts=parts, misfit=misfit, may_trace=True, source=source)

"""Linters: functions from a Case to what they report, in the vocabulary of the benchmark."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from benchmarks.faults.lamina_codes import KINDS_OF_CODES
from benchmarks.faults.program import Case

__all__ = ["Linter", "Report", "lamina", "lamina_probe", "linter_of", "run_one_step"]


@dataclasses.dataclass(frozen=True)
class Report:
    """One thing that a linter says.

    Attributes:
        code: The linter's name of its rule.
        kinds: The kinds of fault that the rule is about.
        grave: Whether it counts; False for advice that sound programs may get.
        message: What it says.
    """

    code: str
    kinds: frozenset[str]
    grave: bool = True
    message: str = ""


Linter: TypeAlias = Callable[[Case], Iterable[Report]]
"""Function from a Case to its reports. Write one for another linter, and name it: --linter module:function."""


def lamina(case: Case) -> list[Report]:
    """`model.check(x, y)` of lamina, which runs one batch at most.

    Args:
        case: Model and data.
    """
    return _reports(case, {})


def lamina_probe(case: Case) -> list[Report]:
    """`model.check(x, y, probe=True)` of lamina, which also trains a copy for some steps.

    Args:
        case: Model and data.
    """
    return _reports(case, {"probe": case.x is not None and case.model.compiled})


def run_one_step(case: Case) -> list[Report]:
    """The error of one step of `fit`, whatever library the programs are built with: what there is without a linter.

    Args:
        case: Model and data.
    """
    first = {name: case.fit[name] for name in ("class_weight", "validation_data") if name in case.fit}
    size = None if hasattr(case.x, "__next__") else case.fit.get("batch_size", 32)
    try:
        case.model.fit(case.x, case.y, batch_size=size, steps_per_epoch=1, verbose=0, **first)
    except Exception as error:
        return [Report(type(error).__name__, _ERRORS, message=str(error))]
    return []


_ERRORS = frozenset({"shape", "labels", "output units", "layer order", "recurrence", "vocabulary", "loss", "mask"})
"""The kinds that an error of Python may be about."""


def _reports(case: Case, how: dict[str, Any]) -> list[Report]:
    from lamina.check import check

    return [
        Report(finding.code, KINDS_OF_CODES.get(finding.code, frozenset()), finding.severity != "info", str(finding))
        for finding in check(case.model, case.x, case.y, **case.fit, **how)
    ]


def linter_of(name: str) -> Linter:
    """The linter of a name.

    Args:
        name: "lamina", "lamina_probe", "run_one_step", or `package.module:function` of another.
    """
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function) if function else globals()[name]

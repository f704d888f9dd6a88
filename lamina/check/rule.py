"""Rules: functions that look at a Subject and yield findings, each under its code."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from lamina.check.findings import Finding

if TYPE_CHECKING:
    from lamina.check.subject import Subject

__all__ = ["RULES", "Rule", "rule", "rules_for"]

Look: TypeAlias = Callable[[Any], Iterator[tuple[Any, ...]]]
"""Function from a Subject (or a Record) to (layer, value, message, fix) of each finding; a fifth, "info" or "warning",
makes this one finding milder than the rule."""

RULES: dict[str, Rule] = {}
"""code -> Rule."""


@dataclasses.dataclass(frozen=True)
class Rule:
    """A code, what it is about, and the function that finds it.

    Attributes:
        code: Stable code, `LAM101`.
        severity: "error", "warning" or "info".
        title: What is found, in a few words.
        needs: "model" (the rule reads the model alone), "compiled" (its compile settings too), "batch" (data), "fit"
            (the arguments of fit), "inputs" (it traces the model on data), "forward" (it traces or runs model and loss)
            or "watch" (it reads a Record of training).
        why: Why it matters; the same for every finding of the rule.
        source: Publication or documentation that the rule follows.
        function: The function that yields (layer, value, message, fix) of each finding.
    """

    code: str
    severity: str
    title: str
    needs: str
    why: str
    source: str
    function: Look

    def findings(self, subject: Any) -> Iterator[Finding]:
        """The findings of this rule.

        Args:
            subject: Subject, or Record for a rule that watches.
        """
        for layer, value, message, fix, *milder in self.function(subject):
            severity = milder[0] if milder else self.severity
            yield Finding(self.code, severity, layer, value, message, self.why, fix)


def rule(code: str, severity: str, title: str, needs: str, why: str, source: str) -> Callable[[Look], Look]:
    """Decorator: registers a generator `(subject) -> (layer, value, message, fix), ...` as a Rule.

    Args:
        code: Stable code, `LAM101`.
        severity: "error", "warning" or "info".
        title: What is found, in a few words.
        needs: What the rule reads; see Rule.
        why: Why it matters.
        source: Publication or documentation that the rule follows.
    """

    def register(function):
        RULES[code] = Rule(code, severity, title, needs, why, source, function)
        return function

    return register


def rules_for(subject: Subject, but: Collection[str] = ("watch",)) -> list[Rule]:
    """The rules that apply to a subject, in the order of their codes.

    Args:
        subject: What is checked.
        but: Needs of rules that are left out.
    """
    has = {"model"}
    if subject.model.compiled:
        has.add("compiled")
    if subject.x is not None or subject.y is not None:
        has.add("batch")
    if subject.x is not None or subject.misfit is not None:
        has.add("inputs")
    if subject.settings:
        has.add("fit")
    if {"compiled", "batch"} <= has and subject.x is not None:
        has.add("forward")
    return [one for code, one in sorted(RULES.items()) if one.needs in has.difference(but)]

"""Rules: functions that look at a Subject and yield findings, each under its code."""

import dataclasses
from typing import Any

from lamina.check.findings import Finding

__all__ = ["RULES", "Rule", "rule", "rules_for"]

RULES = {}  # code -> Rule


@dataclasses.dataclass(frozen=True)
class Rule:
    """A code, what it is about, and the function that looks.

    Attributes:
        needs: "model" (looks at the model alone), "compiled" (at its compile settings too), "batch" (at data), "fit"
        (at the arguments of fit), "forward" (runs the model on data), "watch" (looks while it trains).
        why: why it matters; the same for every finding of the rule.
        source: where this is known from.
    """

    code: str
    severity: str
    title: str
    needs: str
    why: str
    source: str
    function: Any

    def findings(self, subject):
        """The findings of this rule."""
        for layer, value, message, fix in self.function(subject):
            yield Finding(self.code, self.severity, layer, value, message, self.why, fix)


def rule(code, severity, title, needs, why, source):
    """Decorates a generator `(subject) -> (layer, value, message, fix), ...`."""

    def note(function):
        RULES[code] = Rule(code, severity, title, needs, why, source, function)
        return function

    return note


def rules_for(subject, but=("watch",)):
    """The rules that can look at this subject, in the order of their codes; `but` names needs that are left out."""
    has = {"model"}
    if subject.model.compiled:
        has.add("compiled")
    if subject.x is not None or subject.y is not None:
        has.add("batch")
    if subject.settings:
        has.add("fit")
    if {"compiled", "batch"} <= has and subject.x is not None:
        has.add("forward")
    return [one for code, one in sorted(RULES.items()) if one.needs in has.difference(but)]

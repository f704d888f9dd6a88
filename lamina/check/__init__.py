"""`model.check(x, y)`: what is wrong with a model, before hours are lost on it."""

from typing import TYPE_CHECKING

from lamina.core.lazy import lazy

if TYPE_CHECKING:
    from lamina.check.at_fit import look_before_fit
    from lamina.check.checking import check
    from lamina.check.findings import Finding, Findings
    from lamina.check.rules import RULES
    from lamina.check.watch import Watch

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "at_fit": "look_before_fit",
        "checking": "check",
        "findings": "Finding Findings",
        "rules": "RULES",
        "watch": "Watch",
    },
)

"""`model.explain()`: what each layer does to the data, in sentences with this model's own numbers."""

from typing import TYPE_CHECKING

from lamina.core.lazy import lazy

if TYPE_CHECKING:
    from lamina.explain.explaining import explain
    from lamina.explain.explanation import Answer, Explanation, LayerExplanation
    from lamina.explain.facts import Fact, facts_of

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "explaining": "explain",
        "explanation": "Answer Explanation LayerExplanation",
        "facts": "Fact facts_of",
    },
)

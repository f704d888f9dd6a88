"""Metrics: numbers gathered over batches, and the functions whose means they are."""

from lamina.core.lazy import lazy
from lamina.legacy import old_names_of

__getattr__, __dir__, __all__ = lazy(
    __name__, old_names_of(__name__), unlisted=("concordance_correlation", "cosine_similarity")
)

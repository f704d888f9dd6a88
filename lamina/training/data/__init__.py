"""Any input that `fit` takes, as batches: `make_batches(...).epoch()` yields triples (x, y, sample_weight)."""

from lamina.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, is_public=False)

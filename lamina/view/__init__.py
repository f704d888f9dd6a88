"""`model.view()`: a model as a page to look at."""

from lamina.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__)

"""`model.explain()`: what each layer does to the data, in sentences with this model's own numbers."""

from lamina.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__)

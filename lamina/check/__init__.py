"""`model.check(x, y)`: what is wrong with a model, before hours are lost on it."""

from lamina.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__)

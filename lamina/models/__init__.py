"""Models: layers that are trained and saved."""

from lamina.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__)

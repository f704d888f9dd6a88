"""Optimizers: rules by which training changes variables."""

from lamina.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__)

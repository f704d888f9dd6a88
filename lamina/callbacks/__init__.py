"""Callbacks: what is done between the steps of `fit`, `evaluate` and `predict`."""

from lamina.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__)

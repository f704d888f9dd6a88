"""Utilities: data in and out, seeds, progress."""

from lamina.core.lazy import lazy
from lamina.legacy import install_old_modules

__getattr__, __dir__, __all__ = lazy(__name__)

install_old_modules(__name__)

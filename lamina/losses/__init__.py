"""Losses: the numbers that training minimizes. Each is a function of (y_true, y_pred), which returns one value per
sample, and a class, which weights and reduces these values."""

from lamina.core.lazy import lazy
from lamina.legacy import old_names_of

__getattr__, __dir__, __all__ = lazy(__name__, old_names_of(__name__))

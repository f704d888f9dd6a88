"""Losses: what training makes small. Each is a function of (y_true, y_pred) and a class that weighs and reduces it."""

from lamina.core.lazy import lazy
from lamina.legacy import old_names_of

__getattr__, __dir__, __all__ = lazy(__name__, old_names_of(__name__))

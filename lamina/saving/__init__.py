"""Files: models and weights in Keras's formats. Names in them are looked up in closed tables; nothing is run."""

from lamina.core.lazy import lazy
from lamina.legacy import old_names_of

__getattr__, __dir__, __all__ = lazy(__name__, old_names_of(__name__))

"""Files: models and weights in Keras's formats. Names in them are looked up in closed tables; nothing is run."""

from lamina.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__)

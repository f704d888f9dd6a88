"""`lamina serve`: a model behind HTTP, as JSON, NumPy's files, images and the protocol of KServe."""

from lamina.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__)

"""Training: batching of data, losses and metrics per output, training steps, and the loop of fit, evaluate and
predict."""

from lamina.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, is_public=False)

"""Training: data as batches, losses and metrics by output, the step, and the one loop of fit, evaluate and predict."""

from lamina.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__)

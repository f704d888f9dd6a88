"""Programs that run without the code of the model: StableHLO, as `jax.export` writes it, ONNX, and TensorFlow.js."""

from lamina.core.lazy import lazy
from lamina.legacy import old_names_of

__getattr__, __dir__, __all__ = lazy(__name__, old_names_of(__name__))

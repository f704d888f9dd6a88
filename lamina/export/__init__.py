"""Programs that run without the code of the model: StableHLO, as `jax.export` writes it."""

from lamina.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__)

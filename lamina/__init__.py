"""Lamina: the Keras API as one small, fast, transparent library on JAX.

>>> import lamina as keras
>>> model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(32), keras.layers.Activation("relu")])
>>> model.output_shape
(None, 32)
"""

from lamina.core.lazy import lazy
from lamina.legacy import find_old_modules, old_names_of

__version__ = "0.3.0"


def version() -> str:
    """The version of lamina, as a string."""
    return __version__


__getattr__, __dir__, __all__ = lazy(__name__, old_names_of(__name__))
__all__[:] = sorted([*__all__, "version"])
find_old_modules()

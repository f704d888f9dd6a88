"""keras.ops.numpy: the functions of NumPy, with Keras's types."""

# ruff: noqa: F403  (each module lists its public names in __all__)

from lamina.ops import contractions, creation, elementwise, reductions, shaping
from lamina.ops.contractions import *
from lamina.ops.creation import *
from lamina.ops.elementwise import *
from lamina.ops.linalg import slogdet
from lamina.ops.reductions import *
from lamina.ops.shaping import *

__all__ = ["slogdet"]
__all__ += creation.__all__
__all__ += elementwise.__all__
__all__ += contractions.__all__
__all__ += reductions.__all__
__all__ += shaping.__all__

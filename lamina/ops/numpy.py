"""keras.ops.numpy: the functions of NumPy, with Keras's types."""

# ruff: noqa: F403  (each module lists its public names in __all__)

from lamina.ops import (
    arithmetic,
    bits,
    comparison,
    contractions,
    creation,
    exponentials,
    indexing,
    joining,
    nan_reductions,
    reductions,
    rounding,
    shaping,
    sorting,
    statistics,
    trigonometry,
)  # fmt: skip
from lamina.ops.arithmetic import *
from lamina.ops.bits import *
from lamina.ops.comparison import *
from lamina.ops.contractions import *
from lamina.ops.creation import *
from lamina.ops.exponentials import *
from lamina.ops.indexing import *
from lamina.ops.joining import *
from lamina.ops.linalg import slogdet
from lamina.ops.nan_reductions import *
from lamina.ops.reductions import *
from lamina.ops.rounding import *
from lamina.ops.shaping import *
from lamina.ops.sorting import *
from lamina.ops.statistics import *
from lamina.ops.trigonometry import *

__all__ = ["slogdet"]
__all__ += arithmetic.__all__
__all__ += bits.__all__
__all__ += comparison.__all__
__all__ += contractions.__all__
__all__ += creation.__all__
__all__ += exponentials.__all__
__all__ += indexing.__all__
__all__ += joining.__all__
__all__ += nan_reductions.__all__
__all__ += reductions.__all__
__all__ += rounding.__all__
__all__ += shaping.__all__
__all__ += sorting.__all__
__all__ += statistics.__all__
__all__ += trigonometry.__all__

"""keras.ops.numpy: the functions of NumPy, with Keras's types."""

# ruff: noqa: F403  (each file lists its public names in __all__)

from lamina.ops.arithmetic import *
from lamina.ops.bits import *
from lamina.ops.comparison import *
from lamina.ops.contractions import *
from lamina.ops.creation import *
from lamina.ops.exponentials import *
from lamina.ops.indexing import *
from lamina.ops.joining import *
from lamina.ops.linalg import slogdet as slogdet
from lamina.ops.nan_reductions import *
from lamina.ops.reductions import *
from lamina.ops.rounding import *
from lamina.ops.shaping import *
from lamina.ops.sorting import *
from lamina.ops.statistics import *
from lamina.ops.trigonometry import *

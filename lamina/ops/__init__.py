"""keras.ops: functions of arrays that, given symbolic tensors, become nodes of a model.

>>> import lamina as keras
>>> keras.ops.add(keras.Input((3,)), 1.0).shape
(None, 3)
"""

from lamina.ops import control_flow, core, image, linalg, math, nn, numpy
from lamina.ops.control_flow import *
from lamina.ops.core import *
from lamina.ops.linalg import *
from lamina.ops.math import *
from lamina.ops.nn import *
from lamina.ops.numpy import *

__all__ = ["image", "linalg", "nn", "numpy"]
__all__ += control_flow.__all__
__all__ += core.__all__
__all__ += linalg.__all__
__all__ += math.__all__
__all__ += nn.__all__
__all__ += numpy.__all__

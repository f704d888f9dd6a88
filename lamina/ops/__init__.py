"""keras.ops: functions of arrays that, given symbolic tensors, become nodes of a model.

>>> import lamina as keras
>>> keras.ops.add(keras.Input((3,)), 1.0).shape
(None, 3)
"""

from lamina.core.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__)

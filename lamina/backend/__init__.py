"""K: the functions of `keras.backend` in Keras 1 and 2, written with `keras.ops`.

Keras 3 has a dozen of these names (settings, types, names). The others are for programs that still use them; each
description names the op that replaces it. All take arrays, variables and symbolic tensors.

>>> import lamina as keras
>>> from lamina import backend as K
>>> K.mean(K.square(K.constant([1.0, 3.0]))).item()
5.0
"""

from typing import Any

from lamina.backend import gradients as _gradients
from lamina.backend import graphs, images, loops, losses, sessions, tensors, values
from lamina.backend.gradients import *
from lamina.backend.graphs import *
from lamina.backend.images import *
from lamina.backend.loops import *
from lamina.backend.losses import *
from lamina.backend.sessions import *
from lamina.backend.tensors import *
from lamina.backend.values import *
from lamina.config import backend
from lamina.core.context import get_uid, name_scope
from lamina.core.dtypes import is_float as is_float_dtype
from lamina.core.dtypes import is_integer as is_int_dtype
from lamina.core.dtypes import result_type, standardize_dtype
from lamina.legacy import old_names_of
from lamina.runtime.settings import epsilon, floatx, image_data_format, set_epsilon, set_floatx, set_image_data_format
from lamina.utils.session import clear_session, is_keras_tensor

__all__ = [
    "backend", "clear_session", "epsilon", "floatx", "get_uid", "image_data_format", "is_float_dtype", "is_int_dtype",
    "is_keras_tensor", "name_scope", "result_type", "set_epsilon", "set_floatx", "set_image_data_format",
    "standardize_dtype",
]  # fmt: skip
__all__ += _gradients.__all__
__all__ += graphs.__all__
__all__ += images.__all__
__all__ += loops.__all__
__all__ += losses.__all__
__all__ += sessions.__all__
__all__ += tensors.__all__
__all__ += values.__all__

__getattr__: Any = old_names_of(__name__)

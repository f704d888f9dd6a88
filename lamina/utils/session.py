"""What the process keeps between models, and how to forget it."""

import gc

from lamina.core import context
from lamina.core.keras_tensor import KerasTensor
from lamina.dtype_policies import set_dtype_policy
from lamina.random import set_global_seed as set_random_seed
from lamina.runtime import settings

__all__ = ["clear_session", "is_keras_tensor", "set_random_seed"]


def clear_session(free_memory=True):
    """Count names from the start again and take the dtype policy back to `floatx()`. Nothing here keeps models alive;
    `free_memory` collects those whose parts hold each other.

    >>> import lamina as keras
    >>> keras.utils.clear_session()
    >>> keras.layers.Dense(1).name
    'dense'
    """
    context.reset_names()
    set_dtype_policy(settings.floatx())
    if free_memory:
        gc.collect()


def is_keras_tensor(x):
    """Whether `x` is a symbolic tensor: an Input, or what a layer or op made of one.

    >>> import lamina as keras
    >>> keras.utils.is_keras_tensor(keras.Input((3,)))
    True
    """
    return isinstance(x, KerasTensor)

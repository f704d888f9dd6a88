"""The state that a process keeps between models, and how to reset it."""

from __future__ import annotations

import gc
from typing import Any

from lamina.core import context
from lamina.core.keras_tensor import KerasTensor
from lamina.dtype_policies import set_dtype_policy
from lamina.random import set_global_seed as set_random_seed
from lamina.runtime import settings

__all__ = ["clear_session", "is_keras_tensor", "set_random_seed"]


def clear_session(free_memory: bool = True) -> None:
    """Start the numbers of layer names from zero again, reset the dtype policy to `floatx()`, and let attention decide
    by the device again whether it uses a fused kernel.

    No global state keeps models alive; a model is freed when nothing refers to it.

    Args:
        free_memory: Whether to run the garbage collector, which frees models with reference cycles at once.

    >>> import lamina as keras
    >>> keras.utils.clear_session()
    >>> keras.layers.Dense(1).name
    'dense'
    """
    context.reset_names()
    set_dtype_policy(settings.floatx())
    settings.reset_flash_attention()
    if free_memory:
        gc.collect()


def is_keras_tensor(x: Any) -> bool:
    """Whether a value is a symbolic tensor: an Input, or the result of a layer or op on one.

    Args:
        x: Any value.

    >>> import lamina as keras
    >>> keras.utils.is_keras_tensor(keras.Input((3,)))
    True
    """
    return isinstance(x, KerasTensor)

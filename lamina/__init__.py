"""Lamina: the Keras API as one small, fast, see-through library on JAX.

>>> import lamina as keras
>>> model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(32), keras.layers.Activation("relu")])
>>> model.output_shape
(None, 32)
"""

from typing import TYPE_CHECKING, Any

from lamina.core.lazy import lazy
from lamina.legacy import install_old_modules

__version__ = "0.1.0"

_MODULES = """
activations applications backend callbacks check config constraints datasets distillation distribution dtype_policies
errors export initializers layers losses metrics mixed_precision models ops optimizers preprocessing quantizers random
regularizers saving tree utils visualization wrappers
"""
_NAMES: dict[str, str] = {
    "compat": "as_keras",
    "core.graph": "Operation",
    "core.symbolic": "KerasTensor",
    "core.variable": "Variable",
    "dtype_policies": "DTypePolicy FloatDTypePolicy",
    "initializers": "Initializer",
    "layers": "Input InputSpec Layer",
    "losses": "Loss",
    "metrics": "Metric",
    "models": "Function Model Sequential",
    "optimizers": "Optimizer",
    "quantizers": "Quantizer",
    "regularizers": "Regularizer",
    "rematerialization": "RematScope remat",
    "scopes": "StatelessScope SymbolicScope device name_scope",
}
_FILES = {module: f"{module} {_NAMES.pop(module, '')}" for module in _MODULES.split()} | _NAMES


def version():
    """The version of lamina, as a string."""
    return __version__


__getattr__, __dir__, __all__ = lazy(__name__, {**_FILES, "version": "version"})  # which stands here
if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


install_old_modules(__name__)

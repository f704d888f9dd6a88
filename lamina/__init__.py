"""Lamina: the Keras API as one small, fast, see-through library on JAX.

>>> import lamina as keras
>>> model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(32), keras.layers.Activation("relu")])
>>> model.output_shape
(None, 32)
"""

import importlib
from typing import Any

from lamina.legacy import install_old_modules

__version__ = "0.1.0"

_MODULES = (
    "activations", "applications", "backend", "callbacks", "check", "config", "constraints", "datasets", "distillation",
    "distribution", "dtype_policies", "errors", "export", "initializers", "layers", "losses", "metrics",
    "mixed_precision", "models", "ops", "optimizers", "preprocessing", "quantizers", "random", "regularizers",
    "saving", "tree", "utils", "visualization", "wrappers",
)  # fmt: skip
_NAMES = {
    "DTypePolicy": "dtype_policies",
    "FloatDTypePolicy": "dtype_policies",
    "Function": "models",
    "Initializer": "initializers",
    "Input": "layers",
    "InputSpec": "layers",
    "KerasTensor": "core.symbolic",
    "Layer": "layers",
    "Loss": "losses",
    "Metric": "metrics",
    "Model": "models",
    "Operation": "core.graph",
    "Optimizer": "optimizers",
    "Quantizer": "quantizers",
    "Regularizer": "regularizers",
    "RematScope": "rematerialization",
    "Sequential": "models",
    "StatelessScope": "scopes",
    "SymbolicScope": "scopes",
    "Variable": "core.variable",
    "as_keras": "compat",
    "device": "scopes",
    "name_scope": "scopes",
    "remat": "rematerialization",
}
__all__ = sorted([*_MODULES, *_NAMES, "version"])


def version():
    """The version of lamina, as a string."""
    return __version__


def __getattr__(name) -> Any:
    """Modules and names are read when they are first used (PEP 562), so that importing lamina costs little."""
    if name in _MODULES:
        return importlib.import_module(f"lamina.{name}")
    if name in _NAMES:
        value = getattr(importlib.import_module(f"lamina.{_NAMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'lamina' has no attribute {name!r}")


def __dir__():
    return __all__


install_old_modules(__name__)

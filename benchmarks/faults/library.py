"""The Keras that the programs are written with: lamina, or the module that FAULTS_LIBRARY names."""

import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import lamina as keras
else:
    keras = importlib.import_module(os.environ.get("FAULTS_LIBRARY", "lamina"))

__all__ = [
    "Input", "Model", "Sequential", "activations", "callbacks", "initializers", "keras", "layers", "losses", "metrics",
    "ops", "optimizers", "regularizers",
]  # fmt: skip

activations, callbacks, initializers, layers = keras.activations, keras.callbacks, keras.initializers, keras.layers
losses, metrics, ops, optimizers, regularizers = (
    keras.losses, keras.metrics, keras.ops, keras.optimizers, keras.regularizers,
)  # fmt: skip
Input, Model, Sequential = keras.Input, keras.Model, keras.Sequential

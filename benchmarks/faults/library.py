"""The Keras that the programs are written with: lamina, or the module that FAULTS_LIBRARY names."""

import importlib
import os
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import lamina as keras
else:
    keras = importlib.import_module(os.environ.get("FAULTS_LIBRARY", "lamina"))

__all__ = [
    "Input", "Model", "Sequential", "activations", "as_trained", "callbacks", "initializers", "keras", "layers",
    "losses", "metrics", "ops", "optimizers", "regularizers",
]  # fmt: skip

activations, callbacks, initializers, layers = keras.activations, keras.callbacks, keras.initializers, keras.layers
losses, metrics, ops, optimizers, regularizers = (
    keras.losses, keras.metrics, keras.ops, keras.optimizers, keras.regularizers,
)  # fmt: skip


def as_trained(*trained):
    """Give layers the biases, and the means of their normalizations, that training leaves: other than zeros.

    Args:
        *trained: Layers, or models.
    """
    for layer in trained:
        for weight in layer.weights:
            if weight.path.endswith(("bias", "moving_mean")):
                weight.assign(0.1 * np.cos(np.arange(weight.shape[0])))


Input, Model, Sequential = keras.Input, keras.Model, keras.Sequential

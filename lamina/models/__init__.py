"""Models: layers that are trained and saved."""

from lamina.core.graph import Function
from lamina.layers.input_layer import Input
from lamina.models.clone import clone_model
from lamina.models.model import Functional, Model
from lamina.models.sequential import Sequential
from lamina.saving import load_model, model_from_json, save_model

__all__ = [
    "Function",
    "Functional",
    "Input",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_json",
    "save_model",
]

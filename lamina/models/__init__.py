"""Models: layers that are trained and saved."""

from typing import TYPE_CHECKING

from lamina.core.lazy import lazy

if TYPE_CHECKING:
    from lamina.core.graph import Function
    from lamina.layers.input_layer import Input
    from lamina.models.clone import clone_model
    from lamina.models.model import Functional, Model
    from lamina.models.sequential import Sequential
    from lamina.saving import load_model, model_from_json, save_model

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "clone": "clone_model",
        "lamina.core.graph": "Function",
        "lamina.layers.input_layer": "Input",
        "lamina.saving": "load_model model_from_json save_model",
        "model": "Functional Model",
        "sequential": "Sequential",
    },
)

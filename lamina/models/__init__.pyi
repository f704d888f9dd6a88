"""The public names of `lamina.models`: the one table that editors and `lamina.core.lazy` read."""

from lamina.core.graph import Function as Function
from lamina.layers.input_layer import Input as Input
from lamina.models.clone import clone_model as clone_model
from lamina.models.model import Functional as Functional
from lamina.models.model import Model as Model
from lamina.models.sequential import Sequential as Sequential
from lamina.saving import load_model as load_model
from lamina.saving import model_from_json as model_from_json
from lamina.saving import save_model as save_model

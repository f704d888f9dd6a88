"""`tf`: TensorFlow's names as `lamina.compat` has them, without the import system in between."""

import types

from lamina.compat.tensorflow import NAMESPACES


def namespace(name):
    """A module of the table, with those inside it."""
    inside = {key.rpartition(".")[2]: namespace(key) for key in NAMESPACES if key.rpartition(".")[0] == name}
    return types.SimpleNamespace(**{**NAMESPACES[name], **inside})


tf = namespace("tensorflow")

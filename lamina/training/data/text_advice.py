"""What to write where the data is text, and the model has layers for text or for numbers of words."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from lamina.errors import DataError

__all__ = ["text_advice"]

_OF_TEXT = re.compile(r"(x(?:\['\w+'\]|\[\d+\])*)(?:\[:, \d+\])? contains strings(: '[^' ]+ )?")


@contextlib.contextmanager
def text_advice(model: Any) -> Iterator[None]:
    """A context in which an error about inputs that are text has a fix for the model that gets them.

    Args:
        model: The model.
    """
    try:
        yield
    except DataError as error:
        told = _OF_TEXT.match(error.message)
        if told is not None:
            error.fix = _fix(model, told[1], bool(told[2])) or error.fix
        raise


def _fix(model, name, sentences):
    layers = model._flatten_layers(include_self=False)
    if any(layer.input_dtype == "string" for layer in layers):
        return "keras.Input((1,), dtype='string')  # in the model: its inputs are texts"
    first = next((layer for layer in layers if layer.weights or layer.input_dtype != layer.compute_dtype), None)
    if "embedding" in getattr(first, "_traits", ()):
        if sentences:
            return f"texts = keras.layers.TextVectorization(); texts.adapt({name}); {name} = np.asarray(texts({name}))"
        return f"words = keras.layers.StringLookup(); words.adapt({name}); {name} = np.asarray(words({name}))"
    return None

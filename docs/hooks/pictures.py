"""Draws the pictures of the pages: the page about a model, its diagram, and training curves."""

import pathlib

import numpy as np

import lamina as keras
from lamina import layers
from lamina.callbacks.curves import Curves
from lamina.view import view


def tickets():
    """A model with two inputs, a model inside, a shortcut and two outputs; and a batch for it."""
    title, text = keras.Input((32,), name="title"), keras.Input((20,), dtype="int32", name="text")
    reader = keras.Sequential(
        [keras.Input((20,), dtype="int32"), layers.Embedding(500, 16, mask_zero=True), layers.LSTM(32)], name="reader"
    )
    about = layers.Dense(32, activation="relu", name="about")(title)
    both = layers.Concatenate(name="both")([about, reader(text)])
    total = layers.Add(name="total")([layers.Dense(32, activation="relu", name="mix")(both), about])
    priority = layers.Dense(1, activation="sigmoid", name="priority")(total)
    department = layers.Dense(4, activation="softmax", name="department")(total)
    model = keras.Model([title, text], [priority, department], name="tickets")
    rng = np.random.default_rng(0)
    return model, [rng.normal(size=(32, 32)).astype("float32"), rng.integers(1, 500, (32, 20))]


HISTORY = {
    "loss": [1.402, 1.21, 1.02, 0.9, 0.81, 0.74, 0.69, 0.6518],
    "val_loss": [1.276, 1.08, 0.95, 0.89, 0.8815, 0.89, 0.9, 0.9127],
    "accuracy": [0.42, 0.55, 0.63, 0.68, 0.71, 0.74, 0.76, 0.78],
    "val_accuracy": [0.5, 0.58, 0.63, 0.66, 0.67, 0.67, 0.66, 0.66],
}


def build():
    """Write the pictures."""
    model, x = tickets()
    docs = pathlib.Path(__file__).parents[1]
    pictures = {
        "extra/pictures/tickets.html": view(model, x=x, history=HISTORY, open=False).html,
        "pictures/tickets.svg": keras.utils.model_to_dot(model, show_shapes=True, expand_nested=True).to_svg(),
        "pictures/curves.svg": Curves(HISTORY).svg(),
    }
    for name, content in pictures.items():
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_text(content)

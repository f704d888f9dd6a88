"""Draws the pictures of the pages: the page about a model, its diagram, and training curves."""

import pathlib

import numpy as np

import lamina as keras
from lamina import layers
from lamina.view import view


def tickets(head="softmax"):
    """A model with two inputs, a model inside, a shortcut and two outputs, trained a little; and a batch for it."""
    title, text = keras.Input((32,), name="title"), keras.Input((20,), dtype="int32", name="text")
    reader = keras.Sequential(
        [keras.Input((20,), dtype="int32"), layers.Embedding(500, 16, mask_zero=True), layers.LSTM(32)], name="reader"
    )
    about = layers.Dense(32, activation="relu", name="about")(title)
    both = layers.Concatenate(name="both")([about, reader(text)])
    total = layers.Add(name="total")([layers.Dense(32, activation="relu", name="mix")(both), about])
    priority = layers.Dense(1, activation="sigmoid", name="priority")(total)
    department = layers.Dense(4, activation=head, name="department")(total)
    model = keras.Model([title, text], [priority, department], name="tickets")
    model.compile("adam", ["binary_crossentropy", "sparse_categorical_crossentropy"])
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(400, 32)).astype("float32"), rng.integers(1, 500, (400, 20))]
    y = [x[0][:, 0] > 0, np.abs(x[0][:, 1:5]).argmax(axis=1)]
    history = model.fit(x, y, epochs=12, validation_split=0.3, verbose=0)
    return model, [part[:32] for part in x], history


def digits():
    """(a small model of digits before training, the same after it, pictures, labels)."""
    (x, y), _ = keras.datasets.digits.load_data()
    x = (x / 16).astype("float32")[..., None]
    parts = [layers.Conv2D(8, 3, activation="relu", name="strokes"), layers.MaxPooling2D(name="pool"),
             layers.Flatten(name="flat"), layers.Dense(10, activation="softmax", name="head")]  # fmt: skip
    model = keras.Sequential([keras.Input((8, 8, 1), name="picture"), *parts], name="digits")
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    before = keras.models.clone_model(model)
    before.set_weights(model.get_weights())
    model.fit(x, y, epochs=2, verbose=0)
    return before, model, x[:200], y[:200]


def build():
    """Write the pictures."""
    keras.utils.set_random_seed(0)
    model, x, history = tickets()
    before, after, pictures_of, labels = digits()
    docs = pathlib.Path(__file__).parents[1]
    pictures = {
        "extra/pictures/tickets.html": view(model, x=x, open=False).html,
        "extra/pictures/two_states.html": view(before, x=pictures_of, compare=after, open=False).html,
        "pictures/mistakes.svg": after.explain(mistakes=(pictures_of, labels)).svg(),
        "pictures/tickets.svg": keras.utils.model_to_dot(model, show_shapes=True, expand_nested=True).to_svg(),
        "pictures/curves.svg": history.plot().svg(),
    }
    for name, content in pictures.items():
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_text(content)

"""Models to look at, each made once."""

import numpy as np
import pytest

import lamina
from lamina import layers

WICKED = "<script>alert(1)<script><!--"


@pytest.fixture(scope="session")
def trained():
    """(model, x, y) after a fit, with a layer of a wicked name and a head that does not fit its loss."""
    model = lamina.Sequential(
        [
            lamina.Input((8, 8, 1), name="image"),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.Flatten(name="flat"),
            layers.Dense(3, activation="sigmoid", name=WICKED),
        ],
        name='a "model" & <more>',
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16, 8, 8, 1)).astype("float32"), rng.integers(0, 3, 16)
    with pytest.warns(UserWarning, match="LAM101"):
        model.fit(x, y, validation_split=0.25, epochs=2, verbose=0)
    return model, x, y


@pytest.fixture(scope="session")
def branched():
    """Two inputs, an embedding, a shared layer, a model inside, a shortcut, two outputs."""
    title, text = lamina.Input((8,), name="title"), lamina.Input((5,), dtype="int32", name="text")
    words = layers.LSTM(8, name="read")(layers.Embedding(20, 4, mask_zero=True, name="words")(text))
    inside = lamina.Sequential(
        [lamina.Input((8,), name="enter"), layers.Dense(8, "relu", name="hidden")], name="inside"
    )
    shared = layers.Dense(8, name="shared")
    total = layers.Add(name="total")([shared(title), inside(shared(words)), title])
    outputs = [layers.Dense(1, name="priority")(total), layers.Dense(4, name="department")(total)]
    return lamina.Model([title, text], outputs, name="tickets")


@pytest.fixture(scope="session")
def inception():
    """312 layers."""
    return lamina.applications.InceptionV3(weights=None, input_shape=(75, 75, 3), include_top=False, name="inception")

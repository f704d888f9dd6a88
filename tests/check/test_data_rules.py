"""LAM4xx: each rule catches two wrong programs or more, and is silent on two sound ones or more."""

import numpy as np
import pytest

from lamina import layers
from tests.check.cases import DRAW, IMAGES, QUANTITY, THREE, X, head, judge, named, net, table

SPARSE = "sparse_categorical_crossentropy"
TOKENS = DRAW.integers(0, 10, (64, 6))
MANY = DRAW.normal(size=(400, 4)).astype("float32")
RARE = (np.arange(400) % 50 == 0).astype("int64")


MANY_TAGS = (DRAW.random((400, 8)) < 0.03).astype("float32")
TEXT = DRAW.integers(1, 9, (64, 9))
TAGS = TEXT[:, :-1] % 3
PADDED = np.where(np.arange(9) < 4, TEXT, 0)


def language_model(*stack):
    return net(layers.Embedding(9, 4), *stack, layers.Dense(9, "softmax"), shape=(8,), loss=SPARSE, optimizer="adam")


def conv(*before):
    return net(*before, layers.Conv2D(4, 3), layers.GlobalMaxPooling2D(), layers.Dense(1), shape=(8, 8, 3))


def embedding(rows):
    return net(layers.Embedding(rows, 4), layers.GlobalMaxPooling1D(), layers.Dense(1), shape=(6,))


def with_nan(values):
    values = values.copy()
    values[3] = np.nan
    return values


def with_constant(values):
    values = values.copy()
    values[:, 2] = 7
    return values


def normalized(values):
    layer = layers.Normalization()
    layer.adapt(values)
    return net(layer, layers.Dense(5, "relu"), layers.Dense(1), loss="mse")


def yes_no(**fit):
    return head(1, "sigmoid", "binary_crossentropy"), MANY, RARE, fit


def tags(metric):
    """Eight labels of a row, each of which may be true."""
    return head(8, "sigmoid", "binary_crossentropy", metrics=[metric])


def masks():
    """A label for each pixel."""
    return net(
        layers.Conv2D(1, 1, activation="sigmoid"), shape=(8, 8, 3), loss="binary_crossentropy", metrics=["accuracy"]
    )


def classifier(scale):
    initializer = "glorot_uniform" if scale == 1 else layers.Dense(1).kernel_initializer.__class__(seed=1)
    model = net(layers.Dense(16, "relu", kernel_initializer=initializer), layers.Dense(3, "softmax"), loss=SPARSE)
    model.layers[-1].set_weights([scale * DRAW.normal(size=(16, 3)), np.zeros(3)])
    return model


WRONG = {
    "LAM401": [
        lambda: (conv(), np.round(255 * IMAGES)),
        lambda: (conv(), (255 * IMAGES).astype("uint8")),
        lambda: (head(1), 1000 + 200 * X, QUANTITY),
        lambda: (net(layers.Flatten(), layers.Dense(4), shape=(8, 8, 3)), 255 * IMAGES),
        lambda: (head(1), 300 + 2 * X, QUANTITY),
        lambda: (head(1), 1e-3 * X, QUANTITY),
        lambda: (head(1), X * [1, 1, 1, 40], QUANTITY),
        lambda: (net(layers.Dense(8, "sigmoid"), layers.Dense(1), loss="mse"), 10 + 6 * X, QUANTITY),
    ],
    "LAM402": [
        lambda: (head(1), with_nan(X), QUANTITY),
        lambda: (head(1), X, with_nan(QUANTITY)),
        lambda: (head(1), np.where(X > 1, np.inf, X), QUANTITY),
    ],
    "LAM403": [
        lambda: (head(1), with_constant(MANY)),
        lambda: (head(1), np.ones((200, 4))),
        lambda: (head(1), np.concatenate([MANY[:, :2], np.zeros((400, 2))], 1)),
    ],
    "LAM404": [lambda: (embedding(9), TOKENS), lambda: (embedding(10), TOKENS - 1)],
    "LAM405": [
        yes_no,
        lambda: (head(3, "softmax", SPARSE), MANY, RARE),
        lambda: (head(2, "softmax", "categorical_crossentropy"), MANY, np.eye(2)[RARE]),
        lambda: (tags("accuracy"), MANY, MANY_TAGS),
        lambda: (masks(), IMAGES, np.arange(4096).reshape(64, 8, 8, 1) % 80 == 0),
    ],
    "LAM406": [lambda: (classifier(100), X, THREE), lambda: (classifier(1), 1e3 * X, THREE)],
    "LAM407": [
        lambda: (head(1), X, QUANTITY, {"validation_data": (100 * X, QUANTITY)}),
        lambda: (conv(), IMAGES, None, {"validation_data": (255 * IMAGES, None)}),
    ],
    "LAM410": [
        lambda: (
            language_model(layers.Bidirectional(layers.LSTM(4, return_sequences=True))),
            TEXT[:, :-1],
            TEXT[:, 1:],
        ),
        lambda: (language_model(layers.Conv1D(4, 3, padding="same")), TEXT[:, :-1], TEXT[:, 1:]),
        lambda: (language_model(layers.LSTM(4, return_sequences=True)), TEXT[:, :-1], TEXT[:, :-1]),
    ],
    "LAM411": [
        lambda: (net(layers.Embedding(9, 4), layers.LSTM(4), shape=(9,)), PADDED),
        lambda: (net(layers.Embedding(9, 4), layers.Bidirectional(layers.GRU(4)), shape=(9,)), PADDED),
    ],
    "LAM408": [lambda: (conv(layers.Rescaling(1 / 255)), IMAGES), lambda: (conv(), IMAGES / 255)],
    "LAM409": [
        lambda: (head(1, optimizer="adam"), X, 3e5 + 1e5 * QUANTITY),
        lambda: (head(1), X, 200 + 30 * QUANTITY[:, None]),
        lambda: (head(2, None, "mae"), X, 1e-5 * X[:, :2]),
        lambda: (head(1, optimizer="adam"), X, 2e-3 * QUANTITY),
    ],
}

SOUND = {
    "LAM410": [
        lambda: (language_model(layers.LSTM(4, return_sequences=True)), TEXT[:, :-1], TEXT[:, 1:]),
        lambda: (language_model(layers.Conv1D(4, 3, padding="causal")), TEXT[:, :-1], TEXT[:, 1:]),
        lambda: (language_model(layers.Bidirectional(layers.LSTM(4, return_sequences=True))), TEXT[:, :-1], TAGS),
    ],
    "LAM411": [
        lambda: (net(layers.Embedding(9, 4, mask_zero=True), layers.LSTM(4), shape=(9,)), PADDED),
        lambda: (net(layers.Embedding(9, 4), layers.LSTM(4), shape=(9,)), PADDED[:, ::-1]),
        lambda: (net(layers.Embedding(9, 4), layers.GlobalMaxPooling1D(), shape=(9,)), PADDED),
    ],
    "LAM401": [
        lambda: (conv(), IMAGES),
        lambda: (conv(layers.Rescaling(1 / 255)), 255 * IMAGES),
        lambda: (normalized(1000 + 200 * X), 1000 + 200 * X),
        lambda: (embedding(1000), 90 * TOKENS),
        lambda: (net(layers.BatchNormalization(), layers.Dense(1)), 500 * X),
        lambda: (net(layers.BatchNormalization(), layers.Dense(1)), 300 + 2 * X),
        lambda: (head(1), 40 + 2 * X, QUANTITY),
        lambda: (net(layers.Dense(8, "sigmoid"), layers.Dense(1), loss="mse"), 2 * X, QUANTITY),
    ],
    "LAM402": [lambda: (head(1), X, QUANTITY), lambda: (embedding(10), TOKENS)],
    "LAM403": [lambda: (head(1), MANY), lambda: (head(1), with_constant(X))],
    "LAM404": [lambda: (embedding(10), TOKENS), lambda: (net(layers.Dense(1), shape=(6,)), TOKENS)],
    "LAM405": [
        lambda: yes_no(class_weight={0: 1.0, 1: 50.0}),
        lambda: (head(1, "sigmoid", "binary_crossentropy"), MANY, np.arange(400) % 4 == 0),
        lambda: (head(1), MANY, RARE),
        lambda: (tags("auc"), MANY, MANY_TAGS),
        lambda: (masks(), IMAGES, np.arange(4096).reshape(64, 8, 8, 1) % 8 == 0),
    ],
    "LAM406": [lambda: (classifier(0.1), X, THREE), lambda: (head(3, "softmax", SPARSE), X, THREE)],
    "LAM407": [
        lambda: (head(1), X, QUANTITY, {"validation_data": (2 * X, QUANTITY)}),
        lambda: (embedding(1000), TOKENS, None, {"validation_data": (90 * TOKENS, None)}),
    ],
    "LAM408": [
        lambda: (conv(layers.Rescaling(1 / 255)), np.round(255 * IMAGES)),
        lambda: (conv(layers.Rescaling(2.0, -1.0)), IMAGES),
        lambda: (conv(), 0.1 * IMAGES),
    ],
    "LAM409": [
        lambda: (head(1, optimizer="adam"), X, 22 + 9 * QUANTITY),
        lambda: (head(1, "softplus", "msle"), X, 3e5 + 1e5 * np.abs(QUANTITY)),
        lambda: (
            net(layers.Dense(5, "relu"), layers.Dense(1), layers.Rescaling(100, 200), loss="mse"),
            X,
            200 + 100 * QUANTITY,
        ),
    ],
}


@pytest.mark.parametrize("case", table(WRONG, SOUND), ids=named)
def test_rule(case):
    judge(*case)


@pytest.mark.parametrize("kind", ["array", "pandas", "polars", "pyarrow", "labels", "pictures"])
def test_the_fix_of_gaps_can_be_pasted(kind):
    x, y, names = with_nan(X), QUANTITY.copy(), list("abcd")
    if kind == "labels":
        x, y[5] = X, np.inf
    elif kind == "pictures":
        x, y = np.where(np.arange(64)[:, None, None, None] == 2, np.nan, IMAGES), QUANTITY
    elif kind == "pandas":
        x, y = (library := pytest.importorskip("pandas")).DataFrame(x, columns=names), library.Series(y)
    elif kind != "array":
        columns = dict(zip(names, x.T, strict=True))
        make = {"polars": lambda pl: pl.DataFrame(columns), "pyarrow": lambda pa: pa.table(columns)}[kind]
        x = make(pytest.importorskip(kind))
    model = net(layers.Flatten(), layers.Dense(1), shape=np.shape(x)[1:], loss="mse")
    (finding,) = (one for one in model.check(x, y) if one.code == "LAM402")
    names = {"x": x, "y": y, "np": np}
    exec(finding.fix, names)
    assert "LAM402" not in model.check(names["x"], names["y"]).codes and len(names["y"]) == 63

"""Rules that ordinary faults led to: each catches two wrong programs or more, and spares two sound ones."""

import numpy as np
import pytest

import lamina as keras
from lamina import callbacks, layers, optimizers, regularizers
from tests.check.cases import QUANTITY, THREE, X, head, judge, named, net, table

L = layers
MANY = np.tile(X, (8, 1))
UP, OVER = np.meshgrid(np.arange(12), np.arange(12), indexing="ij")
FIRST = np.sin(0.5 * UP + 0.3 * OVER + np.arange(64 * 3).reshape(64, 3, 1, 1)).astype("float32")
NOISE = np.random.default_rng(1).random((64, 12, 12, 3), "float32")
COUNTED = (np.arange(20) >= np.arange(64)[:, None] % 20).astype("float32")[..., None]
SPARSE = "sparse_categorical_crossentropy"


def of_pictures(x):
    return net(L.Conv2D(2, 3), L.GlobalMaxPooling2D(), L.Dense(1), shape=x.shape[1:], loss="mse"), x, QUANTITY


def normalized(momentum=0.99, **fit):
    return (
        net(L.Dense(4), L.BatchNormalization(momentum=momentum), L.Dense(1), loss="mse"),
        MANY,
        np.tile(QUANTITY, 8),
        fit,
    )


def validated(x, others):
    return head(1), x, QUANTITY, {"validation_data": (others, QUANTITY)}


def plateau(**how):
    given = callbacks.ReduceLROnPlateau("loss", **how)
    return head(1, optimizer=optimizers.SGD(0.01)), X, QUANTITY, {"callbacks": [given], "epochs": 50}


def masked(x):
    return net(L.Masking(0.0), L.GRU(2), L.Dense(1), shape=(20, 1), loss="mse"), x, QUANTITY


def pooled(size, shape=(24, 24, 3)):
    return net(L.Conv2D(2, 3), L.MaxPooling2D(size), L.Flatten(), L.Dense(1), shape=shape)


def rare(count):
    y = (np.arange(512) < count).astype("float32")
    return head(1, "sigmoid", "binary_crossentropy", metrics=["accuracy"]), MANY, y


def ended(*ends):
    return net(L.Dense(3, "softmax"), *ends, loss=SPARSE), X, THREE


def drawn(deviation):
    wide = keras.initializers.RandomNormal(stddev=deviation, seed=0)
    hidden = (L.Dense(200, "relu", kernel_initializer=wide) for _ in range(2))
    return net(*hidden, L.Dense(3, "softmax"), loss=SPARSE), X, THREE


def sparse_code(l1):
    code = L.Dense(200, "relu", activity_regularizer=regularizers.L1(l1))
    return net(code, L.Dense(1), loss="mse"), X, QUANTITY


def steps_of_momentum(rate, *others):
    sgd = optimizers.SGD(rate, momentum=0.9)
    return net(*others, L.Dense(9, "relu"), L.Dense(1), loss="mse", optimizer=sgd)


WRONG = {
    "LAM206": [
        lambda: net(L.Dense(9, "tanh"), L.ReLU(), L.Dense(1)),
        lambda: net(L.Conv1D(3, 2, activation="sigmoid"), L.Activation("relu"), L.Flatten(), L.Dense(1), shape=(6, 2)),
    ],
    "LAM207": [lambda: ended(L.BatchNormalization()), lambda: ended(L.LayerNormalization(), L.Dropout(0.2))],
    "LAM222": [
        lambda: net(L.TimeDistributed(L.Dense(4, "softmax")), L.GRU(2), L.Dense(1), shape=(6, 2)),
        lambda: net(L.Dense(4, "softmax"), L.LSTM(2), shape=(6, 2)),
    ],
    "LAM225": [
        lambda: net(L.Dense(1, "relu"), L.Dense(1, "sigmoid"), loss="binary_crossentropy"),
        lambda: net(L.Dense(1, "tanh"), L.Dense(3, "softmax"), loss=SPARSE),
    ],
    "LAM235": [lambda: pooled(7), lambda: pooled(9, (17, 17, 3))],
    "LAM237": [lambda: drawn(2.0), lambda: drawn(4.0)],
    "LAM301": [lambda: steps_of_momentum(1.0), lambda: steps_of_momentum(0.6, L.Flatten())],
    "LAM306": [lambda: plateau(factor=0.001, patience=1), lambda: plateau(factor=0.01, patience=8)],
    "LAM311": [
        lambda: (head(1, optimizer="adam"), MANY, np.tile(QUANTITY, 8), {"epochs": 1, "batch_size": 128}),
        lambda: (head(1, optimizer="adam"), MANY, np.tile(QUANTITY, 8), {"epochs": 2, "batch_size": 256}),
    ],
    "LAM314": [lambda: sparse_code(0.1), lambda: sparse_code(0.05)],
    "LAM317": [
        lambda: head(1, optimizer=optimizers.AdamW(0.001, weight_decay=10.0)),
        lambda: head(1, optimizer=optimizers.Adam(0.01, weight_decay=5.0)),
    ],
    "LAM320": [lambda: normalized(epochs=2, batch_size=32), lambda: normalized(0.999, epochs=10, batch_size=16)],
    "LAM405": [lambda: rare(36), lambda: rare(12)],
    "LAM407": [lambda: validated(X, 8 * X), lambda: validated(X / 9 + 2, X + 2)],
    "LAM419": [lambda: masked(COUNTED), lambda: masked(3 * COUNTED[:, ::-1])],
    "LAM421": [
        lambda: of_pictures(FIRST.reshape(-1, 12, 12, 3)),
        lambda: of_pictures((100 + 50 * FIRST).reshape(-1, 12, 12, 3).astype("uint8")),
    ],
}
SOUND = {
    "LAM206": [
        lambda: net(L.Dense(9, "tanh"), L.Dense(9), L.ReLU(), L.Dense(1)),
        lambda: net(L.Dense(9, "relu"), L.Dropout(0.2), L.Dense(1)),
    ],
    "LAM207": [lambda: ended(), lambda: net(L.Dense(3, "sigmoid"), L.BatchNormalization(), L.Dense(1))],
    "LAM222": [
        lambda: net(L.TimeDistributed(L.Dense(4, "relu")), L.GRU(2), shape=(6, 2)),
        lambda: net(L.GRU(2, return_sequences=True), L.Dense(4, "softmax"), shape=(6, 2)),
    ],
    "LAM225": [
        lambda: net(L.Dense(1, "sigmoid"), L.Reshape((1, 1)), loss="binary_crossentropy"),
        lambda: net(L.Dense(1, "sigmoid"), L.Lambda(lambda t: 1 - t), loss="binary_crossentropy"),
    ],
    "LAM235": [
        lambda: pooled(2, (17, 17, 3)),
        lambda: pooled(22),
        lambda: net(L.Conv2D(2, 3), L.AveragePooling2D(7), shape=(24, 24, 3)),
    ],
    "LAM237": [lambda: drawn(0.05), lambda: drawn(0.1)],
    "LAM301": [lambda: steps_of_momentum(0.1), lambda: steps_of_momentum(0.6, L.Dense(4), L.BatchNormalization())],
    "LAM306": [lambda: plateau(factor=0.1, patience=5), lambda: plateau(factor=0.001, min_lr=0.005, patience=5)],
    "LAM311": [
        lambda: (head(1, optimizer="adam"), MANY, np.tile(QUANTITY, 8), {"epochs": 10, "batch_size": 32}),
        lambda: (head(1, optimizer="adam"), MANY, np.tile(QUANTITY, 8), {"batch_size": 16, "epochs": 4}),
    ],
    "LAM314": [lambda: sparse_code(1e-4), lambda: sparse_code(1e-5)],
    "LAM317": [lambda: head(1, optimizer=optimizers.AdamW(weight_decay=0.1)), lambda: head(1, optimizer="adamw")],
    "LAM320": [lambda: normalized(epochs=50), lambda: (*normalized()[:1], X, QUANTITY, {"epochs": 3})],
    "LAM405": [lambda: rare(52), lambda: rare(200)],
    "LAM407": [lambda: validated(X, 1.5 * X), lambda: validated(X[:, :4], X[::-1] + 0.3)],
    "LAM419": [lambda: masked(COUNTED * X[:, :1, None]), lambda: masked(X[:, :1, None] + COUNTED)],
    "LAM421": [lambda: of_pictures(FIRST.transpose(0, 2, 3, 1)), lambda: of_pictures(NOISE)],
}


@pytest.mark.parametrize("case", table(WRONG, SOUND), ids=named)
def test_rule(case):
    judge(*case)

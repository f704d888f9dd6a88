"""Faults that people asked about, second part: regressions, and the scale of what comes in and goes out."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, quantity, rows, series, yes_no
from benchmarks.faults.library import Input, Sequential, initializers, layers, optimizers, regularizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, SCIENCE


@faulty(
    "output activation", "hidden activation", "gradient flow", "optimizer", "recurrence", "learning rate",
    source=f"{GITHUB}, keras-team/keras#3687: predictions are all zero",
)  # fmt: skip
def many_to_many_by_relu(pick):
    """Two LSTM with relu, relu at the end, and SGD with a momentum of 0.99."""
    x = series(40, 6)[0]
    y = (x[..., :1] + x[..., 1:2]) / 2
    act = pick("relu", "tanh")
    net = Sequential([Input((40, 6)), layers.LSTM(64, activation=act, return_sequences=True)])
    net.add(layers.LSTM(32, activation=act, return_sequences=True))
    net.add(layers.TimeDistributed(layers.Dense(1, activation=pick("relu", None))))
    way = optimizers.SGD(0.01, momentum=0.99, nesterov=True) if pick(True, False) else "adam"
    net.compile(loss="mean_squared_error", optimizer=way, metrics=["mean_squared_error"])
    return net, x, y, {"epochs": 20}


@faulty(
    "output activation", "hidden activation", "gradient flow",
    source=f"{GITHUB}, keras-team/keras#1874: nonlinear regression",
)  # fmt: skip
def three_sigmoids_and_relu(pick):
    """A positive quantity by three layers of sigmoid and a relu at the end: all outputs become 0."""
    x = np.tanh(rows(40))
    y = np.exp(0.5 * quantity(x)).astype("float32")
    net = Sequential([Input((40,))])
    for units in (200, 100, 50):
        net.add(layers.Dense(units, activation=pick("sigmoid", "relu")))
    net.add(layers.Dense(1, activation=pick("relu", "softplus")))
    net.compile(loss="mse", optimizer="rmsprop")
    return net, x, y, {"epochs": 50}


@faulty(
    "output activation", "input scale", "capacity", "optimizer",
    source=f"{SCIENCE} 28191: error in a neural network for sin(x)",
)  # fmt: skip
def sine_by_one_and_hundred(pick):
    """sin(x) of 0 to 314 by one relu unit, a hundred, and relu at the end."""
    x = np.arange(0.0, 314.1, 0.1)[:, None].astype("float32")
    y = np.sin(x)
    x = x if pick(True, False) else (x - 157) / 90.7
    net = Sequential([Input((1,)), layers.Dense(pick(1, 100), activation="relu"), layers.Dense(100, activation="relu")])
    net.add(layers.Dense(1, activation=pick("relu", None)))
    net.compile(loss="mse", optimizer="sgd" if pick(True, False) else "adam")
    return net, x, y, {"epochs": 50}


@faulty(
    "output activation", "input scale", "metric", "target scale", "batch size",
    source=f"{SCIENCE} 19365: a sinus by a feed-forward network",
)  # fmt: skip
def sine_by_sigmoids(pick):
    """sin of 0 to 99 by two sigmoids, watched by accuracy."""
    x = np.arange(100).astype("float32")[:, None] * pick(1.0, 0.04)
    net = Sequential([Input((1,)), layers.Dense(pick(10, 40)), layers.Activation(pick("sigmoid", "tanh"))])
    net.add(layers.Dense(1))
    if pick(True, False):
        net.add(layers.Activation("sigmoid"))
    net.compile(loss="mean_squared_error", optimizer=pick("SGD", "adam"), metrics=pick(["accuracy"], ["mae"]))
    return net, x, np.sin(x[:, 0]), {"epochs": pick(10, 500), "batch_size": pick(1, 8)}


@faulty("input scale", "hidden activation", source=f"{FORUM} 46995209: a toy model for sine")
def sine_of_a_thousand(pick):
    """sin(2 pi x / 1000) of x from 0 to 1000, by tanh."""
    x = draw(0).uniform(0, 1000, (1000, 1)).astype("float32")
    y = np.sin(2 * np.pi * x / 1000)
    x = x if pick(True, False) else (x - x.mean()) / x.std()
    net = Sequential([Input((1,))])
    for _ in range(3):
        net.add(layers.Dense(20, activation="tanh"))
    net.add(layers.Dense(1))
    net.compile(loss="mse", optimizer="adam")
    return net, x, y, {"epochs": 100, "batch_size": 50}


@faulty("output activation", "target scale", source=f"{FORUM} 48973140: how to interpret MSE in a Keras regressor")
def standardized_prices_by_sigmoid(pick):
    """Standardized prices, half of which are negative, by a sigmoid."""
    x = rows(36)
    net = Sequential([Input((36,)), layers.Dense(36, activation="relu"), layers.Dense(18, activation="relu")])
    net.add(layers.Dense(1, activation=pick("sigmoid", "linear")))
    net.compile(loss="mse", optimizer="sgd", metrics=["mae", "mse"])
    return net, x, quantity(x)[:, None], {"epochs": 50}


@faulty(
    "input scale", "target scale", "capacity", "gradient flow", "training length",
    source=f"{FORUM} 65310966: a regression gives another result each time",
)  # fmt: skip
def rate_of_the_day_before(pick):
    """Rates of about 125 after the rate of the day before, by two relu units."""
    rate = 129 + np.cumsum(draw(0).normal(size=800)) * 0.3
    x, y = rate[:-1, None].astype("float32"), rate[1:].astype("float32")
    if not pick(True, False):
        x, y = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    net = Sequential([Input((1,)), layers.Dense(pick(2, 32), activation="relu"), layers.Dense(1)])
    net.compile(optimizer="adam", loss="mse", metrics=["mae"])
    return net, x, y, {"epochs": 40, "batch_size": 32}


@faulty("target scale", source=f"{GITHUB}, keras-team/keras#4563: very high loss of several series")
def high_values_of_series(pick):
    """Values of hundred thousands by an LSTM, with MAE and SGD."""
    x = series(30, 8)[0]
    y = (2e5 + 8e4 * quantity(x)).astype("float32")
    y = y if pick(True, False) else (y - y.mean()) / y.std()
    net = Sequential([Input((30, 8)), layers.LSTM(64), layers.Dropout(0.3), layers.Dense(1)])
    way = optimizers.SGD(0.0008, momentum=0.9, nesterov=True) if pick(True, False) else "adam"
    net.compile(loss="mean_absolute_error", optimizer=way)
    return net, x, y, {"epochs": 20, "batch_size": 32, "validation_split": 0.2}


@faulty(
    "target scale", "learning rate", "loss",
    source=f"{GITHUB}, rstudio-conf-2020/dl-keras-tf#9: the loss is NaN with mean_squared_error",
)  # fmt: skip
def prices_of_ames(pick):
    """Prices of 13,000 to 755,000 by MSE and SGD(0.1)."""
    x = rows(50)
    y = np.exp(12 + 0.4 * quantity(x)).astype("float32")
    y = y if pick(True, False) else np.log(y) - 12
    net = Sequential([Input((50,)), layers.Dense(128, activation="relu"), layers.Dense(128, activation="relu")])
    net.add(layers.Dense(1))
    net.compile(optimizer=optimizers.SGD(pick(0.1, 0.01)), loss="mean_squared_error", metrics=["mae"])
    return net, x, y, {"epochs": 20, "batch_size": 16, "validation_split": 0.2}


@faulty(
    "regularization", "dropout", "learning rate",
    source=f"{GITHUB}, keras-team/keras#2134: NaN in a regression of patches",
)  # fmt: skip
def patches_under_a_strong_penalty(pick):
    """A quantity of patches of 32 x 32 with L2(0.5) and dropout of 0.7, twice, and SGD(1e-5)."""
    x, _ = images(32, 1, 4)
    y = quantity(x)
    net = Sequential([Input((32, 32, 1)), layers.Conv2D(25, 7), layers.Activation("relu"), layers.MaxPooling2D(2)])
    net.add(layers.Flatten())
    for _ in range(2):
        net.add(layers.Dense(200, kernel_regularizer=regularizers.L2(0.5) if pick(True, False) else None))
        net.add(layers.Activation("relu"))
        net.add(layers.Dropout(pick(0.7, 0.2)))
    net.add(layers.Dense(1))
    net.compile(loss="mse", optimizer=optimizers.SGD(pick(1e-5, 0.01), momentum=0.9, nesterov=True, clipnorm=100))
    return net, x, y, {"epochs": 40, "batch_size": pick(256, 32)}


@faulty("regularization", "hidden activation", source=f"{GITHUB}, keras-team/keras#1895: always the same class")
def penalties_of_two_kinds(pick):
    """L2 of 0.1 and 0.25 on kernels and on activations, between BatchNormalization."""
    x = series(20, 30)[0]
    net = Sequential([Input((20, 30)), layers.LSTM(32), layers.BatchNormalization()])
    for units, rate, act in ((100, 0.1, "sigmoid"), (200, 0.25, "relu")):
        given = {"kernel_regularizer": regularizers.L2(rate), "activity_regularizer": regularizers.L2(rate)}
        net.add(layers.Dense(units, **given if pick(True, False) else {}))
        net.add(layers.Activation(act))
        net.add(layers.BatchNormalization() if act == "sigmoid" else layers.Dropout(0.2))
    net.add(layers.Dense(3))
    net.add(layers.Activation("softmax"))
    way = optimizers.SGD(0.01, momentum=0.9, nesterov=True, clipnorm=0.1) if pick(True, False) else "adam"
    net.compile(loss="sparse_categorical_crossentropy", optimizer=way)
    return net, x, choices(x, 3), {"epochs": 150, "batch_size": 30}


@faulty("input scale", "learning rate", "gradient flow", source=f"{GITHUB}, keras-team/keras#510: NaN without clipnorm")
def columns_as_they_were_measured(pick):
    """Twenty columns of different units, up to thousands, with SGD."""
    x = rows(20)
    y = choices(x, 5)
    sizes = np.logspace(-1, 3, 20).astype("float32")
    x = x * sizes + 2 * sizes if pick(True, False) else x
    net = Sequential([Input((20,)), layers.Dense(128, activation="tanh"), layers.Dense(64, activation="tanh")])
    net.add(layers.Dense(5, activation="softmax"))
    net.compile(loss="sparse_categorical_crossentropy", optimizer=optimizers.SGD(0.01, momentum=0.9, nesterov=True))
    return net, x, y, {"epochs": 30}


@faulty("input scale", source="after pullrequest.ru 10248037: a CNN gives the same value for any input")
def pictures_as_they_are_read(pick):
    """Two classes of pictures of 0 to 255."""
    x, y = images(32, 3, 2)
    x = np.round(255 * x).astype("float32") if pick(True, False) else x
    net = Sequential([Input((32, 32, 3))])
    for filters in (16, 32):
        net.add(layers.Conv2D(filters, (3, 3), activation="relu"))
        net.add(layers.MaxPooling2D((2, 2)))
    net.add(layers.Flatten())
    net.add(layers.Dense(64, activation="relu"))
    net.add(layers.Dropout(0.5))
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return net, x, y, {"epochs": 10}


@faulty("metric", "input scale", source="after ogeek.cn 405141: accuracy of a regression of the Boston houses")
def accuracy_of_houses(pick):
    """Prices of 5 to 50 of thirteen columns as they are, watched by accuracy."""
    x = rows(13)
    y = (22 + 8 * quantity(x)).astype("float32")
    sizes = np.array([8, 23, 7, 0.25, 0.1, 0.7, 28, 2, 8.7, 168, 2.2, 91, 7], "float32")
    means = np.array([3.6, 11, 11, 0.07, 0.55, 6.3, 68, 3.8, 9.5, 408, 18, 356, 12], "float32")
    x = np.maximum(x * sizes + means, 0) if pick(True, False) else x
    net = Sequential([Input((13,)), layers.Dense(13, kernel_initializer="normal", activation="relu")])
    net.add(layers.Dense(1, kernel_initializer="normal"))
    net.compile(loss="mean_squared_error", optimizer="adam", metrics=pick(["accuracy"], ["mae"]))
    return net, x, y, {"epochs": 100, "batch_size": 5}


@faulty("metric", "loss", "labels", source=f"{SCIENCE} 49109: the accuracy of an LSTM does not change")
def hits_of_a_continuous_target(pick):
    """A target of 0 to 1 that takes any value, by a sigmoid and binary crossentropy, watched by accuracy."""
    x = series(10, 2)[0]
    y = 1 / (1 + np.exp(-2 * quantity(x)))
    net = Sequential([Input((10, 2)), layers.LSTM(16), layers.Dense(1, activation="sigmoid")])
    net.compile("adam", pick("binary_crossentropy", "mse"), metrics=pick(["accuracy"], ["mae"]))
    return net, x, y.astype("float32"), {"epochs": 40}


@faulty(
    "target scale", "training length", "input scale", source="after techfeed.net 470072: a squashed forecast of prices"
)
def changes_of_a_thousandth(pick):
    """Changes of some thousandths of a price after those of 48 hours, in one epoch."""
    x, y = series(48, 1)
    small = pick(0.002, 1.0)
    net = Sequential([Input((48, 1)), layers.LSTM(25), layers.Dense(1)])
    net.compile(loss="mse", optimizer="adam")
    given = {"epochs": pick(1, 20), "batch_size": pick(1, 16), "shuffle": True}
    return net, small * x, small * y, given


@faulty("gradient flow", "hidden activation", "initializer", source="after the notebook Is ReLU Dead? of medium.com")
def negative_numbers_into_relu(pick):
    """Numbers of -1 to 0 into relu units whose kernels are all positive: every unit is dead."""
    x = draw(0).uniform(-1, 0, (600, 4)).astype("float32")
    start = initializers.RandomUniform(0.0, 1.0) if pick(True, False) else "he_uniform"
    net = Sequential([Input((4,)), layers.Dense(32, activation="relu", kernel_initializer=start)])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, yes_no(x), {"epochs": 30}

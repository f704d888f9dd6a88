"""Faults that people asked about: threads that were read after the rules had been mended by all the others."""

import numpy as np

from benchmarks.faults.data import choices, draw, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import Input, Sequential, layers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import GITHUB


@faulty("output activation", "target scale", "input scale", source=f"{GITHUB}, keras-team/keras#108: no drop")
def red_of_a_pixel_by_tanh(pick):
    """The red of a pixel, 0 to 255, from sixteen numbers of 0 to 255, by tanh."""
    x = np.clip(np.round(120 + 50 * rows(16)), 0, 255).astype("float32")
    y = np.clip(np.round(120 + 50 * quantity(x)), 0, 255).astype("float32")
    if not pick(True, False):
        x, y = x / 127.5 - 1, y / 127.5 - 1
    net = Sequential([Input((16,))])
    for _ in range(2):
        net.add(layers.Dense(16))
        net.add(layers.Activation("tanh"))
    net.add(layers.Dense(1))
    net.add(layers.Activation("tanh"))
    net.compile(optimizer="rmsprop", loss="mse")
    return net, x, y, {"batch_size": 32, "epochs": 50}


@faulty("input scale", "target scale", "metric", "bad values", source=f"{GITHUB}, keras-team/keras#6260: three columns")
def sum_that_is_always_the_same(pick):
    """x from 1 to 1040, y from 1040 to 1, and z = x + y, which is 1041 in all rows; watched by accuracy."""
    x = np.stack([np.arange(1, 1041), np.arange(1040, 0, -1)], 1).astype("float32")
    if not pick(True, False):
        x = draw(0).random((1040, 2)).astype("float32")
    net = Sequential([Input((2,)), layers.Dense(12, activation="relu"), layers.Dense(8, activation="relu")])
    net.add(layers.Dense(1))
    net.compile(loss="mean_squared_error", optimizer="adam", metrics=[pick("accuracy", "mae")])
    return net, x, x.sum(1), {"epochs": 50, "batch_size": 10}


@faulty("loss", "output units", source=f"{GITHUB}, keras-team/keras#14729: too low accuracy")
def tumours_by_categories(pick):
    """Benign or malign by one sigmoid and categorical crossentropy."""
    x = rows(30)
    net = Sequential([Input((30,)), layers.Flatten()])
    for _ in range(2):
        net.add(layers.Dense(16, activation="relu", kernel_initializer="uniform"))
        net.add(layers.Dropout(0.1))
    net.add(layers.Dense(1, activation="sigmoid", kernel_initializer="uniform"))
    net.compile("adam", pick("categorical_crossentropy", "binary_crossentropy"), metrics=["accuracy"])
    return net, x, yes_no(x), {"batch_size": 100, "epochs": 100}


@faulty("metric", source=f"{GITHUB}, keras-team/keras#867: acc is always 1")
def sunspots_by_accuracy(pick):
    """The next number of a series after twelve others, watched by accuracy."""
    x, y = series(12, 1)
    net = Sequential([Input((12,))])
    for _ in range(2):
        net.add(layers.Dense(64, activation="relu"))
        net.add(layers.Dropout(0.2))
    net.add(layers.Dense(1, activation="linear"))
    net.compile(loss="mse", optimizer="rmsprop", metrics=[pick("accuracy", "mae")])
    return net, x[..., 0], y, {"epochs": 30}


@faulty("input scale", "output activation", source=f"{GITHUB}, keras-team/keras#6688: not over 50 %")
def packets_of_a_network(pick):
    """Addresses as decimal numbers beside small ones, by relu and binary crossentropy."""
    x = rows(11)
    y = yes_no(x)
    sizes = np.array([9e8, 9e8, 2e4, 2e4, 400, 30, 5, 1, 1, 2e5, 9], "float32")
    x = np.abs(x * sizes + 2 * sizes) if pick(True, False) else x
    net = Sequential([Input((11,))])
    for _ in range(2):
        net.add(layers.Dense(12, kernel_initializer="normal", activation="relu"))
    net.add(layers.Dense(1, kernel_initializer="normal", activation=pick("relu", "sigmoid")))
    net.compile(loss="binary_crossentropy", optimizer="Adam", metrics=["accuracy"])
    return net, x, y, {"epochs": 100, "batch_size": 5}


@faulty("labels", "output units", "loss", "output activation", source=f"{GITHUB}, keras-team/keras#2172: always 1")
def three_topics_one_sigmoid(pick):
    """Three topics, labels 0, 1 and 2, of sequences of word vectors by one sigmoid."""
    x = series(20, 30)[0]
    net = Sequential([Input((20, 30)), layers.LSTM(64), layers.Dropout(0.5)])
    net.add(layers.Dense(pick(1, 3)))
    net.add(layers.Activation(pick("sigmoid", "softmax")))
    net.compile(loss=pick("binary_crossentropy", "sparse_categorical_crossentropy"), optimizer="adam")
    return net, x, choices(x, 3), {"epochs": 30}


@faulty("vocabulary", "output activation", source=f"{GITHUB}, keras-team/keras#274: the output is not as expected")
def vectors_into_an_embedding(pick):
    """Sentences as 100 measured numbers of 0 to 1, into an Embedding, and tanh before binary crossentropy."""
    x = draw(0).random((512, 100)).astype("float32")
    net = Sequential([Input((100,))])
    if pick(True, False):
        net.add(layers.Embedding(100, 32))
        net.add(layers.LSTM(32, recurrent_activation="hard_sigmoid"))
    else:
        net.add(layers.Dense(64, activation="relu"))
    net.add(layers.Dropout(0.5))
    net.add(layers.Dense(1))
    net.add(layers.Activation(pick("tanh", "sigmoid")))
    net.compile(loss="binary_crossentropy", optimizer="rmsprop")
    return net, x, yes_no(x), {"epochs": 10, "batch_size": 30}


@faulty("capacity", "loss", "hidden activation", source=f"{GITHUB}, keras-team/keras#4994: acc never changes")
def newsgroups_through_one_number(pick):
    """Twenty newsgroups through one sigmoid, and by binary crossentropy."""
    x, y = texts(30, 400, 20)
    net = Sequential([Input((30,)), layers.Embedding(400, 50), layers.LSTM(64, dropout=0.2, recurrent_dropout=0.2)])
    net.add(layers.Dense(pick(1, 64)))
    net.add(layers.Activation(pick("sigmoid", "relu")))
    net.add(layers.Dense(20, activation="softmax"))
    net.compile(loss=pick("binary_crossentropy", "categorical_crossentropy"), optimizer="adam", metrics=["accuracy"])
    return net, x, one_hot(y, 20), {"epochs": 20}


@faulty("layer order", "capacity", "shape", "feature maps", source=f"{GITHUB}, keras-team/keras-io#1813: the same")
def average_of_the_wrong_axis(pick):
    """A transformer over (100, 1) whose average over the steps leaves one number."""
    x = series(100, 1)[0]
    y = (x[:, :50, 0].std(1) > 0.99).astype("int64")
    net = Sequential([Input((100, 1))])
    net.add(layers.Conv1D(4, 1, activation="relu"))
    net.add(layers.Dropout(0.25))
    net.add(layers.Conv1D(1, 1))
    net.add(layers.GlobalAveragePooling1D(data_format=pick("channels_last", "channels_first")))
    net.add(layers.Dense(128, activation="relu"))
    net.add(layers.Dropout(0.4))
    net.add(layers.Dense(2, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["sparse_categorical_accuracy"])
    return net, x, y, {"epochs": 50}


@faulty("feature maps", source=f"{GITHUB}, kdmalc/fl-gestures#39: the kernel should be greater than 1")
def windows_of_one_place(pick):
    """Gestures by three convolutions whose windows have one step."""
    x = series(64, 8)[0]
    net = Sequential([Input((64, 8))])
    for filters in (32, 64):
        net.add(layers.Conv1D(filters, pick(1, 5), activation="relu"))
        net.add(layers.MaxPooling1D(2))
    net.add(layers.Flatten())
    net.add(layers.Dense(64, activation="relu"))
    net.add(layers.Dense(5, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, choices(x, 5), {"epochs": 20}


@faulty("labels", "metric", "mask", source=f"{GITHUB}, keras-team/keras#13266: one-hot rows of the padding are missing")
def zeros_behind_the_sentence(pick):
    """Targets of the padding are rows of zeros, which the loss leaves out and accuracy counts."""
    x, _ = texts(16, 40, padded=True)
    y = one_hot(np.where(x > 0, 1 + x % 9, 0), 10)
    if pick(True, False):
        y = y * (x > 0)[..., None]
    net = Sequential([Input((16,)), layers.Embedding(40, 32), layers.LSTM(64, return_sequences=True)])
    net.add(layers.Dense(10, activation="softmax"))
    net.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
    return net, x, y.astype("float32"), {"epochs": 20}


@faulty("input scale", source="after the answer of keras-team/keras#508: no feature scaling")
def wine_as_it_is(pick):
    """Thirteen columns of wines, one of which is in hundreds, and three classes."""
    x = rows(13, 178)
    y = choices(x, 3)
    sizes = np.array([0.8, 1.1, 0.27, 3.3, 14, 0.6, 1, 0.12, 0.57, 2.3, 0.23, 0.7, 315], "float32")
    means = np.array([13, 2.3, 2.4, 19, 100, 2.3, 2, 0.36, 1.6, 5, 0.96, 2.6, 747], "float32")
    x = x * sizes + means if pick(True, False) else x
    net = Sequential([Input((13,)), layers.Dense(10, activation="tanh"), layers.Dense(10, activation="tanh")])
    net.add(layers.Dense(3, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 50, "batch_size": 16}

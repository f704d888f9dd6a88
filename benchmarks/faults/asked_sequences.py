"""Faults that people asked about, fourth part: shapes, masks and recurrent layers."""

import numpy as np

from benchmarks.faults.data import choices, draw, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, layers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import GITHUB, SCIENCE


@faulty(
    "recurrence", "hidden activation", "gradient flow",
    source=f"{GITHUB}, keras-team/keras#2194: NaN in an LSTM with relu",
)  # fmt: skip
def relu_over_long_sentences(pick):
    """Labels of the letters of long sentences by an LSTM with relu."""
    x = rows(16, 64 * 150).reshape(64, 150, 16)
    y = choices(x.reshape(-1, 16), 4).reshape(64, 150)
    x = np.where(np.arange(150)[None, :, None] < draw(1).integers(60, 151, 64)[:, None, None], x, 0)
    weight = (x != 0).any(-1).astype("float32")
    net = Sequential([Input((150, 16)), layers.Masking()])
    net.add(layers.LSTM(64, activation=pick("relu", "tanh"), return_sequences=True))
    net.add(layers.Dropout(0.2))
    net.add(layers.TimeDistributed(layers.Dense(4)))
    net.add(layers.Activation("softmax"))
    net.compile(loss="sparse_categorical_crossentropy", optimizer="adam")
    return net, x, y, {"epochs": 30, "batch_size": 16, "sample_weight": weight}


@faulty("mask", source=f"{SCIENCE} 67599: the share of steps that are not 0")
def zeros_that_are_values(pick):
    """The share of ones among zeros and ones, with Masking, which hides the zeros."""
    ones = draw(0).integers(5, 95, 400)
    x = (np.arange(100)[None] >= 100 - ones[:, None]).astype("float32")[..., None]
    net = Sequential([Input((100, 1))])
    if pick(True, False):
        net.add(layers.Masking(mask_value=0.0))
    net.add(layers.LSTM(10))
    net.add(layers.Dense(1))
    net.compile(optimizer="adam", loss="mse", metrics=["mae"])
    return net, x, x.mean((1, 2)), {"epochs": 50}


@faulty("recurrence", "shape", source=f"{SCIENCE} 26247: an LSTM whose validation loss is lower")
def one_number_in_one_step(pick):
    """An LSTM over one step of one number."""
    x = rows(1)[:, None]
    y = (x[:, 0, 0] > 0.3).astype("int64")
    net = Sequential([Input((1, 1)), layers.LSTM(16) if pick(True, False) else layers.Flatten()])
    net.add(layers.Dense(2, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


@faulty("recurrence", "shape", source=f"{GITHUB}, omerbsezer/LSTM_RNN_Tutorials_with_Demo#6: (n, 1, look_back)")
def looking_back_in_one_step(pick):
    """Fifteen earlier values as fifteen features of one step."""
    x, y = series(15, 1)
    x = x.reshape(len(x), 1, 15) if pick(True, False) else x
    net = Sequential([Input(x.shape[1:]), layers.LSTM(20), layers.Dense(1)])
    net.compile(loss="mean_squared_error", optimizer="adam")
    return net, x, y, {"epochs": 20, "batch_size": 16}


@faulty("recurrence", "order of data", source=f"{GITHUB}, keras-team/keras#1820: does stateful_lstm.py make sense?")
def cosine_in_shuffled_batches(pick):
    """A stateful LSTM over pieces of a long cosine, in batches that are shuffled."""
    time = np.arange(1000)
    x = np.cos(2 * np.pi * time / 40)[:, None, None].astype("float32")
    y = np.roll(x[:, 0], -1, axis=0)
    kept = pick(True, False)
    if not kept:
        x = np.stack([x[at : at + 10, 0] for at in range(980)])
        y = y[9:989]
    net = Sequential([Input(batch_shape=(25, 1, 1) if kept else (None, 10, 1))])
    net.add(layers.LSTM(32, return_sequences=True, stateful=kept))
    net.add(layers.LSTM(32, stateful=kept))
    net.add(layers.Dense(1))
    net.compile(loss="mse", optimizer="rmsprop")
    return net, x, y, {"epochs": 25, "batch_size": 25 if kept else 32}


@faulty("recurrence", "shape", "labels", source="after newbe.dev: expected dense_1 to have 3 dimensions")
def sequences_to_the_end(pick):
    """The second LSTM returns all steps, and there is one label for each row."""
    x = series(45, 2, count=118)[0]
    net = Sequential([Input((45, 2)), layers.LSTM(32, return_sequences=True)])
    net.add(layers.LSTM(32, return_sequences=pick(True, False)))
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
    return net, x, yes_no(x)[:, None], {"epochs": 40, "batch_size": 16}


@faulty("mask", source=f"{GITHUB}, keras-team/keras#13189: layer flatten does not support masking")
def mask_that_ends_at_flatten(pick):
    """Padded texts with mask_zero; Flatten gives the padding to Dense all the same."""
    x, y = texts(24, 300, 4, padded=True)
    labels = np.stack([y % 2, y // 2, (x == 5).any(1)], 1).astype("float32")
    inputs = Input((24,), dtype="int32")
    z = layers.Embedding(300, 16, mask_zero=True)(inputs)
    z = layers.SpatialDropout1D(0.3)(z)
    back = pick(True, False)
    z = layers.Bidirectional(layers.LSTM(16, return_sequences=back))(z)
    z = layers.Dropout(0.5)(layers.Flatten()(z) if back else z)
    net = Model(inputs, layers.Dense(3, activation="sigmoid")(z))
    net.compile("adam", "binary_crossentropy")
    return net, x, labels, {"epochs": 20}


@faulty("shape", "labels", source=f"{GITHUB}, keras-team/keras#12958: reshape data for an LSTM")
def a_third_of_the_rows(pick):
    """Rows are joined by threes into steps, and the targets are as many as before."""
    x = rows(12, 600)
    y = quantity(x)
    net = Sequential([Input((3, 12)), layers.LSTM(32), layers.Dense(1)])
    net.compile(loss="mae", optimizer="adam")
    windows = np.stack([x[at : at + 3] for at in range(598)])
    given = x.reshape(200, 3, 12) if pick(True, False) else windows
    return net, given, y if pick(True, False) else y[2:], {"epochs": 30}

"""Faults of text, recurrence and data as a stranger would write them, with functions of their own."""

import numpy as np

from benchmarks.faults.drawn import blobs, reviews, shapes, waves
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, ops, regularizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import DEEPFD, DEFECTS, NEURALINT, THEIA

# text and recurrence


@faulty("vocabulary", source="after questions on Stack Overflow: the table has too few rows")
def words_beyond_the_table(pick):
    """Token numbers up to 99 for a table of 80 rows, in a GRU of two inputs."""
    x, y = reviews(160, 10, 100, before=True)
    extra = np.random.default_rng(2).normal(size=(160, 3)).astype("float32")
    words, more = Input((10,), name="words"), Input((3,), name="more")
    h = layers.GRU(16)(layers.Embedding(input_dim=pick(80, 100), output_dim=12)(words))
    model = Model([words, more], layers.Dense(1, activation="sigmoid")(layers.concatenate([h, more])))
    model.compile("adam", "binary_crossentropy")
    return model, {"words": x, "more": extra}, y, {"epochs": 20}


@faulty("vocabulary", "mask", source="after questions on Stack Overflow: number 0 is a word")
def word_zero_is_hidden(pick):
    """mask_zero with rows of full length whose words begin at 0."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 8, (200, 15)).astype("int32") + pick(0, 1)
    y = (x[:, -1] > 4).astype("float32")
    model = Sequential([
        layers.Embedding(9, 8, mask_zero=True, input_length=15), layers.LSTM(16), layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy")
    return model, x, y, {"epochs": 20}


@faulty("mask", source="after questions on Stack Overflow: an LSTM that reads padding last")
def padding_at_the_end_of_lstm(pick):
    """Rows of 4 to 8 words padded to 40 at the end, read by an LSTM without a mask."""
    x, y = reviews(160, 40, 50, longest=12)
    ids = Input((None,), dtype="int64")
    h = layers.Embedding(50, 16, mask_zero=pick(False, True))(ids)
    h = layers.Dropout(0.1)(h)
    h = layers.LSTM(16)(h)
    model = Model(ids, layers.Dense(1, "sigmoid")(h))
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["acc"])
    return model, x, y, {"epochs": 20}


@faulty("recurrence", source="after questions on Stack Overflow: stateful and shuffled")
def stateful_and_shuffled(pick):
    """States are carried from one batch to the next, but the windows are shuffled."""
    x, y = waves(128, 10)
    model = Sequential()
    model.add(layers.LSTM(12, batch_input_shape=(16, 10, 1), stateful=pick(True, False)))
    model.add(layers.Dense(1))
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 30, "batch_size": 16}


# data


@faulty("input scale", source=f"{THEIA}: pictures of 0 to 255")
def bytes_into_sigmoids(pick):
    """Bytes of 0 to 255 into Dense layers of sigmoid."""
    x, y = shapes(160, 12)
    x = x * pick(255.0, 1.0)
    model = Sequential(
        [
            layers.Flatten(input_shape=(12, 12, 1)),
            layers.Dense(64, activation="sigmoid"),
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 20}


@faulty("bad values", "input scale", source=f"{THEIA}: a number that stands for nothing known")
def minus_999_for_missing(pick):
    """Missing measures stand as -999 among scaled ones."""
    x, y = blobs(300, 6, 2)
    holes = np.random.default_rng(3).random(x.shape) < 0.05
    x = np.where(holes, pick(-999.0, 0.0), x)
    model = Sequential([Input((6,)), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    return model, x, y, {"epochs": 20}


@faulty("validation", "input scale", source="after questions on Stack Overflow: the scaler was not applied")
def validation_not_scaled(pick):
    """The training data are standardized, and the validation data are not."""
    raw, y = blobs(400, 6, 3)
    raw = raw * 40 + 300
    scaled = (raw - raw.mean(0)) / raw.std(0)
    val = (raw if pick(True, False) else scaled)[300:]
    inputs = Input((6,))
    model = Model(inputs, layers.Dense(3, "softmax")(layers.Dense(24, "relu")(inputs)))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, scaled[:300], y[:300], {"epochs": 30, "validation_data": (val, y[300:])}


@faulty("imbalance", "labels", "metric", source=f"{THEIA}: nearly all of one class")
def fraud_of_two_percent(pick):
    """Two rows of a hundred are fraud; no weights, and accuracy tells nothing."""
    x, _ = blobs(1000, 10, 3)
    y = np.arange(1000) % 50 == 0
    x[y] += 1.0
    model = Sequential([Input((10,)), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=[pick("accuracy", keras.metrics.AUC(curve="PR"))])
    return model, x, y, {"epochs": 20} | ({} if pick(True, False) else {"class_weight": {0: 0.51, 1: 25.0}})


@faulty("metric", source=f"{DEFECTS}: accuracy of a regression")
def accuracy_of_prices(pick):
    """The metric of a regression is accuracy, as an object."""
    x, _ = blobs(300, 8, 3)
    y = x @ np.linspace(-1, 1, 8) / 3
    model = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1)])
    model.compile("adam", "mse", metrics=[pick(keras.metrics.Accuracy(), keras.metrics.RootMeanSquaredError())])
    return model, x, y, {"epochs": 60}


@faulty("disconnected", source=f"{DEFECTS}: a layer whose result is not used")
def branch_that_is_dropped(pick):
    """The convolutions are called, but the head reads the input again."""
    x, y = shapes(120, 16)

    class Net(Model):
        def __init__(self):
            super().__init__()
            self.c1, self.c2 = layers.Conv2D(8, 3, activation="relu"), layers.Conv2D(8, 3, activation="relu")
            self.flat, self.out = layers.Flatten(), layers.Dense(4, activation="softmax")

        def call(self, x):
            h = self.c1(x)
            h = self.c2(h)
            return self.out(self.flat(pick(x, h)))

    model = Net()
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("gradient flow", "disconnected", "frozen weights", source="after questions on Stack Overflow: no gradients")
def rounded_before_the_head(pick):
    """ops.round between two layers, which lets no gradient through."""
    x, y = blobs(300, 10, 3)
    inputs = Input((10,))
    code = layers.Dense(16, activation="sigmoid")(inputs)
    code = ops.round(code) if pick(True, False) else code + ops.stop_gradient(ops.round(code) - code)
    model = Model(inputs, layers.Dense(3, activation="softmax")(code))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 40}


@faulty("layer order", "output activation", "dropout", source=f"{NEURALINT}: dropout after the last layer")
def dropout_after_the_classes(pick):
    """Dropout after softmax."""
    x, y = blobs(300, 10, 3)
    model = Sequential([Input((10,)), layers.Dense(32, "relu"), layers.Dense(3, activation="softmax")])
    if pick(True, False):
        model.add(layers.Dropout(0.3))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 40}


@faulty("regularization", source=f"{DEEPFD}: weights that are punished too much")
def l1_of_every_activation(pick):
    """activity_regularizer of L1 at 1.0 for each hidden unit."""
    x, y = blobs(300, 10, 3)
    inputs = Input((10,))
    h = layers.Dense(64, activation="relu", activity_regularizer=regularizers.L1(pick(1.0, 1e-6)))(inputs)
    model = Model(inputs, layers.Dense(3, activation="softmax")(h))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 40}


@faulty("recurrence", "shape", "layer order", source="after questions on Stack Overflow: one step of 30 features")
def a_window_taken_for_features(pick):
    """Thirty values in time, reshaped to one step with thirty features, for an LSTM."""
    x, y = waves(160, 30)
    x = x.reshape(160, 1, 30) if pick(True, False) else x
    model = Sequential([Input(x.shape[1:]), layers.LSTM(16), layers.Dense(1)])
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 30}

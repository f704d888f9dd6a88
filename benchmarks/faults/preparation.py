"""Faults of the data and of their preparation."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, quantity, rows, series, yes_no
from benchmarks.faults.library import Input, Model, Sequential, layers, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import CRIME, DEEPLOCALIZE, DEFECTS, STUDY, TAXONOMY, UMLAUT


def _table(features, units=1, last="sigmoid", loss="binary_crossentropy", hidden=(32, 16)):
    model = Sequential([Input((features,)), *[layers.Dense(size, activation="relu") for size in hidden]])
    model.add(layers.Dense(units, activation=last))
    model.compile("adam", loss)
    return model


@faulty("input scale", source=f"Stack Overflow 31627380; {DEEPLOCALIZE}")
def passengers(pick):
    """Ages, fares up to 512 and encoded columns of passengers, without scaling."""
    numbers = draw(0)
    x = np.stack([numbers.integers(1, 4, 512), numbers.integers(0, 891, 512), numbers.integers(0, 2, 512),
                  numbers.uniform(1, 80, 512), numbers.integers(0, 681, 512), numbers.exponential(40, 512),
                  numbers.integers(0, 147, 512)], axis=1).astype("float32")  # fmt: skip
    y = yes_no((x - x.mean(0)) / x.std(0))
    x = x if pick(True, False) else (x - x.mean(0)) / x.std(0)
    model = Sequential([
        Input((7,)), layers.Dense(64), layers.Activation("relu"), layers.Dropout(0.3), layers.Dense(1),
        layers.Activation("sigmoid"),
    ])  # fmt: skip
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model, x, y, {"epochs": 30, "batch_size": 16, "validation_split": 0.2}


@faulty("input scale", source=f"Stack Overflow 47724077; {DEEPLOCALIZE}")
def census(pick):
    """Incomes by 14 columns, one of which goes up to a million."""
    x = rows(14).copy()
    y = choices(x, 2)
    if pick(True, False):
        x[:, 2] = 190_000 + 100_000 * x[:, 2]
        x[:, 10] = np.abs(5000 * x[:, 10])
    return _table(14, 2, "softmax", "sparse_categorical_crossentropy", (21,)), x, y, {"epochs": 50}


@faulty("input scale", source=f"{UMLAUT}: input data exceed typical limits")
def prices_into_an_lstm(pick):
    """Prices of some 3000 into an LSTM, all of whose gates are at their ends."""
    x, y = series(30, 1)
    model = Sequential([Input((30, 1)), layers.LSTM(24), layers.Dense(1)])
    model.compile("adam", "mse")
    return model, 3000 + 400 * x if pick(True, False) else x, y, {"epochs": 40}


@faulty("input scale", source=f"{STUDY}: preprocessing")
def normalization_that_has_not_seen_data(pick):
    """A Normalization layer whose adapt was forgotten."""
    x = 500 + 200 * rows(6)
    normalize = layers.Normalization()
    if pick(False, True):
        normalize.adapt(x)
    model = Sequential([Input((6,)), normalize, layers.Dense(32, "relu"), layers.Dense(1)])
    model.compile("adam", "mse")
    return model, x, quantity(x), {"epochs": 50}


@faulty("bad values", source=f"{UMLAUT}: input contains NaN")
def gaps_in_the_table(pick):
    """A few cells without a value."""
    x = rows(10).copy()
    y = yes_no(x)
    x[draw(5).random(x.shape) < 0.01] = np.nan
    return _table(10), x if pick(True, False) else np.nan_to_num(x), y, {"epochs": 40}


@faulty("bad values", source=f"{DEFECTS}: logarithm of zero")
def infinite_columns(pick):
    """The logarithm of a column that has zeros."""
    counts = np.floor(np.abs(3 * rows(5)))
    y = yes_no(counts)
    with np.errstate(divide="ignore"):
        x = np.log(counts) if pick(True, False) else np.log1p(counts)
    return _table(5), x.astype("float32"), y, {"epochs": 40}


@faulty("bad values", source=f"{TAXONOMY}: missing labels")
def targets_without_a_value(pick):
    """Targets that were not measured are NaN."""
    x = rows(12)
    y = quantity(x)
    measured = draw(2).random(len(y)) > 0.05
    y = np.where(measured, y, np.nan) if pick(True, False) else y
    model = Sequential([Input((12,)), layers.Dense(32, "relu"), layers.Dense(1)])
    model.compile("adam", "mae")
    return model, x, y, {"epochs": 50}


@faulty("bad values", source=f"{DEFECTS}: deviation of a constant column")
def divided_by_no_deviation(pick):
    """Columns divided by their deviations, one of which is 0."""
    x = rows(8).copy()
    y = yes_no(x)
    x[:, 3] = 7.0
    with np.errstate(invalid="ignore"):
        x = (x - x.mean(axis=0)) / (x.std(axis=0) + pick(0.0, 1e-6))
    return _table(8), x, y, {"epochs": 40}


@faulty("validation", "input scale", source=f"{STUDY}: preprocessing of the validation data")
def validation_that_is_not_scaled(pick):
    """Training pictures of 0 to 1, validation pictures of 0 to 255."""
    x, y = images(20, 3, 5)
    val_x, val_y = images(20, 3, 5, count=128, seed=9)
    model = Sequential([
        Input((20, 20, 3)), layers.Conv2D(16, 3, activation="relu"), layers.GlobalMaxPooling2D(),
        layers.Dense(5, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30, "validation_data": (val_x * pick(255, 1), val_y)}


@faulty("validation", "input scale", source=f"{TAXONOMY}: normalization by other statistics")
def validation_in_other_units(pick):
    """Grams in training, kilograms in validation."""
    x, val_x = rows(6), rows(6, 128, seed=7)
    val = (val_x * pick(0.001, 1.0), quantity(val_x))
    model = Sequential([Input((6,)), layers.Dense(32, "relu"), layers.Dense(1)])
    model.compile("adam", "mse")
    return model, x, quantity(x), {"epochs": 50, "validation_data": val}


@faulty("validation", source=f"{TAXONOMY}: training data in the test data")
def validates_on_training_rows(pick):
    """The validation rows were taken from the training rows without removing them."""
    x = rows(16)
    y = choices(x, 3)
    val_x = rows(16, 128, seed=11)
    val = pick((x[:128], y[:128]), (val_x, choices(val_x, 3)))
    return _table(16, 3, "softmax", "sparse_categorical_crossentropy"), x, y, {"epochs": 40, "validation_data": val}


@faulty("labels", source=f"{CRIME}: labels that do not belong to the rows")
def labels_shuffled_alone(pick):
    """The rows were shuffled and the labels were not: two rows that are the same have other labels."""
    base = rows(16, 128)
    x = np.concatenate([base] * 4)
    y = np.concatenate([choices(base, 4)] * 4)
    y = draw(8).permutation(y) if pick(True, False) else y
    return _table(16, 4, "softmax", "sparse_categorical_crossentropy"), x, y, {"epochs": 40}


@faulty("imbalance", source=f"{CRIME}: unbalance training data")
def one_picture_of_the_other_class(pick):
    """98 % of the pictures are of one class."""
    x, y = images(16, 3, 2)
    rare = np.flatnonzero(y == 1)
    keep = np.sort(np.concatenate([np.flatnonzero(y == 0), pick(rare[:4], rare)]))
    model = Sequential([
        Input((16, 16, 3)), layers.Conv2D(8, 3, activation="relu"), layers.Flatten(), layers.Dense(1, "sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, x[keep], y[keep], {"epochs": 20}


@faulty("labels", "output units", "disconnected", "bad values", source=f"{DEFECTS}: the label among the inputs")
def the_label_is_a_column(pick):
    """The label was left in the table as its last column."""
    x = rows(10)
    y = yes_no(x)
    x = np.concatenate([x, y[:, None].astype("float32")], axis=1) if pick(True, False) else x
    return _table(x.shape[1]), x, y, {"epochs": 30}


@faulty("bad values", "shape", source=f"{STUDY}: type of the data")
def pictures_that_are_all_black(pick):
    """Divided by 255 as whole numbers: every pixel is 0."""
    x, y = images(20, 1, 5)
    whole = (255 * x).astype("uint8")
    x = (whole // 255).astype("float32") * pick(0, 1) if pick(True, False) else whole / np.float32(255)
    model = Sequential([
        Input((20, 20, 1)), layers.Conv2D(8, 3, activation="relu"), layers.Flatten(), layers.Dense(5, "softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 20}


@faulty("training length", "capacity", source=f"{CRIME}: remove portion of training data")
def twenty_rows_for_many_weights(pick):
    """Twenty rows of 400 columns for a network of 300000 weights, for three epochs."""
    x = rows(400, pick(20, 512))
    model = Sequential(
        [Input((400,)), layers.Dense(512, "relu"), layers.Dense(200, "relu"), layers.Dense(1, "sigmoid")]
    )
    model.compile(optimizers.Adam(), "binary_crossentropy")
    return model, x, yes_no(x), {"epochs": pick(3, 40)}


@faulty("labels", "loss", source=f"{DEFECTS}: values of a mask")
def mask_with_a_third_value(pick):
    """A mask of 0, 1 and 2, of which 2 means unknown, with the loss for 0 and 1."""
    x, _ = images(16, 1, 4)
    mask = (x > 0.6).astype("float32")
    mask = np.where(draw(4).random(mask.shape) < 0.1, pick(2.0, mask), mask)
    inputs = Input((16, 16, 1))
    z = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    model = Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(z))
    model.compile("adam", "binary_crossentropy")
    return model, x, mask, {"epochs": 30}

"""Faults of learners' programs: heads, losses, and callbacks."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, yes_no
from benchmarks.faults.library import (
    Input,
    Sequential,
    callbacks,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
)  # fmt: skip
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import LEARNERS

FIT = {"epochs": 30, "batch_size": 32, "validation_split": 0.2}


def _network(features, *ends, hidden=(64, 32)):
    """Dense layers with relu between an Input and the given last layers."""
    return Sequential([Input((features,)), *(layers.Dense(units, activation="relu") for units in hidden), *ends])


@faulty("input scale", source=LEARNERS)
def divided_by_255_twice(pick):
    """Digits divided by 255 as they are loaded, and by a Rescaling layer once more."""
    x, y = images(28, 1, 10)
    net = Sequential([Input((28, 28, 1)), layers.Rescaling(pick(1 / 255, 1.0))])
    net.add(layers.Flatten())
    net.add(layers.Dense(128, activation="relu"))
    net.add(layers.Dense(10, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, FIT


@faulty("output activation", "target scale", source=LEARNERS)
def relu_before_standardized_targets(pick):
    """A regression on standardized targets, half of which are negative, ends in relu."""
    x = rows(8)
    y = quantity(x)
    y = (y - y.mean()) / y.std()
    net = _network(8, layers.Dense(1, activation=pick("relu", None)))
    net.compile("adam", "mse", metrics=["mae"])
    return net, x, y, FIT


@faulty("output activation", "target scale", source=LEARNERS)
def tanh_before_rents(pick):
    """Rents of some hundreds behind tanh."""
    x = rows(6)
    y = 12 + 2 * quantity(x)
    net = _network(6, layers.Dense(1, activation=pick("tanh", "linear")))
    net.compile("rmsprop", "mae")
    return net, x, y, FIT


@faulty("dropout", "layer order", "output activation", source=LEARNERS)
def dropout_behind_the_answer(pick):
    """Dropout(0.3) is the last layer of a classifier."""
    x = rows(10)
    y = choices(x, 4)
    net = _network(10, layers.Dense(4, activation="softmax"))
    if pick(True, False):
        net.add(layers.Dropout(0.3))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, FIT


@faulty("layer order", "output activation", source=LEARNERS)
def normalized_probabilities(pick):
    """BatchNormalization behind softmax."""
    x = rows(10)
    net = _network(10)
    net.add(layers.Dense(3, activation="softmax"))
    if pick(True, False):
        net.add(layers.BatchNormalization())
    net.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return net, x, one_hot(choices(x, 3), 3), FIT


@faulty("metric", source=LEARNERS)
def accuracy_of_prices(pick):
    """A regression is judged by accuracy."""
    x = rows(7)
    net = _network(7, layers.Dense(1))
    net.compile(optimizers.Adam(0.001), "mean_squared_error", metrics=[pick(metrics.Accuracy(), "mae")])
    return net, x, quantity(x), FIT


@faulty("learning rate", "callback", source=LEARNERS)
def schedule_that_grows(pick):
    """LearningRateScheduler multiplies by ten where it should divide."""
    x = rows(7)
    net = _network(7, layers.Dense(1))
    net.compile("adam", "mse")
    factor = pick(2.0, 0.95)
    lowered = callbacks.LearningRateScheduler(lambda epoch, rate: rate * factor)
    return net, x, quantity(x), {**FIT, "callbacks": [lowered]}


@faulty("learning rate", "callback", source=LEARNERS)
def schedule_that_dies(pick):
    """LearningRateScheduler divides by ten in each epoch."""
    x = rows(7)
    net = _network(7, layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    factor = pick(0.1, 0.97)
    lowered = callbacks.LearningRateScheduler(lambda epoch: 0.001 * factor**epoch)
    return net, x, yes_no(x), {**FIT, "callbacks": [lowered]}


@faulty("callback", "learning rate", source=LEARNERS)
def floor_above_the_rate(pick):
    """ReduceLROnPlateau(min_lr=0.01) under Adam(0.001), which can never be lowered."""
    x = rows(7)
    net = _network(7, layers.Dense(1))
    net.compile(optimizers.Adam(0.001), "mse")
    lowers = callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.2, patience=3, min_lr=pick(0.01, 1e-6))
    return net, x, quantity(x), {**FIT, "callbacks": [lowers]}


@faulty("imbalance", source=LEARNERS)
def weights_upside_down(pick):
    """class_weight gives the frequent class the larger weight."""
    x = rows(12)
    y = (quantity(x) > 1.9).astype("int64")
    net = _network(12, layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["AUC"])
    rare = float(y.mean())
    return (
        net,
        x,
        y,
        {**FIT, "class_weight": pick({0: 0.5 / rare, 1: 0.5 / (1 - rare)}, {0: 0.5 / (1 - rare), 1: 0.5 / rare})},
    )


@faulty("imbalance", "bad values", "labels", source=LEARNERS)
def weights_of_zero(pick):
    """sample_weight is zero for all rows, since it was made by integer division."""
    x = rows(6)
    weights = pick(np.ones(len(x), int) // 2, np.ones(len(x)) / 2)
    net = _network(6, layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 30, "sample_weight": weights}


@faulty("loss", source=LEARNERS)
def score_as_a_loss(pick):
    """A loss that is larger for better predictions, which fit makes small."""
    x = rows(9)
    y = yes_no(x)

    def dice(y_true, y_pred):
        y_true = ops.cast(y_true, "float32")
        score = 2 * ops.sum(y_true * y_pred) / (ops.sum(y_true) + ops.sum(y_pred) + 1e-6)
        return pick(score, 1 - score)

    net = _network(9, layers.Dense(1, activation="sigmoid"))
    net.compile("adam", dice, metrics=["accuracy"])
    return net, x, y, FIT


@faulty("loss", "bad values", source=LEARNERS)
def negative_targets_in_logarithms(pick):
    """mean_squared_logarithmic_error on targets of which half are negative."""
    x = rows(5)
    net = _network(5, layers.Dense(1))
    net.compile("adam", pick("mean_squared_logarithmic_error", "mean_squared_error"))
    return net, x, quantity(x), FIT


@faulty("loss", source=LEARNERS)
def cosine_of_one_number(pick):
    """cosine_similarity of one target for each row, which is 1 or -1 whatever its size."""
    x = rows(5)
    net = _network(5, layers.Dense(1))
    net.compile("adam", pick(losses.CosineSimilarity(), losses.Huber()))
    return net, x, quantity(x), FIT


@faulty("loss", "output activation", source=LEARNERS)
def divergence_of_raw_numbers(pick):
    """kl_divergence of outputs without softmax."""
    x = rows(8)
    y = draw(3).dirichlet(np.ones(4), len(x)).astype("float32")
    net = _network(8, layers.Dense(4, activation=pick(None, "softmax")))
    net.compile("adam", "kl_divergence")
    return net, x, y, FIT


@faulty("loss", "labels", source=LEARNERS)
def percentages_of_zero(pick):
    """mean_absolute_percentage_error where a third of the targets are 0."""
    x = rows(5)
    y = np.maximum(quantity(x) + 0.5, 0)
    net = _network(5, layers.Dense(1))
    net.compile("adam", pick("mape", "mae"))
    return net, x, y, FIT


@faulty("bad values", "input scale", source=LEARNERS)
def one_row_for_all(pick):
    """np.repeat in place of the rows: each sample is the same."""
    x = rows(6)
    y = quantity(x)
    net = _network(6, layers.Dense(1))
    net.compile("adam", "mse")
    return net, pick(np.repeat(x[:1], len(x), axis=0), x), y, FIT

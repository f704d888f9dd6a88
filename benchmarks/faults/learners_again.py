"""Faults of learners' programs, once more: settings whose effect is easily overlooked."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, quantity, rows, series, yes_no
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    callbacks,
    initializers,
    keras,
    layers,
    losses,
    ops,
    optimizers,
)  # fmt: skip
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import LEARNERS

FIT = {"epochs": 30, "batch_size": 32, "validation_split": 0.2}
SPARSE = "sparse_categorical_crossentropy"


def _network(features, *ends, **how):
    return Sequential([Input((features,)), layers.Dense(32, activation="relu", **how), *ends])


@faulty("layer order", "gradient flow", source=LEARNERS)
def statistics_that_never_move(pick):
    """BatchNormalization(momentum=1.0): predictions use the first mean and variance."""
    x = rows(8)
    net = _network(8, layers.BatchNormalization(momentum=pick(1.0, 0.9)), layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, quantity(x), FIT


@faulty("capacity", source=LEARNERS)
def ten_classes_from_one_unit(pick):
    """LSTM(1) before ten classes."""
    x = series(16, 3)[0]
    net = Sequential([Input((16, 3)), layers.LSTM(pick(1, 32)), layers.Dense(10, activation="softmax")])
    net.compile("adam", SPARSE)
    return net, x, choices(x, 10), FIT


@faulty("labels", "imbalance", "bad values", source=LEARNERS)
def one_target_for_all(pick):
    """The targets are the same number in each row."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, pick(np.full(len(x), 3.0, "float32"), quantity(x)), FIT


@faulty("labels", "imbalance", "bad values", source=LEARNERS)
def one_class_for_all(pick):
    """A comparison with the wrong text gives class 0 for each row."""
    x = rows(8)
    net = _network(8, layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, pick(np.zeros(len(x), "int64"), yes_no(x)), FIT


@faulty("bad values", "input scale", source=LEARNERS)
def missing_as_minus_999(pick):
    """Missing values are -999 in columns of unit scale."""
    x = rows(6).copy()
    x[draw(2).random(x.shape) < 0.1] = pick(-999.0, 0.0)
    net = _network(6, layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, quantity(rows(6)), FIT


@faulty("validation", "training length", source=LEARNERS)
def trained_on_the_rest(pick):
    """validation_split=0.95, as if it were the share of training."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 30, "validation_split": pick(0.95, 0.1)}


@faulty("validation", "callback", source=LEARNERS)
def judged_by_two_rows(pick):
    """EarlyStopping on a validation set of two rows."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    net.compile("adam", "mse")
    stop = callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    return net, x, quantity(x), {"epochs": 60, "validation_split": pick(0.01, 0.2), "callbacks": [stop]}


@faulty("training length", source=LEARNERS)
def nothing_left_to_train(pick):
    """fit(initial_epoch=20, epochs=20) to go on for twenty more epochs."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": pick(20, 40), "initial_epoch": 20}


@faulty("callback", source=LEARNERS)
def stops_only_after_the_end(pick):
    """EarlyStopping(start_from_epoch=100) in a training of 50."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    net.compile("adam", "mse")
    stop = callbacks.EarlyStopping(patience=5, start_from_epoch=pick(100, 5), restore_best_weights=True)
    return net, x, quantity(x), {**FIT, "epochs": 50, "callbacks": [stop]}


@faulty("callback", source=LEARNERS)
def a_baseline_that_nobody_reaches(pick):
    """EarlyStopping(baseline=0.0) for a loss."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    net.compile("adam", "mse")
    stop = callbacks.EarlyStopping(patience=5, baseline=pick(0.0, None), restore_best_weights=True)
    return net, x, quantity(x), {**FIT, "epochs": 50, "callbacks": [stop]}


@faulty("optimizer", source=LEARNERS)
def clipped_at_a_millionth(pick):
    """SGD(clipvalue=1e-6)."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    net.compile(optimizers.SGD(0.05, clipvalue=pick(1e-6, 0.5)), "mse")
    return net, x, quantity(x), FIT


@faulty("disconnected", "loss", source=LEARNERS)
def no_loss_counts(pick):
    """loss_weights of zero for both outputs."""
    x = rows(8)
    inputs = Input((8,))
    z = layers.Dense(32, activation="relu")(inputs)
    net = Model(inputs, [layers.Dense(1, name="one")(z), layers.Dense(1, name="two")(z)])
    weight = pick(0.0, 0.5)
    net.compile("adam", {"one": "mse", "two": "mse"}, loss_weights={"one": weight, "two": weight})
    return net, x, {"one": quantity(x), "two": quantity(x, seed=3)}, FIT


@faulty("regularization", "initializer", source=LEARNERS)
def weights_kept_at_nothing(pick):
    """MaxNorm(0.001) on the kernels."""
    x = rows(8)
    limit = keras.constraints.MaxNorm(pick(0.001, 3.0))
    net = _network(8, layers.Dense(1, kernel_constraint=limit), kernel_constraint=limit)
    net.compile("adam", "mse")
    return net, x, quantity(x), FIT


@faulty("initializer", source=LEARNERS)
def biases_of_minus_fifty(pick):
    """Biases begin at -50 before relu, so that each unit is 0."""
    x = rows(8)
    net = _network(8, layers.Dense(1), bias_initializer=initializers.Constant(pick(-50.0, 0.1)))
    net.compile("adam", "mse")
    return net, x, quantity(x), FIT


@faulty("output activation", "logits", "gradient flow", "hidden activation", source=LEARNERS)
def scores_times_a_thousand(pick):
    """Scores are multiplied by 1000 before softmax."""
    x = rows(8)
    inputs = Input((8,))
    z = layers.Dense(4)(layers.Dense(32, activation="relu")(inputs))
    z = layers.Rescaling(pick(1000.0, 1.0))(z)
    net = Model(inputs, layers.Softmax()(z))
    net.compile("adam", SPARSE)
    return net, x, choices(x, 4), FIT


@faulty("input scale", source=LEARNERS)
def multiplied_by_255(pick):
    """Rescaling(255) on pictures of 0 to 1."""
    x, y = images(16, 3, 4)
    net = Sequential([Input((16, 16, 3)), layers.Rescaling(pick(255.0, 1.0)), layers.Conv2D(8, 3, activation="relu")])
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, FIT


@faulty("loss", "disconnected", source=LEARNERS)
def labels_against_themselves(pick):
    """A loss compares the labels with themselves."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    net.compile("adam", pick(lambda y, p: ops.mean(ops.square(y - y)), lambda y, p: ops.mean(ops.square(y - p))))
    return net, x, quantity(x)[:, None], FIT


@faulty("optimizer", "learning rate", source=LEARNERS)
def steps_that_do_not_end(pick):
    """SGD(0.5, momentum=0.999)."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    net.compile(optimizers.SGD(pick(0.5, 0.01), momentum=pick(0.999, 0.9)), "mse")
    return net, x, quantity(x), FIT


@faulty("optimizer", "learning rate", source=LEARNERS)
def divided_by_a_hundred(pick):
    """Adam(epsilon=100)."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    net.compile(optimizers.Adam(0.001, epsilon=pick(100.0, 1e-7)), "mse")
    return net, x, quantity(x), FIT


@faulty("target scale", "output activation", source=LEARNERS)
def temperatures_without_a_bias(pick):
    """Targets around 300 with Dense(1, use_bias=False)."""
    x = rows(8)
    net = _network(8, layers.Dense(1, use_bias=pick(False, True)))
    net.compile("adam", losses.MeanAbsoluteError())
    return net, x, quantity(x) + pick(300.0, 0.0), FIT


@faulty("metric", "loss", source=LEARNERS)
def shares_judged_by_accuracy(pick):
    """Shares between 0 and 1 with binary crossentropy are judged by accuracy."""
    x = rows(8)
    y = 1 / (1 + np.exp(-quantity(x)))
    net = _network(8, layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=[pick("accuracy", "mae")])
    return net, x, y, FIT

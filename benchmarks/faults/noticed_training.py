"""Faults that people noticed in programs of others: rates, callbacks, batches, depth, penalties."""

import numpy as np

from benchmarks.faults.data import choices, images, one_hot, quantity, rows, yes_no
from benchmarks.faults.drawn import blobs
from benchmarks.faults.library import Input, Sequential, callbacks, layers, losses, metrics, optimizers, regularizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, SCIENCE

SPARSE = "sparse_categorical_crossentropy"


def _mlp(features, head, *hidden, activation="relu"):
    return Sequential([Input((features,)), *(layers.Dense(units, activation) for units in hidden), head])


def _binary(pick_of_optimizer="adam", **how):
    x = rows(12)
    net = _mlp(12, layers.Dense(1, activation="sigmoid"), 32, 16)
    net.compile(pick_of_optimizer, "binary_crossentropy", metrics=["accuracy"])
    return net, x, yes_no(x), {"epochs": 20, **how}


@faulty("learning rate", "training length", source=f"{FORUM}: Adam(lr=1e-7), five epochs")
def a_rate_of_one_in_ten_million(pick):
    """A rate of 1e-7 for a net from scratch."""
    return _binary(optimizers.Adam(pick(1e-7, 1e-3)))


@faulty("learning rate", source=f"{FORUM}: ExponentialDecay(0.01, 1, 0.5)")
def halved_at_each_step(pick):
    """The rate is halved at each step, not each epoch."""
    return _binary(optimizers.Adam(optimizers.schedules.ExponentialDecay(0.01, pick(1, 160), 0.5)))


@faulty("learning rate", source=f"{FORUM}: PiecewiseConstantDecay([50, 75], ...) was thought to count epochs")
def boundaries_in_epochs(pick):
    """Boundaries of 10 and 15 are steps, of which an epoch has 16."""
    ends = pick([10, 15], [160, 240])
    return _binary(optimizers.SGD(optimizers.schedules.PiecewiseConstantDecay(ends, [0.1, 1e-5, 1e-6]), momentum=0.9))


@faulty("learning rate", "callback", source=f"{FORUM}: LearningRateScheduler(lambda epoch, lr: lr * 0.1)")
def a_tenth_each_epoch(pick):
    """The rate falls to a tenth at each epoch, twenty times."""
    share = pick(0.1, 0.95)
    told = callbacks.LearningRateScheduler(lambda epoch, lr: lr * share)
    return _binary(callbacks=[told])


@faulty(
    "callback", "validation", source=f"{FORUM}: Early stopping conditioned on metric val_loss which is not available"
)
def no_validation_to_stop_by(pick):
    """EarlyStopping by val_loss without validation data."""
    told = callbacks.EarlyStopping(monitor="val_loss", patience=5)
    return _binary(callbacks=[told], validation_split=pick(0.0, 0.2))


@faulty("callback", source=f"{FORUM}: ModelCheckpoint keeps the worst, mode='min' of an accuracy")
def the_least_accuracy_is_kept(pick):
    """The checkpoint keeps the model with the smallest accuracy."""
    told = callbacks.ModelCheckpoint("/tmp/best.keras", "val_accuracy", save_best_only=True, mode=pick("min", "max"))
    return _binary(callbacks=[told], validation_split=0.2)


@faulty("callback", source=f"{FORUM}: val_acc was the name in older versions")
def an_older_name_of_accuracy(pick):
    """ReduceLROnPlateau watches val_acc; the figure is called val_accuracy."""
    told = callbacks.ReduceLROnPlateau(monitor=pick("val_acc", "val_accuracy"), factor=0.5, patience=3)
    return _binary(callbacks=[told], validation_split=0.2)


@faulty("callback", "learning rate", source=f"{FORUM}: ReduceLROnPlateau(min_lr=0.01) with Adam")
def a_least_rate_above_the_rate(pick):
    """The least rate of the callback is above the rate of the optimizer."""
    told = callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=2, min_lr=pick(0.01, 1e-5))
    return _binary(callbacks=[told], validation_split=0.2)


@faulty("callback", source=f"{FORUM}: EarlyStopping(baseline=0.9) stops after patience epochs")
def a_baseline_out_of_reach(pick):
    """A baseline of 0.0001 for the loss, and a patience of one."""
    told = callbacks.EarlyStopping(monitor="loss", patience=pick(1, 8), baseline=pick(1e-4, None))
    return _binary(callbacks=[told])


@faulty("regularization", source=f"{FORUM}: l2(1.0) in each layer, the loss is 70")
def penalties_of_one(pick):
    """An L2 of 1 in each layer."""
    x, y = blobs(500, 20, 4)
    net = Sequential([Input((20,))])
    for _ in range(3):
        net.add(layers.Dense(64, activation="relu", kernel_regularizer=regularizers.l2(pick(1.0, 1e-4))))
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 20}


@faulty("batch size", source=f"{FORUM}: BatchNormalization and batch_size=1")
def normalized_over_one_row(pick):
    """Batches of one row for a BatchNormalization."""
    x, y = blobs(300, 10, 3)
    net = Sequential(
        [Input((10,)), layers.Dense(16), layers.BatchNormalization(), layers.ReLU(), layers.Dense(3, "softmax")]
    )
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10, "batch_size": pick(1, 32)}


@faulty("batch size", "training length", source=f"{FORUM}: batch_size=len(x_train), ten epochs")
def ten_steps_for_all_rows(pick):
    """One batch has all rows, and there are ten epochs."""
    x, y = blobs(1500, 20, 6, spread=2.0)
    net = _mlp(20, layers.Dense(6, activation="softmax"), 32)
    net.compile(optimizers.Adam(1e-3), SPARSE)
    return net, x, y, {"epochs": 10, "batch_size": pick(1500, 16)}


@faulty("optimizer", "gradient flow", "hidden activation", source=f"{SCIENCE}: ten layers by SGD with a rate of 0.01")
def plain_sgd_on_ten_layers(pick):
    """Ten layers of tanh by gradient descent without momentum."""
    x, y = blobs(600, 16, 5)
    net = _mlp(16, layers.Dense(5, activation="softmax"), *[32] * 10, activation=pick("tanh", "relu"))
    net.compile(pick(optimizers.SGD(0.001), optimizers.Adam()), SPARSE)
    return net, x, y, {"epochs": 20}


@faulty("hidden activation", "capacity", source=f"{FORUM}: Dense layers without an activation")
def three_linear_layers(pick):
    """Hidden layers without an activation are one linear map."""
    x = rows(8)
    net = _mlp(8, layers.Dense(1, activation="sigmoid"), 64, 64, 32, activation=pick(None, "relu"))
    net.compile("adam", "binary_crossentropy")
    return net, x, (np.prod(x[:, :2], axis=1) > 0).astype(int), {"epochs": 30}


@faulty("hidden activation", source=f"{FORUM}: softmax in each layer")
def softmax_inside(pick):
    """Hidden layers with a softmax."""
    x, y = blobs(500, 12, 4)
    net = _mlp(12, layers.Dense(4, activation="softmax"), 32, 16, activation=pick("softmax", "relu"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 20}


@faulty("validation", "shape", "labels", source=f"{FORUM}: validation_data=(x_test, y_train)")
def labels_of_the_training_part(pick):
    """The validation rows come with the labels of the training part."""
    x, y = blobs(600, 8, 3)
    net = _mlp(8, layers.Dense(3, activation="softmax"), 24)
    net.compile("adam", SPARSE)
    return net, x[:400], y[:400], {"epochs": 15, "validation_data": (x[400:], pick(y[:400], y[400:]))}


@faulty(
    "order of data", "validation", source=f"{FORUM}: validation_split takes the last rows, which are all of one class"
)
def the_tail_is_one_class(pick):
    """Rows sorted by class, and validation_split."""
    x, y = blobs(600, 8, 3)
    order = np.argsort(y, kind="stable")
    x, y = pick((x[order], y[order]), (x, y))
    net = _mlp(8, layers.Dense(3, activation="softmax"), 24)
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 15, "validation_split": 0.25}


@faulty("metric", "labels", source=f"{FORUM}: Precision() of three classes by number")
def precision_of_class_numbers(pick):
    """Precision and Recall, which compare each unit, with class numbers and three units."""
    x, y = blobs(400, 8, 3)
    net = _mlp(8, layers.Dense(3, activation="softmax"), 24)
    told = pick([metrics.Precision(), metrics.Recall()], ["accuracy"])
    net.compile("adam", SPARSE, metrics=told)
    return net, x, y, {"epochs": 15}


@faulty("metric", "logits", source=f"{GITHUB}: AUC of logits raises or is 0.5")
def an_area_of_logits(pick):
    """AUC, which takes probabilities, for logits."""
    x = rows(10)
    net = _mlp(10, layers.Dense(1), 24)
    told = metrics.AUC(from_logits=pick(False, True))
    net.compile("adam", losses.BinaryCrossentropy(from_logits=True), metrics=[told])
    return net, x, yes_no(x), {"epochs": 15}


@faulty("training length", source=f"{FORUM}: steps_per_epoch=1 was taken from an example")
def two_steps_of_training(pick):
    """One step an epoch, three epochs."""
    x, y = blobs(800, 10, 4)
    net = _mlp(10, layers.Dense(4, activation="softmax"), 32)
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": pick(3, 20), "steps_per_epoch": pick(1, None)}


@faulty("optimizer", "learning rate", source=f"{GITHUB}: Adam(epsilon=1.0) from an Inception recipe")
def an_epsilon_of_a_thousand(pick):
    """Adam with an epsilon of 1000: each update is a millionth."""
    return _binary(optimizers.Adam(1e-3, epsilon=pick(1e3, 1e-7)))


@faulty("dropout", source=f"{FORUM}: Dropout(0.95), keep_prob in TensorFlow 1")
def the_share_that_is_kept(pick):
    """0.95 was the share to keep, and is the share to drop."""
    x, y = blobs(500, 20, 4)
    net = Sequential([Input((20,))])
    for _ in range(2):
        net.add(layers.Dense(64, activation="relu"))
        net.add(layers.Dropout(pick(0.95, 0.05)))
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 20}


@faulty("bad values", "output activation", "loss", source=f"{GITHUB}: mixed_float16, and the loss is nan")
def a_head_in_half_precision(pick):
    """Mixed precision down to the softmax, which the guide keeps in float32."""
    x, y = images(16, 1, 4, 300)
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, activation="relu", dtype="mixed_float16")])
    net.add(layers.Flatten())
    net.add(layers.Dense(4, activation="softmax", dtype=pick("mixed_float16", "float32")))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("learning rate", source=f"{FORUM}: SGD(lr=1) on unscaled squares, nan")
def a_rate_of_ten(pick):
    """Adam with a rate of 10."""
    return _binary(optimizers.Adam(pick(10.0, 0.001)))


@faulty("order of data", "labels", source=f"{FORUM}: x = shuffle(x); y = shuffle(y)")
def shuffled_each_by_itself(pick):
    """Rows and labels are shuffled by two calls."""
    x, y = blobs(600, 12, 4)
    numbers = np.random.default_rng(1)
    first = numbers.permutation(600)
    second = pick(numbers.permutation(600), first)
    net = _mlp(12, layers.Dense(4, activation="softmax"), 24)
    net.compile("adam", "categorical_crossentropy")
    return net, x[first], one_hot(y, 4)[second], {"epochs": 20}


@faulty("labels", "order of data", source=f"{FORUM}: df.dropna() of the features, and y from the whole file")
def rows_that_were_dropped(pick):
    """Rows with gaps are dropped from x and not from y, which is cut to the same length."""
    x, y = blobs(700, 10, 4)
    gaps = np.random.default_rng(2).random(700) < 0.1
    kept = x[~gaps]
    net = _mlp(10, layers.Dense(4, activation="softmax"), 24)
    net.compile("adam", SPARSE)
    return net, kept, pick(y[: len(kept)], y[~gaps]), {"epochs": 20}


@faulty("gradient flow", "hidden activation", source=f"{SCIENCE}: fifteen layers of sigmoid")
def fifteen_sigmoids(pick):
    """Fifteen layers of sigmoid."""
    x = rows(10)
    net = _mlp(10, layers.Dense(3, activation="softmax"), *[24] * 15, activation=pick("sigmoid", "selu"))
    net.compile("adam", SPARSE)
    return net, x, choices(x, 3), {"epochs": 20}


@faulty("output activation", "target scale", source=f"{FORUM}: predictions are never below 0, relu at the end")
def relu_for_standardized_targets(pick):
    """Standardized targets from a relu."""
    x = rows(10)
    net = _mlp(10, layers.Dense(1), 24, 12)
    if pick(True, False):
        net.add(layers.ReLU())
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 20}

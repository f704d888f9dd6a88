"""Faults of learners' programs, a third time: everyday ones among rare settings."""

import numpy as np

from benchmarks.faults.data import choices, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    callbacks,
    layers,
    losses,
    ops,
    optimizers,
)  # fmt: skip
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import LEARNERS

FIT = {"epochs": 30, "batch_size": 32, "validation_split": 0.2}
SPARSE = "sparse_categorical_crossentropy"


def _network(features, *ends, hidden="relu"):
    return Sequential([Input((features,)), layers.Dense(32, activation=hidden), *ends])


@faulty("output activation", "output units", source=LEARNERS)
def quantity_by_softmax(pick):
    """A regression ends in softmax of one unit."""
    x = rows(8)
    net = _network(8, layers.Dense(1, activation=pick("softmax", None)))
    net.compile("adam", "mse")
    return net, x, quantity(x), FIT


@faulty("target scale", source=LEARNERS)
def houses_in_dollars(pick):
    """Prices of 200,000 with a network that begins at 0."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, pick(2e5 + 5e4 * quantity(x), quantity(x)), FIT


@faulty("dropout", source=LEARNERS)
def three_times_four_fifths(pick):
    """Dropout(0.8) behind each of three layers."""
    x = rows(8)
    net = Sequential([Input((8,))])
    for _ in range(3):
        net.add(layers.Dense(64, activation="relu"))
        net.add(layers.Dropout(pick(0.8, 0.2)))
    net.add(layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, quantity(x), FIT


@faulty("layer order", source=LEARNERS)
def normalized_by_rows_of_pixels(pick):
    """BatchNormalization(axis=1) on pictures with channels last, from a program with channels first."""
    x, y = images(16, 3, 4)
    net = Sequential([Input((16, 16, 3)), layers.Conv2D(8, 3), layers.BatchNormalization(axis=pick(1, -1))])
    for layer in (layers.Activation("relu"), layers.GlobalAveragePooling2D(), layers.Dense(4, activation="softmax")):
        net.add(layer)
    net.compile("adam", SPARSE)
    return net, x, y, FIT


@faulty("output activation", source=LEARNERS)
def softmax_over_the_steps(pick):
    """A tagger takes softmax over the steps and not over the tags."""
    x, _ = texts(12, 60)
    net = Sequential(
        [Input((12,)), layers.Embedding(60, 16), layers.Bidirectional(layers.GRU(8, return_sequences=True))]
    )
    net.add(layers.Dense(4))
    net.add(layers.Softmax(axis=pick(1, -1)))
    net.compile("adam", SPARSE)
    return net, x, x % 4, FIT


@faulty("input scale", source=LEARNERS)
def incomes_in_one_branch(pick):
    """One of two inputs is an income as it is."""
    x, other = rows(6), 40000 + 15000 * rows(1, seed=4)
    a, b = Input((6,), name="scores"), Input((1,), name="income")
    z = layers.Concatenate()([layers.Dense(16, activation="relu")(a), layers.Dense(4, activation="relu")(b)])
    net = Model([a, b], layers.Dense(1, activation="sigmoid")(z))
    net.compile("adam", "binary_crossentropy")
    return net, {"scores": x, "income": pick(other, rows(1, seed=4))}, yes_no(x), FIT


@faulty("metric", source=LEARNERS)
def the_largest_of_three_labels(pick):
    """categorical_accuracy of labels of which several may be true."""
    x = rows(8)
    y = (quantity(x, 3) > 0).astype("float32")
    net = _network(8, layers.Dense(3, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=[pick("categorical_accuracy", "binary_accuracy")])
    return net, x, y, FIT


@faulty("callback", source=LEARNERS)
def waits_for_a_lower_accuracy(pick):
    """EarlyStopping(monitor='val_accuracy', mode='min')."""
    x = rows(8)
    net = _network(8, layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    stop = callbacks.EarlyStopping(monitor="val_accuracy", mode=pick("min", "max"), patience=4)
    return net, x, yes_no(x), {**FIT, "callbacks": [stop]}


@faulty("initializer", source=LEARNERS)
def weights_of_one(pick):
    """kernel_initializer='ones' in each layer."""
    x = rows(8)
    how = {"kernel_initializer": pick("ones", "he_normal")}
    net = Sequential([Input((8,)), layers.Dense(32, "relu", **how), layers.Dense(32, "relu", **how), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, quantity(x), FIT


@faulty("vocabulary", "layer order", source=LEARNERS)
def measured_numbers_are_looked_up(pick):
    """Measured numbers go into an Embedding."""
    x = rows(8)
    net = Sequential([Input((8,))])
    if pick(True, False):
        net.add(layers.Embedding(100, 8))
        net.add(layers.Flatten())
    net.add(layers.Dense(16, activation="relu"))
    net.add(layers.Dense(1))
    net.compile("adam", "mse")
    return net, pick(np.abs(x), x), quantity(x), FIT


@faulty("loss", "labels", source=LEARNERS)
def labels_smoothed_to_nothing(pick):
    """CategoricalCrossentropy(label_smoothing=0.95)."""
    x = rows(8)
    net = _network(8, layers.Dense(4, activation="softmax"))
    net.compile("adam", losses.CategoricalCrossentropy(label_smoothing=pick(0.95, 0.1)), metrics=["accuracy"])
    return net, x, one_hot(choices(x, 4), 4), FIT


@faulty("loss", "gradient flow", source=LEARNERS)
def focus_of_fifty(pick):
    """BinaryFocalCrossentropy(gamma=50), which is 0 from the start."""
    x = rows(8)
    net = _network(8, layers.Dense(1, activation="sigmoid"))
    net.compile("adam", losses.BinaryFocalCrossentropy(gamma=pick(50.0, 2.0)))
    return net, x, yes_no(x), FIT


@faulty("imbalance", "labels", source=LEARNERS)
def one_class_weighs_nothing(pick):
    """class_weight={0: 0, 1: 1}: the network says 1."""
    x = rows(8)
    net = _network(8, layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, yes_no(x), {**FIT, "class_weight": {0: pick(0.0, 1.0), 1: 1.0}}


@faulty("output activation", "layer order", source=LEARNERS)
def answers_of_length_one(pick):
    """UnitNormalization behind Dense(1): each answer is 1 or -1."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    if pick(True, False):
        net.add(layers.UnitNormalization())
    net.compile("adam", "mse")
    return net, x, quantity(x), FIT


@faulty("output activation", "gradient flow", "target scale", source=LEARNERS)
def cut_to_shares(pick):
    """A Lambda clips the answers to 0 to 1; the targets are from 3 to 7."""
    x = rows(8)
    net = _network(8, layers.Dense(1), layers.Lambda(pick(lambda t: ops.clip(t, 0, 1), lambda t: t + 5)))
    net.compile("adam", "mse")
    return net, x, 5 + np.clip(quantity(x), -2, 2), FIT


@faulty("hidden activation", "gradient flow", source=LEARNERS)
def relu_from_a_hundred_on(pick):
    """ReLU(threshold=100), which nothing reaches."""
    x = rows(8)
    net = Sequential([Input((8,)), layers.Dense(32), layers.ReLU(threshold=pick(100.0, 0.0)), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, quantity(x), FIT


@faulty("regularization", source=LEARNERS)
def a_layer_of_penalties(pick):
    """ActivityRegularization(l1=10)."""
    x = rows(8)
    net = _network(8, layers.ActivityRegularization(l1=pick(10.0, 1e-6)), layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, quantity(x), FIT


@faulty("optimizer", "training length", source=LEARNERS)
def steps_are_saved_up(pick):
    """gradient_accumulation_steps=1000 in a training of 210 steps: no weight is ever changed."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    net.compile(optimizers.Adam(gradient_accumulation_steps=pick(1000, 4)), "mse")
    return net, x, quantity(x), FIT


@faulty("optimizer", "training length", source=LEARNERS)
def means_of_the_first_weights(pick):
    """use_ema with ema_momentum=0.9999 in a training of 210 steps, whose end is nearly its beginning."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    net.compile(optimizers.Adam(use_ema=True, ema_momentum=pick(0.9999, 0.9)), "mse")
    return net, x, quantity(x), FIT


@faulty("learning rate", source=LEARNERS)
def decay_that_grows(pick):
    """ExponentialDecay(decay_rate=1.5)."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    net.compile(optimizers.SGD(optimizers.schedules.ExponentialDecay(0.01, 10, pick(1.5, 0.9))), "mse")
    return net, x, quantity(x), FIT


@faulty("learning rate", "training length", source=LEARNERS)
def warm_until_the_end(pick):
    """CosineDecay(warmup_steps=10000) in a training of 210 steps."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    rate = optimizers.schedules.CosineDecay(0.0, pick(10000, 190), warmup_target=1e-3, warmup_steps=pick(10000, 20))
    net.compile(optimizers.Adam(rate), "mse")
    return net, x, quantity(x), FIT


@faulty("validation", source=LEARNERS)
def judged_by_what_it_read(pick):
    """validation_data are the training data."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    net.compile("adam", "mse")
    return (
        net,
        x[:200],
        quantity(x)[:200],
        {"epochs": 30, "validation_data": pick((x[:200], quantity(x)[:200]), (x[200:], quantity(x)[200:]))},
    )


@faulty("recurrence", source=LEARNERS)
def the_state_of_another_series(pick):
    """LSTM(stateful=True) on windows that are shuffled."""
    x, after = series(16)
    x, after = x[:192], np.reshape(after, (len(after), -1))[:192, 0]
    net = Sequential([Input(batch_shape=(32, 16, 1)), layers.LSTM(16, stateful=pick(True, False)), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, after, {"epochs": 20, "batch_size": 32}

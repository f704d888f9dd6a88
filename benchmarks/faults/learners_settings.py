"""Faults of learners' programs: layers, settings and data of small networks."""

import random

import numpy as np

from benchmarks.faults.data import choices, draw, one_hot, quantity, rows, yes_no
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    initializers,
    keras,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
    regularizers,
)  # fmt: skip
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import LEARNERS

FIT = {"epochs": 30, "batch_size": 32, "validation_split": 0.2}


def _network(features, *ends, hidden=(64, 32)):
    """Dense layers with relu between an Input and the given last layers."""
    return Sequential([Input((features,)), *(layers.Dense(units, activation="relu") for units in hidden), *ends])


@faulty("input scale", source=LEARNERS)
def years_and_incomes(pick):
    """Years, incomes and rates side by side as they are."""
    x = rows(4) * np.array([10, 15000, 0.02, 1]) + np.array([1990, 40000, 0.05, 0])
    y = yes_no(rows(4))
    if not pick(True, False):
        x = (x - x.mean(0)) / x.std(0)
    net = _network(4, layers.Dense(1, activation="sigmoid"))
    net.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    return net, x.astype("float32"), y, FIT


@faulty("hidden activation", source=LEARNERS)
def leaks_everything(pick):
    """LeakyReLU with a slope of 1, which is no activation."""
    x = rows(8)
    net = Sequential([Input((8,))])
    for units in (64, 64):
        net.add(layers.Dense(units))
        net.add(layers.LeakyReLU(negative_slope=pick(1.0, 0.1)))
    net.add(layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, quantity(x), FIT


@faulty("optimizer", "learning rate", source=LEARNERS)
def clipped_to_nothing(pick):
    """SGD(clipnorm=1e-5), which moves nothing."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    net.compile(optimizers.SGD(0.01, clipnorm=pick(1e-5, 1.0)), "mse")
    return net, x, quantity(x), FIT


@faulty("optimizer", "regularization", "learning rate", source=LEARNERS)
def decay_of_a_half(pick):
    """AdamW(weight_decay=0.5) at a rate of 0.1."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    net.compile(optimizers.AdamW(pick(0.1, 0.001), weight_decay=pick(0.5, 0.004)), "mse")
    return net, x, quantity(x), FIT


@faulty("target scale", "disconnected", source=LEARNERS)
def one_output_outweighs(pick):
    """Two outputs with mse: prices of 100,000 and a share from 0 to 1."""
    x = rows(8)
    inputs = Input((8,))
    z = layers.Dense(32, activation="relu")(inputs)
    net = Model(inputs, [layers.Dense(1, name="price")(z), layers.Dense(1, name="share")(z)])
    net.compile("adam", {"price": "mse", "share": "mse"})
    y = quantity(x)
    return net, x, {"price": y * pick(1e5, 1.0) + pick(3e5, 0.0), "share": 0.5 + 0.1 * quantity(x, seed=4)}, FIT


@faulty("metric", source=LEARNERS)
def binary_accuracy_of_ten_classes(pick):
    """BinaryAccuracy on one-hot rows of ten classes, which is 0.9 for nothing."""
    x = rows(16)
    net = _network(16, layers.Dense(10, activation="softmax"))
    net.compile("adam", "categorical_crossentropy", metrics=[pick("binary_accuracy", "categorical_accuracy")])
    return net, x, one_hot(choices(x, 10), 10), FIT


@faulty("metric", "logits", source=LEARNERS)
def area_under_logits(pick):
    """AUC, which takes probabilities, beside a loss from logits."""
    x = rows(8)
    net = _network(8, layers.Dense(1))
    net.compile(
        "adam", losses.BinaryCrossentropy(from_logits=True), metrics=[metrics.AUC(from_logits=pick(False, True))]
    )
    return net, x, yes_no(x), FIT


@faulty("training length", source=LEARNERS)
def one_step_in_each_epoch(pick):
    """steps_per_epoch=1 beside arrays, after an example with a generator."""
    x = rows(8)
    net = _network(8, layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    fit = {"epochs": 5, "batch_size": 16}
    return net, x, yes_no(x), {**fit, "steps_per_epoch": 1} if pick(True, False) else {**fit, "epochs": 40}


@faulty("labels", "loss", source=LEARNERS)
def signs_for_a_crossentropy(pick):
    """Labels -1 and 1 with binary crossentropy."""
    x = rows(8)
    y = pick(2 * yes_no(x) - 1, yes_no(x))
    net = _network(8, layers.Dense(1, activation="sigmoid"))
    net.compile("adam", losses.BinaryCrossentropy(), metrics=["accuracy"])
    return net, x, y, FIT


@faulty("order of data", "labels", source=LEARNERS)
def only_the_inputs_are_shuffled(pick):
    """x[order] beside y as it was."""
    y = np.repeat([0, 1, 2], 86)[:256]
    x = rows(6, count=256) * 0.3 + np.eye(6, dtype="float32")[y] * 4
    order = draw(5).permutation(len(x))
    net = _network(6, layers.Dense(3, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x[order], pick(y, y[order]), {"epochs": 30}


@faulty("initializer", source=LEARNERS)
def weights_of_size_five(pick):
    """RandomUniform(-5, 5) in each layer."""
    x = rows(8)
    init = initializers.RandomUniform(pick(-5.0, -0.1), pick(5.0, 0.1))
    net = Sequential([Input((8,))])
    for units in (64, 64):
        net.add(layers.Dense(units, activation="tanh", kernel_initializer=init))
    net.add(layers.Dense(1, activation="sigmoid", kernel_initializer=init))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, yes_no(x), FIT


@faulty("regularization", source=LEARNERS)
def penalty_on_activities(pick):
    """activity_regularizer=L1(10) keeps all hidden units at 0."""
    x = rows(8)
    net = Sequential([Input((8,))])
    net.add(layers.Dense(64, activation="relu", activity_regularizer=regularizers.L1(pick(10.0, 1e-5))))
    net.add(layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, quantity(x), FIT


@faulty("capacity", "hidden activation", source=LEARNERS)
def one_layer_again_and_again(pick):
    """A bottleneck of one unit before eight classes."""
    x = rows(8)
    net = _network(8, layers.Dense(pick(1, 32), activation="relu"), layers.Dense(8, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, choices(x, 8), FIT


@faulty("validation", "input scale", source=LEARNERS)
def validation_as_it_was_read(pick):
    """The training data are standardized, the validation data are not."""
    x = rows(8) * 40 + 200
    y = quantity(rows(8))
    scaled = (x - x[:200].mean(0)) / x[:200].std(0)
    net = _network(8, layers.Dense(1))
    net.compile("adam", "mse")
    return net, scaled[:200], y[:200], {"epochs": 30, "validation_data": (pick(x, scaled)[200:], y[200:])}


@faulty("frozen weights", source=LEARNERS)
def only_the_biases_train(pick):
    """All layers are frozen before compile, to be thawed later, and are not."""
    x = rows(8)
    net = _network(8, layers.Dense(3, activation="softmax"))
    for layer in net.layers:
        layer.trainable = pick(False, True)
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, choices(x, 3), FIT


@faulty("loss", "output activation", source=LEARNERS)
def hinge_behind_sigmoid(pick):
    """hinge, which takes -1 to 1, behind sigmoid."""
    x = rows(8)
    net = _network(8, layers.Dense(1, activation=pick("sigmoid", "tanh")))
    net.compile("adam", "hinge")
    return net, x, yes_no(x), FIT


@faulty("disconnected", "layer order", source=LEARNERS)
def added_to_itself(pick):
    """A residual block adds what it computed to itself, and not to what came."""
    x = rows(16)
    inputs = z = Input((16,))
    z = layers.Dense(16, activation="relu")(z)
    block = layers.Dense(16, activation="relu")(z)
    z = layers.Add()([block, pick(block, z)])
    net = Model(inputs, layers.Dense(1)(z))
    net.compile("adam", "mse")
    return net, x, quantity(x), FIT


@faulty("hidden activation", "gradient flow", "disconnected", source=LEARNERS)
def rounded_inside(pick):
    """ops.round between layers has no gradient."""
    x = rows(8)
    inputs = Input((8,))
    z = layers.Dense(16, activation="sigmoid")(inputs)
    z = layers.Lambda(pick(lambda t: ops.round(t), lambda t: t * 2))(z)
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(z))
    net.compile("adam", "binary_crossentropy")
    return net, x, yes_no(x), FIT


class _ByNumpy(layers.Layer):
    """Dropout of one's own, whose mask NumPy draws."""

    def call(self, x, training=False):
        return x * np.random.binomial(1, 0.8, x.shape[-1]).astype("float32") / 0.8 if training else x


class _ByKeras(layers.Layer):
    """Dropout of one's own, whose mask keras.random draws."""

    def __init__(self):
        super().__init__()
        self.seeds = keras.random.SeedGenerator(0)

    def call(self, x, training=False):
        kept = ops.cast(keras.random.uniform(ops.shape(x), seed=self.seeds) < 0.8, "float32")
        return x * kept / 0.8 if training else x


@faulty("dropout", source=LEARNERS)
def mask_by_numpy(pick):
    """A dropout of one's own draws its mask by NumPy: once, as it is compiled."""
    x = rows(8)
    net = Sequential([Input((8,)), layers.Dense(32, activation="relu"), pick(_ByNumpy, _ByKeras)(), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, quantity(x), FIT


@faulty("dropout", source=LEARNERS)
def noise_by_a_lambda(pick):
    """A Lambda adds np.random.normal."""
    x = rows(8)
    noisy = layers.Lambda(lambda t: t + 0.1 * np.random.normal(size=(8,)).astype("float32"))
    net = Sequential([Input((8,)), pick(noisy, layers.GaussianNoise(0.1)), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, quantity(x), FIT


@faulty("dropout", "loss", source=LEARNERS)
def smoothed_by_a_drawn_number(pick):
    """A loss draws how much it smooths labels by random.uniform."""
    x = rows(8)
    seeds = keras.random.SeedGenerator(1)

    def by_python(y_true, y_pred):
        return losses.binary_crossentropy(y_true, y_pred, label_smoothing=random.uniform(0.0, 0.2))

    def by_keras(y_true, y_pred):
        share = keras.random.uniform((), 0.0, 0.2, seed=seeds)
        return losses.binary_crossentropy(y_true * (1 - share) + share / 2, y_pred)

    net = _network(8, layers.Dense(1, activation="sigmoid"))
    net.compile("adam", pick(by_python, by_keras))
    return net, x, yes_no(x).astype("float32"), FIT

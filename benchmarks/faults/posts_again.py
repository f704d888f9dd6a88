"""Faults as people post them, third part: written after the rules had been mended by the first two parts."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series, texts
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    as_trained,
    callbacks,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
)  # fmt: skip
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import GITHUB

FORUM = "after questions on Stack Overflow"


@faulty("dropout", "layer order", "loss", source=f"{GITHUB}, keras-team/keras#5992: the same output for all samples")
def dropout_behind_the_softmax(pick):
    """A feed-forward class with Dropout(0.5) behind the softmax, and MSE."""
    x = rows(40)
    inputs = Input((40,), name="in_x")
    z = layers.Dropout(0.2)(layers.Dense(32, activation="relu", name="h1")(inputs))
    z = layers.Dense(16, activation="relu", name="h2")(z)
    z = layers.Dense(3, activation="softmax", name="out")(z)
    net = Model(inputs, layers.Dropout(0.5)(z) if pick(True, False) else z)
    net.compile("adam", pick("mse", "categorical_crossentropy"), metrics=["accuracy"])
    return net, x, one_hot(choices(x, 3), 3), {"epochs": 40}


@faulty("loss", "output activation", "metric", source=f"{GITHUB}, keras-team/keras#5210: wrong accuracy")
def thirty_sigmoids_for_one_topic(pick):
    """A topic of thirty by sigmoid and binary crossentropy: 96 % accuracy in the first epoch."""
    x, y = texts(20, 300, 30)
    net = Sequential([Input((20,)), layers.Embedding(300, 32), layers.LSTM(32)])
    net.add(layers.Dense(30, activation=pick("sigmoid", "softmax")))
    net.compile("adam", pick("binary_crossentropy", "categorical_crossentropy"), metrics=["accuracy"])
    return net, x, one_hot(y, 30), {"epochs": 20}


@faulty("metric", source=f"{GITHUB}, keras-team/keras-io#1133: categorical accuracy of several labels")
def largest_of_several_labels(pick):
    """Terms of papers, several for each, with CategoricalAccuracy."""
    x = rows(20)
    y = (quantity(x, 6) > 0.5).astype("float32")
    net = Sequential([Input((20,)), layers.Dense(64, "relu"), layers.Dense(6, activation="sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=[pick("categorical_accuracy", "binary_accuracy")])
    return net, x, y, {"epochs": 30}


@faulty("loss", "labels", "output activation", source=f"{GITHUB}, keras-team/keras#741: a multi-label classifier")
def several_labels_by_softmax(pick):
    """Two tags of twelve by softmax and categorical crossentropy."""
    x = rows(20)
    order = quantity(x, 12).argsort(-1)
    y = one_hot(order[:, -1], 12) + one_hot(order[:, -2], 12)
    net = Sequential([Input((20,)), layers.Dense(64, "relu"), layers.Dense(12, pick("softmax", "sigmoid"))])
    net.compile("adam", pick("categorical_crossentropy", "binary_crossentropy"))
    return net, x, y, {"epochs": 40}


@faulty("input scale", source=f"{GITHUB}, keras-team/keras#12701: always the same class")
def signals_of_several_units(pick):
    """Heart, skin and a temperature in hundredths of a degree, as they are measured."""
    x = rows(3)
    y = choices(x, 6)
    if pick(True, False):
        x = x * np.array([1, 0.01, 120], "float32") + np.array([0, 0, 3700], "float32")
    net = Sequential([Input((3,)), layers.Dense(64, activation="relu"), layers.Dense(32, activation="relu")])
    net.add(layers.Dense(6, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 60}


@faulty("bad values", source="after taourl.com: NaN when training with Keras")
def gaps_in_a_table(pick):
    """A table whose gaps were read as NaN, through Normalization."""
    x = np.array(rows(12))
    y = quantity(x)
    x[draw(3).random(x.shape) < 0.02] = pick(np.nan, 0.0)
    net = Sequential([Input((12,)), layers.Dense(64, activation="relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 30}


@faulty("learning rate", source="after theneuralbase.com: gradients that explode")
def sgd_of_five(pick):
    """SGD(5.0) on three layers of relu."""
    x = rows(12)
    net = Sequential([Input((12,)), layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(1)])
    net.compile(optimizers.SGD(pick(5.0, 0.02), momentum=0.9), "mse")
    return net, x, quantity(x), {"epochs": 30}


@faulty("bad values", "loss", "gradient flow", source=f"{FORUM}: logarithm of a softmax in an own loss")
def entropy_by_hand(pick):
    """-sum(y * log(p)) / sum(y) of rows of weights, where rows without any label divide by 0."""
    x = rows(12)
    y = one_hot(choices(x, 4), 4)
    y[::5] = 0.0

    def entropy(y_true, y_pred):
        count = ops.sum(y_true, axis=-1)
        return -ops.sum(y_true * ops.log(y_pred), axis=-1) / (count if pick(True, False) else ops.maximum(count, 1.0))

    net = Sequential([Input((12,)), layers.Dense(32, "relu"), layers.Dense(4, "softmax")])
    net.compile("adam", entropy)
    return net, x, y, {"epochs": 30}


@faulty("bad values", "gradient flow", "loss", source=f"{FORUM}: a layer that divides by its norm")
def norms_of_empty_rows(pick):
    """A layer of one's own divides embeddings by their length, and rows of padding are 0."""
    x = np.array(rows(16))
    x[:40] = 0.0

    class Unit(layers.Layer):
        def call(self, z):
            return z / ops.sqrt(ops.sum(ops.square(z), axis=-1, keepdims=True) + pick(0.0, 1e-6))

    net = Sequential([Input((16,)), layers.Dense(32, use_bias=False), Unit(), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 30}


@faulty("shape", "layer order", "labels", source=f"{FORUM}: Dense after Conv1D without Flatten")
def answers_for_each_step(pick):
    """Conv1D and Dense, with nothing that joins the steps."""
    x, y = series(32, 3)[0], choices(series(32, 3)[0], 4)
    net = Sequential([Input((32, 3)), layers.Conv1D(32, 3, activation="relu"), layers.MaxPooling1D(2)])
    net.add(layers.Dropout(0.2) if pick(True, False) else layers.Flatten())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


@faulty("output activation", "layer order", source=f"{FORUM}: softmax over the wrong axis of a mask")
def softmax_along_the_columns(pick):
    """Softmax(axis=1) of (h, w, classes)."""
    x, _ = images(16, 1, 4)
    y = np.digitize(x[..., 0], [0.3, 0.6])
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(16, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(3, 1))
    net.add(layers.Softmax(axis=pick(1, -1)))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 20}


@faulty("output activation", "target scale", source=f"{FORUM}: a generator's tanh and pictures of 0 to 255")
def decoder_of_minus_one_to_one(pick):
    """A decoder ends in tanh, and its targets are 0 to 255."""
    x = images(16, 3, 10)[0]
    code = rows(32)
    net = Sequential([Input((32,)), layers.Dense(4 * 4 * 32, "relu"), layers.Reshape((4, 4, 32))])
    for filters in (16, 16):
        net.add(layers.Conv2DTranspose(filters, 4, strides=2, padding="same", activation="relu"))
    net.add(layers.Conv2D(3, 3, padding="same", activation="tanh"))
    net.compile("adam", "mse")
    return net, code, np.round(255 * x).astype("float32") if pick(True, False) else 2 * x - 1, {"epochs": 20}


@faulty("callback", source=f"{FORUM}: ReduceLROnPlateau(mode='max') on the loss")
def plateau_of_a_loss_that_should_rise(pick):
    """ReduceLROnPlateau waits for val_loss to rise."""
    x = rows(20)
    given = [callbacks.ReduceLROnPlateau(monitor="val_loss", mode=pick("max", "min"), patience=3)]
    net = Sequential([Input((20,)), layers.Dense(64, "relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 40, "validation_split": 0.2, "callbacks": given}


@faulty("learning rate", "callback", source=f"{FORUM}: ExponentialDecay with decay_steps=1")
def decay_of_each_step(pick):
    """The rate is multiplied by 0.9 in each step and not in each epoch."""
    x = rows(20)
    rate = optimizers.schedules.ExponentialDecay(0.01, decay_steps=pick(1, 160), decay_rate=0.9)
    net = Sequential([Input((20,)), layers.Dense(64, "relu"), layers.Dense(1)])
    net.compile(optimizers.Adam(rate), "mse")
    return net, x, quantity(x), {"epochs": 60}


@faulty("label shift", "mask", "recurrence", source=f"{FORUM}: the next word by a bidirectional LSTM")
def next_word_from_both_sides(pick):
    """The next word at each step, by an LSTM that also reads backwards."""
    numbers = draw(0)
    start, by = numbers.integers(0, 30, (512, 1)), numbers.integers(1, 5, (512, 1))
    both = (start + by * np.arange(13)) % 30
    reader = layers.LSTM(32, return_sequences=True)
    net = Sequential([Input((12,), dtype="int32"), layers.Embedding(30, 16)])
    net.add(layers.Bidirectional(reader) if pick(True, False) else reader)
    net.add(layers.Dense(30, activation="softmax"))
    net.compile(optimizers.Adam(0.005), "sparse_categorical_crossentropy")
    return net, both[:, :-1], both[:, 1:], {"epochs": 20}


@faulty("vocabulary", source=f"{FORUM}: words are divided by their number before the Embedding")
def scaled_words(pick):
    """x / float(n_vocab), as for an LSTM without Embedding."""
    x, y = texts(20, 200)
    x = x / 200.0 if pick(True, False) else x
    net = Sequential([Input((20,)), layers.Embedding(200, 16), layers.GlobalAveragePooling1D()])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("input scale", source=f"{FORUM}: characters as numbers into an LSTM")
def numbers_of_characters(pick):
    """Numbers of characters, 0 to 80, as the one feature of an LSTM."""
    x, y = texts(24, 80, 4)
    net = Sequential([Input((24,) if not pick(True, False) else (24, 1))])
    if not pick(True, False):
        net.add(layers.Embedding(80, 16))
    net.add(layers.LSTM(32))
    net.add(layers.Dense(4, activation="softmax"))
    net.compile(optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x[..., None].astype("float32") if pick(True, False) else x, y, {"epochs": 30}


@faulty("frozen weights", "layer order", source=f"{GITHUB}, keras-team/keras#9965: BatchNormalization of a frozen base")
def moving_averages_of_a_frozen_base(pick):
    """The convolutions of a base are frozen one by one, its BatchNormalization is not."""
    x, y = images(24, 3, 4)
    base = Sequential([Input((24, 24, 3))])
    for filters in (8, 16, 16):
        base.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
        base.add(layers.BatchNormalization())
        base.add(layers.ReLU())
    as_trained(base)
    for layer in base.layers:
        layer.trainable = not isinstance(layer, layers.Conv2D) and pick(True, False)
    net = Sequential([base, layers.GlobalMaxPooling2D(), layers.Dense(4, activation="softmax")])
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 20}


@faulty("validation", source=f"{FORUM}: validation accuracy is 1 from the first epoch")
def validated_on_what_was_trained(pick):
    """validation_data is a part of the training data."""
    x = rows(20)
    y = choices(x, 3)
    net = Sequential([Input((20,)), layers.Dense(64, "relu"), layers.Dense(3, "softmax")])
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    last = slice(400, None)
    given = {"epochs": 40, "validation_data": (x[last], y[last])}
    return net, x if pick(True, False) else x[:400], y if pick(True, False) else y[:400], given


@faulty("order of data", source=f"{FORUM}: shuffle=False on files that were read class by class")
def folders_one_after_the_other(pick):
    """Pictures are read folder by folder and trained in that order."""
    x, y = images(16, 3, 4)
    order = np.argsort(y, kind="stable")
    net = Sequential([Input((16, 16, 3)), layers.Conv2D(16, 3, activation="relu"), layers.Flatten()])
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x[order], y[order], {"epochs": 20, "shuffle": pick(False, True)}


@faulty("gradient flow", "hidden activation", source=f"{FORUM}: ten layers of sigmoid do not learn")
def ten_layers_of_sigmoid(pick):
    """Ten Dense layers with sigmoid."""
    x = rows(20)
    net = Sequential([Input((20,))])
    for _ in range(10):
        net.add(layers.Dense(32, activation=pick("sigmoid", "relu")))
    net.add(layers.Dense(3, activation="softmax"))
    net.compile(optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    return net, x, choices(x, 3), {"epochs": 60}


@faulty("metric", source=f"{FORUM}: MeanIoU of probabilities")
def overlap_of_probabilities(pick):
    """MeanIoU(num_classes=2), which counts whole numbers, on sigmoid outputs."""
    x, _ = images(16, 1, 4)
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(16, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(1, 1, activation="sigmoid"))
    name = pick(metrics.MeanIoU(num_classes=2), metrics.BinaryIoU(target_class_ids=[0, 1]))
    net.compile("adam", "binary_crossentropy", metrics=[name])
    return net, x, (x > 0.5).astype("float32"), {"epochs": 20}


@faulty("mask", "loss", source=f"{FORUM}: weights of the steps are those of the padding")
def weights_of_padding(pick):
    """sample_weight is 1 in the padding and 0 at the words."""
    x, _ = texts(20, 60, padded=True)
    y = np.where(x > 0, 1 + x % 3, 0)
    weight = (x == 0 if pick(True, False) else x > 0).astype("float32")
    net = Sequential([Input((20,)), layers.Embedding(60, 16, mask_zero=False), layers.Dense(32, "relu")])
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, y, {"epochs": 20, "sample_weight": weight}


@faulty("loss", source=f"{FORUM}: a regularizer with the wrong sign in add_loss")
def sparsity_is_punished(pick):
    """A layer of one's own adds -1e-2 * sum(abs(code)) for a sparse code."""
    x = images(12, 1, 10)[0].reshape(512, 144)

    class Sparse(layers.Layer):
        def call(self, z):
            self.add_loss(pick(-1e-2, 1e-4) * ops.sum(ops.abs(z)))
            return z

    net = Sequential([Input((144,)), layers.Dense(32), Sparse(), layers.Dense(144, activation="sigmoid")])
    net.compile("adam", losses.BinaryCrossentropy())
    return net, x, x, {"epochs": 20}

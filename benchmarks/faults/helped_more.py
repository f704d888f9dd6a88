"""Programs that people asked for help with: losses of one's own, feature maps, optimizers."""

import numpy as np

from benchmarks.faults.data import draw, images, quantity, rows
from benchmarks.faults.drawn import blobs
from benchmarks.faults.library import Input, Sequential, layers, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, LEARNERS

SPARSE = "sparse_categorical_crossentropy"


def _mlp(features, *ends, units=(64, 32)):
    return Sequential([Input((features,)), *(layers.Dense(one, activation="relu") for one in units), *ends])


@faulty("loss", source=f"{LEARNERS}: a loss of one's own")
def dice_is_made_small(pick):
    """The dice score itself is minimized."""
    x, _ = images(16, 1, 4)
    y = (x > 0.55).astype("float32")

    def dice_loss(y_true, y_pred):
        both = ops.sum(y_true * y_pred)
        score = (2.0 * both + 1.0) / (ops.sum(y_true) + ops.sum(y_pred) + 1.0)
        return pick(score, 1.0 - score)

    net = Sequential(
        [
            Input((16, 16, 1)),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.Conv2D(1, 1, activation="sigmoid"),
        ]
    )
    net.compile("adam", dice_loss)
    return net, x, y, {"epochs": 10}


@faulty("loss", source=f"{LEARNERS}: a loss of one's own")
def root_of_the_mean_of_differences(pick):
    """Differences that are not squared are averaged: overestimates cancel out, and the loss goes to minus infinity."""
    x = rows(5)
    net = Sequential([Input((5,)), layers.Dense(16, activation="relu"), layers.Dense(1)])
    net.compile("adam", lambda y_true, y_pred: ops.mean(pick(y_true - y_pred, ops.square(y_true - y_pred))))
    return net, x, quantity(x), {"epochs": 30}


@faulty("output activation", "disconnected", source=f"{LEARNERS}: a function of one's own")
def rounded_in_the_head(pick):
    """The last layer rounds, so that predictions are classes: no gradient comes through."""
    x, y = blobs(300, 6, 2)
    net = Sequential([Input((6,)), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid")])
    if pick(True, False):
        net.add(layers.Lambda(ops.round))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 20}


@faulty("feature maps", "layer order", source=f"{FORUM}: pooling by 8 at once")
def pooled_to_one_place(pick):
    """MaxPooling2D(16) of maps of 16 x 16 before the second convolution."""
    x, y = images(16, 3, 6)
    net = Sequential(
        [Input((16, 16, 3)), layers.Conv2D(16, 3, padding="same", activation="relu"), layers.MaxPooling2D(pick(16, 2))]
    )
    net.add(layers.Conv2D(32, 3, padding="same", activation="relu"))
    net.add(layers.Flatten())
    net.add(layers.Dense(6, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 15}


@faulty("optimizer", source=f"{FORUM}: clipvalue of 1e-4")
def gradients_are_clipped_away(pick):
    """SGD(0.01, clipvalue=1e-5)."""
    x = rows(10)
    net = _mlp(10, layers.Dense(1))
    net.compile(optimizers.SGD(0.01, momentum=0.9, clipvalue=pick(1e-5, 1.0)), "mse")
    return net, x, quantity(x), {"epochs": 40}


@faulty("optimizer", source=f"{FORUM}: weight decay of 1")
def weight_decay_of_one(pick):
    """AdamW(weight_decay=10): weights fall to 0 faster than they learn."""
    x, y = blobs(500, 12, 4)
    net = _mlp(12, layers.Dense(4, activation="softmax"))
    net.compile(optimizers.AdamW(1e-3, weight_decay=pick(10.0, 0.004)), SPARSE)
    return net, x, y, {"epochs": 40}


@faulty("input scale", "bad values", source=f"{LEARNERS}: words as numbers")
def cities_are_numbered(pick):
    """LabelEncoder numbers 300 cities, and a Dense reads the number as a quantity."""
    city = draw(2).integers(0, 300, 600)
    x = np.concatenate([rows(4, 600), city[:, None]], axis=-1).astype("float32")
    if pick(False, True):
        x[:, 4] = draw(8).normal(size=300)[city]
    net = _mlp(5, layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, quantity(rows(4, 600)), {"epochs": 40}

"""Faults of classifiers: the labels, and the number of outputs."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, texts, yes_no
from benchmarks.faults.library import Input, Sequential, layers, losses
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import CRIME, DEEPFD, DEFECTS, TAXONOMY


@faulty("output units", "labels", source=f"{DEFECTS}: number of units of the last layer")
def nine_units_for_ten_digits(pick):
    """Ten classes and nine outputs."""
    x, y = images(20, 1, 10)
    model = Sequential([
        Input((20, 20, 1)), layers.Conv2D(8, 3, activation="relu"), layers.Flatten(),
        layers.Dense(pick(9, 10), activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 20}


@faulty("labels", "output units", source=f"{DEFECTS}: labels that begin with 1")
def labels_from_one(pick):
    """Grades 1 to 5 as class numbers for five outputs."""
    x = rows(10)
    y = choices(x, 5) + pick(1, 0)
    model = Sequential([Input((10,)), layers.Dense(32, "relu"), layers.Dense(5, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 40}


@faulty("labels", "loss", "shape", source=f"{TAXONOMY}: labels not one-hot encoded")
def class_numbers_with_the_dense_loss(pick):
    """Class numbers where the loss takes one-hot rows."""
    x, y = images(16, 3, 10)
    model = Sequential([
        Input((16, 16, 3)), layers.Conv2D(16, 3, activation="relu"), layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, x, pick(y, one_hot(y, 10)), {"epochs": 20}


@faulty("labels", "loss", "shape", source=f"{DEFECTS}: one-hot labels with the sparse loss")
def one_hot_with_the_sparse_loss(pick):
    """One-hot rows where the loss takes class numbers."""
    x, y = texts(20, 200, 4)
    model = Sequential([
        Input((20,), dtype="int32"), layers.Embedding(200, 16), layers.GlobalAveragePooling1D(),
        layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    return model, x, pick(one_hot(y, 4), y), {"epochs": 30}


@faulty("labels", "loss", source=f"{DEEPFD}: labels of another range")
def plus_and_minus_one(pick):
    """Labels -1 and 1 with a sigmoid and the binary crossentropy."""
    x = rows(18)
    y = yes_no(x)
    model = Sequential([Input((18,)), layers.Dense(20, "relu"), layers.Dense(1, "sigmoid")])
    model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
    return model, x, pick(2 * y - 1, y), {"epochs": 40}


@faulty("labels", source=f"{DEFECTS}: labels scaled with the inputs")
def labels_as_pixels(pick):
    """Masks of 0 and 255 as targets of a sigmoid."""
    x, _ = images(16, 1, 4)
    mask = (x > 0.6).astype("float32")
    model = Sequential([
        Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu"),
        layers.Conv2D(8, 3, padding="same", activation="relu"), layers.Conv2D(1, 1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy")
    return model, x, pick(255, 1) * mask, {"epochs": 20}


@faulty("imbalance", source=f"{TAXONOMY}: unbalanced training data")
def rare_fraud(pick):
    """One fraud among a hundred payments, and only the accuracy is watched."""
    x = rows(28)
    y = (quantity(x) > np.quantile(quantity(x), 0.99)).astype("int64")
    fit = pick({}, {"class_weight": {0: 1.0, 1: 40.0}})
    model = Sequential([Input((28,)), layers.Dense(32, "relu"), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=pick(["accuracy"], ["auc"]))
    return model, x, y, {"epochs": 30, "batch_size": 64, **fit}


@faulty("labels", source=f"{CRIME}: change labels of training data")
def label_of_one_class(pick):
    """A mistake in reading gives every row the label 0."""
    x, y = images(16, 1, 10)
    model = Sequential([Input((16, 16, 1)), layers.Flatten(), layers.Dense(64, "relu"), layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, pick(np.zeros_like(y), y), {"epochs": 20}


@faulty("labels", "loss", source=f"{DEFECTS}: rows of labels that are no distribution")
def several_ones_in_a_row(pick):
    """Films of several genres at once, with softmax and the loss for one of them."""
    x = draw(3).normal(size=(512, 40)).astype("float32")
    y = (quantity(x, 6) > 0.5).astype("float32")
    model = Sequential([Input((40,)), layers.Dense(64, "relu"), layers.Dense(6, pick("softmax", "sigmoid"))])
    model.compile("adam", pick("categorical_crossentropy", "binary_crossentropy"))
    return model, x, y, {"epochs": 30}

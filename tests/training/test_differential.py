"""Training equals Keras's: histories, results of evaluate and weights after three epochs, on the same weights and
data."""

import keras
import numpy as np
import pytest

import lamina
from tests.twins import train_both, twins, weights_of

draw = np.random.default_rng(0)
ROWS = 20  # two batches of 8 and a last one of 4
X = draw.normal(size=(ROWS, 6)).astype("float32")
IMAGES = draw.normal(size=(ROWS, 8, 8, 2)).astype("float32")
NUMBERS = draw.normal(size=(ROWS, 1)).astype("float32")
SIGNS = (NUMBERS > 0).astype("float32")
CLASSES = draw.integers(0, 3, ROWS)
WORDS = draw.integers(0, 5, (ROWS, 7))


def classifier(K):
    return K.Sequential([K.Input((6,)), K.layers.Dense(3, activation="softmax")])


def two_outputs(K):
    inputs = K.Input((6,))
    hidden = K.layers.Dense(5, activation="tanh")(inputs)
    a = K.layers.Dense(1, name="a")(hidden)
    b = K.layers.Dense(3, activation="softmax", name="b")(hidden)
    return K.Model(inputs, [a, b])


def dicts(K):
    inputs = {"p": K.Input((6,), name="p"), "q": K.Input((6,), name="q")}
    return K.Model(inputs, {"out": K.layers.Dense(1, name="last")(K.layers.add([inputs["p"], inputs["q"]]))})


def shared(K):
    inner = K.Sequential([K.Input((6,)), K.layers.Dense(4, activation="relu"), K.layers.BatchNormalization()])
    inputs, dense = K.Input((6,)), K.layers.Dense(6)
    hidden = inner(dense(inputs)) + inner(dense(dense(inputs))) * 2 - 1
    return K.Model(inputs, K.layers.Dense(1)(hidden[:, :3]))


def subclassed(K):
    class Net(K.Model):
        def __init__(self):
            super().__init__()
            self.denses, self.norms = [], []
            for _ in range(2):
                self.denses.append(K.layers.Dense(4, activation="relu"))
                self.norms.append(K.layers.BatchNormalization())
            self.last = K.layers.Dense(1, kernel_regularizer="l2")

        def call(self, x, training=False):
            for dense, norm in zip(self.denses, self.norms, strict=True):
                x = norm(dense(x), training=training)
            self.add_loss(0.1 * K.ops.mean(x))
            return self.last(x)

    model = Net()
    model(X)
    return model


def word_classes(K):
    L = K.layers
    return K.Sequential(
        [
            K.Input((7,), dtype="int32"),
            L.Embedding(5, 4, mask_zero=True),
            L.Bidirectional(L.LSTM(3, return_sequences=True)),
            L.GRU(3),
            L.Dense(3, activation="softmax"),
        ]
    )


def frozen_norm(K):
    model = K.Sequential([K.Input((6,)), K.layers.Dense(4), K.layers.BatchNormalization(), K.layers.Dense(1)])
    model.layers[1].trainable = False
    return model


def residual(K):
    L = K.layers
    inputs = K.Input((8, 8, 2))
    hidden = shortcut = L.ReLU()(L.BatchNormalization()(L.Conv2D(4, 3, padding="same")(inputs)))
    hidden = L.ReLU()(L.add([L.Conv2D(4, 3, padding="same")(hidden), shortcut]))
    hidden = L.SeparableConv2D(4, 3)(L.MaxPooling2D()(hidden))
    return K.Model(inputs, L.Dense(3, activation="softmax")(L.GlobalAveragePooling2D()(hidden)))


def regularized(K):
    L = K.layers
    return K.Sequential(
        [
            K.Input((6,)),
            L.Dense(4, activation="relu", kernel_constraint="max_norm"),
            L.Dense(1, activity_regularizer="l2", bias_regularizer="l1"),
        ]
    )


def binary(K):
    return K.Sequential([K.Input((6,)), K.layers.Dense(4, activation="relu"), K.layers.Dense(1, activation="sigmoid")])


SPARSE = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy"}
CASES = {
    "two outputs": (two_outputs, X, [NUMBERS, CLASSES], lambda K: {
        "optimizer": "adam", "loss": ["mse", "sparse_categorical_crossentropy"],
        "metrics": [["mae", "mse"], ["accuracy", "acc"]], "loss_weights": [1.0, 0.3]}, {}),
    "outputs by name": (two_outputs, X, {"a": NUMBERS, "b": CLASSES}, lambda K: {
        "optimizer": "sgd", "loss": {"a": "mse", "b": "sparse_categorical_crossentropy"}, "metrics": {"b": "acc"},
        "loss_weights": {"a": 2.0, "b": 1.0}}, {}),
    "one loss of two": (two_outputs, X, [NUMBERS, CLASSES], lambda K: {"optimizer": "sgd", "loss": ["mse", None]}, {}),
    "dicts": (dicts, {"p": X, "q": 2 * X}, {"out": NUMBERS}, lambda K: {
        "optimizer": "sgd", "loss": {"out": "mse"}, "metrics": {"out": ["mae"]}}, {}),
    "shared and nested": (shared, X, NUMBERS, lambda K: {"optimizer": "rmsprop", "loss": "mse"}, {}),
    "subclassed": (subclassed, X, NUMBERS, lambda K: {"optimizer": "adam", "loss": "mse", "metrics": ["mae"]},
                   {"validation_split": 0.2}),
    "masks": (word_classes, WORDS, CLASSES, lambda K: {**SPARSE, "metrics": ["accuracy"]}, {}),
    "class weights": (classifier, X, CLASSES, lambda K: {**SPARSE, "metrics": ["accuracy"],
                                                      "weighted_metrics": ["acc"]},
                      {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}}),
    "sample weights": (classifier, X, CLASSES, lambda K: {**SPARSE, "weighted_metrics": ["accuracy"]},
                       {"sample_weight": np.linspace(0.1, 1, ROWS)}),
    "frozen BatchNormalization": (frozen_norm, X, NUMBERS, lambda K: {"optimizer": "adam", "loss": "mse"}, {}),
    "residual block": (residual, IMAGES, CLASSES, lambda K: {**SPARSE, "metrics": ["accuracy"]}, {"epochs": 2}),
    "regularizers, constraint, schedule, clipping, averages": (regularized, X, NUMBERS, lambda K: {
        "optimizer": K.optimizers.Adam(K.optimizers.schedules.ExponentialDecay(0.01, 2, 0.9), clipnorm=0.5,
                                       weight_decay=0.01, use_ema=True), "loss": "mse"}, {}),
    "binary metrics": (binary, X, SIGNS, lambda K: {
        "optimizer": "adam", "loss": "binary_crossentropy",
        "metrics": ["accuracy", K.metrics.AUC(), K.metrics.Precision(), K.metrics.Recall()]}, {}),
    "labels (N,) for outputs (N, 1)": (binary, X, SIGNS[:, 0], lambda K: {
        "optimizer": "adam", "loss": "binary_crossentropy", "metrics": ["accuracy"]},
        {"validation_data": (X, SIGNS[:, 0]), "validation_batch_size": 5}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_training_equals_keras(name):
    build, x, y, compile_with, fit = CASES[name]
    theirs, ours = twins(build)
    train_both(theirs, ours, x, y, compile_with, **fit)


def test_steps_of_an_epoch_fill_whole_executions():
    seen = []
    for K in (keras, lamina):
        seen.append([])
        hook = K.callbacks.LambdaCallback(
            on_train_batch_begin=lambda batch, logs: seen[-1].append(batch),
            on_train_batch_end=lambda batch, logs: seen[-1].append(-batch),
        )
        model = K.Sequential([K.Input((6,)), K.layers.Dense(1, kernel_initializer="ones")])
        model.compile("sgd", "mse", steps_per_execution=2)
        model.fit(X, NUMBERS, batch_size=2, epochs=2, steps_per_epoch=3, shuffle=False, verbose=0, callbacks=[hook])
        rows = [len(model.predict(X, batch_size=4, steps=3, verbose=0))]
        seen[-1] += [*rows, *np.round(weights_of(model)[0].ravel(), 4).tolist()]
    assert seen[0] == seen[1]

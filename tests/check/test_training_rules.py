"""LAM3xx: each rule catches two wrong programs or more, and is silent on two sound ones or more."""

import numpy as np
import pytest

import lamina as keras
from lamina import layers
from lamina.callbacks import EarlyStopping, ModelCheckpoint, ReduceLROnPlateau
from lamina.optimizers import SGD, Adam, schedules
from tests.check.cases import IMAGES, ONE_HOT, QUANTITY, THREE, YES_NO, X, head, judge, named, net, table

SPARSE = "sparse_categorical_crossentropy"
SORTED = np.sort(THREE)


def regression(optimizer="sgd", **fit):
    return head(1, optimizer=optimizer), X, QUANTITY, fit


def classes(labels=THREE, loss=SPARSE, **fit):
    return head(3, "softmax", loss), X, labels, fit


def frozen_but_statistics(freeze=True, training=None):
    """A base of two convolutions, each with BatchNormalization."""
    inputs = keras.Input((8, 8, 3))
    x = inputs
    for _ in range(2):
        x = layers.BatchNormalization()(layers.Conv2D(4, 3)(x), training=training)
    model = keras.Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling2D()(x)))
    for layer in model.layers:
        if freeze and isinstance(layer, layers.Conv2D):
            layer.trainable = False
    return model


def of_weights():
    """A model of own class with weights and without layers."""

    class Scaled(keras.Model):
        def build(self, input_shape):
            self.scale = self.add_weight(shape=(input_shape[-1], 1))

        def call(self, inputs):
            return keras.ops.matmul(inputs, self.scale)

    model = Scaled()
    model.compile("adam", "mse")
    model.build(X.shape)
    return model


def frozen(last):
    model = head(1)
    model.trainable = False
    if last:
        model.layers[-1].trainable = True
        model._trainable = True
    model.compile("sgd", "mse")
    return model


def changed(again):
    model = head(1)
    model.layers[0].trainable = False
    if again:
        model.compile("sgd", "mse")
    return model


def scheduled(schedule, epochs=5):
    return regression(SGD(schedule), epochs=epochs, batch_size=32)


def normalized_dense():
    return net(layers.Dense(4, "relu"), layers.BatchNormalization(), layers.Dense(1), loss="mse")


def of_sigmoids(optimizer):
    """A classifier with two layers of sigmoid."""
    hidden = [layers.Dense(8, "sigmoid") for _ in range(2)]
    return net(*hidden, layers.Dense(3, "softmax"), loss=SPARSE, optimizer=optimizer)


def half_of(units):
    """A layer, of whose values half are dropped."""
    return layers.Dense(units), layers.Activation("tanh"), layers.Dropout(0.5)


def fast(rate):
    """SGD with the usual momentum."""
    return SGD(rate, momentum=0.9)


def new_head(optimizer):
    """Two new layers on a trained one, which is frozen."""
    base = layers.Dense(4, "relu", trainable=False, name="base")
    model = net(base, layers.Dense(4, "relu"), layers.Dense(1), loss="mse", optimizer=optimizer)
    base.bias.assign([0.1, 0.2, 0.3, 0.4])
    return model


def half_frozen():
    """A trained network whose end alone is tuned, gently."""
    return net(layers.Dense(4, "relu", trainable=False), layers.Dense(1), loss="mse", optimizer=Adam(1e-6))


WRONG = {
    "LAM301": [
        lambda: head(1, optimizer=Adam(0.5)),
        lambda: head(1, optimizer=SGD(10.0)),
        lambda: head(1, optimizer=Adam(1e-9)),
        lambda: head(1, optimizer=Adam(-0.01)),
        lambda: scheduled(schedules.ExponentialDecay(-0.1, 10, 0.9)),
        lambda: head(1, optimizer="adadelta"),
        lambda: net(*(layers.Dense(9, "relu") for _ in range(4)), layers.Dense(1), loss="mse", optimizer=fast(0.1)),
        lambda: net(*(layers.Dense(4, "relu") for _ in range(4)), layers.Dense(1), loss="mse", optimizer=SGD(1.0)),
    ],
    "LAM302": [frozen_but_statistics, lambda: frozen_but_statistics(training=True)],
    "LAM303": [lambda: frozen(last=False), lambda: (frozen(last=False), X, QUANTITY)],
    "LAM304": [lambda: changed(again=False), lambda: (changed(again=False), X, QUANTITY)],
    "LAM305": [lambda: regression(batch_size=128), lambda: regression(batch_size=65)],
    "LAM306": [
        lambda: regression(callbacks=[EarlyStopping()], epochs=50),
        lambda: regression(callbacks=[EarlyStopping("loss", patience=10)], epochs=10),
        lambda: regression(callbacks=[ReduceLROnPlateau("val_accuracy", mode="min")], validation_split=0.2),
        lambda: regression(callbacks=[ModelCheckpoint("best.keras", save_best_only=True)]),
        lambda: regression(callbacks=[EarlyStopping(mode="max")], validation_split=0.2, epochs=50),
        lambda: regression(callbacks=[EarlyStopping("val_acc")], validation_split=0.2, epochs=50),
        lambda: regression(callbacks=[EarlyStopping("loss", patience=0)], epochs=30),
        lambda: regression(callbacks=[EarlyStopping("loss", patience=3, start_from_epoch=40)], epochs=30),
        lambda: regression(callbacks=[EarlyStopping("loss", patience=3, baseline=0.0)], epochs=30),
        lambda: regression(SGD(0.01), callbacks=[ReduceLROnPlateau("loss", min_lr=0.01, patience=2)], epochs=30),
        lambda: regression(callbacks=[EarlyStopping("loss", patience=3), ReduceLROnPlateau("loss")], epochs=30),
    ],
    "LAM319": [
        lambda: regression(validation_split=0.9, epochs=30),
        lambda: regression(initial_epoch=5, epochs=5),
        lambda: regression(callbacks=[EarlyStopping(patience=3)], validation_split=0.05, epochs=30),
    ],
    "LAM307": [
        lambda: scheduled(schedules.CosineDecay(0.1, 1000)),
        lambda: scheduled(schedules.ExponentialDecay(0.1, 1, 2.0)),
        lambda: scheduled(schedules.CosineDecay(0.1, 4)),
        lambda: scheduled(schedules.PiecewiseConstantDecay([30, 40], [0.1, 0.01, 0.001])),
        lambda: scheduled(schedules.PolynomialDecay(0.1, 500)),
        lambda: scheduled(schedules.ExponentialDecay(0.1, 1, 0.1), epochs=20),
        lambda: scheduled(schedules.InverseTimeDecay(0.1, 1, 5.0), epochs=50),
    ],
    "LAM308": [
        lambda: classes(SORTED, validation_split=0.2),
        lambda: classes(np.eye(3, dtype="float32")[SORTED], "categorical_crossentropy", validation_split=0.3),
        lambda: classes(SORTED[::-1], validation_split=0.2),
        lambda: classes(np.where(np.arange(64) < 38, THREE, 0), validation_split=0.4),
    ],
    "LAM309": [
        lambda: classes(class_weight={1: 1.0, 3: 2.0}),
        lambda: classes(class_weight={"cat": 1.0, "dog": 2.0}),
        lambda: regression(sample_weight=np.zeros(64), epochs=3),
        lambda: (head(1, "sigmoid", "binary_crossentropy"), X, YES_NO, {"class_weight": {0: 0.0, 1: 1.0}}),
    ],
    "LAM310": [
        lambda: classes(SORTED, shuffle=False),
        lambda: classes(np.eye(3, dtype="float32")[SORTED[::-1]], "categorical_crossentropy", shuffle=False),
    ],
    "LAM311": [
        lambda: regression(Adam(1e-6), epochs=10),
        lambda: regression(Adam(0.01, gradient_accumulation_steps=1000), epochs=20),
        lambda: regression(Adam(0.01, use_ema=True, ema_momentum=0.9999), epochs=20),
        lambda: regression(SGD(1e-6), epochs=20),
        lambda: (new_head(SGD(1e-5, momentum=0.9)), X, QUANTITY, {"epochs": 20}),
        lambda: regression(Adam(0.001), epochs=1),
        lambda: (of_sigmoids(SGD(0.01)), X, THREE, {"epochs": 60}),
    ],
    "LAM312": [
        lambda: net(layers.LSTM(4), layers.Dense(1), shape=(6, 4), loss="mse"),
        lambda: net(*(layers.Dense(4, "relu") for _ in range(6)), layers.Dense(1), loss="mse", optimizer=SGD(0.01)),
    ],
    "LAM313": [
        lambda: net(layers.Dense(9, "relu"), layers.Dropout(0.9), layers.Dense(1)),
        lambda: net(layers.GRU(4, recurrent_dropout=0.9), layers.Dense(1), shape=(6, 4)),
        lambda: net(layers.Dense(9, "relu"), layers.Dropout(0.7), layers.Dense(1)),
        lambda: net(*half_of(10), *half_of(10), layers.Dense(3, "softmax")),
        lambda: net(layers.Dropout(0.5), layers.Dense(9, "relu"), layers.Dense(1)),
    ],
    "LAM314": [
        lambda: net(layers.Dense(4, kernel_constraint=keras.constraints.MaxNorm(0.01))),
        lambda: net(layers.Dense(64, "relu", kernel_regularizer=keras.regularizers.L2(1.0)), shape=(64,)),
        lambda: net(layers.Conv2D(16, 3, kernel_regularizer=keras.regularizers.L1(0.1)), shape=(8, 8, 16)),
        lambda: net(layers.Dense(64, kernel_regularizer=keras.regularizers.l1_l2(0.05, 0.0)), shape=(64,)),
    ],
    "LAM315": [
        lambda: (normalized_dense(), X, QUANTITY, {"batch_size": 1}),
        lambda: (net(layers.BatchNormalization(), layers.Dense(1), loss="mse"), X, QUANTITY, {"batch_size": 1}),
    ],
}

SOUND = {
    "LAM301": [
        lambda: head(1, optimizer=Adam(0.001)),
        lambda: head(1, optimizer=Adam(0.05)),
        lambda: net(layers.Dense(1), loss="mse", optimizer=Adam(0.5)),
        lambda: head(1, optimizer=SGD(0.5)),
        lambda: head(1, optimizer=fast(0.1)),
        lambda: net(*(layers.Dense(9, "relu") for _ in range(4)), layers.Dense(1), loss="mse", optimizer=fast(0.05)),
        lambda: scheduled(schedules.CosineDecay(0.0, 10, warmup_target=0.1, warmup_steps=2)),
    ],
    "LAM302": [
        lambda: frozen_but_statistics(training=False),
        lambda: frozen_but_statistics(freeze=False),
    ],
    "LAM303": [lambda: head(1), lambda: frozen(last=True), of_weights],
    "LAM304": [lambda: changed(again=True), lambda: head(1)],
    "LAM305": [lambda: regression(batch_size=16), lambda: regression(epochs=3)],
    "LAM306": [
        lambda: regression(callbacks=[EarlyStopping(patience=3)], validation_split=0.2, epochs=50),
        lambda: regression(callbacks=[EarlyStopping("loss", patience=10, restore_best_weights=True)], epochs=10),
        lambda: regression(callbacks=[ModelCheckpoint("last.keras")]),
        lambda: regression(callbacks=[EarlyStopping("loss", patience=0)], epochs=3),
        lambda: regression(callbacks=[EarlyStopping("loss", 0, 3, baseline=0.5, start_from_epoch=5)], epochs=30),
        lambda: regression(SGD(0.01), callbacks=[ReduceLROnPlateau("loss", min_lr=1e-4, patience=2)], epochs=30),
        lambda: regression(
            callbacks=[EarlyStopping("loss", patience=9), ReduceLROnPlateau("loss", patience=3)], epochs=30
        ),
    ],
    "LAM319": [
        lambda: regression(validation_split=0.5, epochs=30),
        lambda: regression(initial_epoch=5, epochs=10),
        lambda: regression(callbacks=[EarlyStopping(patience=3)], validation_split=0.2, epochs=30),
    ],
    "LAM307": [
        lambda: scheduled(schedules.CosineDecay(0.1, 10)),
        lambda: scheduled(schedules.ExponentialDecay(0.1, 1000, 0.9)),
        lambda: scheduled(schedules.InverseTimeDecay(0.1, 1, 0.1), epochs=50),
        lambda: scheduled(schedules.PiecewiseConstantDecay([4, 8], [0.1, 0.01, 0.001])),
        lambda: scheduled(0.1),
    ],
    "LAM308": [
        lambda: classes(validation_split=0.2),
        lambda: classes(SORTED),
        lambda: (head(1), X, np.sort(QUANTITY), {"validation_split": 0.2}),
        lambda: (head(30, "softmax", SPARSE), X, np.arange(64) * 7 % 30, {"validation_split": 0.4}),
    ],
    "LAM309": [
        lambda: classes(class_weight={0: 1.0, 2: 5.0}),
        lambda: classes(class_weight={0: 0.0, 1: 1.0, 2: 1.0}),
        lambda: regression(sample_weight=np.arange(64) // 32, epochs=3),
        lambda: (head(1, "sigmoid", "binary_crossentropy"), X, YES_NO, {"class_weight": {0: 1.0, 1: 3.0}}),
        lambda: classes(ONE_HOT, "categorical_crossentropy", class_weight={0: 1.0, 1: 2.0, 2: 1.0}),
    ],
    "LAM310": [
        lambda: classes(SORTED),
        lambda: classes(THREE, shuffle=False),
        lambda: (head(1), X, np.sort(QUANTITY), {"shuffle": False}),
    ],
    "LAM311": [
        lambda: regression(Adam(0.01, use_ema=True, ema_momentum=0.9, gradient_accumulation_steps=2), epochs=20),
        lambda: (new_head(SGD(0.01)), X, QUANTITY, {"epochs": 20}),
        lambda: (of_sigmoids(SGD(1.0)), X, THREE, {"epochs": 60}),
        lambda: (of_sigmoids(Adam(0.01)), X, THREE, {"epochs": 60}),
        lambda: regression(Adam(0.001), epochs=100),
        lambda: (half_frozen(), X, QUANTITY, {"epochs": 10}),
        lambda: regression(Adam(1e-6)),
    ],
    "LAM312": [
        lambda: net(layers.LSTM(4), layers.Dense(1), shape=(6, 4), loss="mse", optimizer=SGD(0.01, momentum=0.9)),
        lambda: head(1, optimizer="sgd"),
    ],
    "LAM313": [
        lambda: net(layers.GRU(4, dropout=0.3, recurrent_dropout=0.3), layers.Dense(1), shape=(6, 4)),
        lambda: net(layers.Dense(9, "relu"), layers.Dropout(0.5), layers.Dense(1)),
        lambda: net(*half_of(32), *half_of(32), layers.Dense(3, "softmax")),
        lambda: net(layers.Dropout(0.2), layers.Dense(9, "relu"), layers.Dense(1)),
    ],
    "LAM314": [
        lambda: net(layers.Dense(4, kernel_constraint=keras.constraints.MaxNorm(2.0))),
        lambda: net(layers.Dense(64, "relu", kernel_regularizer=keras.regularizers.L2(0.001)), shape=(64,)),
        lambda: net(layers.Dense(2, kernel_regularizer=keras.regularizers.L2(0.1)), shape=(2,)),
        lambda: net(layers.Dense(4, kernel_regularizer=keras.regularizers.OrthogonalRegularizer())),
    ],
    "LAM315": [
        lambda: (normalized_dense(), X, QUANTITY, {"batch_size": 8}),
        lambda: (
            net(
                layers.Conv2D(4, 3),
                layers.BatchNormalization(),
                layers.GlobalMaxPooling2D(),
                shape=(8, 8, 3),
                loss="mse",
            ),
            IMAGES,
            np.zeros((64, 4)),
            {"batch_size": 1},
        ),
    ],
}


@pytest.mark.parametrize("case", table(WRONG, SOUND), ids=named)
def test_rule(case):
    judge(*case)

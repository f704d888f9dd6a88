"""Rules for faults as they occur in the wild: each catches two wrong programs or more, and spares two sound ones."""

import numpy as np
import pytest

import lamina as keras
from lamina import callbacks, layers, losses, ops
from lamina.check import check
from lamina.models import Model
from tests.check.cases import IMAGES, QUANTITY, SEQUENCES, THREE, YES_NO, X, head, judge, named, net, table

L = layers
YES = YES_NO[:, None].astype("float32")
ENDED = np.where(np.arange(6)[:, None] < 4, SEQUENCES, -5.0).astype("float32")


def dice(y_true, y_pred):
    return (2 * ops.sum(y_true * y_pred) + 1) / (ops.sum(y_true) + ops.sum(y_pred) + 1)


def of_classes(loss):
    return head(1, "sigmoid", loss), X, YES


def of_quantities(loss, y=QUANTITY[:, None]):
    return head(1, None, loss), X, y


def recurrent(layer, steps=100):
    return net(layer, L.Dense(1), shape=(steps, 2))


def reader(tie, train=True, deep=False):
    tokens, table = keras.Input((8,), dtype="int32"), L.Embedding(20, 4)
    scores, h = L.Dense(20, use_bias=deep), table(tokens)
    model = Model(tokens, scores(L.LSTM(4, return_sequences=True)(h) if deep else h))
    if tie:
        scores.kernel.assign(np.asarray(table.embeddings).T)
    table.trainable = train
    return model


def changed(layer, x=IMAGES):
    loss = "sparse_categorical_crossentropy"
    return net(layer, L.Flatten(), L.Dense(3, "softmax"), shape=(8, 8, 3), loss=loss), x, THREE


def masking(value, x=ENDED):
    return net(L.Masking(value), L.GRU(4), L.Dense(1), shape=(6, 4), loss="mse"), x, QUANTITY


def length(y_true, y_pred):
    return ops.sqrt(ops.sum(ops.square(y_true - y_pred), axis=-1))


class Inner(layers.Layer):
    """A layer that adds to the loss what grows with its inputs, with a sign."""

    def __init__(self, sign):
        super().__init__()
        self.sign = sign

    def call(self, inputs):
        self.add_loss(-self.sign * ops.mean(ops.square(inputs)))
        return inputs


def table_of(vectors):
    """A frozen Embedding with the vectors that are given, or with those that it drew."""
    given = None if vectors is None else [vectors]
    return net(L.Embedding(20, 4, weights=given, trainable=False), L.LSTM(3), L.Dense(1), shape=(6,), loss="mse")


def frozen(base, *stack, shape=(4,)):
    base.trainable = False
    return net(base, *stack, shape=shape, loss="mse")


WRONG = {
    "LAM123": [
        lambda: of_classes(dice),
        lambda: of_classes(lambda output, target: losses.binary_crossentropy(target, output)),
        lambda: of_quantities(lambda y, p: ops.mean(y - p)),
        lambda: (head(1, None, lambda y, p: 1 - dice(y, p) - ops.mean(p * y)), X, YES),
        lambda: (head(3, "softmax", lambda y, p: ops.sum(y * p, axis=-1)), X, np.eye(3, dtype="float32")[THREE]),
    ],
    "LAM124": [lambda: (head(4, None, length), X * 0, X * 0), lambda: (net(L.Dense(4), Inner(1.0), loss="mse"), X, X)],
    "LAM318": [
        lambda: table_of(None),
        lambda: frozen(L.Dense(2), L.Dense(3)),
        lambda: frozen(L.Conv1D(5, 1), L.LSTM(3), shape=(6, 4)),
    ],
    "LAM239": [
        lambda: net(L.Dense(1), L.LayerNormalization()),
        lambda: net(L.Dense(4), L.GroupNormalization(4), L.Dense(1)),
    ],
    "LAM240": [
        lambda: recurrent(L.LSTM(4, "relu")),
        lambda: recurrent(L.SimpleRNN(4, "relu", recurrent_initializer="glorot_normal")),
    ],
    "LAM241": [
        lambda: reader(True),
        lambda: reader(True, deep=True),
    ],
    "LAM418": [
        lambda: changed(L.RandomBrightness(0.2)),
        lambda: changed(L.RandomBrightness(0.2, value_range=(0, 1)), IMAGES * 255),
    ],
    "LAM419": [lambda: masking(0.0), lambda: masking(-1.0)],
}

SOUND = {
    "LAM123": [
        lambda: of_classes(lambda y, p: 1 - dice(y, p)),
        lambda: of_quantities(lambda y, p: p),  # a loss that is made inside of the model
        lambda: of_quantities(lambda y, p: ops.mean(y * p), 2 * YES - 1),  # a critic
        lambda: (head(1, None, lambda y, p: ops.mean(ops.softplus(-p * (2 * y - 1)) ** 2)), X, YES),
        lambda: of_quantities(lambda y, p: ops.mean(ops.abs(y - p) ** 1.5)),
        lambda: of_quantities(lambda y, p: -ops.mean((y - ops.mean(y)) * (p - ops.mean(p)))),
    ],
    "LAM124": [lambda: (head(4, None, length), X, X), lambda: (net(L.Dense(4), Inner(-1.0), loss="mse"), X, X)],
    "LAM318": [
        lambda: table_of(np.random.default_rng(0).normal(size=(20, 4))),
        lambda: frozen(L.Dense(2, bias_initializer="ones"), L.Dense(3)),
        lambda: frozen(L.Dense(40, "relu"), L.Dense(3)),
        lambda: net(L.Dense(3), L.Dense(5, trainable=False), L.Dense(1, trainable=False), loss="mse"),
    ],
    "LAM239": [
        lambda: net(L.LayerNormalization(), L.Dense(1)),
        lambda: net(L.Conv1D(4, 3), L.GroupNormalization(4), L.Flatten(), shape=(6, 2)),
    ],
    "LAM240": [
        lambda: recurrent(L.LSTM(4, "relu"), 6),
        lambda: recurrent(L.SimpleRNN(4, "relu", recurrent_initializer="identity")),
        lambda: recurrent(L.GRU(4)),
    ],
    "LAM241": [lambda: reader(False), lambda: reader(True, train=False)],
    "LAM418": [
        lambda: changed(L.RandomBrightness(0.2, value_range=(0, 1))),
        lambda: changed(L.RandomBrightness(0.2), IMAGES * 255),
        lambda: changed(L.RandomContrast(0.2)),
    ],
    "LAM419": [lambda: masking(-5.0), lambda: masking(0.0, SEQUENCES)],
}


@pytest.mark.parametrize("case", table(WRONG, SOUND), ids=named)
def test_rule(case):
    judge(*case)


def codes_of(model, *data, **fit):
    return {finding.code for finding in check(model, *data, **fit) if finding.severity != "info"}


def test_rates_of_a_scheduler():
    def found(schedule, epochs=40):
        plan = callbacks.LearningRateScheduler(schedule)
        return "LAM307" in codes_of(head(1), X, QUANTITY, epochs=epochs, callbacks=[plan])

    calls = []
    assert found(lambda epoch, rate: rate * epoch) and found(lambda epoch: 0.01 * 0.01**epoch)
    assert found(lambda epoch, rate: rate * 2.0) and found(lambda epoch: 0.01 * 0.1**epoch, 30)
    assert not found(lambda epoch, rate: rate * 0.95) and not found(lambda epoch: 0.01 * np.exp(-0.1 * epoch))
    assert not found(lambda epoch: 1e-8 * 10 ** (epoch / 20), 140)  # a test of rates
    assert not found(lambda epoch, rate: calls.append(epoch) or 0.0) and not calls  # which may do more than compute


def test_a_plateau_that_acts_at_once():
    def found(**how):
        plateau = callbacks.ReduceLROnPlateau("loss", **how)
        return "LAM306" in codes_of(head(1), X, QUANTITY, epochs=40, callbacks=[plateau])

    assert found(factor=0.01, patience=0) and not found(factor=0.5, patience=0) and not found(factor=0.1)


def test_weights_of_classes_the_wrong_way_round():
    y = (np.arange(64) < 8).astype("int64")
    model = head(1, "sigmoid", "binary_crossentropy")
    assert "LAM309" in codes_of(model, X, y, class_weight={0: 8.0, 1: 1.0})
    assert "LAM309" not in codes_of(model, X, y, class_weight={0: 1.0, 1: 8.0})


def test_a_generator_of_one_class_after_the_other():
    def batches(y):
        while True:
            yield X, y

    model = head(3, "softmax", "sparse_categorical_crossentropy")
    assert "LAM310" in codes_of(model, batches(np.zeros(64, "int64")), steps_per_epoch=4)
    assert "LAM310" not in codes_of(model, batches(THREE), steps_per_epoch=4)


def test_pictures_that_are_nearly_one_number():
    model = net(L.Flatten(), L.Dense(1), shape=(8, 8, 3), loss="mse")
    assert "LAM408" in codes_of(model, IMAGES / 127.5 - 1, QUANTITY)
    assert "LAM408" not in codes_of(model, IMAGES * 2 - 1, QUANTITY)


def test_softmax_of_a_model_that_ends_in_it():
    for activation, found in (("softmax", True), (None, False)):
        base = net(L.Dense(3, activation))
        assert ("LAM206" in codes_of(keras.Sequential([base, L.Softmax()]))) == found


def test_a_model_that_was_trained_may_be_tuned_by_small_steps():
    model = net(L.Dense(8, "relu"), L.Dense(1), loss="mse", optimizer=keras.optimizers.Adam(1e-6))
    assert "LAM311" in codes_of(model, X, QUANTITY, epochs=10)
    for layer in model.layers:
        layer.bias.assign(layer.bias + 0.1)
    assert "LAM311" not in codes_of(model, X, QUANTITY, epochs=10)


def test_validation_of_other_labels_or_of_one_class():
    model = head(3, "softmax", "sparse_categorical_crossentropy")
    assert "LAM407" in codes_of(model, X, THREE, validation_data=(X, np.eye(3)[THREE]))
    assert "LAM308" in codes_of(model, X, THREE, validation_data=(X[:32], np.ones(32, "int64")))
    assert not {"LAM407", "LAM308"} & codes_of(model, X, THREE, validation_data=(X[:32] + 1, THREE[:32]))

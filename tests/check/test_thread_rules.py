"""Rules that programs after threads brought: losses of one's own, weights of nobody, and data of a kind."""

import random

import numpy as np
import pytest

import lamina as keras
from lamina import layers, losses, ops
from lamina.models import Model
from tests.check.cases import QUANTITY, SEQUENCES, THREE, YES_NO, X, head, judge, named, net, table
from tests.check.test_own_programs import called
from tests.check.test_traced_rules import Attention

L = layers
COLUMN = QUANTITY[:, None]
FLAGS = YES_NO[:, None].astype("float32")
ACTIONS = np.eye(3, dtype="float32")[THREE] * (1 + np.abs(COLUMN))
WORDS = np.random.default_rng(2).integers(1, 12, (64, 8))
HIDDEN = np.random.default_rng(3).random((64, 8)) < 0.15
LETTERS = np.random.default_rng(4).integers(1, 6, (64, 3))
PADDED = np.where(np.arange(8) < np.arange(64)[:, None] % 5 + 3, WORDS, 0)


def own(loss, y, units=1, activation=None):
    return head(units, activation, loss=loss), X, y


class Lossy(Model):
    """A model whose compute_loss is given."""

    def __init__(self, loss, body):
        super().__init__()
        self.given, self.body = loss, body

    def call(self, x):
        return self.body(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return self.given(y, y_pred)


def lossy(loss, y=YES_NO):
    model = Lossy(loss, net(L.Dense(4, "relu"), L.Dense(1, "sigmoid")))
    model.compile("sgd")
    return model, X, y


def pairs(y_true, y_pred):
    gaps = ops.sum(ops.square(y_pred[:, None] - y_pred[None]), -1)
    return ops.mean(ops.cast(ops.equal(y_true[:, None], y_true[None]), "float32") * gaps)


def risk(weights):
    def cox(y_true, y_pred):
        later = ops.cast(y_true[:, 0][None] >= y_true[:, 0][:, None], "float32")
        return ops.mean((ops.log(ops.sum(ops.exp(y_pred[:, 0]) * later, 1)) - y_pred[:, 0]) * weights(y_true))

    return cox


def pinball(below):
    return lambda y, p: ops.mean(ops.where(y > p, 0.9 * (y - p), below * (y - p)))


def focal(alpha):
    def loss(y, p):
        one, two = alpha * y * ops.log(p + 1e-6), (1 - alpha) * (1 - y) * ops.log(1 - p + 1e-6)
        return -ops.mean(one + two)

    return loss


def policy(sign):
    return lambda y, p: sign * ops.mean(ops.sum(y * ops.log(p + 1e-6), -1))


class Loose(L.Layer):
    """Makes its Dense in each call."""

    def call(self, x):
        return L.Dense(4)(x)


class Owner(L.Layer):
    """Makes its Dense once."""

    def __init__(self):
        super().__init__()
        self.inner = L.Dense(4)

    def call(self, x):
        return self.inner(x)


def through(layer):
    return net(layer, L.Dense(3, "softmax"), loss="sparse_categorical_crossentropy"), X, THREE


def scaled(trainable):
    factor = keras.Variable(np.ones(4, "float32"), trainable=trainable)
    return through(L.Lambda(lambda z: z * factor))


def gated(axis, x=SEQUENCES):
    def function(x, score, out):
        return out(ops.sum(ops.softmax(score(x), axis=axis) * x, axis=1))

    return called(function, L.Dense(1), L.Dense(3, "softmax"), x=x)


class Centred(L.Layer):
    """Without the mean, over an axis."""

    def __init__(self, axis):
        super().__init__()
        self.axis = axis

    def call(self, x):
        return x - ops.mean(x, axis=self.axis, keepdims=True)


def normalized(**how):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, L.Dense(3, "softmax")(L.BatchNormalization()(inputs, **how)))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, X, THREE


def translator(mask):
    left, right = keras.Input((8,), dtype="int32"), keras.Input((5,), dtype="int32")
    memory, h = L.Embedding(12, 8)(left), L.Embedding(12, 8)(right)
    h = h + L.MultiHeadAttention(1, 8)(h, memory, attention_mask=mask(left)[:, None, :])
    model = keras.Model([left, right], L.Dense(12)(h))
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, [PADDED, WORDS[:, :5]], WORDS[:, 1:6]


def speech(y, strides=1):
    model = net(L.Conv1D(4, 1, strides=strides), L.Dense(6), shape=(6, 4), loss=losses.CTC())
    return model, SEQUENCES, y


def weighed(weights):
    return head(1, "sigmoid", "binary_crossentropy"), X, YES_NO, {"sample_weight": weights}


def two_tasks(y, **how):
    inputs = keras.Input((4,))
    h = L.Dense(8, "relu")(inputs)
    model = keras.Model(inputs, [L.Dense(1, name="age")(h), L.Dense(3, "softmax", name="mood")(h)])
    model.compile("adam", ["mse", "sparse_categorical_crossentropy"], **how)
    return model, X, [y, THREE]


def masked(**fit):
    inputs = keras.Input((8,), dtype="int32")
    h = L.Embedding(12, 16)(inputs) + L.Embedding(8, 16)(ops.arange(8))
    model = keras.Model(inputs, L.Dense(12)(h + Attention(future=True)(h)))
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, np.where(HIDDEN, 11, WORDS.clip(1, 10)), WORDS.clip(1, 10), fit


def copied(*stack, y=SEQUENCES):
    return net(*stack, L.Dense(4), shape=(6, 4), loss="mse"), SEQUENCES, y


def ahead(step):
    return net(L.LSTM(4), L.Dense(1), shape=(6, 4), loss="mse"), SEQUENCES, SEQUENCES[:, step, 1]


def recommender(strength):
    table = L.Embedding(12, 8, embeddings_regularizer=keras.regularizers.L2(strength))
    return net(table, L.Flatten(), L.Dense(1), shape=(8,), loss="mse"), WORDS, QUANTITY


class Batches(keras.utils.PyDataset):
    """Four batches; of which rows, a function of the index says."""

    def __init__(self, start):
        super().__init__()
        self.start = start

    def __len__(self):
        return 4

    def __getitem__(self, index):
        rows = slice(self.start(index), self.start(index) + 16)
        return X[rows], THREE[rows]


def fed(start):
    return head(3, "softmax", "sparse_categorical_crossentropy"), Batches(start)


def pixels(axis, loss="sparse_categorical_crossentropy", y=THREE):
    y = np.broadcast_to(y[:, None], (64, 6))
    return net(L.Dense(3), L.Softmax(axis=axis), shape=(6, 4), loss=loss), SEQUENCES, y


def tagged(weights):
    model = net(L.Embedding(12, 8), L.Dense(3, "softmax"), shape=(8,), loss="sparse_categorical_crossentropy")
    return model, PADDED, PADDED % 3, {"sample_weight": weights.astype("float32")}


class Noisy(L.Layer):
    """Adds numbers that a function of its own draws."""

    def __init__(self, draw):
        super().__init__()
        self.draw, self.generator = draw, np.random.default_rng(0)

    def call(self, x):
        return x + self.draw(self)


class Drawing(Noisy):
    def __init__(self):
        super().__init__(None)

    def call(self, x):
        return x * self._factor()

    def _factor(self):
        return np.array([self.generator.normal() for _ in range(4)], "float32")


class Seeded(Noisy):
    def call(self, x):
        return x + keras.random.normal((4,)) + np.random.default_rng(0).normal(size=4).astype("float32")


def drawing(y, p):
    return ops.mean(ops.square(y - p)) * np.random.rand()


WRONG = {
    "LAM246": [
        lambda: through(Drawing()), lambda: through(L.Lambda(lambda x: x + random.random())), lambda: lossy(drawing),
    ],
    "LAM112": [
        lambda: own(pairs, THREE[:, None], 4), lambda: own(risk(lambda y: y[:, 1:]), np.abs(X[:, :2])),
        lambda: lossy(lambda y, p: ops.mean(ops.square(y - p))),
    ],
    "LAM123": [
        lambda: own(pinball(0.1), COLUMN),
        lambda: own(focal(2.0), FLAGS, 1, "sigmoid"), lambda: own(policy(1), ACTIONS, 3, "softmax"),
        lambda: own(lambda y, p: ops.mean(ops.abs(y - ops.relu(p))), COLUMN),
    ],
    "LAM124": [
        lambda: own(lambda y, p: ops.mean(ops.square(y - p[:, :1]) + ops.log(p[:, 1:])), COLUMN, 2),
        lambda: own(lambda y, p: ops.mean(ops.sqrt(p - 9) - y), COLUMN),
    ],
    "LAM217": [
        lambda: lossy(lambda y, p: ops.mean(ops.cast(ops.round(p[:, 0]) != y, "float32"))),
        lambda: lossy(lambda y, p: ops.mean(ops.abs(ops.where(p[:, 0] > 0.5, 1.0, 0.0) - y))),
    ],
    "LAM242": [lambda: through(Loose()), lambda: scaled(True)],
    "LAM228": [lambda: gated(-1), lambda: gated(2)],
    "LAM234": [lambda: through(Centred(0)), lambda: normalized(training=True)],
    "LAM230": [lambda: translator(lambda left: ops.equal(left, 0)), lambda: translator(lambda left: left < 1)],
    "LAM110": [lambda: speech(LETTERS - 1), lambda: speech(np.tile(LETTERS, 2), 2)],
    "LAM104": [lambda: pixels(1), lambda: pixels(-2)],
    "LAM411": [lambda: tagged(PADDED == 0), lambda: tagged(3 * (PADDED == 0))],
    "LAM405": [lambda: weighed(YES_NO * 3.0), lambda: weighed(1.0 - YES_NO)],
    "LAM409": [lambda: two_tasks(45 + 5 * QUANTITY), lambda: two_tasks(40 * QUANTITY)],
    "LAM314": [lambda: recommender(0.1), lambda: recommender(2.0)],
    "LAM413": [lambda: ahead(0), lambda: ahead(-2), lambda: copied(), lambda: copied(L.Conv1D(8, 3, padding="same"))],
    "LAM420": [lambda: fed(lambda index: 0), lambda: fed(lambda index: 48)],
    "LAM410": [masked, lambda: masked(epochs=3)],
}  # fmt: skip
SOUND = {
    "LAM246": [lambda: through(Seeded(None)), lambda: through(L.Lambda(lambda x: x + np.sqrt(2.0)))],
    "LAM112": [
        lambda: own(pairs, THREE, 4), lambda: own(risk(lambda y: y[:, 1]), np.abs(X[:, :2])),
        lambda: lossy(lambda y, p: ops.mean(ops.square(y - p[:, 0]))),
    ],
    "LAM123": [
        lambda: own(pinball(-0.1), COLUMN),
        lambda: own(focal(0.3), FLAGS, 1, "sigmoid"), lambda: own(policy(-1), ACTIONS, 3, "softmax"),
        lambda: own(lambda y, p: ops.mean(ops.abs(y - ops.relu(p))), np.abs(COLUMN)),
        lambda: own(lambda y, p: ops.mean(ops.relu(ops.abs(y - p) - 0.1)), COLUMN),
    ],
    "LAM124": [
        lambda: own(lambda y, p: ops.mean(ops.square(y - p[:, :1]) + ops.softplus(p[:, 1:])), COLUMN, 2),
        lambda: own(lambda y, p: ops.mean(ops.sqrt(ops.square(p - y) + 1e-6)), COLUMN),
    ],
    "LAM217": [
        lambda: lossy(lambda y, p: ops.mean(ops.abs(p[:, 0] - y))),
        lambda: lossy(lambda y, p: ops.mean(losses.binary_crossentropy(y[:, None], p))),
    ],
    "LAM242": [lambda: through(Owner()), lambda: scaled(False)],
    "LAM228": [lambda: gated(1), lambda: gated(1, SEQUENCES[:, :4])],
    "LAM234": [lambda: through(Centred(-1)), normalized],
    "LAM230": [lambda: translator(lambda left: ops.not_equal(left, 0)), lambda: translator(lambda left: left > 0)],
    "LAM110": [lambda: speech(LETTERS), lambda: speech(np.pad(LETTERS[:, :1], ((0, 0), (0, 2))), 2)],
    "LAM104": [lambda: pixels(-1), lambda: pixels(2)],
    "LAM411": [lambda: tagged(PADDED != 0), lambda: tagged(1.0 + PADDED)],
    "LAM405": [lambda: weighed(1 + YES_NO * 3.0), lambda: weighed(2.0 - YES_NO)],
    "LAM409": [lambda: two_tasks(QUANTITY), lambda: two_tasks(30 * QUANTITY, loss_weights=[1e-3, 1.0])],
    "LAM314": [lambda: recommender(1e-4), lambda: recommender(0.01)],
    "LAM413": [
        lambda: (*ahead(0)[:2], QUANTITY),
        lambda: copied(L.Conv1D(8, 3, padding="same"), L.Dense(2)), lambda: copied(L.Dropout(0.2)),
        lambda: copied(L.Conv1D(8, 3, padding="same"), y=SEQUENCES + 1),
    ],
    "LAM420": [lambda: fed(lambda index: 16 * index), lambda: fed(lambda index: 8 * index)],
    "LAM410": [lambda: masked(sample_weight=HIDDEN.astype("float32")), lambda: masked(sample_weight=1.0 * HIDDEN)],
}  # fmt: skip


@pytest.mark.parametrize("case", table(WRONG, SOUND), ids=named)
def test_rule(case):
    judge(*case)

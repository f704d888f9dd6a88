"""Rules that read the traced program, or run it: each catches two wrong programs or more, and spares two sound ones."""

import jax
import numpy as np
import pytest

import lamina as keras
from lamina import layers, ops
from lamina.check import RULES
from lamina.facts.equations import Equations, activation_of_value
from lamina.models import Model
from tests.check.cases import ONE_HOT, QUANTITY, SEQUENCES, THREE, YES_NO, X, head, judge, named, net, table

L = layers
TOKENS = np.random.default_rng(1).integers(1, 20, (64, 9))
PADDED = np.where(np.arange(8) < np.arange(64)[:, None] % 5 + 3, TOKENS[:, :8], 0)
SCORES = "sparse_categorical_crossentropy"


class Attention(L.Layer):
    """One head by hand."""

    def __init__(self, scale=0.25, axis=-1, soft=True, future=True):
        super().__init__()
        self.query, self.key, self.value = (L.Dense(16) for _ in range(3))
        self.scale, self.axis, self.soft, self.future = scale, axis, soft, future

    def call(self, x):
        scores = ops.matmul(self.query(x), ops.transpose(self.key(x), (0, 2, 1))) * self.scale
        if not self.future:
            scores = scores - 1e9 * (1 - ops.tril(ops.ones((x.shape[1], x.shape[1]))))
        return ops.matmul(ops.softmax(scores, axis=self.axis) if self.soft else scores, self.value(x))


def reader(attend, x=TOKENS[:, :8], y=THREE, positions=True, each=False, blocks=1, skip=True):
    """Tokens, positions, attention, and classes of the row or of each token."""
    inputs = keras.Input((8,), dtype="int32")
    z = L.Embedding(20, 16)(inputs)
    z = z + L.Embedding(8, 16)(ops.arange(8)) if positions else z
    for _ in range(blocks):
        z = L.LayerNormalization()(z + attend(z) if skip else attend(z))
    outputs = L.Dense(20 if each else 3, "softmax")(z if each else L.GlobalAveragePooling1D()(z))
    model = Model(inputs, outputs)
    model.compile("adam", SCORES)
    return model, x, y


def own(**how):
    return reader(Attention(**how))


def masked(compare):
    """Padded tokens with a mask from a comparison with 0."""
    visible = []

    def attend(z):
        return L.MultiHeadAttention(2, 8)(z, z, attention_mask=visible[0])

    inputs = keras.Input((8,), dtype="int32")
    visible.append(compare(inputs, 0)[:, None, :])
    z = L.Embedding(20, 16)(inputs)
    model = Model(inputs, L.Dense(3, "softmax")(L.GlobalAveragePooling1D()(z + attend(z))))
    model.compile("adam", SCORES)
    return model, PADDED, THREE


def heads(z):
    return L.MultiHeadAttention(2, 8)(z, z)


def series(positions):
    x = np.sin(np.arange(8)[:, None] / 3 + 6 * np.random.default_rng(2).random((64, 1, 4))).astype("float32")
    inputs = keras.Input((8, 4))
    z = L.Dense(16)(inputs)
    z = z + L.Embedding(8, 16)(ops.arange(8)) if positions else z
    z = L.LayerNormalization()(z + heads(z))
    model = Model(inputs, L.Dense(1)(L.GlobalAveragePooling1D()(z)))
    model.compile("adam", "mse")
    return model, x, QUANTITY


def shaped(layer, loss=SCORES):
    return net(layer, L.GRU(4), L.Dense(3, "softmax"), shape=(6, 4), loss=loss), SEQUENCES, THREE


def ending(function):
    return net(L.Dense(8, "relu"), L.Dense(3), L.Lambda(function), loss=SCORES), X, THREE


class Trained(Model):
    """With a loss of its own."""

    def __init__(self, units, end, loss):
        super().__init__()
        self.dense, self.own_loss = L.Dense(units, activation=end), loss

    def call(self, x):
        return self.dense(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(self.own_loss(y, y_pred, from_logits=True))


def trained(units, end, loss, y):
    model = Trained(units, end, loss)
    model.compile("adam")
    return model, X, y


def drawn(**how):
    return net(*(L.Dense(32, "relu", **how) for _ in range(4)), L.Dense(1), loss="mse"), X, QUANTITY


def next_token(layer, shift):
    model = net(L.Embedding(20, 8), layer, L.Dense(20, "softmax"), shape=(6,), loss=SCORES)
    return model, TOKENS[:, 1:7], TOKENS[:, 1 + shift : 7 + shift]


LABELLED = np.concatenate([X, QUANTITY[:, None]], axis=1)
WINDOWS = np.concatenate([SEQUENCES[:, :, :1], SEQUENCES[:, :, 1:2]], axis=2)
TWICE, CLASSES = np.repeat(X[:16], 4, axis=0), np.repeat(np.arange(16) % 3, 4)
SHUFFLED = np.random.default_rng(3).permutation(CLASSES)


def words(x, mask=True):
    return net(L.Embedding(20, 8, mask_zero=mask), L.GRU(4), L.Dense(3, "softmax"), shape=(8,), loss=SCORES), x, THREE


def validated(rows):
    return head(1), X[:32], QUANTITY[:32], {"epochs": 50, "validation_data": (X[rows], QUANTITY[rows])}


def recurrent(fit, **how):
    model = Model(a := keras.Input(batch_shape=(16, 6, 4)), L.Dense(1)(L.GRU(4, **how)(a)))
    model.compile("adam", "mse")
    return model, SEQUENCES, QUANTITY, {"batch_size": 16, "epochs": 20, **fit}


class Reset(keras.callbacks.Callback):
    """Would reset the states."""


WRONG = {
    "LAM122": [
        lambda: trained(3, "softmax", keras.losses.sparse_categorical_crossentropy, THREE),
        lambda: trained(3, "softmax", keras.losses.categorical_crossentropy, ONE_HOT),
    ],
    "LAM228": [lambda: own(axis=1), lambda: reader(Attention(axis=-2), blocks=1)],
    "LAM229": [lambda: own(scale=1 / 16), lambda: own(scale=1.0), lambda: own(soft=False)],
    "LAM230": [lambda: masked(ops.equal), lambda: masked(lambda x, zero: ops.less(x, zero + 1))],
    "LAM231": [lambda: reader(heads, positions=False), lambda: series(False)],
    "LAM232": [lambda: shaped(L.Reshape((4, 6))), lambda: shaped(L.Lambda(lambda z: ops.reshape(z, (-1, 4, 6))))],
    "LAM233": [lambda: reader(heads, blocks=3, skip=False), lambda: reader(Attention(), blocks=3, skip=False)],
    "LAM234": [lambda: ending(lambda z: ops.softmax(z, axis=0)), lambda: ending(lambda z: z / ops.max(z))],
    "LAM237": [
        lambda: drawn(kernel_initializer=keras.initializers.RandomNormal(stddev=3.0, seed=0)),
        lambda: drawn(bias_initializer=keras.initializers.Constant(-20.0)),
    ],
    "LAM412": [
        lambda: next_token(L.GRU(8, return_sequences=True), 0),
        lambda: next_token(L.GRU(8, return_sequences=True), 2),
        lambda: reader(Attention(), y=TOKENS[:, 1:], each=True),
    ],
    "LAM413": [
        lambda: (net(L.Dense(8, "relu"), L.Dense(1), shape=(5,), loss="mse"), LABELLED, QUANTITY),
        lambda: (net(L.GRU(4), L.Dense(1), shape=(6, 2), loss="mse"), WINDOWS, WINDOWS[:, -1, 1]),
    ],
    "LAM414": [
        lambda: (head(3, "softmax", SCORES), TWICE, SHUFFLED),
        lambda: (head(3, "softmax", "categorical_crossentropy"), TWICE, np.eye(3)[SHUFFLED]),
    ],
    "LAM415": [lambda: words(TOKENS[:, :8] % 5), lambda: words(np.where(PADDED == 7, 0, PADDED) % 6)],
    "LAM416": [lambda: validated(slice(0, 16)), lambda: validated(slice(10, 34))],
    "LAM417": [
        lambda: (head(1), np.zeros((64, 4), "float32"), QUANTITY),
        lambda: (head(1), np.full((64, 4), 3), QUANTITY),
    ],
    "LAM235": [
        lambda: net(L.Conv2D(4, 2, strides=4, activation="relu"), L.Flatten(), L.Dense(3), shape=(16, 16, 3)),
        lambda: net(L.Conv1D(4, 3), L.ReLU(), L.MaxPooling1D(), L.MaxPooling1D(), L.GRU(4), shape=(32, 3)),
        lambda: net(L.AveragePooling2D(8), L.Conv2D(4, 3, activation="relu"), L.Flatten(), shape=(64, 64, 3)),
    ],
    "LAM236": [
        lambda: Model(a := keras.Input((4,)), L.Dense(1)(L.Dropout(0.2)(L.Dropout(0.2)(a, training=True)))),
        lambda: Model(a := keras.Input((4,)), L.Dense(1)(L.Dropout(0.2)(L.Dense(8)(a), training=True))),
    ],
    "LAM238": [
        lambda: Model(a := keras.Input((6, 4)), L.LayerNormalization(axis=1)(a + L.MultiHeadAttention(2, 4)(a, a))),
        lambda: net(L.Conv1D(4, 3), L.LayerNormalization(axis=-2), L.ReLU(), shape=(6, 4)),
        lambda: net(L.Conv2D(4, 3), L.BatchNormalization(axis=1), L.ReLU(), shape=(6, 6, 4)),
    ],
    "LAM316": [lambda: recurrent({}, stateful=True), lambda: recurrent({"shuffle": False}, stateful=True)],
    "LAM317": [
        lambda: head(1, optimizer=keras.optimizers.SGD(0.01, momentum=1.0)),
        lambda: head(1, optimizer=keras.optimizers.SGD(0.01, clipnorm=1e-6)),
        lambda: head(1, optimizer=keras.optimizers.SGD(0.5, momentum=0.999)),
        lambda: head(1, optimizer=keras.optimizers.Adam(epsilon=100.0)),
    ],
}  # fmt: skip

SOUND = {
    "LAM122": [
        lambda: trained(3, None, keras.losses.sparse_categorical_crossentropy, THREE),
        lambda: trained(1, "tanh", keras.losses.binary_crossentropy, YES_NO[:, None]),
    ],
    "LAM228": [lambda: own(), lambda: shaped(L.Softmax(axis=1))],
    "LAM229": [lambda: own(scale=16**-0.5), lambda: own(scale=0.1), lambda: reader(lambda z: L.Attention()([z, z]))],
    "LAM230": [lambda: masked(ops.not_equal), lambda: reader(heads, x=PADDED)],
    "LAM231": [
        lambda: reader(heads),
        lambda: reader(Attention(future=False), positions=False),
        lambda: series(True),
        lambda: reader(heads, x=TOKENS[:, :8] % 2 + 2 * np.arange(8), positions=False),
    ],
    "LAM232": [
        lambda: shaped(L.Permute((2, 1))),
        lambda: shaped(L.Reshape((3, 8))),
        lambda: (net(L.Reshape((2, 2, 1)), L.Flatten(), L.Dense(1), loss="mse"), X, QUANTITY),
    ],
    "LAM233": [lambda: reader(heads, blocks=3), lambda: reader(heads, blocks=1, skip=False)],
    "LAM234": [
        lambda: ending(lambda z: z / (1 + ops.sum(ops.abs(z), axis=-1, keepdims=True))),
        lambda: ending(lambda z: ops.softmax(z)),
    ],
    "LAM237": [
        lambda: drawn(kernel_initializer="he_normal"),
        lambda: drawn(kernel_initializer="random_normal", bias_initializer="ones"),
    ],
    "LAM412": [
        lambda: next_token(L.GRU(8, return_sequences=True), 1),
        lambda: next_token(L.Bidirectional(L.GRU(8, return_sequences=True)), 0),
        lambda: reader(Attention(future=False), y=TOKENS[:, 1:], each=True),
    ],
    "LAM413": [
        lambda: (net(L.Dense(8, "relu"), L.Dense(1), shape=(4,), loss="mse"), X, QUANTITY),
        lambda: (net(L.Dense(2), L.Dense(4), loss="mse"), X, X),
    ],
    "LAM414": [
        lambda: (head(3, "softmax", SCORES), TWICE, CLASSES),
        lambda: (head(3, "softmax", SCORES), np.round(TWICE), SHUFFLED),
    ],
    "LAM415": [lambda: words(PADDED), lambda: words(TOKENS[:, :8] % 5, mask=False)],
    "LAM416": [lambda: validated(slice(32, 64)), lambda: validated(slice(28, 64))],
    "LAM417": [lambda: (head(1), X, QUANTITY), lambda: (head(1), np.where(X > 0, 1, 0), QUANTITY)],
    "LAM235": [
        lambda: net(L.Conv2D(4, 4, strides=4, activation="relu"), L.Flatten(), L.Dense(3), shape=(16, 16, 3)),
        lambda: net(L.Conv2D(4, 1, strides=2), L.ReLU(), L.MaxPooling2D(), L.GlobalMaxPooling2D(), shape=(16, 16, 3)),
        lambda: net(L.MaxPooling2D(3, 1, "same"), L.MaxPooling2D(3, 1, "same"), L.Flatten(), shape=(16, 16, 3)),
    ],
    "LAM236": [
        lambda: Model(a := keras.Input((4,)), L.Dense(1)(L.Dropout(0.2)(L.Dropout(0.2)(a)))),
        lambda: Model(a := keras.Input((4,)), L.Dense(1)(L.Dropout(0.2)(a, training=False))),
    ],
    "LAM238": [
        lambda: net(L.LayerNormalization(), L.LSTM(4), shape=(6, 4)),
        lambda: net(L.Conv2D(4, 3), L.BatchNormalization(axis=3), L.ReLU(), shape=(6, 6, 4)),
        lambda: net(L.LayerNormalization(axis=[1, 2]), L.LSTM(4), shape=(6, 4)),
    ],
    "LAM316": [
        lambda: recurrent({}),
        lambda: recurrent({"shuffle": False, "callbacks": [Reset()]}, stateful=True),
    ],
    "LAM317": [
        lambda: head(1, optimizer=keras.optimizers.SGD(0.01, momentum=0.99, clipnorm=1.0)),
        lambda: head(1, optimizer=keras.optimizers.Adam(clipnorm=1e-6)),
        lambda: head(1, optimizer=keras.optimizers.SGD(0.01, momentum=0.999)),
        lambda: head(1, optimizer=keras.optimizers.Adam(epsilon=1.0)),
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", table(WRONG, SOUND), ids=named)
def test_rule(case):
    code, wrong, make = case

    def alone():
        """What a case makes, and no other rule."""
        given = make()
        model, x, y, fit = (*(given if isinstance(given, tuple) else (given,)), None, None, None)[:4]
        return model, x, y, {**(fit or {}), "ignore": RULES.keys() - {code}}

    judge(code, wrong, alone)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x, w: jax.nn.softmax(x @ w), "softmax"),
        (lambda x, w: jax.nn.softmax(x @ w, axis=0), None),
        (lambda x, w: jax.nn.sigmoid((x @ w) / 2.0 + 1), "sigmoid"),
        (lambda x, w: jax.nn.tanh(x @ w)[:, :2].reshape(-1, 2), "tanh"),
        (lambda x, w: jax.nn.relu(x @ w), "relu"),
        (lambda x, w: jax.nn.log_softmax(x @ w), "log_softmax"),
        (lambda x, w: (x @ w + w[0]) * 3, "linear"),
        (lambda x, w: 3 * jax.nn.tanh(x @ w), None),
        (lambda x, w: (x @ w) * (x @ w), None),
    ],
)
def test_activation_of_a_program(function, name):
    jaxpr = jax.make_jaxpr(function)(X, np.ones((4, 4), "float32"))
    (output,) = Equations(jaxpr, ["input", "weight"]).outputs
    assert activation_of_value(output) == name


def test_values_of_a_program_are_those_that_it_computes():
    jaxpr = jax.make_jaxpr(jax.jit(lambda x, w: jax.nn.softmax(x @ w)))(X, np.ones((4, 4), "float32"))
    program = Equations(jaxpr, ["input", "weight"])
    (shares,) = program.computing(program.outputs)(X, np.eye(4, dtype="float32"))
    np.testing.assert_allclose(shares, jax.nn.softmax(X), rtol=1e-5)

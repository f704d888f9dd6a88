"""What rules see in models that are written with functions, layers and losses of the user's own."""

import numpy as np
import pytest

import lamina as keras
from lamina import layers, losses, ops
from lamina.check import RULES
from lamina.facts.known_losses import OwnLoss
from lamina.models import Model
from tests.check.cases import ONE_HOT, THREE, X, judge, named, table

L = layers
SCORES = "sparse_categorical_crossentropy"
WORDS = np.random.default_rng(0).integers(1, 12, (32, 8))
PADDED = np.where(np.arange(8) < 4, WORDS, 0)


class Called(Model):
    """Layers, and a function of them and of the inputs."""

    def __init__(self, function, *stack):
        super().__init__()
        self.function, self.stack = function, list(stack)

    def call(self, x):
        return self.function(x, *self.stack)


def called(function, *stack, loss=SCORES, x=X, y=THREE):
    model = Called(function, *stack)
    model.compile("adam", loss)
    return model, x, y


def rounded(through):
    def function(x, hidden, out):
        z = hidden(x)
        return out(through(z, ops.round(z)))

    return called(function, L.Dense(8), L.Dense(3, "softmax"))


def chain(apply):
    def function(x, *stack):
        for layer in stack[:-1]:
            x = apply(x, layer(x))
        return ops.softmax(stack[-1](x))

    return called(function, *(L.Dense(4) for _ in range(6)), L.Dense(3))


class Product(L.Layer):
    """A product with a matrix, and a penalty of its size."""

    def __init__(self, how="glorot_uniform", penalty=0.0):
        super().__init__()
        self.how, self.penalty = how, penalty

    def build(self, shape):
        self.matrix = self.add_weight(shape=(shape[-1], 8), initializer=self.how)

    def call(self, x):
        if self.penalty:
            self.add_loss(self.penalty * ops.sum(ops.square(self.matrix)))
        return ops.matmul(x, self.matrix)


def product(**how):
    return called(lambda x, own, out: out(ops.tanh(own(x))), Product(**how), L.Dense(3, "softmax"))


def reading(x=PADDED, y=THREE[:32], hide=False, causal=False, each=False):
    """Tokens through one head of attention by hand, that may leave out padding or what comes later."""

    def function(ids, table, query, key, out):
        z = table(ids)
        scores = ops.matmul(query(z), ops.transpose(key(z), (0, 2, 1))) / 2.0
        scores = ops.where(ops.not_equal(ids, 0)[:, None, :], scores, -1e9) if hide else scores
        scores = scores - 1e9 * (1 - ops.tril(ops.ones((8, 8)))) if causal else scores
        z = z + ops.matmul(ops.softmax(scores), z)
        return out(z if each else ops.mean(z, axis=1))

    stack = L.Embedding(12, 4), L.Dense(4), L.Dense(4), L.Dense(12 if each else 3, "softmax")
    return called(function, *stack, x=x, y=y)


def shifted_inside(ids, table, cell, out):
    z = cell(table(ids))
    return out(ops.pad(z, ((0, 0), (1, 0), (0, 0)))[:, :-1])


def tanh_of(deviation):
    how = keras.initializers.RandomNormal(stddev=deviation, seed=0)
    stack = L.Dense(16, kernel_initializer=how), L.Dense(3, "softmax")
    return called(lambda x, hidden, out: out(ops.tanh(hidden(x))), *stack)


def tagger(mask, y=PADDED):
    model = keras.Sequential(
        [L.Embedding(12, 4, mask_zero=mask), L.GRU(4, return_sequences=True), L.Dense(12, "softmax")]
    )
    model.compile("adam", SCORES)
    return model, PADDED, y


def own_loss(function, activation="softmax"):
    return called(lambda x, out: out(x), L.Dense(3, activation), loss=function, y=ONE_HOT)


WRONG = {
    "LAM104": [
        lambda: own_loss(lambda y, p: losses.categorical_crossentropy(y, p), None),
        lambda: own_loss(lambda y, p: 2 * ops.mean(losses.categorical_crossentropy(y, p)), "relu"),
    ],
    "LAM107": [
        lambda: own_loss(lambda y, p: ops.mean(ops.square(p - y), -1)),
        lambda: own_loss(lambda y, p: ops.sum(ops.abs(p - y))),
    ],
    "LAM217": [
        lambda: rounded(lambda z, whole: whole),
        lambda: called(lambda x, idle, out: (idle(x), out(x))[1], L.Dense(8), L.Dense(3, "softmax")),
    ],
    "LAM219": [lambda: product(how="ones"), lambda: product(how=keras.initializers.Constant(0.1))],
    "LAM223": [lambda: chain(lambda x, z: ops.sigmoid(z)), lambda: chain(lambda x, z: keras.activations.sigmoid(z))],
    "LAM314": [lambda: product(penalty=50.0), lambda: called(
        lambda x, hidden, out: out(hidden(x)), L.Dense(64, "relu", activity_regularizer=keras.regularizers.L1(10.0)),
        L.Dense(3, "softmax"),
    )],
    "LAM237": [lambda: tanh_of(5.0), lambda: tanh_of(20.0)],
    "LAM411": [lambda: reading(), lambda: tagger(False)],
    "LAM412": [
        lambda: reading(WORDS, WORDS.copy(), causal=True, each=True),
        lambda: reading(WORDS[:, :], np.roll(WORDS, -2, axis=1), causal=True, each=True),
    ],
}  # fmt: skip
SOUND = {
    "LAM104": [
        lambda: own_loss(lambda y, p: losses.categorical_crossentropy(y, p, from_logits=True), None),
        lambda: own_loss(lambda y, p: ops.mean(y * p) + losses.categorical_crossentropy(y, p), None),
    ],
    "LAM107": [
        lambda: own_loss(losses.categorical_crossentropy),
        lambda: own_loss(lambda y, p: ops.mean(ops.square(p - y) * (1 - p), -1)),
    ],
    "LAM217": [
        lambda: rounded(lambda z, whole: z + ops.stop_gradient(whole - z)),
        lambda: called(lambda x, hidden, out: out(ops.relu(hidden(x))), L.Dense(8), L.Dense(3, "softmax")),
    ],
    "LAM219": [lambda: product(), lambda: product(how="zeros")],
    "LAM223": [lambda: chain(lambda x, z: x + ops.sigmoid(z)), lambda: chain(lambda x, z: ops.relu(z))],
    "LAM237": [lambda: tanh_of(0.1), lambda: tanh_of(0.5)],
    "LAM314": [lambda: product(penalty=1e-3), lambda: product()],
    "LAM411": [lambda: reading(hide=True), lambda: tagger(True)],
    "LAM412": [
        lambda: called(shifted_inside, L.Embedding(12, 4), L.GRU(4, return_sequences=True), L.Dense(12, "softmax"),
                       x=WORDS, y=WORDS.copy()),
        lambda: reading(WORDS, np.roll(WORDS, -1, axis=1), causal=True, each=True),
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", table(WRONG, SOUND), ids=named)
def test_rule(case):
    code, wrong, make = case

    def alone():
        return *make(), {"ignore": RULES.keys() - {code}}

    judge(code, wrong, alone)


def test_a_loss_is_known_by_its_values():
    def known(function, y=ONE_HOT):
        return OwnLoss(function, y, (None, 3)).known

    assert type(known(lambda y, p: 3 * ops.mean(ops.abs(y - p)))[0]) is losses.MeanAbsoluteError
    found, _ = known(lambda y, p: losses.sparse_categorical_crossentropy(y, p, from_logits=True), THREE)
    assert type(found) is losses.SparseCategoricalCrossentropy and found.from_logits
    _, swapped = known(lambda y, p: losses.categorical_crossentropy(p, y))
    assert type(swapped) is losses.CategoricalCrossentropy
    for unlike in (lambda y, p: ops.mean(p), lambda y, p: ops.mean(ops.square(y - p)) + 1, lambda y: y, None):
        assert known(unlike) == (None, None)


def test_a_loss_is_traced_once():
    traces = []

    def squares(y_true, y_pred):
        traces.append(y_pred.shape)
        return ops.mean(ops.square(y_true - y_pred)) + ops.mean(y_pred)

    made = keras.Sequential([keras.Input((4,)), L.Dense(3)])
    made.compile("sgd", squares)
    made.check(X, np.asarray(X[:, :3]), ignore=RULES.keys() - {"LAM123"})
    assert len(traces) == 1

"""Rules that questions in forums led to: each catches two wrong programs or more, and spares two sound ones."""

import numpy as np
import pytest

import lamina as keras
from lamina import layers, losses, metrics, ops, optimizers
from lamina.check import RULES
from tests.check.cases import IMAGES, ONE_HOT, QUANTITY, THREE, YES_NO, X, head, judge, named, net, table

L = layers
MANY = np.tile(X, (8, 1))
SPARSE = "sparse_categorical_crossentropy"
SIGNS = (2.0 * YES_NO - 1).astype("float32")[:, None]
YES = YES_NO.astype("float32")[:, None]
SEVERAL = np.stack([QUANTITY, QUANTITY[::-1], X[:, 0]], axis=-1)
WORDS = np.random.default_rng(0).integers(1, 12, (64, 8))
BEGUN = np.concatenate([np.zeros((64, 1), "int64"), WORDS[:, :-1]], axis=1)
PIXELS = np.clip(X @ np.ones((4, 128), "float32") / 4 + 0.5, 0, 1)


def own(loss, activation, y=YES):
    return net(L.Dense(5, "relu"), L.Dense(y.shape[-1], activation, name="head"), loss=loss), X, y


def contrastive(y, p):
    return ops.mean((1 - y) * p**2 + y * ops.maximum(2.0 - p, 0.0) ** 2)


def critic(y, p):
    return ops.mean(y * p)


def focal(y, p):
    p = ops.clip(p, 1e-7, 1 - 1e-7)
    return -ops.mean(y * (1 - p) ** 2 * ops.log(p) + (1 - y) * p**2 * ops.log(1 - p), axis=-1)


def swapped(y, p):
    return ops.mean(ops.binary_crossentropy(p, y) * (1 + y), axis=-1)


def dice(y, p):
    return 1 - (2 * ops.sum(y * p) + 1) / (ops.sum(y) + ops.sum(p) + 1)


class Code(L.Layer):
    """A code with its divergence."""

    def __init__(self, weight):
        super().__init__()
        self.weight, self.mean, self.spread = weight, L.Dense(4), L.Dense(4)
        self.seed = keras.random.SeedGenerator(0)

    def call(self, z):
        mean, spread = self.mean(z), self.spread(z)
        self.add_loss(-0.5 * self.weight * ops.mean(ops.sum(1 + spread - mean**2 - ops.exp(spread), axis=-1)))
        return mean + ops.exp(spread / 2) * keras.random.normal(ops.shape(mean), seed=self.seed)


def variational(weight, loss="binary_crossentropy"):
    ends = L.Dense(128, "sigmoid")
    return net(L.Dense(24, "relu"), Code(weight), ends, shape=(128,), loss=loss, optimizer="adam"), PIXELS, PIXELS


def mlp(*ends, **how):
    return net(L.Dense(5, "relu"), *ends, **how)


class Two(keras.Model):
    """A model of two inputs, of which it may use one."""

    def __init__(self, both):
        super().__init__()
        self.left, self.right, self.out, self.both = L.Dense(4), L.Dense(4), L.Dense(1), both

    def call(self, inputs):
        first, second = inputs
        return self.out(ops.concatenate([self.left(first), self.right(second if self.both else first)], axis=-1))


def two(both):
    model = Two(both)
    model.compile("adam", "mse")
    return model, [X, X[::-1].copy()], QUANTITY


class Noisy(keras.Model):
    """A model whose dropout is active, or is told the mode."""

    def __init__(self, always, form):
        super().__init__()
        self.hidden, self.drop, self.out = L.Dense(8, "relu"), form(0.5), L.Dense(1)
        self.always = always

    def call(self, inputs, training=None):
        return self.out(self.drop(self.hidden(inputs), training=True if self.always else training))


def noisy(always, form=L.Dropout):
    model = Noisy(always, form)
    model.compile("adam", "mse")
    return model, X, QUANTITY


def both_ways(*ends, cell=L.LSTM):
    inputs = keras.Input((6, 4))
    z = L.Bidirectional(cell(4, return_sequences=True))(inputs)
    z = L.Dropout(0.1)(z) if "dropout" in ends else z
    z = z[:, -1, :] if "last" in ends else z[:, -1] if "step" in ends else z[:, ::2] if "some" in ends else z
    return keras.Model(inputs, L.Dense(1)(z))


def chain(times, layer, *between):
    inputs = z = keras.Input((4,))
    for _ in range(times):
        z = layer(z)
        for one in between:
            z = one(z)
    model = keras.Model(inputs, L.Dense(3, "softmax")(z))
    model.compile("adam", SPARSE)
    return model


def skipping(layer):
    inputs = z = keras.Input((4,))
    for _ in range(3):
        z = L.Add()([z, layer(z)])
    model = keras.Model(inputs, L.Dense(3, "softmax")(z))
    model.compile("adam", SPARSE)
    return model


def windows(size, end=L.GlobalAveragePooling2D):
    return net(L.Conv2D(4, size, activation="relu"), L.Conv2D(4, size), end(), L.Dense(3), shape=(8, 8, 3))


def based(trained, momentum=0.99):
    base = keras.Sequential(
        [keras.Input((8, 8, 3)), L.Conv2D(4, 3, use_bias=False), L.BatchNormalization(momentum=momentum)]
    )
    if trained:
        base.layers[1].moving_mean.assign([0.1, 0.2, 0.3, 0.4])
    base.trainable = False
    return net(*base.layers, L.GlobalMaxPooling2D(), L.Dense(3, "softmax"), shape=(8, 8, 3), loss=SPARSE), IMAGES, THREE


def of_vectors(matrix, trainable=False):
    table = L.Embedding(12, 4, weights=[matrix], trainable=trainable)
    return net(table, L.GRU(4), L.Dense(1), shape=(8,), loss="mse"), WORDS, QUANTITY


def some_of(count):
    matrix = np.random.default_rng(1).normal(size=(12, 4)).astype("float32")
    matrix[count:] = 0
    return of_vectors(matrix)


def weighted(share, optimizer="sgd"):
    weights = np.linspace(0.5, 1.5, 64).astype("float32") * share
    return head(1, optimizer=optimizer), X, QUANTITY, {"sample_weight": weights, "epochs": 9}


def batches():
    while True:
        yield X[:16], QUANTITY[:16]


def in_epochs(epochs, steps):
    return head(1, optimizer=optimizers.Adam(0.01)), batches(), None, {"epochs": epochs, "steps_per_epoch": steps}


def decay(rate, share):
    return head(1, optimizer=optimizers.AdamW(rate, weight_decay=share))


def ended(activation, loss, metric, y, units=1):
    return mlp(L.Dense(units, activation, name="head"), loss=loss, metrics=[metric]), X, y


class Reads(L.Layer):
    """Attention in a layer of the user's own, which may hide the steps that follow."""

    def __init__(self, causal):
        super().__init__()
        self.table, self.attend, self.causal = L.Embedding(12, 8), L.MultiHeadAttention(2, 4), causal

    def call(self, tokens):
        z = self.table(tokens)
        return z + self.attend(z, z, use_causal_mask=self.causal)


def next_words(causal, *stack):
    inputs = keras.Input((7,), dtype="int32")
    model = keras.Model(inputs, L.Dense(12, "softmax")(Reads(causal)(inputs)))
    model.compile("adam", SPARSE)
    return model, WORDS[:, :-1], WORDS[:, 1:]


def decoder(written, cell=L.GRU):
    """Reads its target and writes it again: the first input is the labels, whatever the second is."""
    read, write = keras.Input((8,)), keras.Input((8,))
    z = cell(6, return_sequences=True)(L.Embedding(12, 6)(write), initial_state=cell(6)(L.Embedding(12, 6)(read)))
    model = keras.Model([read, write], L.Dense(12, "softmax")(z))
    model.compile("adam", SPARSE)
    return model, [WORDS, written], WORDS.copy()


WRONG = {
    "LAM111": [
        lambda: own("categorical_crossentropy", "softmax", 2 * ONE_HOT),
        lambda: own("categorical_crossentropy", "softmax", ONE_HOT + ONE_HOT[:, ::-1]),
    ],
    "LAM113": [
        lambda: ended("sigmoid", "binary_crossentropy", metrics.Accuracy(), YES),
        lambda: ended("softmax", "categorical_crossentropy", metrics.Accuracy(), ONE_HOT, 3),
        lambda: ended(None, "mse", "accuracy", SEVERAL, 3),
        lambda: ended(None, "huber", "acc", SEVERAL, 3),
        lambda: ended("softmax", SPARSE, metrics.SparseTopKCategoricalAccuracy(k=3), THREE, 3),
        lambda: ended("softmax", "categorical_crossentropy", metrics.TopKCategoricalAccuracy(), ONE_HOT, 3),
    ],
    "LAM123": [
        lambda: own(contrastive, "sigmoid"),
        lambda: own(lambda y, p: ops.mean(ops.maximum(3 - (2 * y - 1) * p, 0)), "tanh"),
        lambda: own(critic, "sigmoid", SIGNS),
        lambda: own(critic, "tanh", SIGNS),
        lambda: own(focal, None),
        lambda: own(lambda y, p: ops.mean(ops.square(y - ops.clip(p, 0, 1)) * (1 + y)), None, ONE_HOT),
        lambda: own(swapped, "sigmoid"),
        lambda: own(lambda y, p: ops.abs(y - y) + ops.mean(y), None, QUANTITY[:, None]),
    ],
    "LAM211": [
        lambda: net(L.Dense(3), L.Activation("softmax"), L.Dropout(0.5), loss=SPARSE),
        lambda: net(L.Dense(3), L.Softmax(), L.Dropout(0.2)),
    ],
    "LAM215": [
        lambda: both_ways("last"), lambda: both_ways("step"), lambda: both_ways("last", cell=L.GRU),
    ],
    "LAM218": [lambda: two(False), lambda: (*two(False)[:1], [X, X], QUANTITY)],
    "LAM223": [
        lambda: net(*(L.Dense(8, "tanh") for _ in range(16)), L.Dense(1), loss="mse"),
        lambda: net(*(L.Dense(8, "tanh") for _ in range(24)), L.Dense(3, "softmax"), loss=SPARSE),
    ],
    "LAM225": [
        lambda: chain(4, L.Dense(4, "relu")),
        lambda: chain(2, L.Dense(4), L.ReLU(), L.Dropout(0.1)),
    ],
    "LAM227": [lambda: windows(1), lambda: windows((1, 1))],
    "LAM236": [lambda: noisy(True), lambda: noisy(True, L.AlphaDropout)],
    "LAM239": [
        lambda: (mlp(L.Dense(1), L.BatchNormalization(), loss="mse"), X, QUANTITY),
        lambda: (mlp(L.Dense(1), L.BatchNormalization(), loss="huber"), X, QUANTITY[:, None]),
    ],
    "LAM309": [lambda: weighted(1 / 64 / 10), lambda: weighted(1e-4, optimizers.SGD(0.1, momentum=0.9))],
    "LAM311": [lambda: in_epochs(10, 1), lambda: in_epochs(5, 1)],
    "LAM314": [lambda: variational(1.0), lambda: variational(2.0, losses.BinaryCrossentropy())],
    "LAM317": [
        lambda: decay(0.01, 0.9), lambda: decay(0.02, 0.5),
        lambda: head(1, optimizer=optimizers.Adam(1e-4, epsilon=1.0)),
        lambda: head(1, optimizer=optimizers.Adam(5e-5, epsilon=0.1)),
    ],
    "LAM318": [
        lambda: based(False), lambda: based(False, 0.9), lambda: some_of(1),
        lambda: of_vectors(np.zeros((12, 4), "float32")),
    ],
    "LAM405": [
        lambda: (head(1, "sigmoid", "binary_crossentropy"), MANY, (np.arange(512) < 9).astype("int64")),
        lambda: (head(2, "softmax", SPARSE), MANY, (np.arange(512) < 9).astype("int64")),
    ],
    "LAM412": [
        lambda: next_words(False), lambda: decoder(WORDS.copy()), lambda: decoder(WORDS.copy(), L.SimpleRNN),
    ],
}  # fmt: skip
SOUND = {
    "LAM111": [
        lambda: own(lambda y, p: -ops.sum(ops.log(p + 1e-8) * y, axis=-1), "softmax", 1.17 * ONE_HOT),
        lambda: own("categorical_crossentropy", "softmax", ONE_HOT),
    ],
    "LAM113": [
        lambda: ended("sigmoid", "binary_crossentropy", "accuracy", YES),
        lambda: ended(None, "mse", "accuracy", ONE_HOT, 3),
        lambda: ended("softmax", SPARSE, metrics.SparseTopKCategoricalAccuracy(k=2), THREE, 3),
    ],
    "LAM123": [
        lambda: own(contrastive, "relu"),
        lambda: own(critic, None, SIGNS),
        lambda: own(focal, "sigmoid"),
        lambda: own(dice, "sigmoid"),
        lambda: own(lambda y, p: -ops.mean(y * ops.log(p + 1e-7)), "sigmoid"),
        lambda: own(lambda y, p: ops.mean(ops.square(y - p)) + 0.1, "sigmoid"),
    ],
    "LAM211": [
        lambda: net(L.Dense(3), L.Dropout(0.5), L.Activation("softmax"), loss=SPARSE),
        lambda: net(L.Dense(3), L.Activation("relu"), L.Dropout(0.5)),
    ],
    "LAM215": [
        lambda: both_ways(), lambda: both_ways("some"),
        lambda: net(L.LSTM(4, return_sequences=True), L.Lambda(lambda z: z[:, -1]), L.Dense(1), shape=(6, 4)),
    ],
    "LAM218": [lambda: two(True), lambda: (head(1), X, QUANTITY)],
    "LAM223": [
        lambda: net(*(L.Dense(8, "tanh") for _ in range(4)), L.Dense(1), loss="mse"),
        lambda: net(*(L.Dense(8, "relu") for _ in range(16)), L.Dense(1), loss="mse"),
    ],
    "LAM225": [lambda: skipping(L.Dense(4)), lambda: chain(1, L.Dense(4, "relu"))],
    "LAM227": [lambda: windows(3), lambda: windows(1, L.Flatten)],
    "LAM236": [lambda: noisy(False), lambda: noisy(False, L.AlphaDropout)],
    "LAM239": [
        lambda: (mlp(L.BatchNormalization(), L.Dense(1), loss="mse"), X, QUANTITY),
        lambda: (mlp(L.Dense(3), L.BatchNormalization(), loss="cosine_similarity"), X, SEVERAL),
    ],
    "LAM309": [lambda: weighted(1.0), lambda: weighted(1e-4, "adam")],
    "LAM311": [lambda: in_epochs(10, 8), lambda: in_epochs(20, 4)],
    "LAM314": [lambda: variational(1 / 128), lambda: variational(0.05)],
    "LAM317": [
        lambda: decay(0.001, 0.3), lambda: decay(1e-4, 1.0),
        lambda: head(1, optimizer=optimizers.RMSprop(0.045, epsilon=1.0)),
    ],
    "LAM318": [lambda: based(True), lambda: some_of(12), lambda: of_vectors(np.zeros((12, 4), "float32"), True)],
    "LAM405": [
        lambda: (mlp(L.Dense(3, "sigmoid"), loss="binary_crossentropy"), MANY, np.tile(ONE_HOT, (8, 1))),
        lambda: (
            mlp(L.Dense(3, "softmax"), loss="categorical_crossentropy"), MANY,
            np.tile(np.maximum(ONE_HOT, [1, 0, 0]), (8, 1)),
        ),
    ],
    "LAM412": [lambda: next_words(True), lambda: decoder(BEGUN), lambda: decoder(BEGUN, L.SimpleRNN)],
}  # fmt: skip


@pytest.mark.parametrize("case", table(WRONG, SOUND), ids=named)
def test_rule(case):
    code, wrong, make = case

    def alone():
        model, x, y, fit = (*(made if isinstance(made := make(), tuple) else (made,)), None, None, None)[:4]
        return model, x, y, {**(fit or {}), "ignore": RULES.keys() - {code}}

    judge(code, wrong, alone)


def test_arguments_of_calls_inside_own_layers_are_not_guessed():
    assert not [finding for finding in keras.Model.check(*next_words(True)) if finding.code == "LAM410"]


def test_resized_maps_of_classes_are_told_how():
    model = net(L.Conv2D(4, 1, activation="softmax"), shape=(8, 8, 3), loss=SPARSE)
    maps = np.repeat(np.linspace(0, 3, 8)[None, :, None], 64, axis=0) + np.zeros((1, 1, 8))
    (finding,) = [finding for finding in model.check(IMAGES, maps) if finding.code == "LAM110"]
    assert "interpolation='nearest'" in finding.fix

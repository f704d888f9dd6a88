"""Rules that reported faults led to: each catches two wrong programs or more, and spares two sound ones."""

import numpy as np
import pytest

import lamina as keras
from lamina import callbacks, layers, ops, optimizers
from tests.check.cases import ONE_HOT, QUANTITY, SEQUENCES, X, head, judge, named, net, table

L = layers
DRAW = np.random.default_rng(1)
SPARSE = "sparse_categorical_crossentropy"
ORDER = DRAW.permutation(300)
KINDS = DRAW.integers(0, 3, 300)
GROUPS = (4 * np.eye(3)[KINDS] + 0.5 * DRAW.normal(size=(300, 3))).astype("float32")
PLAIN = DRAW.normal(size=(300, 3)).astype("float32")
SUMS = PLAIN @ (1.0, -2.0, 0.5) + 0.1 * DRAW.normal(size=300)
PLACES = (DRAW.random((160, 8, 8, 1)) > 0.7).astype("float32")
PICTURES = (0.5 * PLACES + 0.3 * DRAW.random(PLACES.shape)).astype("float32")
OTHERS = DRAW.permutation(160)
SPREAD = np.clip(np.tanh(3 * X[:, :1]), -0.9, 0.9)
BYTES = DRAW.integers(0, 256, (32, 8, 8, 3)).astype("float32")
FIRST = DRAW.integers(0, 2, 240)
WORDS = DRAW.integers(3, 12, (240, 8)).astype("int32")
WORDS[:, 2], WORDS[:, 5] = 1 + FIRST, 2 - FIRST
PAIR = DRAW.integers(0, 2, 200)
LEFT = DRAW.normal(size=(200, 6)).astype("float32")
RIGHT = (LEFT * PAIR[:, None] + DRAW.normal(size=LEFT.shape) * np.where(PAIR, 0.2, 1)[:, None]).astype("float32")


def grouped(labels, rows=GROUPS):
    return net(L.Dense(5, "relu"), L.Dense(3, "softmax"), shape=(3,), loss=SPARSE), rows, labels


def summed(labels, rows=PLAIN):
    return net(L.Dense(5, "relu"), L.Dense(1), shape=(3,), loss="mse"), rows, labels


def mapped(order):
    ends = L.Conv2D(4, 3, padding="same", activation="relu"), L.Conv2D(1, 1, activation="sigmoid")
    return net(*ends, shape=(8, 8, 1), loss="binary_crossentropy"), PICTURES, PLACES[order]


def one_hot(classes, first):
    model = net(L.Dense(5, "relu"), L.Dense(classes, "softmax"), loss="categorical_crossentropy")
    return model, np.tile(X, (4, 1)), np.eye(classes, dtype="float32")[first + np.arange(256) % (classes - first)]


def stopped(by):
    model = head(1, "sigmoid", loss="binary_crossentropy", metrics=["accuracy"])
    return model, X, (QUANTITY > 0).astype("int64"), {"epochs": 30, "validation_split": 0.5, "callbacks": [by]}


def scaled(*after):
    return net(L.Dense(5, "relu"), L.Dense(1, "sigmoid"), *after, loss="mse"), X, SPREAD


def normalized(mean, variance):
    return net(L.Normalization(mean=mean, variance=variance), L.Dense(1), loss="mse"), 300 + 80 * X, QUANTITY


def frozen(*first):
    base = L.Conv2D(4, 3, activation="relu", trainable=False)
    model = net(*first, base, L.Flatten(), L.Dense(1), shape=(8, 8, 3), loss="mse")
    base.bias.assign([0.1] * 4)
    return model, BYTES, QUANTITY[:32]


def which_came_first(positions, labels=FIRST):
    inputs = keras.Input((8,), dtype="int32")
    z = L.Embedding(12, 8)(inputs)
    z = z + L.Embedding(8, 8)(np.arange(8)) if positions else z
    z = L.LayerNormalization()(z + L.MultiHeadAttention(2, 4)(z, z))
    model = keras.Model(inputs, L.Dense(1, "sigmoid")(L.GlobalAveragePooling1D()(z)))
    model.compile("adam", "binary_crossentropy")
    return model, WORDS, labels


def pairs(shared, difference, loss="binary_crossentropy", end=True, labels=PAIR):
    def tower():
        return keras.Sequential([keras.Input((6,)), L.Dense(8, "relu"), L.Dense(4)])

    first, one, two = tower(), keras.Input((6,)), keras.Input((6,))
    z = difference([first(one), (first if shared else tower())(two)])
    model = keras.Model([one, two], L.Dense(1, "sigmoid")(z) if end else z)
    model.compile("adam", loss)
    return model, [LEFT, RIGHT], labels.astype("float32")[:, None]


def gap():
    return L.Lambda(lambda t: ops.abs(t[0] - t[1]))


def distance():
    return L.Lambda(lambda t: ops.sqrt(ops.sum(ops.square(t[0] - t[1]), axis=1, keepdims=True) + 1e-7))


def near_is_one(y, d):
    return ops.mean(y * d**2 + (1 - y) * ops.maximum(1.0 - d, 0.0) ** 2)


def near_is_nought(y, d):
    return ops.mean((1 - y) * d**2 + y * ops.maximum(1.0 - d, 0.0) ** 2)


def given(again):
    def batches():
        for start in range(0, 64, 8):
            start = 0 if again else start
            yield X[start : start + 8], QUANTITY[start : start + 8]

    return head(1), batches(), None, {"steps_per_epoch": 8}


def three(loss):
    tower = keras.Sequential([keras.Input((6,)), L.Dense(8, "relu"), L.Dense(4), L.UnitNormalization()])
    inputs = [keras.Input((6,)) for _ in range(3)]
    model = keras.Model(inputs, L.Concatenate()([tower(one) for one in inputs]))
    model.compile("adam", loss)
    return model, [LEFT, LEFT + 0.1, LEFT[::-1].copy()], np.zeros((200, 1))


def triplet(y, z):
    a, p, n = ops.split(z, 3, axis=1)
    return ops.mean(ops.maximum(ops.sum((a - p) ** 2, axis=1) - ops.sum((a - n) ** 2, axis=1) + 0.5, 0.0))


def triplet_turned(y, z):
    a, p, n = ops.split(z, 3, axis=1)
    return ops.mean(ops.maximum(ops.sum((a - n) ** 2, axis=1) - ops.sum((a - p) ** 2, axis=1) + 0.5, 0.0))


def weighted(one, none):
    def loss(y, p):
        p = ops.clip(p, 1e-6, 1 - 1e-6)
        return -ops.mean(one * y * ops.log(p) + none * (1 - y) * ops.log(1 - p))

    model = net(L.Dense(5, "relu"), L.Dense(1, "sigmoid"), loss=loss, shape=(3,))
    return model, PLAIN, (np.quantile(SUMS, 0.9) < SUMS).astype("float32")[:, None]


def given_back(activation, metric):
    x = DRAW.random((64, 6)).astype("float32")
    return net(L.Dense(3, "relu"), L.Dense(6, activation), shape=(6,), loss="mse", metrics=[metric]), x, x


def attends(shape):
    inputs = keras.Input((8,))
    z = L.Dense(4)(L.Reshape(shape)(inputs))
    model = keras.Model(inputs, L.Dense(1)(L.Flatten()(z + L.MultiHeadAttention(2, 2)(z, z))))
    model.compile("adam", "mse")
    return model, LEFT.repeat(2, axis=1)[:, :8], LEFT[:, 0]


def last_token(y):
    x = DRAW.integers(1, 20, (64, 6)).astype("int32")
    model = net(L.Embedding(20, 4), L.GRU(4), L.Dense(20, "softmax"), shape=(6,), loss=SPARSE)
    return model, x, x[:, -1] if y == "last" else x[:, 0] * 7 % 20


def head_frozen(frozen):
    model = net(L.Dense(4), L.BatchNormalization(), L.ReLU(), L.Dense(3, "softmax"))
    model.layers[0].bias.assign([0.1] * 4)
    for layer in model.layers:
        layer.trainable = isinstance(layer, L.BatchNormalization) or (layer is model.layers[-1] and not frozen)
    model.compile("adam", SPARSE)
    return model, X, np.arange(64) % 3


def flipped(scale):
    ends = L.RandomFlip(), L.Rescaling(1 / 255), L.Conv2D(2, 3), L.Flatten(), L.Dense(1)
    return net(*ends, shape=(8, 8, 3), loss="mse"), scale * BYTES, QUANTITY[:32]


def rare(loss):
    return (
        net(L.Dense(5, "relu"), L.Dense(1, "sigmoid"), loss=loss, shape=(3,)),
        PLAIN,
        (np.sort(SUMS)[-7] < SUMS) * 1.0,
    )


def waves(shape):
    time = np.arange(30) * 0.3 + DRAW.uniform(0, 6, (64, 3, 1))
    x = np.sin(time).astype("float32")
    return net(L.GRU(3), L.Dense(1), shape=shape, loss="mse"), x if shape == (3, 30) else x.transpose(0, 2, 1), QUANTITY


WRONG = {
    "LAM113": [lambda: given_back("sigmoid", "accuracy"), lambda: given_back("relu", "accuracy")],
    "LAM228": [lambda: attends((1, 8)), lambda: attends((1, -1))],
    "LAM232": [lambda: waves((3, 30)), lambda: (*waves((3, 30))[:2], -QUANTITY)],
    "LAM318": [lambda: head_frozen(True), lambda: (*head_frozen(True)[:2], np.arange(64) // 4 % 3)],
    "LAM405": [lambda: rare("binary_crossentropy"), lambda: rare(keras.losses.BinaryFocalCrossentropy())],
    "LAM408": [lambda: flipped(1 / 255), lambda: flipped(1 / 128)],
    "LAM413": [lambda: last_token("last"), lambda: last_token("last")],
    "LAM105": [lambda: scaled(L.Rescaling(0.5)), lambda: scaled(L.Rescaling(1.0, offset=-0.2))],
    "LAM121": [lambda: one_hot(4, 1), lambda: one_hot(6, 1)],
    "LAM123": [
        lambda: pairs(True, distance(), near_is_nought, False),
        lambda: pairs(True, distance(), near_is_one, False, 1 - PAIR),
        lambda: three(triplet_turned),
        lambda: weighted(0.05, 0.95),
    ],
    "LAM231": [lambda: which_came_first(False), lambda: which_came_first(False, 1 - FIRST)],
    "LAM241": [lambda: pairs(False, gap()), lambda: pairs(False, L.Subtract())],
    "LAM306": [
        lambda: stopped(callbacks.EarlyStopping("val_accuracy", min_delta=1, patience=4)),
        lambda: stopped(callbacks.ReduceLROnPlateau("val_loss", patience=30)),
    ],
    "LAM317": [
        lambda: head(1, optimizer=optimizers.Adam(0.001, 0.999, 0.9)),
        lambda: head(1, optimizer=optimizers.AdamW(0.001, beta_1=0.99, beta_2=0.95)),
    ],
    "LAM401": [lambda: normalized(300.0, 80.0), lambda: normalized(0.0, 1e8), lambda: frozen()],
    "LAM420": [lambda: given(True), lambda: (*given(True)[:3], {"steps_per_epoch": 100})],
    "LAM422": [
        lambda: grouped(KINDS[ORDER]),
        lambda: summed(np.sort(SUMS)),
        lambda: summed(SUMS[ORDER]),
        lambda: mapped(OTHERS),
        lambda: summed(np.roll(SUMS, 2)),
        lambda: summed(SUMS[::-1].copy()),
    ],
}
SOUND = {
    "LAM113": [lambda: given_back("sigmoid", "mae"), lambda: given_back("linear", "mae")],
    "LAM228": [lambda: attends((2, 4)), lambda: attends((4, 2))],
    "LAM232": [
        lambda: waves((30, 3)),
        lambda: (net(L.GRU(3), L.Dense(1), shape=(6, 4), loss="mse"), SEQUENCES, QUANTITY),
    ],
    "LAM318": [lambda: head_frozen(False), lambda: (*head_frozen(False)[:2], np.arange(64) // 4 % 3)],
    "LAM405": [
        lambda: rare(keras.losses.BinaryFocalCrossentropy(apply_class_balancing=True, alpha=0.9)),
        lambda: weighted(0.9, 0.1),
    ],
    "LAM408": [lambda: flipped(1.0), lambda: flipped(0.5)],
    "LAM413": [lambda: last_token("other"), lambda: last_token("another")],
    "LAM105": [lambda: scaled(L.Rescaling(2.0, offset=-1.0)), lambda: scaled(L.Rescaling(-2.0, offset=1.0))],
    "LAM121": [lambda: one_hot(4, 0), lambda: (head(3, "softmax", loss="categorical_crossentropy"), X, ONE_HOT)],
    "LAM123": [
        lambda: pairs(True, distance(), near_is_one, False),
        lambda: pairs(True, distance(), near_is_nought, False, 1 - PAIR),
        lambda: three(triplet),
        lambda: weighted(0.95, 0.05),
        lambda: weighted(0.25, 0.75),
    ],
    "LAM231": [lambda: which_came_first(True), lambda: which_came_first(True, 1 - FIRST)],
    "LAM241": [lambda: pairs(True, gap()), lambda: pairs(False, L.Dot(axes=1)), lambda: pairs(False, L.Concatenate())],
    "LAM306": [
        lambda: stopped(callbacks.EarlyStopping("val_accuracy", min_delta=0.01, patience=4)),
        lambda: stopped(callbacks.ReduceLROnPlateau("val_loss", patience=5)),
    ],
    "LAM317": [
        lambda: head(1, optimizer=optimizers.Adam(0.001, 0.5, 0.9)),
        lambda: head(1, optimizer=optimizers.AdamW(0.001, beta_1=0.9, beta_2=0.95)),
    ],
    "LAM401": [lambda: normalized(290.0, 6000.0), lambda: frozen(L.Rescaling(1 / 255))],
    "LAM420": [lambda: given(False), lambda: (*given(True)[:3], {"steps_per_epoch": 1})],
    "LAM422": [
        lambda: grouped(KINDS),
        lambda: summed(SUMS),
        lambda: summed(np.sort(SUMS), PLAIN[np.argsort(SUMS)]),
        lambda: mapped(np.arange(160)),
        lambda: (net(L.LSTM(3), L.Dense(1), shape=(6, 4), loss="mse"), SEQUENCES, QUANTITY),
    ],
}


@pytest.mark.parametrize("case", table(WRONG, SOUND), ids=named)
def test_rule(case):
    judge(*case)


@pytest.mark.parametrize(
    ("code", "place"),
    [("LAM422", 0), ("LAM422", 1), ("LAM422", 3), ("LAM422", 4), ("LAM422", 5), ("LAM231", 0), ("LAM121", 0)],
)
def test_it_is_sure_where_the_data_show_it(code, place):
    model, x, y = WRONG[code][place]()
    (finding,) = [one for one in model.check(x, y) if one.code == code]
    assert finding.severity == "warning"

"""Rules that were widened for faults noticed in programs of others: each catches two wrong programs, and spares two."""

import numpy as np
import pytest

import lamina as keras
from lamina import callbacks, layers, metrics, ops, optimizers
from lamina.optimizers import schedules
from tests.check.cases import IMAGES, ONE_HOT, QUANTITY, THREE, YES_NO, X, head, judge, named, net, table

L = layers
DRAW = np.random.default_rng(2)
SPARSE = "sparse_categorical_crossentropy"
UNITS = (X * (12, 18000, 9, 3) + (40, 52000, 40, 12)).astype("float32")
TIME = np.sin(np.arange(300) / 40)[:, None] + 0.05 * DRAW.normal(size=(300, 3))
SLOW = (TIME + np.linspace(-1, 1, 300)[:, None] * (1, 2, -1)).astype("float32")
PLAIN = DRAW.normal(size=(300, 3)).astype("float32")
SUMS = PLAIN @ (1.0, -2.0, 0.5)
PLACES = (DRAW.random((160, 8, 8, 1)) > 0.7).astype("float32")
PICTURES = (0.5 * PLACES + 0.3 * DRAW.random(PLACES.shape)).astype("float32")
LISTED = np.argsort(sorted(range(300), key=str))
FIRSTS = np.array(sorted(range(160), key=lambda row: str(row + 1)))
THREES = [DRAW.normal(size=(120, 4)).astype("float32") for _ in range(3)]
SENSORS = np.cumsum(0.2 * DRAW.normal(size=(64, 4, 30)), axis=-1) + 3 * np.arange(4)[:, None]
COUNTS = DRAW.poisson(0.15, (64, 40)).astype("float32")


def classes(*end, dtype=None, **how):
    return net(L.Dense(5, "relu"), L.Dense(3, dtype=dtype), *end, loss=SPARSE, **how), X, THREE


def scaled(x):
    return head(1), x, QUANTITY


def unit(axis):
    return UNITS / np.linalg.norm(UNITS, axis=axis, keepdims=True)


def standard(axis):
    return (UNITS - UNITS.mean(axis, keepdims=True)) / UNITS.std(axis, keepdims=True)


def changed(*layers_of_change, masks=True):
    end = [L.Conv2D(1, 3, padding="same", activation="sigmoid")] if masks else [L.Flatten(), L.Dense(1, "sigmoid")]
    y = (IMAGES[..., :1] > 0.5).astype("float32") if masks else YES_NO
    return net(*layers_of_change, *end, shape=(8, 8, 3), loss="binary_crossentropy"), IMAGES, y


def scheduled(rate=0.01, **how):
    return head(1, "sigmoid", loss="binary_crossentropy", optimizer=optimizers.Adam(rate)), X, YES_NO, {
        "epochs": 40, "batch_size": 8, **how,
    }  # fmt: skip


def each_epoch(share):
    return scheduled(callbacks=[callbacks.LearningRateScheduler(lambda epoch, rate: rate * share)])


def stopped(monitor, baseline, patience):
    stop = callbacks.EarlyStopping(monitor, baseline=baseline, patience=patience)
    model = head(1, "sigmoid", loss="binary_crossentropy", metrics=["accuracy"])
    return model, X, YES_NO, {"epochs": 40, "validation_split": 0.5, "callbacks": [stop]}


def validated(x, y):
    return (*classes(L.Softmax()), {"validation_data": (x, y)})


def stateful(count, size):
    model = keras.Sequential([keras.Input(batch_shape=(16, 6, 4)), L.LSTM(3, stateful=True), L.Dense(1)])
    model.compile("adam", "mse")
    x = DRAW.normal(size=(count, 6, 4)).astype("float32")
    return model, x, x[:, 0, 0], {"batch_size": size, "shuffle": False}


def looked_up(x, size):
    return net(L.Embedding(size, 4), L.GlobalAveragePooling1D(), L.Dense(1), shape=x.shape[1:], loss="mse"), x, QUANTITY


def remembered(cell, steps, **how):
    x = DRAW.normal(size=(16, steps, 2)).astype("float32")
    end = [] if how else [L.Dense(1)]
    return net(cell(3, **how), *end, shape=(steps, 2), loss="mse"), x, x[..., :1] if how else x[:, 0, 0]


def descended(rate, epochs, depth=7):
    stack = [L.Dense(6, "relu") for _ in range(depth)]
    return net(*stack, L.Dense(1), loss="mse", optimizer=optimizers.SGD(rate)), X, QUANTITY, {"epochs": epochs}


def sensed(x):
    return net(L.GRU(3), L.Dense(1), shape=x.shape[1:], loss="mse"), x.astype("float32"), QUANTITY


def triplets(margin, given=3):
    def loss(y_true, y_pred):
        a, p, n = ops.split(y_pred, 3, axis=-1)
        near, far = ops.sum((a - p) ** 2, -1), ops.sum((a - n) ** 2, -1)
        return ops.maximum(near - far + margin, 0.0)

    tower = net(L.Dense(6, "tanh"), L.Dense(2))
    inputs = [keras.Input((4,)) for _ in range(3)]
    model = keras.Model(inputs, L.Concatenate()([tower(one) for one in inputs]))
    model.compile("adam", loss)
    return model, THREES, np.zeros((120, 1))


def distances(margin):
    def loss(y_true, y_pred):
        return y_true * y_pred**2 + (1 - y_true) * ops.maximum(margin - y_pred, 0.0) ** 2

    tower, inputs = net(L.Dense(6, "tanh"), L.Dense(2)), [keras.Input((4,)) for _ in range(2)]
    apart = L.Lambda(lambda two: ops.sqrt(ops.sum((two[0] - two[1]) ** 2, -1, keepdims=True) + 1e-7))
    model = keras.Model(inputs, apart([tower(one) for one in inputs]))
    model.compile("adam", loss)
    return model, THREES[:2], (np.arange(120) % 2)[:, None].astype("float32")


class Batches(keras.utils.PyDataset):
    """Batches of 30 rows, whose labels are those of later rows."""

    def __init__(self, later):
        super().__init__()
        self.later = later

    def __len__(self):
        return 9

    def __getitem__(self, index):
        rows = np.arange(30 * index, 30 * index + 30)
        return PLAIN[rows], SUMS[rows + self.later]


def summed(x, y=None):
    return net(L.Dense(5, "relu"), L.Dense(1), shape=(3,), loss="mse"), x, y


def mapped(order):
    ends = L.Conv2D(4, 3, padding="same", activation="relu"), L.Conv2D(1, 1, activation="sigmoid")
    return net(*ends, shape=(8, 8, 1), loss="binary_crossentropy"), PICTURES, PLACES[order]


def two_heads(turned):
    inputs = keras.Input((4,))
    kind, size = L.Dense(3, "softmax", name="kind")(inputs), L.Dense(1, name="size")(inputs)
    model = keras.Model(inputs, [kind, size])
    model.compile("adam", [SPARSE, "mse"])
    y = [THREE, QUANTITY]
    return model, X, y[::-1] if turned else y


def looked_up_by_name(rows):
    inputs = keras.Input((1,), dtype="string")
    z = L.Embedding(rows, 4)(L.StringLookup(vocabulary=["red", "green", "blue"])(inputs))
    model = keras.Model(inputs, L.Dense(1)(L.Flatten()(z)))
    model.compile("adam", "mse")
    return model, np.array(["red", "green", "blue", "grey"])[np.arange(64) % 4][:, None], QUANTITY


def cooled(end, temperature):
    model = net(L.Dense(5, "relu"), L.Dense(3, end))
    model.compile("adam", lambda y, p: keras.losses.kl_divergence(y, ops.softmax(p / temperature)))
    return model, X, ONE_HOT


def given_back(y, activation="sigmoid"):
    return net(L.Dense(9, "relu"), L.Dense(16, activation), shape=(16,), loss="mse"), BITS, y


def reads_the_first(causal, place=0):
    inputs = keras.Input((8,))
    z = L.Embedding(12, 8)(inputs) + L.Embedding(8, 8)(ops.arange(8))
    z = L.LayerNormalization()(z + L.MultiHeadAttention(2, 4)(z, z, use_causal_mask=causal))
    model = keras.Model(inputs, L.Dense(1)(z[:, place]))
    model.compile("adam", "mse")
    return model, DRAW.integers(1, 12, (64, 8)), QUANTITY


def convolved(shape):
    time = np.arange(30) * 0.3 + DRAW.uniform(0, 6, (64, 3, 1))
    x = np.sin(time).astype("float32")
    x = x if shape == (3, 30) else x.transpose(0, 2, 1)
    return net(L.Conv1D(4, 2), L.GlobalMaxPooling1D(), L.Dense(1), shape=shape, loss="mse"), x, QUANTITY


def deep(activation, count, *after):
    return net(*(layer for _ in range(count) for layer in (L.Dense(6, activation), *(make() for make in after))))


def far_row(far):
    x = np.abs(DRAW.normal(size=(100, 4)))
    x[7] = far
    return net(L.Dense(5, "relu"), L.Dense(1), loss="mse"), (x / x.max(axis=0)).astype("float32"), x.sum(axis=1)


def gains(by, loss="binary_crossentropy"):
    stop = callbacks.EarlyStopping("val_loss", min_delta=by, patience=3)
    return head(1, "sigmoid", loss=loss), X, YES_NO, {"epochs": 40, "validation_split": 0.5, "callbacks": [stop]}


BITS = DRAW.random((64, 16)).astype("float32")
PIECES = schedules.PiecewiseConstantDecay
WRONG = {
    "LAM104": [lambda: classes(L.Softmax(dtype="float16")), lambda: classes(L.Softmax(dtype="mixed_bfloat16"))],
    "LAM113": [
        lambda: classes(L.Softmax(), metrics=[metrics.Precision()]),
        lambda: classes(L.Softmax(), metrics=["AUC"]),
    ],
    "LAM117": [lambda: validated(X, THREE[:40]), lambda: validated(X[:40], THREE)],
    "LAM123": [lambda: triplets(0.0), lambda: distances(0.0)],
    "LAM122": [lambda: cooled("softmax", 2.0), lambda: cooled("softmax", 0.5)],
    "LAM218": [lambda: reads_the_first(True), lambda: (*reads_the_first(True)[:2], -QUANTITY)],
    "LAM223": [lambda: deep("hard_sigmoid", 5), lambda: deep("hard_sigmoid", 8)],
    "LAM232": [lambda: convolved((3, 30)), lambda: (*convolved((3, 30))[:2], -QUANTITY)],
    "LAM417": [lambda: given_back(0 * BITS), lambda: given_back(0 * BITS + 1, "relu")],
    "LAM240": [lambda: remembered(L.SimpleRNN, 250), lambda: remembered(L.SimpleRNN, 400)],
    "LAM306": [
        lambda: stopped("loss", 1e-4, 1),
        lambda: stopped("val_accuracy", 0.99, 2),
        lambda: gains(0.5),
        lambda: gains(1.0),
    ],
    "LAM307": [
        lambda: scheduled(PIECES([8, 16], [0.1, 1e-4, 1e-5])),
        lambda: scheduled(PIECES([3], [0.1, 1e-6])),
        lambda: each_epoch(0.1),
        lambda: each_epoch(0.3),
    ],
    "LAM309": [
        lambda: (*classes(L.Softmax()), {"class_weight": [1.0, 2.0, 1.5]}),
        lambda: (*classes(L.Softmax()), {"class_weight": np.array([1.0, 2.0, 1.5])}),
    ],
    "LAM312": [lambda: descended(0.001, 20), lambda: descended(0.01, 2)],
    "LAM316": [lambda: stateful(100, 16), lambda: stateful(96, 32)],
    "LAM404": [
        lambda: looked_up(COUNTS, 40),
        lambda: looked_up(np.minimum(COUNTS, 2), 41),
        lambda: looked_up_by_name(3),
    ],
    "LAM408": [lambda: scaled(unit(1)), lambda: scaled(standard(1)), lambda: far_row(1e5)],
    "LAM418": [
        lambda: changed(L.RandomFlip("horizontal"), L.RandomRotation(0.1)),
        lambda: changed(L.Rescaling(2.0), L.RandomTranslation(0.1, 0.1)),
    ],
    "LAM421": [lambda: sensed(SENSORS.reshape(64, 30, 4)), lambda: sensed(SENSORS[:, :3].reshape(64, 30, 3))],
    "LAM422": [
        lambda: summed(Batches(1)),
        lambda: summed(SLOW, (SLOW @ (1.0, -0.5, 2.0))[::-1].copy()),
        lambda: summed(PLAIN, SUMS[LISTED]),
        lambda: mapped(np.roll(np.arange(160), 1)),
        lambda: mapped(FIRSTS),
    ],
}
SOUND = {
    "LAM104": [lambda: classes(L.Softmax(), dtype="mixed_bfloat16"), lambda: classes(L.Softmax(dtype="float32"))],
    "LAM113": [
        lambda: classes(L.Softmax(), metrics=["accuracy"]),
        lambda: (head(3, "softmax", loss="categorical_crossentropy", metrics=["AUC"]), X, ONE_HOT),
    ],
    "LAM117": [lambda: validated(X[:40], THREE[:40]), lambda: validated(X, THREE)],
    "LAM123": [lambda: triplets(0.5), lambda: distances(1.0)],
    "LAM122": [lambda: cooled(None, 2.0), lambda: cooled("relu", 2.0)],
    "LAM218": [lambda: reads_the_first(False), lambda: reads_the_first(True, -1)],
    "LAM223": [lambda: deep("relu", 8), lambda: deep("hard_sigmoid", 8, L.LayerNormalization)],
    "LAM232": [lambda: convolved((30, 3)), lambda: sensed(SENSORS.transpose(0, 2, 1))],
    "LAM417": [lambda: given_back(BITS), lambda: given_back(0 * BITS, None)],
    "LAM240": [
        lambda: remembered(L.SimpleRNN, 40),
        lambda: remembered(L.GRU, 400),
        lambda: remembered(L.SimpleRNN, 400, return_sequences=True),
    ],
    "LAM306": [lambda: stopped("loss", 0.5, 3), lambda: stopped("val_accuracy", 0.99, 20), lambda: gains(0.01)],
    "LAM307": [
        lambda: scheduled(PIECES([160, 240], [0.1, 1e-4, 1e-5])),
        lambda: scheduled(PIECES([8, 16], [0.1, 0.05, 0.02])),
        lambda: each_epoch(0.9),
        lambda: each_epoch(0.7),
    ],
    "LAM309": [
        lambda: (*classes(L.Softmax()), {"class_weight": {0: 1.0, 1: 2.0, 2: 1.5}}),
        lambda: (*classes(L.Softmax()), {"class_weight": None}),
    ],
    "LAM312": [lambda: descended(0.01, 2, 3), lambda: descended(0.001, 20, 2)],
    "LAM316": [
        lambda: (*stateful(96, 16)[:3], {"batch_size": 16, "shuffle": False, "epochs": 1}),
        lambda: (*stateful(64, 16)[:3], {"batch_size": 16, "shuffle": False}),
    ],
    "LAM404": [
        lambda: looked_up(DRAW.integers(0, 40, (64, 40)), 40),
        lambda: looked_up(np.where(np.arange(40) < 8, COUNTS + 1, 0), 40),
        lambda: looked_up_by_name(4),
    ],
    "LAM408": [lambda: scaled(unit(0)), lambda: scaled(standard(0)), lambda: far_row(20.0)],
    "LAM418": [
        lambda: changed(L.RandomFlip(), masks=False),
        lambda: changed(L.RandomContrast(0.1), L.GaussianNoise(0.1)),
    ],
    "LAM421": [
        lambda: sensed(SENSORS.transpose(0, 2, 1)),
        lambda: sensed(np.cumsum(DRAW.normal(size=(64, 120)), axis=1).reshape(64, 30, 4)),
    ],
    "LAM422": [
        lambda: summed(Batches(0)),
        lambda: summed(SLOW, SLOW @ (1.0, -0.5, 2.0)),
        lambda: summed(PLAIN, SUMS),
        lambda: mapped(np.arange(160)),
    ],
}


@pytest.mark.parametrize("case", table(WRONG, SOUND), ids=named)
def test_rule(case):
    judge(*case)


@pytest.mark.parametrize(("code", "place"), [("LAM422", place) for place in range(5)] + [("LAM312", 0), ("LAM312", 1)])
def test_it_is_sure_where_the_data_show_it(code, place):
    model, x, y, *fit = WRONG[code][place]()
    (finding,) = [one for one in model.check(x, y, **(fit[0] if fit else {})) if one.code == code]
    assert finding.severity == "warning"


@pytest.mark.parametrize("turned", [True, False])
def test_labels_that_fit_the_loss_of_another_head_are_to_be_exchanged(turned):
    model, x, y = two_heads(turned)
    fixes = [finding.fix for finding in model.check(x, y) if finding.code == "LAM110"]
    assert any("Exchange the losses of kind and size" in fix for fix in fixes) == turned


def test_a_column_that_counts_the_rows_is_to_be_left_out():
    y = np.stack([np.arange(64.0), QUANTITY], axis=1)
    (finding,) = [one for one in head(1).check(X, y) if one.code == "LAM108"]
    assert finding.fix == "Leave out column 0 of the labels, which counts the rows."


def test_targets_with_their_axes_exchanged_are_to_be_transposed():
    model = net(L.Dense(10), L.Reshape((5, 2)), loss="mse")
    (finding,) = [one for one in model.check(X, np.zeros((64, 2, 5)) + QUANTITY[:, None, None]) if one.code == "LAM108"]
    assert finding.fix == "Use y.transpose(0, 2, 1) as labels."


def test_a_model_that_takes_text_is_traced_with_its_labels():
    model, x, y = looked_up_by_name(4)
    assert not [finding for finding in model.check(x, y) if finding.severity != "info"]
    assert any(finding.code == "LAM118" for finding in model.check(x, y[:, None, None] * np.ones((64, 3, 2))))

"""Sound programs as learners write them: text, series, and how they are trained."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, callbacks, layers, losses, metrics, ops, optimizers
from benchmarks.faults.program import sound
from benchmarks.faults.sources import LEARNERS

FIT = {"epochs": 20, "batch_size": 32, "validation_split": 0.2}
SPARSE = "sparse_categorical_crossentropy"


def _series(steps, features=1):
    x, after = series(steps, features)
    return x, np.reshape(after, (len(x), -1))[:, 0]


@sound(LEARNERS)
def tagger_in_both_directions():
    """Tags of words by a Bidirectional LSTM, which may read what follows."""
    x, _ = texts(16, 60)
    net = Sequential(
        [Input((16,)), layers.Embedding(60, 16), layers.Bidirectional(layers.LSTM(16, return_sequences=True))]
    )
    net.add(layers.TimeDistributed(layers.Dense(4, activation="softmax")))
    net.compile("adam", SPARSE)
    return net, x, x % 4, FIT


@sound(LEARNERS)
def next_word_by_one_direction():
    """A language model of a GRU."""
    tokens = texts(16, 60)[0]
    net = Sequential([Input((15,)), layers.Embedding(60, 16), layers.GRU(32, return_sequences=True)])
    net.add(layers.Dense(60))
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return net, tokens[:, :-1], tokens[:, 1:], FIT


@sound(LEARNERS)
def causal_windows():
    """The next value of each step by causal convolutions with growing gaps."""
    x, _ = series(33)
    net = Sequential([Input((32, 1))])
    for gap in (1, 2, 4):
        net.add(layers.Conv1D(16, 2, padding="causal", dilation_rate=gap, activation="relu"))
    net.add(layers.Conv1D(1, 1))
    net.compile("adam", "mse")
    return net, x[:, :-1], x[:, 1:], FIT


@sound(LEARNERS)
def denoised_by_windows():
    """Noise is taken off a series by Conv1D with padding 'same'; the target is the same step."""
    x, _ = series(32)
    noisy = x + 0.3 * draw(8).normal(size=x.shape).astype("float32")
    net = Sequential([Input((32, 1)), layers.Conv1D(16, 5, padding="same", activation="relu")])
    net.add(layers.Conv1D(1, 5, padding="same"))
    net.compile("adam", "mse")
    return net, noisy, x, FIT


@sound(LEARNERS)
def stacked_lstm():
    """Two LSTM, the first of which gives its sequence."""
    x, y = _series(24)
    net = Sequential([Input((24, 1)), layers.LSTM(32, return_sequences=True), layers.Dropout(0.2), layers.LSTM(16)])
    net.add(layers.Dense(1))
    net.compile("adam", "mse", metrics=["mae"])
    return net, x, y, {**FIT, "shuffle": False}


@sound(LEARNERS)
def two_steps_ahead():
    """Several features in, four steps of the first one out."""
    x, after = series(24, 3, 4)
    net = Sequential([Input((24, 3)), layers.GRU(32), layers.Dense(4)])
    net.compile("rmsprop", losses.Huber())
    return net, x, np.reshape(after, (len(x), -1))[:, :4], FIT


@sound(LEARNERS)
def relu_in_a_short_recurrence():
    """LSTM(activation='relu') over three steps, as many posts have it."""
    x, y = _series(3)
    net = Sequential([Input((3, 1)), layers.LSTM(50, activation="relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 60}


@sound(LEARNERS)
def padded_and_masked():
    """Texts that end in zeros, with mask_zero."""
    x, y = texts(20, 200, padded=True)
    net = Sequential([Input((20,)), layers.Embedding(200, 16, mask_zero=True), layers.LSTM(16)])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, FIT


@sound(LEARNERS)
def vectors_that_stay():
    """Embedding(trainable=False) with vectors that were given."""
    x, y = texts(20, 200)
    table = draw(1).normal(size=(200, 16)).astype("float32")
    net = Sequential([Input((20,)), layers.Embedding(200, 16, weights=[table], trainable=False)])
    net.add(layers.GlobalAveragePooling1D())
    net.add(layers.Dense(16, activation="relu"))
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, FIT


@sound(LEARNERS)
def words_by_windows():
    """Embedding, Conv1D, GlobalMaxPooling1D."""
    x, y = texts(30, 300, classes=4)
    net = Sequential([Input((30,)), layers.Embedding(300, 16), layers.Conv1D(32, 5, activation="relu")])
    net.add(layers.GlobalMaxPooling1D())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, FIT


@sound(LEARNERS)
def small_transformer():
    """Positions, attention, skips and norms, for a class of a text."""
    x, y = texts(16, 100)
    inputs = Input((16,))
    z = layers.Embedding(100, 16)(inputs) + layers.Embedding(16, 16)(ops.arange(16))
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(2, 8, dropout=0.1)(z, z))
    z = layers.LayerNormalization()(z + layers.Dense(16)(layers.Dense(32, activation="relu")(z)))
    z = layers.GlobalAveragePooling1D()(z)
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(layers.Dropout(0.1)(z)))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, FIT


@sound(LEARNERS)
def encoder_and_decoder():
    """Sequence to sequence: the states of one LSTM begin the other."""
    tokens = texts(9, 40)[0]
    left, right = Input((8,)), Input((8,))
    _, h, c = layers.LSTM(16, return_state=True)(layers.Embedding(40, 8)(left))
    z = layers.LSTM(16, return_sequences=True)(layers.Embedding(40, 8)(right), initial_state=[h, c])
    net = Model([left, right], layers.Dense(40, activation="softmax")(z))
    net.compile("adam", SPARSE)
    return net, [draw(4).permuted(tokens[:, :8], axis=1), tokens[:, :-1]], tokens[:, 1:], FIT


@sound(LEARNERS)
def pictures_in_time():
    """TimeDistributed convolutions, then an LSTM."""
    x, y = images(12, 1, 3)
    film = np.stack([x, x * 0.9, x * 0.8], axis=1)
    net = Sequential([Input((3, 12, 12, 1)), layers.TimeDistributed(layers.Conv2D(8, 3, activation="relu"))])
    net.add(layers.TimeDistributed(layers.GlobalAveragePooling2D()))
    net.add(layers.LSTM(16))
    net.add(layers.Dense(3, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, film, y, FIT


@sound(LEARNERS)
def prices_and_classes():
    """Two outputs with losses and weights of their own."""
    x = rows(8)
    inputs = Input((8,))
    z = layers.Dense(32, activation="relu")(inputs)
    net = Model(inputs, [layers.Dense(1, name="price")(z), layers.Dense(3, activation="softmax", name="kind")(z)])
    net.compile("adam", {"price": "mse", "kind": SPARSE}, loss_weights={"price": 0.5, "kind": 1.0})
    return net, x, {"price": quantity(x), "kind": choices(x, 3)}, FIT


@sound(LEARNERS)
def several_labels_at_once():
    """Three independent labels."""
    x = rows(10)
    net = Sequential([Input((10,)), layers.Dense(32, "relu"), layers.Dense(3, "sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=["binary_accuracy", metrics.AUC(multi_label=True)])
    return net, x, (quantity(x, 3) > 0.3).astype("float32"), FIT


@sound(LEARNERS)
def smoothed_labels():
    """One-hot labels with label_smoothing."""
    x = rows(10)
    net = Sequential([Input((10,)), layers.Dense(64, "relu"), layers.Dense(4, "softmax")])
    net.compile("adam", losses.CategoricalCrossentropy(label_smoothing=0.1), metrics=["accuracy"])
    return net, x, one_hot(choices(x, 4), 4), FIT


@sound(LEARNERS)
def line_by_one_layer():
    """Linear regression by Dense(1) and SGD."""
    x = rows(1)
    net = Sequential([Input((1,)), layers.Dense(1)])
    net.compile(optimizers.SGD(0.01), "mse")
    return net, x, 3 * x[:, 0] + 1, {"epochs": 200}


@sound(LEARNERS)
def exclusive_or():
    """Four rows, a hidden layer of tanh, a thousand epochs."""
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
    net = Sequential([Input((2,)), layers.Dense(8, "tanh"), layers.Dense(1, "sigmoid")])
    net.compile(optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    return net, x, np.array([0, 1, 1, 0]), {"epochs": 500}


@sound(LEARNERS)
def logistic_regression():
    """One layer with sigmoid."""
    x = rows(5)
    net = Sequential([Input((5,)), layers.Dense(1, "sigmoid")])
    net.compile(optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy", "precision", "recall"])
    return net, x, yes_no(x), {"epochs": 100, "batch_size": 16}


@sound(LEARNERS)
def columns_with_a_constant():
    """A column of ones beside others, as a bias of one's own."""
    x = np.concatenate([rows(6), np.ones((len(rows(6)), 1), "float32")], axis=1)
    net = Sequential([Input((7,)), layers.Dense(16, "relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, quantity(rows(6)), FIT


@sound(LEARNERS)
def hardly_predictable():
    """Labels that follow their rows only weakly."""
    x = rows(6)
    y = ((quantity(x) + 3 * draw(9).normal(size=len(x))) > 0).astype("int64")
    net = Sequential([Input((6,)), layers.Dense(16, "relu"), layers.Dropout(0.2), layers.Dense(1, "sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, FIT


@sound(LEARNERS)
def groups_that_hardly_matter():
    """Rows in three far groups, which have little to do with the labels."""
    group = draw(3).integers(0, 3, 256)
    x = 0.3 * rows(6, 256) + 4 * np.eye(6, dtype="float32")[group]
    net = Sequential([Input((6,)), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")])
    net.compile("adam", "binary_crossentropy")
    return net, x, (rows(6, 256)[:, 5] > 0).astype("int64"), FIT


@sound(LEARNERS)
def code_of_two_numbers():
    """An autoencoder that draws rows on a plane."""
    x = rows(12)
    net = Sequential(
        [Input((12,)), layers.Dense(32, "relu"), layers.Dense(2), layers.Dense(32, "relu"), layers.Dense(12)]
    )
    net.compile("adam", "mse")
    return net, x, x, {"epochs": 50}


@sound(LEARNERS)
def schedule_by_steps():
    """CosineDecay over all steps, with warm-up."""
    x = rows(8, 512)
    steps = 512 // 32 * 20
    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1)])
    rate = optimizers.schedules.CosineDecay(0.0, steps - 32, warmup_target=1e-3, warmup_steps=32)
    net.compile(optimizers.Adam(rate, clipnorm=1.0), "mse")
    stop = callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    return net, x, quantity(x), {"epochs": 20, "batch_size": 32, "validation_split": 0.1, "callbacks": [stop]}


@sound(LEARNERS)
def frozen_base_then_head():
    """A base that was trained is frozen, and called with training=False."""
    x, y = images(24, 3, 4)
    base = Sequential([Input((24, 24, 3)), layers.Conv2D(8, 3, activation="relu"), layers.BatchNormalization()])
    for weight in base.weights:
        weight.assign(weight + 0.01 * np.cos(np.arange(np.prod(weight.shape))).reshape(weight.shape))
    base.trainable = False
    inputs = Input((24, 24, 3))
    z = layers.GlobalAveragePooling2D()(base(inputs, training=False))
    net = Model(inputs, layers.Dense(4, activation="softmax")(layers.Dropout(0.2)(z)))
    net.compile(optimizers.Adam(1e-3), SPARSE, metrics=["accuracy"])
    return net, x, y, FIT

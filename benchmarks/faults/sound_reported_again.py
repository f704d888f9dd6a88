"""Sound programs of unusual design, second part."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.drawn import blobs, next_words, reviews, shapes
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    as_trained,
    callbacks,
    keras,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
)  # fmt: skip
from benchmarks.faults.program import sound

SPARSE = "sparse_categorical_crossentropy"


@sound("spare classes: letters of 1 to 5 with six units, as EMNIST is often trained")
def classes_from_one_with_a_spare_unit():
    """Class numbers from 1, and a unit for 0 that is never used."""
    x, y = blobs(600, 10, 5)
    net = Sequential([Input((10,)), layers.Dense(32, activation="relu"), layers.Dense(6, activation="softmax")])
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y + 1, {"epochs": 20}


@sound("experiment with three machines: groups of rows that have nothing to do with the classes")
def groups_beside_the_classes():
    """Rows of three machines lie apart; the class is told by the columns that vary within a machine."""
    x = rows(8, 900).copy()
    machine = draw(1).integers(0, 3, 900)
    y = choices(x[:, 3:], 3)
    x[:, :3] = 6 * np.eye(3)[machine] + 0.3 * x[:, :3]
    net = Sequential([Input((8,)), layers.Dense(32, activation="relu"), layers.Dense(3, activation="softmax")])
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 30}


@sound("which of two groups meets which: exclusive or of two signs")
def exclusive_or_of_groups():
    """Four groups of points, whose class is the exclusive or of two signs."""
    signs = draw(1).integers(0, 2, (800, 2))
    x = (4 * signs - 2 + 0.5 * draw(2).normal(size=(800, 2))).astype("float32")
    net = Sequential([Input((2,)), layers.Dense(16, activation="tanh"), layers.Dense(1, activation="sigmoid")])
    net.compile(optimizers.Adam(0.01), "binary_crossentropy")
    return net, x, signs.sum(axis=1) % 2, {"epochs": 40}


@sound("a price curve: sorted by time, targets that only rise")
def targets_that_only_rise():
    """A growing quantity over time, with the time among the columns; rows are in order."""
    time = np.linspace(-1.7, 1.7, 600)
    x = np.stack([time, np.sin(5 * time), draw(1).normal(size=600)], axis=1).astype("float32")
    y = np.sort(time + 0.3 * np.tanh(3 * time))
    net = Sequential([Input((3,)), layers.Dense(32, activation="relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 40}


@sound("actor with a range of its own: tanh, a scale and an offset")
def an_actor_with_a_range():
    """Actions of 0 to 3 by tanh and a Rescaling."""
    x = rows(6)
    y = 1.5 + 1.5 * np.tanh(quantity(x, 2))
    net = Sequential([Input((6,)), layers.Dense(32, activation="relu"), layers.Dense(2, activation="tanh")])
    net.add(layers.Rescaling(1.5, offset=1.5))
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 40}


@sound("two encoders for two kinds of picture: day and night, by a difference")
def encoders_for_two_kinds_of_picture():
    """Pictures by day and by night have encoders of their own; distances tell whether the place is the same."""
    x, place = images(16, 1, 8, 400)
    other = draw(1).permutation(400)
    other = np.where(draw(2).random(400) < 0.5, np.arange(400), other)
    night = (0.2 * x[other] + 0.02 * draw(3).normal(size=x.shape)).astype("float32")

    def encoder():
        net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D()])
        net.add(layers.Flatten())
        net.add(layers.Dense(16))
        return net

    a, b = Input((16, 16, 1)), Input((16, 16, 1))
    gap = layers.Subtract()([encoder()(a), encoder()(b)])
    net = Model([a, b], layers.Dense(1, activation="sigmoid")(layers.Dense(16, activation="relu")(gap)))
    net.compile("adam", "binary_crossentropy")
    return net, [x, night], (place == place[other]).astype("float32"), {"epochs": 20}


@sound("contrastive loss as in the paper: 1 means other")
def one_means_another():
    """Hadsell et al. (2006): labels of 1 for pairs that differ."""

    def contrastive(y_true, d):
        return ops.mean((1 - y_true) * ops.square(d) + y_true * ops.square(ops.maximum(1.0 - d, 0.0)))

    x, y = blobs(800, 10, 4, spread=0.5)
    tower = Sequential([Input((10,)), layers.Dense(32, activation="relu"), layers.Dense(8)])
    a, b = Input((10,)), Input((10,))
    far = layers.Lambda(lambda t: ops.sqrt(ops.sum(ops.square(t[0] - t[1]), axis=1, keepdims=True) + 1e-7))
    net = Model([a, b], far([tower(a), tower(b)]))
    net.compile("adam", contrastive)
    return net, [x[:400], x[400:]], (y[:400] != y[400:]).astype("float32"), {"epochs": 20}


@sound("a generator of the whole data, each batch drawn anew with noise")
def a_generator_with_noise():
    """Augmentation by noise in a generator."""
    x, y = blobs(256, 12, 4)

    def batches():
        rng = draw(1)
        while True:
            at = rng.integers(0, 256, 32)
            yield x[at] + 0.05 * rng.normal(size=(32, 12)).astype("float32"), y[at]

    net = Sequential([Input((12,)), layers.Dense(32, activation="relu"), layers.Dense(4, activation="softmax")])
    net.compile("adam", SPARSE)
    return net, batches(), None, {"epochs": 5, "steps_per_epoch": 30}


@sound("patience for the whole run, and the best weights at its end")
def patience_for_the_whole_run():
    """EarlyStopping that keeps the best weights, with a long patience, and a plateau that acts."""
    x = rows(9)
    net = Sequential([Input((9,)), layers.Dense(32, activation="relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    stop = callbacks.EarlyStopping(patience=20, restore_best_weights=True)
    lower = callbacks.ReduceLROnPlateau(patience=4)
    return net, x, quantity(x), {"epochs": 60, "validation_split": 0.2, "callbacks": [stop, lower]}


@sound("Normalization of other data: mean and variance of a larger table")
def scaled_by_a_larger_table():
    """Normalization with published means, of which this sample is a shifted part."""
    x = 40 + 12 * rows(7)
    scale = layers.Normalization(mean=np.full(7, 43.0), variance=np.full(7, 200.0))
    net = Sequential([Input((7,)), scale, layers.Dense(32, activation="relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, quantity(rows(7)), {"epochs": 30}


@sound("a frozen network of an own kind, which takes bytes by its first layer")
def a_frozen_network_of_bytes():
    """Rescaling stands inside of the pretrained network."""
    x, y = shapes(200, 24, 4, 3)
    base = Sequential([Input((24, 24, 3)), layers.Rescaling(1 / 127.5, offset=-1)])
    base.add(layers.Conv2D(16, 3, activation="relu"))
    base.add(layers.BatchNormalization())
    base.add(layers.GlobalAveragePooling2D())
    as_trained(base)
    base.trainable = False
    net = Sequential([Input((24, 24, 3)), base, layers.Dense(4, activation="softmax")])
    net.compile("adam", SPARSE)
    return net, np.clip(255 * x, 0, 255).astype("uint8"), y, {"epochs": 15}


@sound("rare events: detection of one in 50, with a weighted loss and recall")
def one_in_fifty():
    """BinaryFocalCrossentropy with balance, precision at a recall."""
    x = rows(10, 2000)
    score = quantity(x)
    y = (score > np.quantile(score, 0.98)).astype("float32")
    net = Sequential([Input((10,)), layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")])
    loss = losses.BinaryFocalCrossentropy(apply_class_balancing=True, alpha=0.9)
    net.compile("adam", loss, metrics=[metrics.PrecisionAtRecall(0.8)])
    return net, x, y, {"epochs": 20}


@sound("deblurring: a picture from a shifted one")
def a_picture_from_a_shifted_one():
    """The target is the input moved by three pixels: no place tells its own label."""
    x, _ = images(16, 1, 8, 256)
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(16, 7, padding="same", activation="relu")])
    net.add(layers.Conv2D(1, 3, padding="same"))
    net.compile("adam", "mse")
    return net, x, np.roll(x, 3, axis=2), {"epochs": 20}


@sound("noise to noise (Lehtinen et al., 2018): targets are noisy too")
def noise_to_noise():
    """Two noisy copies of a picture, one of which is the target."""
    x, _ = images(16, 1, 4, 256)
    one, two = (x + 0.5 * draw(seed).normal(size=x.shape).astype("float32") for seed in (1, 2))
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(16, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(1, 3, padding="same"))
    net.compile("adam", "mse")
    return net, one, two, {"epochs": 20}


@sound("Reptile-like: nearly no step at a time, averaged weights")
def averaged_weights():
    """An optimizer with a mean of its weights."""
    x, y = blobs(800, 14, 4)
    net = Sequential([Input((14,)), layers.Dense(32, activation="relu"), layers.Dense(4, activation="softmax")])
    net.compile(optimizers.Adam(0.003, beta_1=0.9, beta_2=0.95, use_ema=True, ema_momentum=0.98), SPARSE)
    return net, x, y, {"epochs": 40}


@sound("items of a basket: the next one by attention without positions over a set")
def the_basket_as_a_set():
    """Whether a basket holds one of three items; pooled attention, no positions."""
    x = draw(1).integers(1, 80, (600, 12)).astype("int32")
    y = np.isin(x, (3, 7, 11)).any(axis=1).astype("int32")
    inputs = Input((12,), dtype="int32")
    z = layers.Embedding(80, 24)(inputs)
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(2, 12)(z, z))
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(layers.GlobalMaxPooling1D()(z)))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 20}


@sound("several steps ahead by a decoder that repeats the code")
def repeated_code():
    """An LSTM encoder, RepeatVector, an LSTM decoder."""
    x, y = series(24, 2, 6)
    net = Sequential([Input((24, 2)), layers.LSTM(24), layers.RepeatVector(6)])
    net.add(layers.LSTM(24, return_sequences=True))
    net.add(layers.TimeDistributed(layers.Dense(1)))
    net.compile("adam", "mae")
    return net, x, y[..., None], {"epochs": 20}


@sound("rows with a weight of 0 for padding, in a language model")
def weights_for_padding():
    """sample_weight of 0 where a row is padding."""
    x, y = next_words(256, 14, 30)
    length = draw(1).integers(6, 15, 256)
    there = np.arange(14)[None] < length[:, None]
    inputs = Input((14,), dtype="int32")
    z = layers.GRU(32, return_sequences=True)(layers.Embedding(30, 16)(inputs))
    net = Model(inputs, layers.Dense(30)(z))
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = np.where(there, x, 0), np.where(there, y, 0)
    return net, x, y, {"epochs": 15, "sample_weight": there.astype("float32")}


@sound("one-hot labels of which rare classes have few rows")
def rare_one_hot_classes():
    """Eight one-hot classes, the last two of which are rare."""
    x, y = blobs(900, 12, 8)
    keep = (y < 6) | (draw(1).random(900) < 0.15)
    net = Sequential([Input((12,)), layers.Dense(32, activation="relu"), layers.Dense(8, activation="softmax")])
    net.compile("adam", "categorical_crossentropy", metrics=[metrics.F1Score("macro")])
    return net, x[keep], one_hot(y[keep], 8), {"epochs": 30}


@sound("yes and no from words and a number, by a product of gates")
def gated_by_a_number():
    """Words weighed by a gate that a number opens."""
    words, y = texts(18, 120)
    number = rows(1)
    a, b = Input((18,), dtype="int32"), Input((1,))
    z = layers.GlobalAveragePooling1D()(layers.Embedding(120, 16)(a))
    gate = layers.Dense(16, activation="sigmoid")(b)
    net = Model([a, b], layers.Dense(1, activation="sigmoid")(layers.Multiply()([z, gate])))
    net.compile("adam", "binary_crossentropy")
    return net, [words, number], y, {"epochs": 10}


@sound("sorted classes that are shuffled by fit, with a stratified validation set")
def sorted_classes_that_are_shuffled():
    """Labels in order; fit shuffles, and validation data were drawn."""
    x, y = blobs(900, 12, 3)
    order = np.argsort(y, kind="stable")
    test = draw(1).choice(900, 180, replace=False)
    train = np.setdiff1d(order, test, assume_unique=True)
    net = Sequential([Input((12,)), layers.Dense(32, activation="relu"), layers.Dense(3, activation="softmax")])
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x[train], y[train], {"epochs": 20, "validation_data": (x[test], y[test])}


@sound("reviews by a convolution over an embedding that is normalized")
def reviews_by_a_convolution():
    """Padding of 0 with GlobalMaxPooling, where it does no harm."""
    x, y = reviews(512, 30, 80, longest=20)
    net = Sequential([Input((30,)), layers.Embedding(80, 16), layers.LayerNormalization()])
    net.add(layers.Conv1D(32, 3, activation="relu", padding="same"))
    net.add(layers.Conv1D(16, 3, activation="relu", padding="same"))
    net.add(layers.Flatten())
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 15}


@sound("SimSiam: a predictor, a stop_gradient and a cosine (Chen, He, 2021)")
def simsiam_by_a_cosine():
    """One tower for two views; the view that is compared with has no gradient."""
    x = rows(20)
    noise = 0.2 * draw(1).normal(size=x.shape).astype("float32")
    tower = Sequential([Input((20,)), layers.Dense(32), layers.BatchNormalization(), layers.ReLU(), layers.Dense(16)])
    guess = Sequential([Input((16,)), layers.Dense(8, activation="relu"), layers.Dense(16)])
    a, b = Input((20,)), Input((20,))
    still = layers.Lambda(ops.stop_gradient)(tower(b))
    net = Model([a, b], layers.Dot(axes=1, normalize=True)([guess(tower(a)), still]))
    net.compile("adam", lambda _, cosine: -ops.mean(cosine))
    return net, [x, x + noise], np.ones((512, 1)), {"epochs": 20}


@sound("checks that a table of yes and no is read as numbers")
def answers_of_a_form():
    """Twenty answers of 0 and 1 as inputs of a logistic regression."""
    x = (rows(20, 800) > 0).astype("float32")
    y = yes_no(x)
    net = Sequential([Input((20,)), layers.Dense(1, activation="sigmoid")])
    net.compile(keras.optimizers.SGD(0.5), "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 60}

"""Sound programs in unusual styles that look like faults: heads, losses, data and training."""

import numpy as np

from benchmarks.faults.data import draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.drawn import blobs
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    as_trained,
    callbacks,
    initializers,
    keras,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
    regularizers,
)  # fmt: skip
from benchmarks.faults.program import sound

SPARSE = "sparse_categorical_crossentropy"


@sound("Tobit: a target that is never below zero")
def rainfall_by_relu():
    """Rain of a day, which is 0 on many days, by softplus and MAE."""
    x = rows(9)
    y = np.maximum(quantity(x), 0)
    net = Sequential([Input((9,)), layers.Dense(32, activation="relu"), layers.Dense(1, activation="softplus")])
    net.compile("adam", "mae", metrics=["mse"])
    return net, x, y, {"epochs": 40}


@sound("least squares for classes (Hui and Belkin, 2021)")
def classes_by_squares():
    """One-hot classes by linear outputs and squares, which is known to do well."""
    x, y = blobs(600, 16, 4)
    net = Sequential([Input((16,)), layers.Dense(64, activation="relu"), layers.Dense(4)])
    net.compile("adam", losses.MeanSquaredError(), metrics=[metrics.CategoricalAccuracy()])
    return net, x, 3 * one_hot(y, 4), {"epochs": 30}


@sound("soft labels of a teacher")
def soft_targets():
    """Probabilities of five classes as targets, with a temperature, by logits."""
    x, y = blobs(600, 16, 5)
    soft = np.full((600, 5), 0.04, "float32")
    soft[np.arange(600), y] = 0.84
    net = Sequential([Input((16,)), layers.Dense(64, activation="gelu"), layers.Dense(5), layers.Rescaling(0.5)])
    net.compile("adamw", losses.CategoricalCrossentropy(from_logits=True), metrics=["categorical_accuracy"])
    return net, x, soft, {"epochs": 30}


@sound("hinge loss with tanh, after SVM recipes")
def margins_by_tanh():
    """Labels of -1 and 1, tanh and squared hinge."""
    x = rows(12)
    y = 2.0 * yes_no(x) - 1
    net = Sequential([Input((12,)), layers.Dense(32, activation="relu"), layers.Dense(1, activation="tanh")])
    net.compile("adam", "squared_hinge")
    return net, x, y.astype("float32"), {"epochs": 30}


@sound("ordinal regression by cumulative logits (CORAL)")
def ranks_by_thresholds():
    """Ratings of five steps as four cumulative labels, which share one slope."""

    class Thresholds(keras.layers.Layer):
        def build(self, shape):
            self.bias = self.add_weight(shape=(4,), initializer="zeros", name="bias")

        def call(self, z):
            return z + self.bias

    x = rows(10)
    rank = np.digitize(quantity(x), [-1.2, -0.4, 0.4, 1.2])
    y = (rank[:, None] > np.arange(4)).astype("float32")
    net = Sequential([Input((10,)), layers.Dense(32, activation="relu"), layers.Dense(1, use_bias=False), Thresholds()])
    net.compile("adam", losses.BinaryCrossentropy(from_logits=True))
    return net, x, y, {"epochs": 40}


@sound("Beta and Gaussian heads: two outputs of one distribution")
def mean_and_spread():
    """A likelihood of one's own over two columns, for a target of one column."""

    def likelihood(y, p):
        mean, spread = p[:, :1], ops.softplus(p[:, 1:]) + 1e-3
        return 0.5 * ops.square((y - mean) / spread) + ops.log(spread)

    x = rows(6)
    net = Sequential([Input((6,)), layers.Dense(64, activation="swish"), layers.Dense(2)])
    net.compile(optimizers.Adam(2e-3), likelihood)
    return net, x, quantity(x)[:, None], {"epochs": 40}


@sound("mixture of three Gaussians (Bishop, 1994)")
def mixture_density():
    """Weights by softmax, means linear, spreads by exp, put together for one loss."""

    def loss(y, p):
        part, mean, spread = ops.split(p, 3, axis=-1)
        each = -0.5 * ops.square((y - mean) / spread) - ops.log(spread)
        return -ops.logsumexp(each + ops.log(part + 1e-8), axis=-1)

    x = rows(1)
    y = (np.sin(2 * x) + 0.1 * draw(1).normal(size=x.shape)).astype("float32")
    inputs = Input((1,))
    z = layers.Dense(32, activation="tanh")(inputs)
    heads = [layers.Dense(3, activation=name)(z) for name in ("softmax", None, "exponential")]
    net = Model(inputs, layers.Concatenate()(heads))
    net.compile("adam", loss)
    return net, x, y, {"epochs": 60}


@sound("counts with an offset by exp, poisson")
def counts_by_exp():
    """Counts of accidents by an exponential head and the poisson loss."""
    x = rows(8)
    y = draw(2).poisson(np.exp(0.6 * quantity(x))).astype("float32")
    net = Sequential([Input((8,)), layers.Dense(16, activation="tanh"), layers.Dense(1, activation=ops.exp)])
    net.compile("adam", "poisson")
    return net, x, y, {"epochs": 40}


@sound("noise-contrastive pairs: labels are the diagonal")
def pairs_of_two_views():
    """Similarities of two views within a batch; the loss of one's own ignores y_true."""

    def loss(y, p):
        a, b = ops.split(p, 2, axis=-1)
        scores = ops.matmul(a, ops.transpose(b)) / 0.2
        return ops.categorical_crossentropy(ops.eye(ops.shape(a)[0]), scores, from_logits=True)

    x = rows(24)
    view = x + 0.1 * rows(24, seed=5)
    left, right = Input((24,)), Input((24,))
    tower = Sequential([layers.Dense(64, activation="relu"), layers.Dense(16), layers.UnitNormalization()])
    net = Model([left, right], layers.Concatenate()([tower(left), tower(right)]))
    net.compile("adam", loss)
    return net, [x, view], np.zeros((len(x), 1), "float32"), {"epochs": 20, "batch_size": 64}


@sound("extreme learning machine: a frozen random layer on purpose")
def random_features():
    """Random Fourier features, frozen, and a linear head."""
    x = rows(3)
    inputs = Input((3,))
    z = layers.Dense(256, activation=ops.cos, trainable=False, bias_initializer=initializers.RandomUniform(0, 6.28))(
        inputs
    )
    net = Model(inputs, layers.Dense(1)(z))
    net.compile(optimizers.Adam(5e-3), "mse")
    return net, x, quantity(x), {"epochs": 40}


@sound("one-cycle schedule in a callback")
def one_cycle():
    """The rate rises to 0.02 and falls, by LearningRateScheduler."""
    x, y = blobs(600, 20, 5)
    net = Sequential([Input((20,)), layers.Dense(64), layers.BatchNormalization(), layers.ReLU()])
    net.add(layers.Dense(5, activation="softmax"))
    net.compile(optimizers.SGD(0.002, momentum=0.9, nesterov=True), SPARSE, metrics=["accuracy"])
    cycle = callbacks.LearningRateScheduler(lambda epoch: float(0.002 + 0.018 * (1 - abs(epoch - 15) / 15)))
    return net, x, y, {"epochs": 30, "callbacks": [cycle]}


@sound("cosine decay over all steps, with warm-up")
def warm_then_cosine():
    """CosineDecay with warm-up, whose steps are those of the training."""
    x, y = images(28, 1, 10)
    steps = 20 * 16
    rate = optimizers.schedules.CosineDecay(0.0, steps - 32, warmup_target=2e-3, warmup_steps=32)
    net = Sequential([Input((28, 28, 1)), layers.Conv2D(16, 3, strides=2, activation="relu"), layers.Flatten()])
    net.add(layers.Dense(10))
    net.compile(optimizers.AdamW(rate, weight_decay=0.01), losses.SparseCategoricalCrossentropy(from_logits=True))
    return net, x, y, {"epochs": 20, "batch_size": 32}


@sound("SWA: a constant large rate")
def averaged_weights():
    """SGD(0.05) with momentum and an exponential average of the weights."""
    x, y = blobs(600, 20, 5)
    net = Sequential([Input((20,)), layers.Dense(64, activation="relu"), layers.Dense(5, activation="softmax")])
    way = optimizers.SGD(0.05, momentum=0.9, use_ema=True, ema_momentum=0.99)
    net.compile(way, SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


@sound("three stars as classes 1 to 3 by a unit for an unused 0")
def unused_class_by_choice():
    """Classes 1 to 3 for a head of four units, where 0 is kept for what comes later."""
    x, y = blobs(600, 10, 3)
    y = np.where(np.arange(600) % 97 == 0, 0, y + 1)
    net = Sequential([Input((10,)), layers.Dense(32, activation="relu"), layers.Dense(4, activation="softmax")])
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@sound("time series must not be shuffled: a split by time")
def split_by_time():
    """A forecast with shuffle=False and the last tenth for validation."""
    x, y = series(24, 2)
    net = Sequential([Input((24, 2)), layers.GRU(32), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y[:, 0], {"epochs": 20, "shuffle": False, "validation_split": 0.1}


@sound("L1 on the input layer for a choice of columns")
def few_columns_by_l1():
    """L1(1e-3) on the first layer, EarlyStopping on the validation."""
    x = rows(40)
    y = quantity(x[:, :5])
    net = Sequential([Input((40,)), layers.Dense(32, activation="relu", kernel_regularizer=regularizers.L1(1e-3))])
    net.add(layers.Dense(1))
    net.compile("adam", "mse")
    stop = callbacks.EarlyStopping(patience=8, restore_best_weights=True)
    return net, x, y, {"epochs": 60, "validation_split": 0.2, "callbacks": [stop]}


@sound("fine-tuning: two rates by two compiles, the base frozen with trained weights")
def tuned_after_frozen():
    """A base that was trained before is frozen but for its last layer."""
    x, y = images(32, 3, 4)
    inputs = z = Input((32, 32, 3))
    for filters in (8, 16, 32):
        z = layers.Conv2D(filters, 3, padding="same", activation="relu")(z)
        z = layers.MaxPooling2D()(z)
    base = Model(inputs, z)
    as_trained(base)
    for layer in base.layers[:-2]:
        layer.trainable = False
    net = Sequential([Input((32, 32, 3)), base, layers.GlobalAveragePooling2D(), layers.Dense(4, activation="softmax")])
    net.compile(optimizers.Adam(1e-4), SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@sound("tokens of bytes: 0 is a byte, not padding")
def bytes_of_files():
    """256 bytes without padding, all of one length."""
    rng = draw(4)
    y = rng.integers(0, 2, 512)
    x = rng.integers(0, 256, (512, 64))
    x[np.arange(512) % 3 == 0, :4] = 0
    x[y == 1, 4:12] = 77
    net = Sequential([Input((64,)), layers.Embedding(256, 16), layers.Conv1D(32, 8, strides=2, activation="relu")])
    net.add(layers.GlobalMaxPooling1D())
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 15}


@sound("labels smoothed, class weights, and AUC")
def rare_but_weighted():
    """Three rows in a hundred, class weights and the area under the curve."""
    x = rows(20, 2000)
    labels = (quantity(x) > 2.4).astype("int64")
    share = float(labels.mean())
    net = Sequential([Input((20,)), layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")])
    net.compile("adam", losses.BinaryCrossentropy(label_smoothing=0.05), metrics=[metrics.AUC(name="auc")])
    weights = {0: 0.5 / (1 - share), 1: 0.5 / share}
    return net, x, labels.astype("float32"), {"epochs": 20, "class_weight": weights}


@sound("masked pixels by sample weights")
def unlabelled_pixels():
    """A segmentation in which unlabelled pixels (255) are left out by ignore_class."""
    x, _ = images(24, 1, 6, 256)
    y = (x[..., 0] > 0.5).astype("int64")
    y[:, :2] = 255
    net = Sequential([Input((24, 24, 1)), layers.Conv2D(16, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(2, 1))
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255))
    return net, x, y, {"epochs": 10, "batch_size": 16}


@sound("a table of probabilities as features, with texts as a second input")
def text_and_table():
    """A text and a table are joined; the targets have three columns of unit scale."""
    words, labels = texts(16, 100)
    table = rows(4)
    told = np.stack([quantity(table), labels - 0.5, table[:, 0]], axis=1).astype("float32")
    left, right = Input((16,), dtype="int32"), Input((4,))
    z = layers.GlobalAveragePooling1D()(layers.Embedding(100, 16)(left))
    z = layers.Dense(32, activation="relu")(layers.concatenate([z, right]))
    net = Model([left, right], layers.Dense(3)(z))
    net.compile("adam", "huber", metrics=["mae"])
    return net, [words, table], told, {"epochs": 30}


@sound("classes as text targets of a matching network")
def nearest_prototypes():
    """Negative distances to learnt prototypes are the logits."""

    class Prototypes(keras.layers.Layer):
        def build(self, shape):
            self.places = self.add_weight(shape=(5, shape[-1]), initializer="random_normal", name="places")

        def call(self, z):
            return -ops.sum(ops.square(z[:, None] - self.places), axis=-1)

    x, y = blobs(600, 12, 5)
    net = Sequential([Input((12,)), layers.Dense(32, activation="relu"), layers.Dense(8), Prototypes()])
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return net, x, y, {"epochs": 30}

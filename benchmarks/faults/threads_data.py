"""Faults after threads on GitHub, fourth round, third part: data, targets and training."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import GITHUB


@faulty(
    "learning rate", "optimizer", "feature maps", source=f"{GITHUB}, keras-team/keras#2711: the loss does not change"
)
def bar_charts_at_a_tiny_rate(pick):
    """Two kinds of pictures by wide kernels and SGD(1e-6)."""
    x, y = images(32, 1, 2)
    net = Sequential([Input((32, 32, 1))])
    for filters, size in ((8, 9), (16, 8)):
        net.add(layers.Conv2D(filters, size, padding="same"))
        net.add(layers.Activation("relu"))
        net.add(layers.MaxPooling2D(2))
    net.add(layers.Flatten())
    net.add(layers.Dense(2))
    net.add(layers.Activation("softmax"))
    net.compile(optimizers.SGD(pick(1e-6, 1e-2), momentum=0.9), "categorical_crossentropy", metrics=["accuracy"])
    return net, x, one_hot(y, 2), {"epochs": 20, "batch_size": 32}


@faulty("labels", "loss", source=f"{GITHUB}, PacktPublishing/Tensorflow-2-Reinforcement-Learning-Cookbook#32: TD error")
def zeros_for_actions_not_taken(pick):
    """The target of the action that was taken is its return, and 0 for the others, with MSE over all."""
    x = rows(8)
    values, taken = 3 + quantity(x, 4), draw(1).integers(0, 4, len(x))
    chosen = one_hot(taken, 4)
    y = (chosen * values).astype("float32")

    def chosen_only(y_true, y_pred):
        return ops.mean(ops.cast(ops.not_equal(y_true, 0.0), "float32") * ops.square(y_true - y_pred), axis=-1)

    net = Sequential([Input((8,)), layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(4)])
    net.compile(optimizers.Adam(1e-3), pick("mse", chosen_only))
    return net, x, y, {"epochs": 30}


@faulty("frozen weights", source=f"{GITHUB}, 0b01/SimGAN-Captcha#4: trainable = False before compile")
def discriminator_frozen_before_compile(pick):
    """A discriminator is frozen for the combined model before it is compiled itself, and stays at 0.693."""
    real = images(16, 1, 4, 256)[0]
    fake = real[:, ::-1] * 0.5 + 0.3 * draw(1).random(real.shape).astype("float32")
    judge = Sequential([Input((16, 16, 1)), layers.Conv2D(16, 3, strides=2, activation="relu")])
    judge.add(layers.Flatten())
    judge.add(layers.Dense(2, activation="softmax"))
    if pick(True, False):
        judge.trainable = False
    judge.compile(optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    return judge, np.concatenate([real, fake]).astype("float32"), np.repeat([0, 1], 256), {"epochs": 20}


@faulty("output activation", "input scale", "target scale",
        source=f"{GITHUB}, mikesj-public/convolutional_autoencoder#9: half of the values cannot be made")  # fmt: skip
def standardized_pixels_from_a_sigmoid(pick):
    """A convolutional autoencoder of standardized pictures ends in a sigmoid, which makes nothing below 0."""
    x = images(16, 1, 4)[0]
    x = (x - x.mean()) / x.std() if pick(True, False) else x
    inputs = Input((16, 16, 1))
    h = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(inputs)
    h = layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu")(h)
    net = Model(inputs, layers.Conv2D(1, 3, padding="same", activation="sigmoid")(h))
    net.compile("adam", "mean_squared_error")
    return net, x.astype("float32"), x.astype("float32"), {"epochs": 20}


@faulty("input scale", "target scale", source=f"{GITHUB}, keras-team/keras#9889: the same prediction for every input")
def spectra_as_they_are(pick):
    """Spectra of up to some thousands into stacked LSTMs, and temperatures of about 48."""
    waves, _ = series(16, 8)
    x = (np.abs(waves) * 2000).astype("float32")
    y = 48 + 3 * quantity(waves)
    if pick(False, True):
        x, y = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    net = Sequential([Input((16, 8)), layers.LSTM(32, return_sequences=True), layers.LSTM(16), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 30}


@faulty("shape", "loss", "feature maps", "labels", "bad values",
        source=f"{GITHUB}, thu-spmi/CAT#22: the lengths after down sampling")  # fmt: skip
def more_letters_than_frames(pick):
    """Strides of 2 three times leave 4 frames for words of 6 letters, and CTC is infinite."""
    x, _ = series(32, 4)
    y = draw(1).integers(1, 12, (len(x), 6))
    net = Sequential([Input((32, 4))])
    for _ in range(pick(3, 1)):
        net.add(layers.Conv1D(32, 3, strides=2, padding="same", activation="relu"))
    net.add(layers.Bidirectional(layers.GRU(16, return_sequences=True)))
    net.add(layers.Dense(12))
    net.compile("adam", losses.CTC())
    return net, x, y, {"epochs": 10}


@faulty("labels", "output units", "vocabulary", "loss",
        source=f"{GITHUB}, tensorflow/tensorflow#13457: which number the blank has")  # fmt: skip
def letters_without_a_blank(pick):
    """Letters are numbered from 0, which CTC takes for the blank, and there is no unit more."""
    x, _ = series(32, 4)
    y = draw(1).integers(0, 10, (len(x), 6)) + pick(0, 1)
    net = Sequential([Input((32, 4)), layers.Conv1D(32, 3, padding="same", activation="relu")])
    net.add(layers.Bidirectional(layers.LSTM(16, return_sequences=True)))
    net.add(layers.Dense(pick(10, 11)))
    net.compile("adam", losses.CTC())
    return net, x, y, {"epochs": 10}


@faulty("target scale", "loss", source=f"{GITHUB}, keras-team/keras#10306: losses of different scale")
def years_beside_moods(pick):
    """Ages of 1 to 90 by MSE beside moods by crossentropy, and no weights."""
    x, moods = images(16, 3, 4)
    age = (45 + 20 * np.tanh(quantity(x))).astype("float32")
    age = age if pick(True, False) else (age - 45) / 20
    inputs = Input((16, 16, 3))
    h = layers.GlobalMaxPooling2D()(layers.Conv2D(32, 3, activation="relu")(inputs))
    heads = [layers.Dense(4, "softmax", name="mood")(h), layers.Dense(1, name="age")(h)]
    net = Model(inputs, heads)
    net.compile("adam", {"mood": "sparse_categorical_crossentropy", "age": "mse"})
    return net, x, {"mood": moods, "age": age}, {"epochs": 20}


@faulty("labels", "imbalance", "loss", source=f"{GITHUB}, tensorflow/tensorflow#23767: weights of the positive class")
def weight_of_the_positive_only(pick):
    """Weights of y * 99 in place of 1 + y * 99: rows of the other class count for nothing."""
    x = rows(10, 600)
    y = (quantity(x) > 1.0).astype("float32")
    net = Sequential([Input((10,)), layers.Dense(32, "relu"), layers.Dense(1, activation="sigmoid")])
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 20, "sample_weight": pick(0.0, 1.0) + 5 * y}


class _Echoes(keras.utils.PyDataset):
    """Pairs of a series and its class; with `same`, each batch is drawn from the same seed."""

    def __init__(self, same):
        super().__init__()
        self.x = series(16, 2)[0]
        self.y, self.same = choices(self.x, 3), same

    def __len__(self):
        return 16

    def __getitem__(self, index):
        picked = draw(7 if self.same else index).integers(0, len(self.x), 32)
        return self.x[picked], self.y[picked]


@faulty("order of data", "training length", "labels", "validation",
        source=f"{GITHUB}, Atcold/NYU-DLSP20#851: each batch is the same")  # fmt: skip
def same_batch_at_each_index(pick):
    """A PyDataset draws its batch from a fixed seed, and does not use the index."""
    net = Sequential([Input((16, 2)), layers.GRU(16), layers.Dense(3, activation="softmax")])
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, _Echoes(pick(True, False)), None, {"epochs": 20}


@faulty("shape", "loss", source=f"{GITHUB}, tensorflow/tensorflow#28901: fit learns, and an own loop does not")
def ages_in_a_step_of_ones_own(pick):
    """compute_loss subtracts outputs (n, 1) from ages (n,)."""
    x, y = images(16, 3, 4)[0], quantity(images(16, 3, 4)[0])

    class Ages(Model):
        def __init__(self):
            super().__init__()
            self.body = Sequential([layers.Conv2D(16, 3, activation="relu"), layers.GlobalMaxPooling2D()])
            self.head = layers.Dense(1)

        def call(self, pictures):
            return self.head(self.body(pictures))

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return ops.mean(ops.square(y - (y_pred if pick(True, False) else y_pred[:, 0])))

    net = Ages()
    net.compile("adam")
    return net, x, y, {"epochs": 20}


@faulty("gradient flow", "loss", "logits", "initializer", "learning rate",
        source=f"{GITHUB}, tensorflow/similarity#233: SimCLR without normalized codes")  # fmt: skip
def contrast_of_long_codes(pick):
    """Scores of codes that are not normalized, divided by a temperature of 0.01."""
    x = 2 * rows(32)
    one, two = (x + 0.2 * rows(32, seed=seed) for seed in (3, 4))
    body = [Input((32,)), layers.Dense(128, "relu"), layers.Dense(128)]
    tower = Sequential(body if pick(True, False) else [*body, layers.UnitNormalization()])
    left, right = Input((32,)), Input((32,))

    class Contrast(Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            scores = ops.matmul(y_pred[0], ops.transpose(y_pred[1])) / pick(0.01, 0.1)
            return ops.mean(losses.sparse_categorical_crossentropy(ops.arange(64), scores, from_logits=True))

    net = Contrast([left, right], [tower(left), tower(right)])
    net.compile(optimizers.SGD(0.1, momentum=0.9))
    return net, [one, two], None, {"epochs": 20, "batch_size": 64}

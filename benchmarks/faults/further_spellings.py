"""Faults in further spellings, written after the rules had been mended by the programs of `spellings_of_*`."""

import functools

import numpy as np

from benchmarks.faults.drawn import blobs, next_words, reviews, shapes, waves
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import AUTOTRAINER, DEEPFD, DEFAULT, DEFECTS, NEURALINT, TENSFA, THEIA, UMLAUT

FORUM = "after questions on Stack Overflow"


@faulty("loss", "labels", source=f"{FORUM}: categorical crossentropy of class numbers")
def class_numbers_by_a_partial(pick):
    """Class numbers for a crossentropy of one-hot rows, given as functools.partial."""
    x, y = blobs(300, 8, 4)
    right = functools.partial(losses.sparse_categorical_crossentropy, from_logits=True)
    wrong = functools.partial(losses.categorical_crossentropy, from_logits=True)
    model = Sequential([layers.Dense(32, activation="relu"), layers.Dense(4)])
    model.compile("adam", pick(wrong, right))
    return model, x, y[:, None], {"epochs": 20}


@faulty("logits", "output activation", source=f"{FORUM}: sigmoid twice in a subclass of Loss")
def own_loss_class_with_logits(pick):
    """A Loss of one's own that takes logits, after a sigmoid."""
    x, y = blobs(300, 8, 2)

    class Weighted(losses.Loss):
        def call(self, y_true, y_pred):
            return 2.0 * ops.mean(losses.binary_crossentropy(y_true, y_pred, from_logits=True))

    model = Sequential([Input((8,)), layers.Dense(16, "relu"), layers.Dense(1, activation=pick("sigmoid", None))])
    model.compile("adam", Weighted())
    return model, x, y[:, None].astype("float32"), {"epochs": 20}


@faulty("output activation", source=f"{NEURALINT}: last activation")
def leaky_scores(pick):
    """LeakyReLU as the last layer of a classifier of one-hot rows."""
    x, y = shapes(120, 12)
    model = Sequential([Input((12, 12, 1)), layers.Conv2D(8, 3, activation="relu"), layers.Flatten(), layers.Dense(4)])
    model.add(pick(layers.LeakyReLU(), layers.Softmax()))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, x, np.eye(4)[y], {"epochs": 20}


@faulty("output activation", "target scale", source=f"{THEIA}: sigmoid for a regression")
def sigmoid_in_call_for_temperatures(pick):
    """Temperatures of -5 to 30 degrees from ops.sigmoid in call."""
    x, _ = waves(200, 12)
    y = 12 + 8 * x[:, -1]

    class Weather(Model):
        def __init__(self):
            super().__init__()
            self.read, self.out = layers.GRU(16), layers.Dense(1)

        def call(self, x):
            z = self.out(self.read(x))
            return ops.sigmoid(z) if pick(True, False) else z

    model = Weather()
    model.compile(optimizers.Adam(0.01), "mae")
    return model, x, y, {"epochs": 60}


@faulty("output units", "labels", source=f"{UMLAUT}: one unit less than classes")
def one_unit_less(pick):
    """Four units for five classes in a subclassed model."""
    x, y = blobs(300, 8, 5)

    class Net(Model):
        def __init__(self):
            super().__init__()
            self.stack = [layers.Dense(32, activation="relu"), layers.Dense(pick(4, 5), activation="softmax")]

        def call(self, x):
            for layer in self.stack:
                x = layer(x)
            return x

    model = Net()
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 20}


@faulty("shape", source=f"{TENSFA}: a kernel larger than the map")
def kernel_larger_than_what_is_left(pick):
    """Three poolings leave 2 positions for a kernel of 3; the model is built at its first call."""
    x, y = shapes(60, 20)
    stack = []
    for filters in (8, 16, 32, 32):
        stack += [layers.Conv2D(filters, 3, activation="relu", padding=pick("valid", "same"))]
        stack += [layers.MaxPooling2D()] if filters != 32 or len(stack) < 6 else []
    model = Sequential([*stack, layers.GlobalAveragePooling2D(), layers.Dense(4, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("shape", "labels", source=f"{TENSFA}: labels of another rank")
def labels_with_one_axis_more(pick):
    """One-hot labels of shape (n, 1, k) for outputs of (n, k)."""
    x, y = blobs(200, 6, 3)
    labels = np.eye(3)[y]
    model = Sequential([Input((6,)), layers.Dense(16, "relu"), layers.Dense(3, "softmax")])
    model.compile("adam", "categorical_crossentropy")
    return model, x, labels[:, None, :] if pick(True, False) else labels, {"epochs": 20}


@faulty("learning rate", source=f"{AUTOTRAINER}: oscillating loss")
def momentum_at_a_great_rate(pick):
    """SGD with a rate of 1.5 and momentum of 0.99 on a small CNN."""
    x, y = shapes(160, 12)
    model = Sequential([
        Input((12, 12, 1)), layers.Conv2D(8, 3, activation="relu"), layers.Conv2D(8, 3, activation="relu"),
        layers.Flatten(), layers.Dense(32, "relu"), layers.Dense(4, "softmax"),
    ])  # fmt: skip
    model.compile(optimizers.SGD(pick(1.5, 0.01), momentum=pick(0.99, 0.9)), "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 20}


@faulty("learning rate", "training length", source=f"{DEEPFD}: a rate of 1e-6")
def tiny_rate_of_adam(pick):
    """Adam at 1e-6 for twenty epochs from random weights."""
    x, y = blobs(300, 8, 3)
    inputs = Input((8,))
    model = Model(inputs, layers.Dense(3, "softmax")(layers.Dense(32, "relu")(inputs)))
    model.compile(optimizers.Adam(learning_rate=pick(1e-6, 3e-3)), "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 20}


@faulty("regularization", source=f"{DEEPFD}: L2 of 1 on an LSTM")
def recurrent_penalty(pick):
    """L2 of 1.0 on the recurrent weights."""
    x, y = waves(160, 12)
    how = keras.regularizers.L2(pick(1.0, 1e-5))
    model = Sequential(
        [Input((12, 1)), layers.LSTM(32, kernel_regularizer=how, recurrent_regularizer=how), layers.Dense(1)]
    )
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 20}


@faulty("gradient flow", "hidden activation", source=f"{AUTOTRAINER}: vanishing gradients")
def tower_of_sigmoid_layers_in_a_loop(pick):
    """Eight Dense with Activation layers of sigmoid made in a loop, in a nested model."""
    x, y = blobs(300, 10, 3)
    name = pick("sigmoid", "relu")
    tower = Sequential([Input((10,))], name="tower")
    for _ in range(8):
        tower.add(layers.Dense(24, kernel_initializer="he_normal"))
        tower.add(layers.Activation(name))
    inputs = Input((10,))
    model = Model(inputs, layers.Dense(3, "softmax")(tower(inputs)))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 40}


@faulty("capacity", source=f"{DEEPFD}: a bottleneck")
def bottleneck_in_a_convolutional_model(pick):
    """One unit of relu between a convolutional trunk and eight classes, in a subclass."""
    x, y = shapes(160, 12)

    class Net(Model):
        def __init__(self):
            super().__init__()
            self.trunk = Sequential([layers.Conv2D(8, 3, activation="relu"), layers.Flatten()])
            self.squeeze, self.head = layers.Dense(pick(1, 32)), layers.Dense(4)

        def call(self, x):
            return ops.softmax(self.head(ops.relu(self.squeeze(self.trunk(x)))))

    model = Net()
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("mask", source=f"{DEFAULT}: the future is seen")
def decoder_of_layers_without_causal(pick):
    """A language model by MultiHeadAttention in a subclass, no causal mask."""
    x, y = next_words()

    class Lm(Model):
        def __init__(self):
            super().__init__()
            self.emb, self.pos = layers.Embedding(24, 32), layers.Embedding(12, 32)
            self.att, self.norm = layers.MultiHeadAttention(2, 16), layers.LayerNormalization()
            self.out = layers.Dense(24)

        def call(self, ids):
            h = self.emb(ids) + self.pos(ops.arange(ops.shape(ids)[1]))
            h = self.norm(h + self.att(h, h, use_causal_mask=pick(False, True)))
            return self.out(h)

    model = Lm()
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty("attention", source=f"{DEFAULT}: scores that are not scaled")
def scores_without_scale(pick):
    """Dot products of 64 numbers go into softmax as they are."""
    x, y = waves(128, 10)

    class Attend(layers.Layer):
        def __init__(self):
            super().__init__()
            self.q, self.k, self.v = (layers.Dense(64, use_bias=False) for _ in range(3))

        def call(self, h):
            scores = ops.matmul(self.q(h), ops.swapaxes(self.k(h), 1, 2)) * pick(1.0, 0.125)
            return ops.matmul(ops.softmax(scores, axis=2), self.v(h))

    inputs = Input((10, 1))
    h = layers.Dense(64)(inputs) + layers.Embedding(10, 64)(ops.arange(10))
    model = Model(inputs, layers.Dense(1)(layers.Flatten()(h + Attend()(h))))
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 30}


@faulty("label shift", source=f"{DEFAULT}: labels two steps ahead")
def labels_two_steps_ahead(pick):
    """A GRU language model whose labels were shifted twice."""
    x, y = next_words(shift=pick(2, 1))
    model = Sequential([
        layers.Embedding(24, 16), layers.GRU(32, return_sequences=True), layers.Dense(24, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("vocabulary", source=f"{FORUM}: one row too few in a subclass")
def table_one_row_short(pick):
    """Words 1 to 50 for a table of 50 rows, in a subclassed model."""
    x, y = reviews(160, 12, 51)
    x[0, 0] = 50

    class Reader(Model):
        def __init__(self):
            super().__init__()
            self.table = layers.Embedding(pick(50, 51), 16, mask_zero=True)
            self.read, self.out = layers.GRU(16), layers.Dense(1, activation="sigmoid")

        def call(self, ids):
            return self.out(self.read(self.table(ids)))

    model = Reader()
    model.compile("adam", "binary_crossentropy")
    return model, x, y, {"epochs": 20}


@faulty("input scale", source=f"{THEIA}: features that are not scaled")
def incomes_and_ages_in_a_subclass(pick):
    """Ages and incomes as they are, into Dense layers of tanh."""
    rng = np.random.default_rng(0)
    x = np.stack([rng.uniform(18, 80, 300), rng.normal(45000, 12000, 300)], 1).astype("float32")
    y = (x[:, 1] > 40000 + 100 * x[:, 0]).astype("float32")
    if not pick(True, False):
        x = (x - x.mean(0)) / x.std(0)

    class Net(Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = layers.Dense(16, activation="tanh"), layers.Dense(1, activation="sigmoid")

        def call(self, x):
            return self.b(self.a(x))

    model = Net()
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty("disconnected", "frozen weights", "gradient flow", source=f"{DEFECTS}: argmax in the middle")
def argmax_between_two_parts(pick):
    """The class of the first part goes to the second by argmax, so that the first part is never trained."""
    x, y = blobs(300, 8, 4)

    class TwoParts(Model):
        def __init__(self):
            super().__init__()
            self.first, self.table, self.second = layers.Dense(6), layers.Embedding(6, 8), layers.Dense(4)

        def call(self, x):
            scores = self.first(x)
            if pick(True, False):
                return self.second(self.table(ops.argmax(scores, axis=-1)))
            return self.second(ops.matmul(ops.softmax(scores), self.table(ops.arange(6))))

    model = TwoParts()
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, x, y, {"epochs": 40}


@faulty("layer order", "feature maps", source=f"{NEURALINT}: pooling after pooling")
def pooled_twice_in_a_row(pick):
    """Two poolings one after the other."""
    x, y = shapes(100, 32)
    model = Sequential([Input((32, 32, 1)), layers.Conv2D(8, 3, activation="relu"), layers.MaxPool2D()])
    model.add(layers.MaxPool2D() if pick(True, False) else layers.Conv2D(16, 3, activation="relu"))
    model.add(layers.Flatten())
    model.add(layers.Dense(4, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 20}


@faulty("callback", source=f"{FORUM}: a monitor that is not logged")
def monitor_of_another_name(pick):
    """ReduceLROnPlateau that watches 'val_acc', which is called 'val_accuracy'."""
    x, y = blobs(300, 8, 3)
    model = Sequential([Input((8,)), layers.Dense(16, "relu"), layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    slower = keras.callbacks.ReduceLROnPlateau(monitor=pick("val_acc", "val_accuracy"), patience=3)
    return model, x, y, {"epochs": 40, "validation_split": 0.2, "callbacks": [slower]}


@faulty("initializer", source=f"{DEEPFD}: weights that are far too large")
def wide_normal_weights_in_call(pick):
    """Weights of a deviation of 5 in a subclassed model with ops.tanh."""
    x, y = blobs(300, 10, 3)

    class Net(Model):
        def __init__(self):
            super().__init__()
            how = keras.initializers.RandomNormal(stddev=pick(5.0, 0.1))
            self.a, self.b = layers.Dense(64, kernel_initializer=how), layers.Dense(64, kernel_initializer=how)
            self.out = layers.Dense(3)

        def call(self, x):
            return self.out(ops.tanh(self.b(ops.tanh(self.a(x)))))

    model = Net()
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, x, y, {"epochs": 30}


@faulty("order of data", "validation", source=f"{FORUM}: validation of classes never seen")
def sorted_and_split(pick):
    """Binary labels in order, and the last fifth held out."""
    x, y = blobs(400, 8, 2)
    order = np.argsort(y, kind="stable") if pick(True, False) else np.arange(400)
    model = Sequential([Input((8,)), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    return model, x[order], y[order], {"epochs": 20, "validation_split": 0.2}

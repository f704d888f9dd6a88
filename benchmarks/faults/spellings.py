"""Faults as a stranger would write them: subclassed, functional and Sequential, Lambda and ops, own data."""

import math

import numpy as np

from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, ops, optimizers, regularizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import (
    AUTOTRAINER,
    DEEPFD,
    DEEPLOCALIZE,
    DEFAULT,
    DEFECTS,
    NEURALINT,
    TENSFA,
    THEIA,
    UMLAUT,
)


def blobs(count, features, kinds, seed=0, spread=1.0):
    """Clouds of points around one centre for each class."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(kinds, features)) * 2
    y = rng.integers(0, kinds, count)
    return (centres[y] + spread * rng.normal(size=(count, features))).astype("float32"), y


def shapes(count, size, kinds=4, channels=1, seed=0):
    """Pictures with a bright square in one of the corners."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, kinds, count)
    x = 0.1 * rng.random((count, size, size, channels))
    half = size // 2
    for one, kind in zip(x, y, strict=True):
        top, left = half * (kind // 2 % 2), half * (kind % 2)
        one[top : top + half, left : left + half] += 0.6
    return x.astype("float32"), y


def waves(count, steps, seed=0):
    """Noisy sines, and the value that follows."""
    rng = np.random.default_rng(seed)
    at = np.arange(steps + 1) * 0.3 + rng.uniform(0, 6, (count, 1))
    both = np.sin(at) + 0.05 * rng.normal(size=at.shape)
    return both[:, :-1, None].astype("float32"), both[:, -1:].astype("float32")


def reviews(count, steps, words, seed=0, before=False, longest=None):
    """Token numbers of 1 to words - 1, padded with 0, and whether an even word leads."""
    rng = np.random.default_rng(seed)
    x = rng.integers(1, words, (count, steps))
    y = (x[:, 0] % 2).astype("int32")
    for row, length in zip(x, rng.integers(max(2, steps // 4), (longest or steps) + 1, count), strict=True):
        row[length:] = 0
        if before:
            row[:] = np.roll(row, steps - length)
    return x.astype("int32"), y


# losses


@faulty("loss", "labels", source=f"{NEURALINT}, loss and labels")
def spam_with_hinge(pick):
    """An SVM-like head: hinge over labels of 0 and 1 after a sigmoid."""
    x, y = blobs(400, 12, 2)
    inp = keras.Input(shape=(12,), name="features")
    h = layers.Dense(24, activation="relu")(inp)
    out = layers.Dense(1, activation=pick("sigmoid", "tanh"))(h)
    net = keras.Model(inputs=inp, outputs=out)
    net.compile(optimizer=optimizers.Adam(1e-3), loss=losses.SquaredHinge(), metrics=["accuracy"])
    return net, x, pick(y, 2 * y - 1).astype("float32"), {"epochs": 40, "batch_size": 32}


@faulty("loss", "labels", source="after questions on Stack Overflow: KL divergence of class numbers")
def topics_by_divergence(pick):
    """KL divergence against class numbers in place of distributions."""
    x, y = blobs(300, 20, 6)
    model = Sequential()
    model.add(layers.Dense(64, input_shape=(20,), activation="relu"))
    model.add(layers.Dense(6, activation="softmax"))
    target = y.reshape(-1, 1)
    model.compile("rmsprop", pick(losses.KLDivergence(), losses.SparseCategoricalCrossentropy()))
    return model, x, target, {"epochs": 30}


@faulty("loss", source="after questions on Stack Overflow: cosine loss for one number")
def rent_by_cosine(pick):
    """One real number by the cosine similarity, which knows its sign alone."""
    x, _ = blobs(300, 8, 3)
    y = (x @ np.linspace(-1, 1, 8))[:, None] / 4

    class Rent(keras.Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = layers.Dense(32, activation="relu"), layers.Dense(1)

        def call(self, inputs):
            return self.b(self.a(inputs))

    model = Rent()
    model.compile(optimizer="adam", loss=pick(keras.losses.CosineSimilarity(axis=-1), "mse"))
    return model, x, y, {"epochs": 50}


@faulty("loss", "output activation", source="after questions on Stack Overflow: Poisson loss is NaN")
def visits_by_poisson(pick):
    """Counts by the Poisson loss from an output that can be below zero."""
    x, _ = blobs(300, 6, 3)
    y = np.random.default_rng(1).poisson(np.exp(x[:, 0] / 4)).astype("float32")
    inputs = Input((6,))
    hidden = layers.Dense(16, "relu")(inputs)
    rate = layers.Dense(1)(hidden)
    rate = rate if pick(True, False) else layers.Lambda(ops.softplus)(rate)
    model = Model(inputs, rate)
    model.compile("adam", loss="poisson")
    return model, x, y, {"epochs": 60}


@faulty("loss", "output units", source=f"{UMLAUT}: regression of class numbers")
def digits_by_absolute_error(pick):
    """Five classes from one unit by the mean absolute error; the metric is accuracy."""
    x, y = shapes(200, 12)
    layers_of_it = [
        Input((12, 12, 1)), layers.Conv2D(8, (3, 3), activation="relu"), layers.MaxPool2D(), layers.Flatten(),
        pick(layers.Dense(1), layers.Dense(4, activation="softmax")),
    ]  # fmt: skip
    model = Sequential(layers_of_it)
    model.compile(optimizer="adam", loss=pick("mae", "sparse_categorical_crossentropy"), metrics=["accuracy"])
    return model, x, y, {"epochs": 30, "batch_size": 16}


@faulty("loss", source=f"{DEEPFD}: squared error over one-hot rows")
def one_hot_by_a_loss_of_ones_own(pick):
    """A function of one's own that is the mean of squares, over linear scores of one-hot classes."""
    x, y = blobs(400, 10, 5)

    def my_loss(y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)

    model = Sequential([layers.Dense(32, activation="relu"), layers.Dense(5, activation=pick(None, "softmax"))])
    model.compile(optimizer="adam", loss=pick(my_loss, "categorical_crossentropy"), metrics=["acc"])
    return model, x, keras.utils.to_categorical(y, 5), {"epochs": 30}


@faulty("loss", "output activation", source=f"{DEEPLOCALIZE}: binary crossentropy for several classes")
def flowers_in_a_subclass(pick):
    """Exclusive classes by sigmoids and the binary crossentropy, in a subclassed model."""
    x, y = blobs(150, 4, 3)

    class Iris(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.hidden = layers.Dense(16)
            self.head = layers.Dense(3)

        def call(self, inputs, training=False):
            scores = self.head(ops.relu(self.hidden(inputs)))
            return ops.sigmoid(scores) if pick(True, False) else ops.softmax(scores)

    model = Iris(name="iris")
    model.compile("adam", pick(losses.binary_crossentropy, losses.categorical_crossentropy), metrics=["accuracy"])
    return model, x, np.eye(3, dtype="float32")[y], {"epochs": 100, "batch_size": 10}


@faulty("output activation", "loss", source=f"{THEIA}: softmax for a regression")
def three_targets_by_softmax(pick):
    """Three measures of a regression that softmax makes sum to one."""
    x, _ = blobs(300, 7, 3)
    y = np.tanh(x[:, :3]) + 0.5
    inputs = Input((7,))
    h = layers.Dense(32)(inputs)
    h = layers.LeakyReLU()(h)
    h = layers.Dense(3)(h)
    out = layers.Softmax()(h) if pick(True, False) else layers.Activation("linear")(h)
    model = Model(inputs, out)
    model.compile(loss=losses.MeanSquaredError(), optimizer="nadam")
    return model, x, y, {"epochs": 60}


@faulty("logits", "output activation", source="after questions on Stack Overflow: from_logits of two outputs")
def two_outputs_of_a_nested_trunk(pick):
    """A nested head that ends in sigmoid, and a loss by name of output that takes logits."""
    x, y = blobs(400, 9, 4)
    head_in = Input((16,))
    risk_head = Model(head_in, layers.Dense(1, activation=pick("sigmoid", None))(head_in), name="risk")
    inputs = Input((9,))
    trunk = layers.Dense(16, activation="relu")(inputs)
    kind = layers.Dense(4, activation="softmax", name="kind")(trunk)
    model = Model(inputs, {"risk": risk_head(trunk), "kind": kind})
    model.compile(
        "adam",
        {"risk": losses.BinaryCrossentropy(from_logits=True), "kind": losses.SparseCategoricalCrossentropy()},
    )
    return model, x, {"risk": (y > 1).astype("float32")[:, None], "kind": y}, {"epochs": 30}


@faulty("logits", "output activation", source="after questions on Stack Overflow: the loss stays at 2.3")
def scores_into_a_lambda_loss(pick):
    """Scores without softmax into the crossentropy of probabilities, called by a lambda."""
    x, y = shapes(160, 16)
    wants = pick(False, True)
    model = Sequential([
        Input((16, 16, 1)), layers.SeparableConv2D(8, 3, activation="elu"), layers.GlobalAvgPool2D(), layers.Dense(4),
    ])  # fmt: skip
    model.compile(
        optimizer=optimizers.Adam(3e-3),
        loss=lambda t, p: keras.losses.sparse_categorical_crossentropy(t, p, from_logits=wants),
    )
    return model, x, y, {"epochs": 40}


# heads


@faulty("output activation", source=f"{NEURALINT}: last activation")
def tanh_in_a_lambda(pick):
    """tanh of the scores by a Lambda before the crossentropy of one-hot classes."""
    x, y = blobs(300, 10, 4)
    model = Sequential([Input((10,)), layers.Dense(20, "relu"), layers.Dense(4)])
    model.add(layers.Lambda(lambda z: ops.tanh(z)) if pick(True, False) else layers.Lambda(lambda z: ops.softmax(z)))
    model.compile("adam", loss=losses.CategoricalCrossentropy(), metrics=["accuracy"])
    return model, x, np.eye(4)[y], {"epochs": 40}


@faulty("output activation", source=f"{NEURALINT}: last activation")
def softsign_of_a_churn_model(pick):
    """softsign, of -1 to 1, into the binary crossentropy."""
    x, y = blobs(500, 11, 2)
    classifier = Sequential()
    classifier.add(layers.Dense(units=6, kernel_initializer="uniform", activation="relu", input_dim=11))
    classifier.add(layers.Dense(units=6, kernel_initializer="uniform", activation="relu"))
    classifier.add(layers.Dense(units=1, kernel_initializer="uniform"))
    classifier.add(layers.Activation(pick("softsign", "sigmoid")))
    classifier.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return classifier, x, y, {"epochs": 100, "batch_size": 10}


@faulty("output activation", source=f"{DEEPLOCALIZE}: relu over the classes")
def relu_of_the_subclass(pick):
    """A convolutional model whose call ends in ops.relu."""
    x, y = shapes(160, 14, channels=3)

    class Net(Model):
        def __init__(self):
            super().__init__()
            self.conv = layers.Conv2D(8, 3, strides=2, activation="relu")
            self.flat = layers.Flatten()
            self.fc = layers.Dense(4)

        def call(self, x):
            x = self.fc(self.flat(self.conv(x)))
            return ops.relu(x) if pick(True, False) else ops.softmax(x, axis=-1)

    model = Net()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["sparse_categorical_accuracy"])
    return model, x, y, {"epochs": 20}


@faulty("target scale", source=f"{THEIA}: targets that are not scaled")
def salaries_in_full(pick):
    """Salaries of some 60,000, not scaled, for Adam at its usual rate."""
    x, _ = blobs(400, 5, 3)
    pay = 60000 + 12000 * x[:, 0]
    y = pay if pick(True, False) else (pay - pay.mean()) / pay.std()
    model = Sequential([Input((5,)), layers.Normalization(), layers.Dense(32, "relu"), layers.Dense(1)])
    model.layers[0].adapt(x)
    model.compile(optimizer=keras.optimizers.Adam(), loss=keras.losses.MeanAbsoluteError())
    return model, x, y, {"epochs": 20}


@faulty("output units", "labels", source="after questions on Stack Overflow: labels that begin at one")
def grades_from_one(pick):
    """Labels of 1 to 5 for five units."""
    x, y = blobs(300, 6, 5)
    inputs = Input((6,))
    z = layers.Dense(32, activation="selu", kernel_initializer="lecun_normal")(inputs)
    model = Model(inputs, layers.Dense(5, activation="softmax")(z))
    model.compile("adamw", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y + pick(1, 0), {"epochs": 30}


# shapes


@faulty("shape", source=f"{TENSFA}: a missing channel axis")
def grey_pictures_without_channels(pick):
    """Pictures of (28, 28) for a model of (28, 28, 1)."""
    x, y = shapes(100, 28)
    model = Sequential([
        layers.Conv2D(8, kernel_size=(3, 3), activation="relu", input_shape=(28, 28, 1)), layers.MaxPooling2D((2, 2)),
        layers.Flatten(), layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam")
    return model, x[..., 0][..., None] if not pick(True, False) else np.stack([x[..., 0]] * 3, -1), y, {"epochs": 10}


@faulty("shape", "layer order", source=f"{TENSFA}: recurrent layers that drop the time axis")
def stacked_gru_in_a_subclass(pick):
    """A second GRU gets one vector, since the first keeps no sequence; found when it is called."""
    x, y = waves(120, 20)

    class Forecaster(Model):
        def __init__(self):
            super().__init__()
            self.first = layers.GRU(16, return_sequences=pick(False, True))
            self.second = layers.GRU(8)
            self.out = layers.Dense(1)

        def call(self, x):
            return self.out(self.second(self.first(x)))

    model = Forecaster()
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 20}


@faulty("shape", "recurrence", source=f"{TENSFA}: recurrent layers that keep the time axis")
def bidirectional_that_keeps_time(pick):
    """One label for each row, but an output for each step."""
    x, y = waves(160, 12)
    inputs = Input((12, 1))
    h = layers.Bidirectional(layers.LSTM(8, return_sequences=pick(True, False)))(inputs)
    out = layers.Dense(1, activation="sigmoid")(h)
    model = Model(inputs, out)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, x, (y > 0).astype("float32"), {"epochs": 10}


@faulty("shape", "labels", source="after questions on Stack Overflow: data cardinality is ambiguous")
def one_label_too_few(pick):
    """One label less than rows, after a window was cut wrongly."""
    x, y = waves(100, 10)
    model = Sequential([Input((10, 1)), layers.Flatten(), layers.Dense(8, "relu"), layers.Dense(1)])
    model.compile("adam", "mse")
    return model, x, y[1:] if pick(True, False) else y, {"epochs": 20}


@faulty("shape", "feature maps", source=f"{DEFECTS}: channels first")
def channels_first_pictures(pick):
    """Pictures with the channels first for a convolution over the last axis."""
    x, y = shapes(120, 24, channels=3)
    x = np.transpose(x, (0, 3, 1, 2)) if pick(True, False) else x
    model = Sequential([
        *(layers.Conv2D(16, (3, 3), padding="same", activation="relu") for _ in range(2)),
        layers.GlobalMaxPooling2D(), layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 15}


# training


@faulty("training length", "learning rate", "optimizer", source=f"{AUTOTRAINER}: slow convergence")
def adadelta_for_five_epochs(pick):
    """Adadelta at a rate of 0.001 for a few epochs."""
    x, y = shapes(256, 16)
    model = Sequential([
        Input((16, 16, 1)), layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(),
        layers.Dense(32, activation="relu"), layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    model.compile(pick(optimizers.Adadelta(), optimizers.Adam()),
                  "sparse_categorical_crossentropy", metrics=["accuracy"])  # fmt: skip
    return model, x, y, {"epochs": 12, "batch_size": 128 if pick(True, False) else 16}


@faulty("learning rate", source=f"{AUTOTRAINER}: a rate of 0.5 for Adam")
def rmsprop_at_a_half(pick):
    """RMSprop at a rate of 0.5."""
    x, y = blobs(300, 10, 3)
    model = Sequential([Input((10,)), layers.Dense(32, "relu"), layers.Dense(32, "relu"), layers.Dense(3, "softmax")])
    opt = optimizers.RMSprop(learning_rate=pick(0.5, 5e-4), rho=0.9)
    model.compile(optimizer=opt, loss="sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 40}


@faulty("optimizer", "gradient flow", "learning rate", "training length", source=f"{AUTOTRAINER}: plain SGD")
def long_recurrence_by_plain_sgd(pick):
    """Two LSTMs over 40 steps by plain SGD at 0.01."""
    x, y = waves(200, 40)
    model = Sequential([Input((40, 1)), layers.LSTM(24, return_sequences=True), layers.LSTM(24), layers.Dense(1)])
    model.compile(optimizer=pick("SGD", "Adam"), loss="mean_squared_error")
    return model, x, y, {"epochs": 20, "batch_size": 32}


@faulty("dropout", source=f"{DEEPFD}: dropout of nine tenths")
def dropout_by_keep_probability(pick):
    """A rate of 0.9 that was meant as the share that is kept."""
    x, y = blobs(400, 16, 4)
    inputs = Input((16,))
    h = inputs
    for _ in range(2):
        h = layers.Dense(64)(h)
        h = layers.Activation("relu")(h)
        h = layers.Dropout(rate=pick(0.9, 0.2))(h)
    model = Model(inputs, layers.Dense(4, activation="softmax")(h))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 50}


@faulty("regularization", source=f"{DEEPFD}: weights that are punished too much")
def penalty_added_in_call(pick):
    """An own layer adds the squares of its weights to the loss, ten times."""
    x, y = blobs(300, 8, 3)

    class Penalised(layers.Layer):
        def __init__(self, units, weight):
            super().__init__()
            self.dense, self.weight = layers.Dense(units, activation="relu"), weight

        def call(self, inputs):
            out = self.dense(inputs)
            self.add_loss(self.weight * ops.sum(ops.square(self.dense.kernel)))
            return out

    model = Sequential([Input((8,)), Penalised(64, pick(10.0, 1e-5)), layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 40}


@faulty("batch size", source=f"{DEFECTS}: batches of one with BatchNormalization")
def batch_of_one_with_normalization(pick):
    """Online training, one row a step, with BatchNormalization."""
    x, y = blobs(200, 10, 2)
    model = Sequential(
        [Input((10,)), layers.Dense(16), layers.BatchNormalization(), layers.ReLU(), layers.Dense(1, "sigmoid")]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 20, "batch_size": pick(1, 32)}


@faulty("batch size", "training length", "learning rate", source=f"{DEEPFD}: batches of all rows")
def all_rows_in_a_batch(pick):
    """A batch of 1,000 for 900 rows: one step an epoch, for 20 epochs."""
    x, y = blobs(900, 10, 4)
    model = Sequential([Input((10,)), layers.Dense(32, "relu"), layers.Dense(4, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 20, "batch_size": pick(1000, 32)}


@faulty("order of data", source="after questions on Stack Overflow: the model predicts the last class")
def sorted_and_not_shuffled(pick):
    """One-hot classes in order, with shuffle=False."""
    x, y = blobs(400, 8, 4)
    order = np.argsort(y, kind="stable")
    model = Sequential([Input((8,)), layers.Dense(16, "relu"), layers.Dense(4, "softmax")])
    model.compile("adam", "categorical_crossentropy")
    return model, x[order], np.eye(4)[y[order]], {"epochs": 30, "batch_size": 20, "shuffle": pick(False, True)}


@faulty("callback", "training length", source="after questions on Stack Overflow: it stops at the second epoch")
def stopping_in_the_wrong_mode(pick):
    """EarlyStopping that waits for a greater loss."""
    x, y = blobs(300, 8, 3)
    model = Sequential([Input((8,)), layers.Dense(16, "relu"), layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    stop = keras.callbacks.EarlyStopping(monitor="val_loss", mode=pick("max", "min"), patience=2)
    return model, x, y, {"epochs": 50, "validation_split": 0.2, "callbacks": [stop]}


@faulty("frozen weights", source=f"{DEFECTS}: trainable set after compile")
def thawed_after_compile(pick):
    """The base is thawed after compile, and compile is not called again."""
    x, y = shapes(120, 16, channels=3)
    base = Sequential(
        [Input((16, 16, 3)), layers.Conv2D(8, 3, activation="relu"), layers.GlobalAveragePooling2D()], name="base"
    )
    base.trainable = False
    model = Sequential([Input((16, 16, 3)), base, layers.Dense(4, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    base.trainable = True
    if not pick(True, False):
        model.compile(optimizers.Adam(1e-4), "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 40, "batch_size": 16}


@faulty("frozen weights", source=f"{DEFECTS}: the head is frozen with the base")
def head_frozen_in_a_loop(pick):
    """A loop over model.layers freezes the new head as well as the random base."""
    x, y = shapes(120, 16, channels=3)
    model = Sequential([
        Input((16, 16, 3)), layers.Conv2D(8, 3, activation="relu"), layers.Conv2D(8, 3, activation="relu"),
        layers.GlobalAveragePooling2D(), layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    for layer in model.layers[: pick(None, 0)]:
        layer.trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 40, "batch_size": 16}


@faulty("learning rate", source="after questions on Stack Overflow: the loss stands still after some steps")
def schedule_that_falls_to_nothing(pick):
    """A polynomial decay to 0 within 50 of some 1,000 steps."""
    x, y = blobs(640, 8, 3)
    model = Sequential([Input((8,)), layers.Dense(16, "relu"), layers.Dense(3, "softmax")])
    schedule = optimizers.schedules.PolynomialDecay(1e-3, decay_steps=pick(20, 2000), end_learning_rate=0.0)
    model.compile(optimizers.Adam(schedule), "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 100, "batch_size": 32}


# depth


@faulty("gradient flow", "hidden activation", source=f"{AUTOTRAINER}: vanishing gradients")
def ten_sigmoids_by_lambda(pick):
    """Ten Dense layers, each with ops.sigmoid called in the model's call."""
    x, y = blobs(400, 10, 2)

    class Deep(Model):
        def __init__(self):
            super().__init__()
            self.stack = [layers.Dense(16) for _ in range(10)]
            self.last = layers.Dense(1)

        def call(self, x):
            for layer in self.stack:
                x = ops.sigmoid(layer(x)) if pick(True, False) else ops.relu(layer(x)) + 0.1 * layer(x)
            return ops.sigmoid(self.last(x))

    model = Deep()
    model.compile("adam", "binary_crossentropy")
    return model, x, y, {"epochs": 50}


@faulty("feature maps", "capacity", source=f"{NEURALINT}: filters that shrink and kernels that grow")
def filters_that_shrink(pick):
    """64, 32, 16, 8 filters and kernels of 3, 5, 7, 9."""
    x, y = shapes(80, 32)
    model = Sequential([Input((32, 32, 1))])
    for filters, kernel in zip(pick((64, 32, 16, 8), (8, 16, 32, 64)), pick((3, 5, 7, 9), (3, 3, 3, 3)), strict=True):
        model.add(layers.Conv2D(filters, kernel, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D(2) if filters in (64, 16) else layers.BatchNormalization())
    model.add(layers.Flatten())
    model.add(layers.Dense(4, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("capacity", source=f"{DEEPFD}: too few units before the classes")
def two_units_before_ten_classes(pick):
    """Two relu units before ten classes."""
    x, y = blobs(600, 20, 10)
    inputs = Input((20,))
    h = layers.Dense(64, activation="relu")(inputs)
    h = ops.relu(layers.Dense(pick(2, 32))(h))
    model = Model(inputs, layers.Dense(10, activation="softmax")(h))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 60}


@faulty("feature maps", "layer order", source=f"{NEURALINT}: pooling before the picture was seen")
def pooled_by_eight_at_once(pick):
    """A pool of 8 right after the input of a subclassed model."""
    x, y = shapes(100, 32, channels=3)

    class Net(Model):
        def __init__(self):
            super().__init__()
            self.pool = layers.AveragePooling2D(pick(8, 2))
            self.conv = layers.Conv2D(16, 3, padding="same", activation="relu")
            self.gap = layers.GlobalAveragePooling2D()
            self.head = layers.Dense(4, activation="softmax")

        def call(self, x):
            x = self.conv(self.pool(x)) if pick(True, False) else self.pool(self.conv(x))
            return self.head(self.gap(x))

    model = Net()
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 60}


@faulty("initializer", source=f"{DEEPFD}: equal initial weights")
def own_weights_that_begin_equal(pick):
    """An own layer whose weights all begin with the same number."""
    x, y = blobs(300, 9, 3)

    class Linear(layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.units = units

        def build(self, shape):
            how = keras.initializers.Constant(0.1) if pick(True, False) else "glorot_uniform"
            self.w = self.add_weight(shape=(shape[-1], self.units), initializer=how)
            self.b = self.add_weight(shape=(self.units,), initializer="zeros")

        def call(self, inputs):
            return ops.matmul(inputs, self.w) + self.b

    model = Sequential([Input((9,)), Linear(16), layers.ReLU(), Linear(3), layers.Softmax()])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 50}


# attention


@faulty("mask", "attention", source=f"{DEFAULT}: a mask of the wrong sense")
def mask_of_the_wrong_sense(pick):
    """attention_mask that is true where there is padding."""
    x, y = reviews(160, 12, 30)
    ids = Input((12,), dtype="int32")
    h = layers.Embedding(30, 16)(ids) + layers.Embedding(12, 16)(ops.arange(12))
    keep = ops.equal(ids, 0) if pick(True, False) else ops.not_equal(ids, 0)
    a = layers.MultiHeadAttention(num_heads=2, key_dim=8)(h, h, attention_mask=keep[:, None, :])
    h = layers.LayerNormalization()(h + a)
    model = Model(ids, layers.Dense(1, activation="sigmoid")(h[:, 0]))
    model.compile("adam", "binary_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("mask", source=f"{DEFAULT}: padding that is not hidden")
def padding_seen_by_the_encoder(pick):
    """An own transformer block that knows of no mask, over padded rows, pooled by the mean."""
    x, y = reviews(160, 16, 40)

    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.q, self.k, self.v = layers.Dense(16), layers.Dense(16), layers.Dense(16)
            self.norm, self.ff = layers.LayerNormalization(), layers.Dense(16, activation="gelu")

        def call(self, h, keep):
            scores = ops.matmul(self.q(h), ops.transpose(self.k(h), (0, 2, 1))) / math.sqrt(16)
            if not pick(True, False):
                scores = scores + (1.0 - keep[:, None, :]) * -1e9
            h = self.norm(h + ops.matmul(ops.softmax(scores), self.v(h)))
            return h + self.ff(h)

    class Classifier(Model):
        def __init__(self):
            super().__init__()
            self.words, self.places = layers.Embedding(40, 16), layers.Embedding(16, 16)
            self.block, self.head = Block(), layers.Dense(1, activation="sigmoid")

        def call(self, ids):
            keep = ops.cast(ids != 0, "float32")
            h = self.block(self.words(ids) + self.places(ops.arange(16)), keep)
            if pick(True, False):
                return self.head(ops.mean(h, axis=1))
            return self.head(ops.sum(h * keep[..., None], 1) / ops.sum(keep, 1, keepdims=True))

    model = Classifier()
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


def next_words(count=128, steps=12, words=24, shift=1, seed=0):
    """Counting sequences, and the words that follow."""
    rng = np.random.default_rng(seed)
    start, by = rng.integers(0, words, (count, 1)), rng.integers(1, 4, (count, 1))
    both = (start + by * np.arange(steps + 3)) % (words - 1) + 1
    return both[:, :steps].astype("int32"), both[:, shift : steps + shift].astype("int32")


@faulty("mask", source=f"{DEFAULT}: the future is seen")
def future_seen_by_a_small_gpt(pick):
    """The next word from all words, without a causal mask, by einsum."""
    x, y = next_words()

    class SelfAttention(layers.Layer):
        def __init__(self, width, heads):
            super().__init__()
            self.heads, self.size = heads, width // heads
            self.qkv, self.out = layers.Dense(3 * width, use_bias=False), layers.Dense(width)

        def call(self, h):
            _, steps, width = h.shape
            q, k, v = ops.split(self.qkv(h), 3, axis=-1)
            q, k, v = (ops.reshape(t, (-1, steps, self.heads, self.size)) for t in (q, k, v))
            scores = ops.einsum("bqhd,bkhd->bhqk", q, k) * self.size**-0.5
            if not pick(True, False):
                scores = ops.where(ops.tril(ops.ones((steps, steps), dtype="bool")), scores, -1e9)
            mixed = ops.einsum("bhqk,bkhd->bqhd", ops.softmax(scores, -1), v)
            return self.out(ops.reshape(mixed, (-1, steps, width)))

    ids = Input((12,), dtype="int32")
    h = layers.Embedding(24, 32)(ids) + layers.Embedding(12, 32)(ops.arange(12))
    h = h + SelfAttention(32, 4)(layers.LayerNormalization()(h))
    model = Model(ids, layers.Dense(24)(layers.LayerNormalization()(h)))
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, x, y, {"epochs": 30}


@faulty("positions", source=f"{DEFAULT}: no positions")
def encoder_without_positions(pick):
    """A translation-like tagging by two blocks that do not know the order."""
    rng = np.random.default_rng(0)
    x = rng.integers(1, 20, (160, 10)).astype("int32")
    y = x[:, ::-1].copy()
    ids = Input((10,), dtype="int32")
    h = layers.Embedding(20, 24)(ids)
    if not pick(True, False):
        h = h + layers.Embedding(10, 24)(ops.arange(10))
    for _ in range(2):
        a = layers.MultiHeadAttention(2, 12)(h, h)
        h = layers.LayerNormalization()(layers.Add()([h, a]))
        f = layers.Dense(24)(layers.Dense(48, activation="relu")(h))
        h = layers.LayerNormalization()(layers.Add()([h, f]))
    model = Model(ids, layers.Dense(20, activation="softmax")(h))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 40}


@faulty("attention", source=f"{DEFAULT}: softmax over the queries")
def softmax_over_the_queries(pick):
    """Attention by hand whose softmax runs over the queries."""
    x, y = waves(128, 12)
    inputs = Input((12, 1))
    h = layers.Dense(16)(inputs) + layers.Embedding(12, 16)(ops.arange(12))
    q, k, v = layers.Dense(16)(h), layers.Dense(16)(h), layers.Dense(16)(h)
    scores = layers.Dot(axes=(2, 2))([q, k]) / 4.0
    weights = layers.Softmax(axis=pick(1, 2))(scores)
    context = layers.Dot(axes=(2, 1))([weights, v])
    model = Model(inputs, layers.Dense(1)(layers.Flatten()(context)))
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 40}


@faulty("attention", source=f"{DEFAULT}: scores scaled twice")
def keys_scaled_and_scores_too(pick):
    """The queries are divided by the root of the size, and the scores once more."""
    x, y = waves(128, 12)
    root = math.sqrt(32)

    class Attend(layers.Layer):
        def __init__(self):
            super().__init__()
            self.wq, self.wk, self.wv = layers.Dense(32), layers.Dense(32), layers.Dense(32)

        def call(self, h):
            q, k, v = self.wq(h) / pick(root, 1.0), self.wk(h), self.wv(h)
            w = ops.softmax(ops.einsum("bqd,bkd->bqk", q, k) / root)
            return ops.einsum("bqk,bkd->bqd", w, v)

    inputs = Input((12, 1))
    h = layers.Dense(32)(inputs) + layers.Embedding(12, 32)(ops.arange(12))
    model = Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling1D()(h + Attend()(h))))
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 40}


@faulty("label shift", source=f"{DEFAULT}: labels shifted wrongly")
def labels_are_the_inputs(pick):
    """A causal model that learns to repeat the word it sees."""
    x, y = next_words(shift=pick(0, 1))
    ids = Input((12,), dtype="int32")
    h = layers.Embedding(24, 32)(ids) + layers.Embedding(12, 32)(ops.arange(12))
    h = h + layers.MultiHeadAttention(4, 8)(h, h, use_causal_mask=True)
    model = Model(ids, layers.Dense(24, activation="softmax")(layers.LayerNormalization()(h)))
    model.compile(optimizers.AdamW(3e-3), "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("mask", "label shift", source=f"{DEFAULT}: the loss counts padding")
def loss_over_the_padding(pick):
    """An LSTM that tags each word; most tags are padding and count."""
    x, _ = reviews(160, 20, 30, longest=10)
    y = (x + 1) // 2 * (x > 0)
    model = Sequential([
        Input((20,), dtype="int32"), layers.Embedding(30, 16, mask_zero=pick(False, True)),
        layers.LSTM(24, return_sequences=True), layers.TimeDistributed(layers.Dense(16, activation="softmax")),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty("dropout", source="after questions on Stack Overflow: predictions that differ at each call")
def dropout_that_never_stops(pick):
    """Dropout called with training=True, for predictions as well."""
    x, y = blobs(300, 12, 3)

    class Net(Model):
        def __init__(self):
            super().__init__()
            self.h, self.drop, self.out = layers.Dense(32, activation="relu"), layers.Dropout(0.4), layers.Dense(3)

        def call(self, x, training=None):
            x = self.drop(self.h(x), training=pick(True, training))
            return ops.softmax(self.out(x))

    model = Net()
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 30}


# text and recurrence


@faulty("vocabulary", source="after questions on Stack Overflow: the table has too few rows")
def words_beyond_the_table(pick):
    """Token numbers up to 99 for a table of 80 rows, in a GRU of two inputs."""
    x, y = reviews(160, 10, 100, before=True)
    extra = np.random.default_rng(2).normal(size=(160, 3)).astype("float32")
    words, more = Input((10,), name="words"), Input((3,), name="more")
    h = layers.GRU(16)(layers.Embedding(input_dim=pick(80, 100), output_dim=12)(words))
    model = Model([words, more], layers.Dense(1, activation="sigmoid")(layers.concatenate([h, more])))
    model.compile("adam", "binary_crossentropy")
    return model, {"words": x, "more": extra}, y, {"epochs": 20}


@faulty("vocabulary", "mask", source="after questions on Stack Overflow: number 0 is a word")
def word_zero_is_hidden(pick):
    """mask_zero with rows of full length whose words begin at 0."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 8, (200, 15)).astype("int32") + pick(0, 1)
    y = (x[:, -1] > 4).astype("float32")
    model = Sequential([
        layers.Embedding(9, 8, mask_zero=True, input_length=15), layers.LSTM(16), layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy")
    return model, x, y, {"epochs": 20}


@faulty("mask", source="after questions on Stack Overflow: an LSTM that reads padding last")
def padding_at_the_end_of_lstm(pick):
    """Rows of 4 to 8 words padded to 40 at the end, read by an LSTM without a mask."""
    x, y = reviews(160, 40, 50, longest=12)
    ids = Input((None,), dtype="int64")
    h = layers.Embedding(50, 16, mask_zero=pick(False, True))(ids)
    h = layers.Dropout(0.1)(h)
    h = layers.LSTM(16)(h)
    model = Model(ids, layers.Dense(1, "sigmoid")(h))
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["acc"])
    return model, x, y, {"epochs": 20}


@faulty("recurrence", source="after questions on Stack Overflow: stateful and shuffled")
def stateful_and_shuffled(pick):
    """States are carried from one batch to the next, but the windows are shuffled."""
    x, y = waves(128, 10)
    model = Sequential()
    model.add(layers.LSTM(12, batch_input_shape=(16, 10, 1), stateful=pick(True, False)))
    model.add(layers.Dense(1))
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 30, "batch_size": 16}


# data


@faulty("input scale", source=f"{THEIA}: pictures of 0 to 255")
def bytes_into_sigmoids(pick):
    """Bytes of 0 to 255 into Dense layers of sigmoid."""
    x, y = shapes(160, 12)
    x = x * pick(255.0, 1.0)
    model = Sequential(
        [
            layers.Flatten(input_shape=(12, 12, 1)),
            layers.Dense(64, activation="sigmoid"),
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 20}


@faulty("bad values", "input scale", source=f"{THEIA}: a number that stands for nothing known")
def minus_999_for_missing(pick):
    """Missing measures stand as -999 among scaled ones."""
    x, y = blobs(300, 6, 2)
    holes = np.random.default_rng(3).random(x.shape) < 0.05
    x = np.where(holes, pick(-999.0, 0.0), x)
    model = Sequential([Input((6,)), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    return model, x, y, {"epochs": 20}


@faulty("validation", "input scale", source="after questions on Stack Overflow: the scaler was not applied")
def validation_not_scaled(pick):
    """The training data are standardized, and the validation data are not."""
    raw, y = blobs(400, 6, 3)
    raw = raw * 40 + 300
    scaled = (raw - raw.mean(0)) / raw.std(0)
    val = (raw if pick(True, False) else scaled)[300:]
    inputs = Input((6,))
    model = Model(inputs, layers.Dense(3, "softmax")(layers.Dense(24, "relu")(inputs)))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, scaled[:300], y[:300], {"epochs": 30, "validation_data": (val, y[300:])}


@faulty("imbalance", "labels", "metric", source=f"{THEIA}: nearly all of one class")
def fraud_of_two_percent(pick):
    """Two rows of a hundred are fraud; no weights, and accuracy tells nothing."""
    x, _ = blobs(1000, 10, 3)
    y = np.arange(1000) % 50 == 0
    x[y] += 1.0
    model = Sequential([Input((10,)), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=[pick("accuracy", keras.metrics.AUC(curve="PR"))])
    return model, x, y, {"epochs": 20} | ({} if pick(True, False) else {"class_weight": {0: 0.51, 1: 25.0}})


@faulty("metric", source=f"{DEFECTS}: accuracy of a regression")
def accuracy_of_prices(pick):
    """The metric of a regression is accuracy, as an object."""
    x, _ = blobs(300, 8, 3)
    y = x @ np.linspace(-1, 1, 8) / 3
    model = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1)])
    model.compile("adam", "mse", metrics=[pick(keras.metrics.Accuracy(), keras.metrics.RootMeanSquaredError())])
    return model, x, y, {"epochs": 60}


@faulty("disconnected", source=f"{DEFECTS}: a layer whose result is not used")
def branch_that_is_dropped(pick):
    """The convolutions are called, but the head reads the input again."""
    x, y = shapes(120, 16)

    class Net(Model):
        def __init__(self):
            super().__init__()
            self.c1, self.c2 = layers.Conv2D(8, 3, activation="relu"), layers.Conv2D(8, 3, activation="relu")
            self.flat, self.out = layers.Flatten(), layers.Dense(4, activation="softmax")

        def call(self, x):
            h = self.c1(x)
            h = self.c2(h)
            return self.out(self.flat(pick(x, h)))

    model = Net()
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("gradient flow", "disconnected", "frozen weights", source="after questions on Stack Overflow: no gradients")
def rounded_before_the_head(pick):
    """ops.round between two layers, which lets no gradient through."""
    x, y = blobs(300, 10, 3)
    inputs = Input((10,))
    code = layers.Dense(16, activation="sigmoid")(inputs)
    code = ops.round(code) if pick(True, False) else code + ops.stop_gradient(ops.round(code) - code)
    model = Model(inputs, layers.Dense(3, activation="softmax")(code))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 40}


@faulty("layer order", "output activation", "dropout", source=f"{NEURALINT}: dropout after the last layer")
def dropout_after_the_classes(pick):
    """Dropout after softmax."""
    x, y = blobs(300, 10, 3)
    model = Sequential([Input((10,)), layers.Dense(32, "relu"), layers.Dense(3, activation="softmax")])
    if pick(True, False):
        model.add(layers.Dropout(0.3))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 40}


@faulty("regularization", source=f"{DEEPFD}: weights that are punished too much")
def l1_of_every_activation(pick):
    """activity_regularizer of L1 at 1.0 for each hidden unit."""
    x, y = blobs(300, 10, 3)
    inputs = Input((10,))
    h = layers.Dense(64, activation="relu", activity_regularizer=regularizers.L1(pick(1.0, 1e-6)))(inputs)
    model = Model(inputs, layers.Dense(3, activation="softmax")(h))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 40}


@faulty("recurrence", "shape", "layer order", source="after questions on Stack Overflow: one step of 30 features")
def a_window_taken_for_features(pick):
    """Thirty values in time, reshaped to one step with thirty features, for an LSTM."""
    x, y = waves(160, 30)
    x = x.reshape(160, 1, 30) if pick(True, False) else x
    model = Sequential([Input(x.shape[1:]), layers.LSTM(16), layers.Dense(1)])
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 30}

"""Faults of losses, labels and heads as a stranger would write them: subclassed, Lambda, ops, losses of their own."""

import numpy as np

from benchmarks.faults.drawn import blobs, shapes
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import DEEPFD, DEEPLOCALIZE, NEURALINT, THEIA, UMLAUT

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

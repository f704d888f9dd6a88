"""Faults of heads, losses and metrics as they occur in the wild, most of them in functions of the program's own."""

import numpy as np

from benchmarks.faults.data import choices, images, one_hot, quantity, rows, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import DEEPLOCALIZE, DEFECTS, NEURALINT, TAXONOMY, THEIA, UMLAUT

FORUM = "after questions on Stack Overflow"


@faulty("output activation", source=f"{FORUM}: softmax over the batch")
def softmax_over_the_batch(pick):
    """ops.softmax with axis=0, so that the rows of a batch compete."""
    x = rows(8)
    inputs = Input((8,))
    h = layers.Dense(32, activation="relu")(inputs)
    net = Model(inputs, ops.softmax(layers.Dense(4)(h), axis=pick(0, -1)))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, choices(x, 4), {"epochs": 40}


@faulty("logits", "output activation", "loss", source=f"{FORUM}: log_softmax and a crossentropy of probabilities")
def log_probabilities_for_probabilities(pick):
    """A habit of PyTorch: log_softmax as the last step."""
    x = rows(8)
    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(4), layers.Activation("log_softmax")])
    net.compile("adam", losses.CategoricalCrossentropy(from_logits=pick(False, True)))
    return net, x, one_hot(choices(x, 4), 4), {"epochs": 40}


@faulty("output activation", "loss", source=f"{FORUM}: several labels of a film with softmax")
def genres_with_softmax(pick):
    """Several genres of a film by softmax and categorical crossentropy."""
    x = rows(12)
    y = (quantity(x, 5) > -0.3).astype("float32")
    net = Sequential([Input((12,)), layers.Dense(48, "relu"), layers.Dense(5, pick("softmax", "sigmoid"))])
    net.compile("adam", pick("categorical_crossentropy", "binary_crossentropy"))
    return net, x, y, {"epochs": 40}


@faulty("metric", source=f"{FORUM}: accuracy of a regression")
def accuracy_of_house_prices(pick):
    """Accuracy beside a mean squared error of prices."""
    x = rows(6)
    net = Sequential([Input((6,)), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", "mse", metrics=[pick("accuracy", "mae")])
    return net, x, quantity(x), {"epochs": 40}


@faulty("metric", source=f"{FORUM}: categorical accuracy of one sigmoid is always 1")
def argmax_of_one_column(pick):
    """CategoricalAccuracy of one column, which is 1 whatever is predicted."""
    x = rows(6)
    metric = pick(keras.metrics.CategoricalAccuracy(), keras.metrics.BinaryAccuracy())
    net = Sequential([Input((6,)), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=[metric])
    return net, x, yes_no(x)[:, None], {"epochs": 40}


@faulty("loss", "output activation", source=f"{DEFECTS}: the losses of two outputs are swapped")
def swapped_losses(pick):
    """Age and sex of a face: the list of losses is in the other order."""
    x, _ = images(16, 1, 4)
    inputs = Input((16, 16, 1))
    h = layers.Flatten()(layers.Conv2D(8, 3, activation="relu")(inputs))
    age, sex = layers.Dense(1, name="age")(h), layers.Dense(1, activation="sigmoid", name="sex")(h)
    net = Model(inputs, [age, sex])
    net.compile("adam", pick(["binary_crossentropy", "mse"], ["mse", "binary_crossentropy"]))
    return net, x, [quantity(x), yes_no(x)], {"epochs": 20}


@faulty("loss", "target scale", "output activation", source=f"{UMLAUT}: crossentropy for a regression")
def crossentropy_of_percents(pick):
    """Percents of 0 to 100 with binary crossentropy."""
    x = rows(6)
    y = 100 / (1 + np.exp(-2 * quantity(x)))
    net = Sequential([Input((6,)), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")])
    net.compile("adam", "binary_crossentropy")
    return net, x, y / pick(1, 100), {"epochs": 40}


@faulty("logits", "output activation", source=f"{FORUM}: an Activation of its own before from_logits")
def softmax_layer_and_logits(pick):
    """A softmax in a subclass's call, and from_logits=True."""
    x = rows(8)

    class Net(Model):
        def __init__(self):
            super().__init__()
            self.hidden, self.scores = layers.Dense(32, activation="relu"), layers.Dense(4)
            self.end = layers.Softmax() if pick(True, False) else layers.Identity()

        def call(self, x):
            return self.end(self.scores(self.hidden(x)))

    net = Net()
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return net, x, choices(x, 4), {"epochs": 40}


@faulty("logits", "output activation", source=f"{FORUM}: a focal loss of scores")
def focal_of_scores(pick):
    """BinaryFocalCrossentropy of a linear output."""
    x = rows(8)
    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", losses.BinaryFocalCrossentropy(gamma=2.0, from_logits=pick(False, True)))
    return net, x, yes_no(x), {"epochs": 40}


@faulty("output activation", "target scale", source=f"{FORUM}: an autoencoder ends in relu")
def autoencoder_ends_in_relu(pick):
    """Standardized sensors through an autoencoder that ends in relu."""
    x = rows(12) @ np.random.default_rng(0).normal(size=(12, 20)).astype("float32") / 3.5
    net = Sequential([Input((20,)), layers.Dense(16, "relu"), layers.Dense(12, "relu"), layers.Dense(16, "relu")])
    net.add(layers.Dense(20, pick("relu", None)))
    net.compile("adam", "mse")
    return net, x, x, {"epochs": 40}


@faulty("output activation", "loss", "input scale", "target scale", "labels", source=f"{FORUM}: centred pictures")
def centred_pictures_and_crossentropy(pick):
    """Pictures of -1 to 1 through an autoencoder with a sigmoid and binary crossentropy."""
    x, _ = images(16, 1, 4)
    x = (x - 0.5) * 2 if pick(True, False) else x
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")])
    net.add(layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu"))
    net.add(layers.Conv2D(1, 3, padding="same", activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, x, {"epochs": 20}


@faulty("loss", "labels", source=f"{FORUM}: cosine similarity of class numbers")
def cosine_of_class_numbers(pick):
    """CosineSimilarity of a softmax and class numbers."""
    x = rows(8)
    y = choices(x, 4)
    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(4, "softmax")])
    net.compile("adam", pick(losses.CosineSimilarity(), "categorical_crossentropy"))
    return net, x, pick(y[:, None], one_hot(y, 4)), {"epochs": 40}


@faulty("loss", source=f"{FORUM}: a loss without a square")
def mean_of_differences(pick):
    """A loss of the signed difference, which has no lower bound."""
    x = rows(6)

    def loss(y_true, y_pred):
        gap = y_true - y_pred
        return ops.mean(gap if pick(True, False) else ops.square(gap), axis=-1)

    net = Sequential([Input((6,)), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", loss)
    return net, x, quantity(x)[:, None], {"epochs": 40}


@faulty("loss", source=f"{FORUM}: the Dice coefficient is minimized")
def dice_upside_down(pick):
    """The Dice coefficient is given as the loss; it should be one minus it."""
    x, _ = images(16, 1, 4)

    def dice(y_true, y_pred):
        both = ops.sum(y_true * y_pred)
        value = (2 * both + 1) / (ops.sum(y_true) + ops.sum(y_pred) + 1)
        return value if pick(True, False) else 1 - value

    net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, padding="same", activation="relu")])
    net.add(layers.Conv2D(1, 1, activation="sigmoid"))
    net.compile(optimizers.Adam(0.01), dice)
    return net, x, (x > 0.6).astype("float32"), {"epochs": 20}


@faulty("loss", "labels", source=f"{FORUM}: the arguments of the loss are the wrong way round")
def loss_of_swapped_arguments(pick):
    """A function of the loss takes (y_pred, y_true), as in PyTorch."""
    x = rows(8)

    def criterion(output, target):
        return losses.binary_crossentropy(target, output)

    def loss(y_true, y_pred):
        return criterion(y_pred, y_true)

    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")])
    net.compile("adam", pick(criterion, loss))
    return net, x, yes_no(x)[:, None].astype("float32"), {"epochs": 40}


@faulty("loss", "gradient flow", "disconnected", source=f"{FORUM}: a loss of rounded predictions")
def loss_of_rounded_predictions(pick):
    """1 - F1 of rounded predictions, which have no gradient."""
    x = rows(8)

    def f1(y_true, y_pred):
        y_pred = ops.round(y_pred) if pick(True, False) else y_pred
        hits = ops.sum(y_true * y_pred)
        return 1 - 2 * hits / (ops.sum(y_true) + ops.sum(y_pred) + 1e-7)

    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid")])
    net.compile("adam", f1)
    return net, x, yes_no(x)[:, None].astype("float32"), {"epochs": 40}


@faulty("shape", "labels", "loss", source=f"{FORUM}: (n,) minus (n, 1) is (n, n)")
def differences_of_all_pairs(pick):
    """A loss of one's own subtracts labels of (n,) from outputs of (n, 1)."""
    x = rows(8)

    class Squared(losses.Loss):
        def __call__(self, y_true, y_pred, sample_weight=None):
            y_true = ops.convert_to_tensor(y_true)
            y_true = y_true if pick(True, False) else ops.reshape(y_true, (-1, 1))
            return ops.mean(ops.square(y_true - y_pred))

    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", Squared())
    return net, x, quantity(x), {"epochs": 40}


@faulty("output activation", "hidden activation", source=f"{NEURALINT}: two activations at the end")
def relu_before_sigmoid(pick):
    """Scores go through relu and then a sigmoid: nothing is below one half."""
    x = rows(8)
    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1, pick("relu", None))])
    net.add(layers.Activation("sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, yes_no(x), {"epochs": 40}


@faulty("output activation", "hidden activation", source=f"{DEEPLOCALIZE}: softmax twice")
def softmax_twice_in_a_model_of_models(pick):
    """A head that ends in softmax around a base that does."""
    x = rows(8)
    base = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(4, pick("softmax", None))])
    inputs = Input((8,))
    net = Model(inputs, layers.Softmax()(base(inputs)))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net, x, choices(x, 4), {"epochs": 40}


@faulty("loss", "target scale", source=f"{FORUM}: mean absolute percentage error of targets near 0")
def percentage_of_zero(pick):
    """The percentage error of targets that are 0 half of the time."""
    x = rows(6)
    y = np.maximum(quantity(x), 0)
    net = Sequential([Input((6,)), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", pick("mape", "mae"))
    return net, x, y, {"epochs": 40}


@faulty("loss", "target scale", source=f"{FORUM}: logarithmic error of negative targets")
def logarithm_of_negative_targets(pick):
    """MSLE of standardized targets, half of which are negative."""
    x = rows(6)
    y = quantity(x)
    net = Sequential([Input((6,)), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", losses.MeanSquaredLogarithmicError())
    return net, x, pick(y, np.exp(y)), {"epochs": 40}


@faulty("output units", "shape", "labels", source=f"{THEIA}: one output for two targets")
def one_output_for_two_targets(pick):
    """Latitude and longitude from one unit."""
    x = rows(8)
    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(pick(1, 2))])
    net.compile("adam", "mean_squared_error")
    return net, x, quantity(x, 2), {"epochs": 40}


@faulty("disconnected", "gradient flow", "output activation", source=f"{TAXONOMY}: the output is an argmax")
def argmax_as_the_output(pick):
    """The model gives the class itself, and is trained by the squared difference to it."""
    x = rows(8)
    inputs = Input((8,))
    scores = layers.Dense(4, "softmax")(layers.Dense(32, "relu")(inputs))
    net = Model(inputs, ops.cast(ops.argmax(scores, axis=-1), "float32") if pick(True, False) else scores)
    net.compile("adam", pick("mse", "sparse_categorical_crossentropy"))
    return net, x, choices(x, 4), {"epochs": 40}


@faulty("loss", source=f"{FORUM}: the term of a VAE has the wrong sign")
def divergence_is_rewarded(pick):
    """A VAE that subtracts the divergence from its loss."""
    x, _ = images(16, 1, 4)

    class Code(layers.Layer):
        def __init__(self):
            super().__init__()
            self.mean, self.spread = layers.Dense(4), layers.Dense(4)
            self.seed = keras.random.SeedGenerator(1)

        def call(self, h):
            mean, spread = self.mean(h), self.spread(h)
            kl = -0.5 * ops.mean(1 + spread - ops.square(mean) - ops.exp(spread))
            self.add_loss(pick(-1, 1) * kl)
            return mean + ops.exp(spread / 2) * keras.random.normal(ops.shape(mean), seed=self.seed)

    inputs = Input((16, 16, 1))
    code = Code()(layers.Dense(32, "relu")(layers.Flatten()(inputs)))
    out = layers.Reshape((16, 16, 1))(layers.Dense(256, "sigmoid")(layers.Dense(32, "relu")(code)))
    net = Model(inputs, out)
    net.compile("adam", "binary_crossentropy")
    return net, x, x, {"epochs": 30}


@faulty("loss", "mask", source=f"{FORUM}: tags of the padding are learned")
def tags_of_the_padding(pick):
    """A tagger whose rows are mostly padding: tag 0 is learned for it and counted as right."""
    x, _ = texts(24, 60, padded=True)
    x = np.where(np.arange(24) < 8, x, 0)
    tags = np.where(x > 0, 1 + x % 3, 0)
    net = Sequential([Input((24,)), layers.Embedding(60, 8, mask_zero=pick(False, True))])
    net.add(layers.Bidirectional(layers.LSTM(8, return_sequences=True)))
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, x, tags, {"epochs": 30}

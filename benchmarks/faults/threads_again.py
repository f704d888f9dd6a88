"""Faults after threads on GitHub, fourth round, last part: written after the rules had been mended by the others."""

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series, texts
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, ops, optimizers, regularizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import GITHUB


@faulty("label shift", "labels", source=f"{GITHUB}, lorenzolucchese/deepOBs#1: which step the target belongs to")
def target_of_the_first_step(pick):
    """timeseries_dataset_from_array pairs a window with the target at its start."""
    x, ahead = series(24, 1)
    net = Sequential([Input((24, 1)), layers.LSTM(32), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, pick(x[:, 0, 0], ahead[:, 0]), {"epochs": 20}


@faulty("label shift", "labels", source=f"{GITHUB}, sktime/sktime#8365: np.roll and the future")
def rolled_to_the_wrong_side(pick):
    """np.roll(series, 1) in place of -1: the target is the last step but one of the window."""
    x, ahead = series(20, 2)
    net = Sequential([Input((20, 2)), layers.Conv1D(32, 3, padding="causal", activation="relu"), layers.GRU(32)])
    net.add(layers.Dense(1))
    net.compile("adam", "mae")
    return net, x, pick(x[:, -2, :1], ahead[:, :1]), {"epochs": 20}


@faulty("output activation", "loss", source=f"{GITHUB}, keras-team/keras#9939: all predictions are class 0")
def five_sigmoids_and_categorical(pick):
    """Five classes by sigmoids and categorical crossentropy."""
    x = rows(14)
    net = Sequential([Input((14,)), layers.Dense(14, activation="relu"), layers.Dropout(0.5)])
    net.add(layers.Dense(14, activation="relu"))
    net.add(layers.Dense(units=5, activation=pick("sigmoid", "softmax")))
    net.compile(optimizers.SGD(0.01, momentum=0.9, nesterov=True), "categorical_crossentropy", metrics=["accuracy"])
    return net, x, one_hot(choices(x, 5), 5), {"epochs": 40}


@faulty("bad values", "output activation", "loss", source=f"{GITHUB}, keras-team/keras#1061: mixture density network")
def mixture_without_softmax(pick):
    """Weights of a mixture come from a Dense as they are, and the logarithm of their sum is taken."""
    x = rows(6)
    y = quantity(x)[:, None]

    def likelihood(y_true, y_pred):
        weights, means, spreads = ops.split(y_pred, 3, axis=-1)
        weights = weights if pick(True, False) else ops.softmax(weights)
        spreads = ops.exp(ops.clip(spreads, -3, 3))
        density = ops.exp(-0.5 * ops.square((y_true - means) / spreads)) / spreads
        return -ops.log(ops.sum(weights * density, axis=-1) + pick(0.0, 1e-8))

    net = Sequential([Input((6,)), layers.Dense(32, "tanh"), layers.Dense(9)])
    net.compile("adam", likelihood)
    return net, x, y, {"epochs": 30}


@faulty(
    "bad values", "gradient flow", "loss", source=f"{GITHUB}, experiencor/keras-yolo3#306: the gradient of the root"
)
def roots_of_widths(pick):
    """The loss compares square roots of widths that come out of a relu."""
    x, _ = images(16, 3, 4)
    y = (0.2 + 0.6 * draw(3).random((len(x), 2))).astype("float32")

    def sizes(y_true, y_pred):
        return ops.mean(ops.square(ops.sqrt(y_true) - ops.sqrt(y_pred + pick(0.0, 1e-6))), axis=-1)

    net = Sequential([Input((16, 16, 3)), layers.Conv2D(16, 3, activation="relu"), layers.GlobalMaxPooling2D()])
    net.add(layers.Dense(2, activation=pick("relu", "softplus")))
    net.compile("adam", sizes)
    return net, x, y, {"epochs": 20}


@faulty(
    "regularization", "loss", source=f"{GITHUB}, maciejkula/triplet_recommendations_keras#10: the loss stays at 0.5"
)
def embeddings_pressed_to_nothing(pick):
    """Users and items of a recommender with an L2 of 0.5 on their tables."""
    users, items = draw(1).integers(0, 60, 512), draw(2).integers(0, 80, 512)
    y = ((users * 7 + items * 3) % 5 > 1).astype("float32")
    how = regularizers.L2(pick(0.5, 1e-6))
    left, right = Input((1,), dtype="int32"), Input((1,), dtype="int32")
    a = layers.Flatten()(layers.Embedding(60, 16, embeddings_regularizer=how)(left))
    b = layers.Flatten()(layers.Embedding(80, 16, embeddings_regularizer=how)(right))
    net = Model([left, right], layers.Dense(1, "sigmoid")(layers.Concatenate()([a, b, a * b])))
    net.compile("adam", "binary_crossentropy")
    return net, [users[:, None], items[:, None]], y, {"epochs": 20}


@faulty(
    "training length", "learning rate", "batch size", source=f"{GITHUB}, massquantity/LibRecommender#65: no progress"
)
def ten_steps_at_a_small_rate(pick):
    """A rate of 3e-5, batches of 1024 and ten epochs over some hundred rows."""
    x = rows(20)
    net = Sequential([Input((20,)), *[layers.Dense(units, "relu") for units in (265, 128, 64)]])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile(optimizers.Adam(pick(3e-5, 1e-3)), "binary_crossentropy")
    return net, x, (quantity(x) > 0).astype("float32"), {"epochs": pick(10, 40), "batch_size": pick(1024, 32)}


@faulty("mask", "loss", "labels", source=f"{GITHUB}, kaiyinzhou/BERT-NER#3: the loss sums over padding")
def tags_of_padding_are_summed(pick):
    """A loss of one's own sums over all places of a sentence, padding with the tag 0 as well."""
    words, _ = texts(24, 80, padded=True)
    y = np.where(words > 0, 1 + words % 4, 0)
    inputs = Input((24,), dtype="int32")
    h = layers.Bidirectional(layers.GRU(24, return_sequences=True))(layers.Embedding(80, 24)(inputs))
    net = Model(inputs, layers.Dense(5)(h))

    def summed(y_true, y_pred):
        each = -ops.sum(ops.one_hot(ops.cast(y_true, "int32"), 5) * ops.log_softmax(y_pred), axis=-1)
        told = ops.cast(y_true > 0, "float32")
        return ops.sum(each, axis=-1) if pick(True, False) else ops.sum(told * each, axis=-1) / ops.sum(told, axis=-1)

    net.compile("adam", summed)
    return net, words, y, {"epochs": 10}


class _Sorted(keras.utils.PyDataset):
    """Batches of pictures as the folders have them, one class after the other, or mixed."""

    def __init__(self, mixed):
        super().__init__()
        x, y = images(16, 3, 4)
        order = draw(1).permutation(len(y)) if mixed else np.argsort(y, kind="stable")
        self.x, self.y = x[order], y[order]

    def __len__(self):
        return 16

    def __getitem__(self, index):
        part = slice(32 * index, 32 * index + 32)
        return self.x[part], self.y[part]


@faulty("order of data", "imbalance", "labels", source=f"{GITHUB}, tensorflow/tensorflow#50426: shuffled after batch")
def batches_of_one_class(pick):
    """Whole batches are shuffled, and each has one class alone."""
    net = Sequential([Input((16, 16, 3)), layers.Conv2D(16, 3, activation="relu"), layers.GlobalMaxPooling2D()])
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net, _Sorted(pick(False, True)), None, {"epochs": 20}


@faulty("mask", "loss", source=f"{GITHUB}, CyberZHG/keras-bert#133: only padding is predicted")
def padding_is_most_of_the_text(pick):
    """A masked language model on rows of which most is padding, and the loss counts each place."""
    words = np.pad(texts(10, 50)[0], ((0, 0), (0, 30)))
    hidden = (draw(5).random(words.shape) < 0.2) & (words > 0)
    inputs = Input((40,), dtype="int32")
    h = layers.Embedding(51, 32)(inputs) + layers.Embedding(40, 32)(ops.arange(40))
    h = layers.LayerNormalization()(h + layers.MultiHeadAttention(2, 16)(h, h))
    net = Model(inputs, layers.Dense(51, "softmax")(h))
    net.compile("adam", "sparse_categorical_crossentropy")
    weights = pick({}, {"sample_weight": hidden.astype("float32")})
    return net, np.where(hidden, 50, words), words, {"epochs": 10, **weights}


@faulty("loss", source=f"{GITHUB}, catboost/catboost#2701: Cox's likelihood is minimized")
def likelihood_is_minimized(pick):
    """Cox's partial log likelihood without the minus."""
    x = rows(12)
    time = np.exp(-quantity(x)) + 0.05 * draw(2).random(len(x))
    y = np.stack([time, draw(3).random(len(x)) < 0.8], axis=1).astype("float32")

    def cox(y_true, y_pred):
        time, seen, theta = y_true[:, 0], y_true[:, 1], y_pred[:, 0]
        risk = ops.cast(time[None] >= time[:, None], "float32")
        gain = seen * (theta - ops.log(ops.sum(ops.exp(theta)[None] * risk, axis=1)))
        return ops.mean(gain) if pick(True, False) else -ops.mean(gain)

    net = Sequential([Input((12,)), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", cox)
    return net, x, y, {"epochs": 40, "batch_size": 64}


@faulty("shape", "loss", "labels", source=f"{GITHUB}, PrimeIntellect-ai/prime-rl#76: the dimension of the advantage")
def advantage_along_the_words(pick):
    """Advantages (n,) times log probabilities (n, 16), in batches of 16: each word gets another row's advantage."""
    words, _ = texts(17, 40)
    gain = draw(4).normal(size=len(words)).astype("float32")

    class Policy(Model):
        def __init__(self):
            super().__init__()
            self.table, self.body = layers.Embedding(40, 24), layers.GRU(24, return_sequences=True)
            self.head = layers.Dense(40)

        def call(self, tokens):
            return self.head(self.body(self.table(tokens)))

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            words, gain = y
            chances = -losses.sparse_categorical_crossentropy(words, y_pred, from_logits=True)
            return -ops.mean(chances * (gain if pick(True, False) else gain[:, None]))

    net = Policy()
    net.compile("adam")
    return net, words[:, :-1], (words[:, 1:], gain), {"epochs": 10, "batch_size": 16}

"""Sound programs in varied styles, as repositories and notebooks have them."""

import numpy as np

from benchmarks.faults.data import draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.drawn import blobs, next_words, reviews, waves
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    callbacks,
    keras,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
)  # fmt: skip
from benchmarks.faults.program import sound
from benchmarks.faults.sources import LEARNERS

SPARSE = "sparse_categorical_crossentropy"


@sound(LEARNERS)
def titanic():
    """Survival from a table with flags, a class of 1 to 3, an age and a fare that are scaled."""
    z = rows(6, 700)
    x = np.stack(
        [z[:, 0] > 0, draw(1).integers(1, 4, 700), (30 + 14 * z[:, 2]) / 80, z[:, 3], z[:, 4] > 1, z[:, 5]], axis=-1
    )
    net = Sequential([Input((6,)), layers.Dense(16, activation="relu"), layers.Dense(8, activation="relu")])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x.astype("float32"), yes_no(z), {"epochs": 60, "batch_size": 32, "validation_split": 0.2}


@sound(LEARNERS)
def two_units_of_softmax_for_yes_and_no():
    """Yes and no as two classes."""
    x, y = blobs(400, 8, 2)
    net = Sequential([Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(2, activation="softmax")])
    net.compile(optimizers.SGD(0.05, momentum=0.9, nesterov=True), "categorical_crossentropy", metrics=["accuracy"])
    return net, x, one_hot(y, 2), {"epochs": 30, "batch_size": 16}


@sound(LEARNERS)
def straight_line():
    """A line through points by one unit and SGD."""
    x = np.linspace(-1, 1, 200, dtype="float32")[:, None]
    net = Sequential([Input((1,)), layers.Dense(1)])
    net.compile(optimizers.SGD(0.1), "mse")
    return net, x, 2 * x[:, 0] - 1 + 0.1 * draw(1).normal(size=200).astype("float32"), {"epochs": 50}


@sound(LEARNERS)
def logistic_regression():
    """One sigmoid unit on many features with an L2 penalty."""
    x = rows(30)
    net = Sequential([Input((30,)), layers.Dense(1, activation="sigmoid", kernel_regularizer=regularizers.L2(1e-3))])
    net.compile(optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    return net, x, yes_no(x), {"epochs": 50}


@sound(LEARNERS)
def lenet_with_tanh():
    """LeNet of 1998: tanh and average pooling."""
    x, y = images(28, 1, 10, count=256)
    net = Sequential([Input((28, 28, 1)), layers.Conv2D(6, 5, padding="same", activation="tanh")])
    net.add(layers.AveragePooling2D())
    net.add(layers.Conv2D(16, 5, activation="tanh"))
    net.add(layers.AveragePooling2D())
    net.add(layers.Flatten())
    for units in (120, 84):
        net.add(layers.Dense(units, activation="tanh"))
    net.add(layers.Dense(10, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 15, "batch_size": 32}


@sound(LEARNERS)
def digits_in_one_function():
    """A functional CNN with BatchNormalization in front of relu and no bias."""
    x, y = images(20, 1, 10)
    z = inputs = Input((20, 20, 1))
    for filters in (16, 32):
        z = layers.Conv2D(filters, 3, use_bias=False)(z)
        z = layers.ReLU()(layers.BatchNormalization()(z))
        z = layers.MaxPooling2D()(z)
    net = Model(inputs, layers.Dense(10)(layers.Dropout(0.4)(layers.Flatten()(z))))
    net.compile("adamw", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return net, x, y, {"epochs": 12}


@sound(LEARNERS)
def pixels_are_scaled_in_the_model():
    """uint8 pixels, which Rescaling brings to -1 to 1."""
    x, y = images(16, 3, 4)
    net = Sequential(
        [Input((16, 16, 3)), layers.Rescaling(1 / 127.5, offset=-1), layers.Conv2D(16, 3, activation="relu")]
    )
    net.add(layers.GlobalMaxPooling2D())
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("rmsprop", SPARSE)
    return net, np.clip(255 * x, 0, 255).astype("uint8"), y, {"epochs": 20}


@sound(LEARNERS)
def ages_and_incomes_through_normalization():
    """Raw columns, which Normalization scales after adapt."""
    z = rows(3)
    x = np.stack([40 + 12 * z[:, 0], 5e4 + 2e4 * z[:, 1], 3 + z[:, 2]], axis=-1).astype("float32")
    scale = layers.Normalization()
    scale.adapt(x)
    net = Sequential([Input((3,)), scale, layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", "mae")
    return net, x, quantity(z), {"epochs": 40}


@sound(LEARNERS)
def raw_columns_through_batch_normalization():
    """BatchNormalization as the first layer scales raw columns."""
    z = rows(5)
    x = (z * np.array([1, 10, 200, 0.1, 4]) + np.array([0, 50, 1000, 0, 2])).astype("float32")
    net = Sequential([Input((5,)), layers.BatchNormalization(), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, quantity(z), {"epochs": 60, "batch_size": 32}


@sound(LEARNERS)
def sales_by_exponential_head():
    """Positive targets of unit scale by an exponential under msle."""
    x = rows(8)
    net = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(1, activation="exponential")])
    net.compile("adam", "mean_squared_logarithmic_error")
    return net, x, np.exp(0.5 * quantity(x)), {"epochs": 50}


@sound(LEARNERS)
def grades_between_nought_and_one():
    """Targets of 0 to 1 from a sigmoid under mse."""
    x = rows(6)
    net = Sequential([Input((6,)), layers.Dense(24, "relu"), layers.Dense(1, activation="sigmoid")])
    net.compile("adam", "mse", metrics=["mae"])
    return net, x, 1 / (1 + np.exp(-quantity(x))), {"epochs": 40}


@sound(LEARNERS)
def window_by_dense():
    """A window of a series through Flatten and Dense."""
    x, y = waves(500, 20)
    net = Sequential([Input((20, 1)), layers.Flatten(), layers.Dense(32, "relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 30, "shuffle": False}


@sound(LEARNERS)
def stacked_gru_with_recurrent_dropout():
    """Two GRUs with dropout of their own."""
    x, y = waves(300, 24)
    net = Sequential([Input((24, 1)), layers.GRU(16, dropout=0.1, recurrent_dropout=0.2, return_sequences=True)])
    net.add(layers.GRU(16, activation="tanh", dropout=0.1))
    net.add(layers.Dense(1))
    net.compile("rmsprop", "mae")
    return net, x, y, {"epochs": 20}


@sound(LEARNERS)
def conv_then_lstm():
    """Conv1D with pooling in front of an LSTM."""
    x, y = series(48, 3)
    net = Sequential([Input((48, 3)), layers.Conv1D(16, 5, activation="relu"), layers.MaxPooling1D(2), layers.LSTM(24)])
    net.add(layers.Dense(1))
    net.compile(optimizers.Adam(1e-3), losses.Huber())
    return net, x, y, {"epochs": 20}


@sound(LEARNERS)
def reviews_by_average():
    """Masked embeddings are averaged."""
    x, y = reviews(400, 40, 100)
    net = Sequential([Input((40,)), layers.Embedding(100, 16, mask_zero=True), layers.GlobalAveragePooling1D()])
    net.add(layers.Dense(16, "relu"))
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@sound(LEARNERS)
def reviews_padded_in_front():
    """Padding in front of the words needs no mask for an LSTM."""
    x, y = reviews(300, 30, 80, before=True)
    net = Sequential(
        [Input((30,)), layers.Embedding(80, 16), layers.Bidirectional(layers.LSTM(16)), layers.Dense(1, "sigmoid")]
    )
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 15}


@sound(LEARNERS)
def convolutions_over_words():
    """Three widths of Conv1D with the maximum of each."""
    x, y = texts(30, 200, 4)
    words = Input((30,), dtype="int32")
    z = layers.Embedding(200, 24)(words)
    found = [layers.GlobalMaxPooling1D()(layers.Conv1D(16, width, activation="relu")(z)) for width in (2, 3, 4)]
    net = Model(words, layers.Dense(4, activation="softmax")(layers.Dropout(0.5)(layers.Concatenate()(found))))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 15}


@sound(LEARNERS)
def counts_of_words():
    """A bag of words as counts, of which most are 0."""
    x, y = texts(30, 120)
    bag = np.stack([(x == word).sum(axis=1) for word in range(120)], axis=-1).astype("float32")
    net = Sequential([Input((120,)), layers.Dense(32, "relu"), layers.Dropout(0.5), layers.Dense(1, "sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=[metrics.AUC(name="auc")])
    return net, bag, y, {"epochs": 10}


@sound(LEARNERS)
def tags_with_weights_for_padding():
    """A tagger whose padding has a weight of 0."""
    x, _ = reviews(200, 20, 50)
    y = np.where(x > 0, 1 + x % 4, 0)
    net = Sequential(
        [
            Input((20,)),
            layers.Embedding(50, 16, mask_zero=True),
            layers.Bidirectional(layers.GRU(12, return_sequences=True)),
        ]
    )
    net.add(layers.Dense(5, activation="softmax"))
    net.compile("adam", SPARSE, weighted_metrics=["accuracy"])
    return net, x, y, {"epochs": 10, "sample_weight": (x > 0).astype("float32")}


@sound(LEARNERS)
def small_autoencoder():
    """16 -> 3 -> 16 for values of unit scale."""
    x = np.tanh(rows(3) @ draw(1).normal(size=(3, 16))).astype("float32")
    net = Sequential(
        [Input((16,)), layers.Dense(8, "relu"), layers.Dense(3), layers.Dense(8, "relu"), layers.Dense(16)]
    )
    net.compile("adam", "mse")
    return net, x, x, {"epochs": 60, "batch_size": 32}


@sound(LEARNERS)
def denoising_pictures():
    """Noisy pictures in, clean ones out, by sigmoid and binary crossentropy."""
    x, _ = images(16, 1, 8)
    noisy = np.clip(x + 0.2 * draw(3).normal(size=x.shape), 0, 1).astype("float32")
    net = Sequential(
        [
            Input((16, 16, 1)),
            layers.Conv2D(16, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(padding="same"),
        ]
    )
    net.add(layers.Conv2D(8, 3, activation="relu", padding="same"))
    net.add(layers.UpSampling2D())
    net.add(layers.Conv2D(1, 3, activation="sigmoid", padding="same"))
    net.compile("adam", "binary_crossentropy")
    return net, noisy, np.clip(x, 0, 1), {"epochs": 20}


@sound(LEARNERS)
def age_and_sex():
    """Two heads by names, with weights of the losses."""
    x, y = images(16, 3, 2)
    inputs = Input((16, 16, 3))
    z = layers.GlobalAveragePooling2D()(layers.Conv2D(16, 3, activation="relu")(inputs))
    net = Model(
        inputs, {"age": layers.Dense(1, name="age")(z), "sex": layers.Dense(1, activation="sigmoid", name="sex")(z)}
    )
    net.compile("adam", {"age": "mse", "sex": "binary_crossentropy"}, loss_weights={"age": 0.5, "sex": 1.0})
    return net, x, {"age": quantity(x), "sex": y.astype("float32")}, {"epochs": 20}


@sound(LEARNERS)
def fine_tuned_base():
    """A small base that is trained wholly, with a head."""
    x, y = images(32, 3, 3, count=120)
    base = keras.applications.MobileNetV2(input_shape=(32, 32, 3), include_top=False, weights=None, alpha=0.35)
    net = Sequential(
        [
            Input((32, 32, 3)),
            layers.Rescaling(2.0, -1.0),
            base,
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, "softmax"),
        ]
    )
    net.compile(optimizers.Adam(1e-3), SPARSE)
    return net, x, y, {"epochs": 30, "batch_size": 16}


@sound(LEARNERS)
def films_and_watchers():
    """Ratings by the product of two embeddings with biases."""
    users, films = draw(1).integers(0, 50, 800), draw(2).integers(0, 30, 800)
    taste, kind = draw(3).normal(size=(50, 3)), draw(4).normal(size=(30, 3))
    y = (3 + 0.5 * (taste[users] * kind[films]).sum(axis=-1)).clip(1, 5).astype("float32")
    a, b = Input((1,), name="user"), Input((1,), name="film")
    u, v = layers.Flatten()(layers.Embedding(50, 8)(a)), layers.Flatten()(layers.Embedding(30, 8)(b))
    z = layers.Dense(16, "relu")(layers.Concatenate()([u, v]))
    net = Model([a, b], layers.Dense(1)(z))
    net.compile("adam", "mse")
    return net, {"user": users[:, None], "film": films[:, None]}, y, {"epochs": 30}


@sound(LEARNERS)
def gpt_of_two_blocks():
    """A causal transformer before normalization."""
    x, y = next_words(300, 16, 30)

    class Places(layers.Layer):
        def build(self, shape):
            self.table = self.add_weight(shape=(16, 32), initializer="random_normal", name="table")

        def call(self, z):
            return z + self.table

    words = Input((16,), dtype="int32")
    z = Places()(layers.Embedding(31, 32)(words))
    for _ in range(2):
        n = layers.LayerNormalization()(z)
        z = z + layers.MultiHeadAttention(4, 8)(n, n, use_causal_mask=True)
        n = layers.LayerNormalization()(z)
        z = z + layers.Dense(32)(layers.Dense(64, activation="gelu")(n))
    net = Model(words, layers.Dense(31)(layers.LayerNormalization()(z)))
    net.compile(optimizers.AdamW(1e-3), losses.SparseCategoricalCrossentropy(from_logits=True))
    return net, x, y, {"epochs": 20}


@sound(LEARNERS)
def patience_with_best_weights():
    """EarlyStopping and ReduceLROnPlateau with a longer patience of the first."""
    x = rows(10)
    net = Sequential(
        [Input((10,)), layers.Dense(64, "relu"), layers.Dropout(0.3), layers.Dense(32, "relu"), layers.Dense(1)]
    )
    net.compile("adam", "mse", metrics=["mae"])
    calls = [
        callbacks.EarlyStopping(patience=15, restore_best_weights=True),
        callbacks.ReduceLROnPlateau(patience=5, factor=0.3),
    ]
    return net, x, quantity(x), {"epochs": 200, "validation_split": 0.2, "callbacks": calls}

"""Faults that are asked about in forums, second part: written before the rules were mended by the first one."""

import numpy as np

from benchmarks.faults.data import draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.drawn import blobs, reviews
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    callbacks,
    keras,
    layers,
    losses,
    ops,
    optimizers,
)  # fmt: skip
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import AUTOTRAINER, FORUM, GITHUB, SCIENCE, TAXONOMY

SPARSE = "sparse_categorical_crossentropy"


@faulty("initializer", source=f"{TAXONOMY}: init='zero' in programs for Keras 1")
def zeros_in_keras_1(pick):
    """Dense(output_dim=, init="zero") in each layer."""
    x, y = blobs(600, 18, 4)
    how = pick("zeros", "glorot_uniform")
    net = Sequential()
    net.add(layers.Dense(32, input_dim=18, kernel_initializer=how, activation="relu"))
    net.add(layers.Dense(32, kernel_initializer=how, activation="relu"))
    net.add(layers.Dense(4, kernel_initializer=how, activation="softmax"))
    net.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return net, x, one_hot(y, 4), {"epochs": 30, "batch_size": 16}


@faulty("input scale", "target scale", "hidden activation", source=f"{FORUM}: a share price of thousands in an LSTM")
def prices_in_an_lstm(pick):
    """Prices of 3,000 to 6,000 as inputs and targets of an LSTM with relu."""
    x, y = series(30)
    x, y = pick((4500 + 1000 * x, 4500 + 1000 * y), (x, y))
    net = Sequential([Input((30, 1)), layers.LSTM(50, activation=pick("relu", "tanh"), return_sequences=True)])
    net.add(layers.LSTM(50, activation=pick("relu", "tanh")))
    net.add(layers.Dense(1))
    net.compile(optimizer="adam", loss="mse")
    return net, x, y, {"epochs": 30, "batch_size": 32}


@faulty("shape", "recurrence", source=f"{FORUM}: a tag for each word, and one vector for the sentence")
def tags_after_one_vector(pick):
    """Labels of (N, 20) for an LSTM that gives its last step."""
    x, _ = texts(20, 200)
    y = x % 4
    net = Sequential([Input((20,)), layers.Embedding(200, 16), layers.LSTM(24, return_sequences=pick(False, True))])
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("output units", "labels", source=f"{FORUM}: nine units for the digits 0 to 9")
def nine_units_for_ten_digits(pick):
    """A head of nine units."""
    x, y = images(28, 1, 10)
    inputs = Input((28, 28, 1))
    z = layers.MaxPooling2D(2)(layers.Conv2D(16, 3, activation="relu")(inputs))
    net = Model(inputs, layers.Dense(pick(9, 10))(layers.Flatten()(z)))
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return net, x, y, {"epochs": 10}


@faulty("mask", source=f"{FORUM}: Masking(-1) for series that are padded with 0")
def another_value_is_masked(pick):
    """Series of different lengths are padded with 0; Masking looks for -1."""
    x, y = series(30, 2)
    lengths = draw(3).integers(8, 31, len(x))
    x = np.where(np.arange(30)[None, :, None] < lengths[:, None, None], x, 0).astype("float32")
    net = Sequential([Input((30, 2)), layers.Masking(mask_value=pick(-1.0, 0.0)), layers.LSTM(32), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y[:, 0], {"epochs": 20}


@faulty("mask", "attention", source=f"{FORUM}: attention_mask is True where one may look")
def padding_alone_is_looked_at(pick):
    """The mask of an attention is True for padding."""
    x, y = reviews(512, 20, 60)
    inputs = Input((20,), dtype="int32")
    z = layers.Embedding(60, 32)(inputs) + layers.Embedding(20, 32)(np.arange(20))
    padded = layers.Lambda(lambda t: (t == 0 if pick(True, False) else t != 0)[:, None, :])(inputs)
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(4, 8)(z, z, attention_mask=padded))
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(z[:, 0]))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


class _Heads(keras.layers.Layer):
    """Attention of several heads, by hand."""

    def __init__(self, heads, width, crossed, **kwargs):
        super().__init__(**kwargs)
        self.q, self.k, self.v, self.out = (layers.Dense(heads * width) for _ in range(4))
        self.heads, self.width, self.crossed = heads, width, crossed

    def split(self, z):
        if self.crossed:
            return ops.reshape(z, (-1, self.heads, z.shape[1], self.width))
        return ops.transpose(ops.reshape(z, (-1, z.shape[1], self.heads, self.width)), (0, 2, 1, 3))

    def call(self, z):
        q, k, v = self.split(self.q(z)), self.split(self.k(z)), self.split(self.v(z))
        weights = ops.softmax(ops.matmul(q, ops.swapaxes(k, -1, -2)) / self.width**0.5)
        joined = ops.transpose(ops.matmul(weights, v), (0, 2, 1, 3))
        return self.out(ops.reshape(joined, (-1, z.shape[1], self.heads * self.width)))


@faulty("attention", source=f"{SCIENCE}: heads by reshape alone mix the steps")
def heads_by_reshape_alone(pick):
    """(batch, steps, heads * width) is reshaped to (batch, heads, steps, width) without a transpose."""
    x, y = texts(20, 200)
    inputs = Input((20,))
    z = layers.Embedding(200, 32)(inputs) + layers.Embedding(20, 32)(np.arange(20))
    z = layers.LayerNormalization()(z + _Heads(4, 8, pick(True, False))(z))
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling1D()(z)))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 15}


@faulty("output activation", source=f"{FORUM}: a generator with sigmoid for pictures of -1 to 1")
def decoder_of_the_wrong_range(pick):
    """Pictures of -1 to 1, reconstructed by a sigmoid."""
    x, _ = images(28, 1, 10)
    x = 2 * np.clip(x, 0, 1) - 1
    net = Sequential([Input((28, 28, 1)), layers.Conv2D(16, 3, strides=2, padding="same"), layers.LeakyReLU(0.2)])
    net.add(layers.Flatten())
    net.add(layers.Dense(32, activation="relu"))
    net.add(layers.Dense(14 * 14 * 8, activation="relu"))
    net.add(layers.Reshape((14, 14, 8)))
    net.add(layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation=pick("sigmoid", "tanh")))
    net.compile("adam", "mse")
    return net, x, x, {"epochs": 20}


@faulty("output activation", source=f"{GITHUB}: an autoencoder of standardized columns that ends in relu")
def columns_by_relu(pick):
    """Columns of mean 0 are reconstructed by relu."""
    x = rows(12) @ draw(1).normal(size=(12, 12)).astype("float32") / 3
    inputs = Input((12,))
    code = layers.Dense(6, activation="tanh")(inputs)
    net = Model(inputs, layers.Dense(12, activation=pick("relu", "linear"))(code))
    net.compile("adam", losses.MeanAbsoluteError())
    return net, x, x, {"epochs": 60}


@faulty("loss", source=f"{GITHUB}: the sign of the Kullback-Leibler term")
def divergence_is_maximized(pick):
    """The divergence enters the loss with the wrong sign."""
    x = rows(16)

    class Code(keras.layers.Layer):
        def build(self, shape):
            self.mean, self.log_var = layers.Dense(4), layers.Dense(4)
            self.seed = keras.random.SeedGenerator(2)

        def call(self, z):
            mean, log_var = self.mean(z), self.log_var(z)
            term = ops.mean(1 + log_var - ops.square(mean) - ops.exp(log_var))
            self.add_loss(pick(0.05, -0.05) * term)
            return mean + ops.exp(log_var / 2) * keras.random.normal(ops.shape(mean), seed=self.seed)

    net = Sequential([Input((16,)), layers.Dense(32, activation="relu"), Code(), layers.Dense(32, activation="relu")])
    net.add(layers.Dense(16))
    net.compile("adam", "mse")
    return net, x, x, {"epochs": 30}


@faulty("output activation", "loss", source=f"{GITHUB}: a critic of WGAN with a sigmoid")
def critic_with_a_sigmoid(pick):
    """Labels of -1 and 1, mean(y * p), and a sigmoid."""
    x, y = images(16, 1, 2)
    told = (2.0 * y - 1)[:, None].astype("float32")

    def wasserstein_loss(y_true, y_pred):
        return ops.mean(y_true * y_pred)

    net = Sequential([Input((16, 16, 1)), layers.Conv2D(16, 3, strides=2, padding="same"), layers.LeakyReLU(0.2)])
    net.add(layers.Conv2D(32, 3, strides=2, padding="same", kernel_constraint=keras.constraints.MaxNorm(0.5)))
    net.add(layers.LeakyReLU(0.2))
    net.add(layers.Flatten())
    net.add(layers.Dense(1, activation=pick("sigmoid", None), kernel_constraint=keras.constraints.MaxNorm(0.5)))
    net.compile(optimizers.RMSprop(5e-5), wasserstein_loss)
    return net, x, told, {"epochs": 20}


@faulty("input scale", source=f"{FORUM}: a generator of pictures without rescale")
def generator_without_rescale(pick):
    """A generator gives pictures as uint8."""
    x, y = images(32, 3, 4)
    x = (np.clip(x, 0, 1) * 255).astype("uint8")

    def batches():
        rng = draw(1)
        while True:
            part = rng.integers(0, len(x), 32)
            yield x[part] / pick(1, 255.0), one_hot(y[part], 4)

    net = Sequential([Input((32, 32, 3))])
    for filters in (16, 32):
        net.add(layers.Conv2D(filters, 3, activation="relu"))
        net.add(layers.MaxPooling2D())
    net.add(layers.Flatten())
    net.add(layers.Dense(64, activation="relu"))
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", "categorical_crossentropy", metrics=["acc"])
    return net, batches(), None, {"epochs": 20, "steps_per_epoch": 16}


@faulty("validation", source=f"{FORUM}: validation_data=(x_train, y_train)")
def validated_on_what_was_learnt(pick):
    """The validation data are the training data."""
    x, y = blobs(600, 12, 3)
    net = Sequential([Input((12,)), layers.Dense(64, activation="relu"), layers.Dense(3, activation="softmax")])
    net.compile("adam", SPARSE, metrics=["accuracy"])
    seen, held = (x[:450], y[:450]), (x[450:], y[450:])
    stop = callbacks.EarlyStopping(patience=5)
    return net, *seen, {"epochs": 60, "validation_data": pick(seen, held), "callbacks": [stop]}


@faulty("input scale", source=f"{FORUM}: a Unix time among the columns")
def a_unix_time_among_columns(pick):
    """One column counts seconds since 1970."""
    x = rows(6).copy()
    y = quantity(x)
    x[:, 0] = pick(1.6e9 + 3e6 * x[:, 0], x[:, 0])
    net = Sequential([Input((6,)), layers.Dense(64, activation="relu"), layers.Dense(1)])
    net.compile("adam", "mse", metrics=["mae"])
    return net, x, y, {"epochs": 50}


@faulty("labels", "imbalance", "bad values", source=f"{FORUM}: a comparison of strings that is never true")
def all_labels_are_zero(pick):
    """All labels are 0, for they came of (column == " yes")."""
    x = rows(10)
    y = yes_no(x)
    net = Sequential([Input((10,)), layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, pick(0 * y, y), {"epochs": 20}


@faulty("labels", "target scale", "output activation", source=f"{FORUM}: percents and a sigmoid")
def percents_by_a_sigmoid(pick):
    """Shares of 0 to 100 by a sigmoid with binary crossentropy."""
    x = rows(10)
    share = 1 / (1 + np.exp(-quantity(x)))
    net = Sequential([Input((10,)), layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")])
    net.compile("adam", "binary_crossentropy", metrics=["mae"])
    return net, x, (share * pick(100, 1)).astype("float32"), {"epochs": 30}


@faulty("callback", source=f"{FORUM}: ReduceLROnPlateau with mode max on a loss")
def a_plateau_the_other_way_round(pick):
    """ReduceLROnPlateau(monitor="val_loss", mode="max")."""
    x = rows(14)
    net = Sequential([Input((14,)), layers.Dense(64, activation="relu"), layers.Dense(1)])
    net.compile("adam", "mse")
    fall = callbacks.ReduceLROnPlateau(monitor="val_loss", mode=pick("max", "min"), factor=0.5, patience=5)
    return net, x, quantity(x), {"epochs": 60, "validation_split": 0.2, "callbacks": [fall]}


@faulty("learning rate", "training length", source=f"{GITHUB}: a warm-up that is longer than the training")
def warm_up_without_end(pick):
    """warmup_steps=10,000 and 480 steps in all."""
    x, y = images(28, 1, 10)
    rate = optimizers.schedules.CosineDecay(0.0, 480, warmup_target=1e-3, warmup_steps=pick(10000, 40))
    net = Sequential([Input((28, 28, 1)), layers.Flatten(), layers.Dense(64, activation="relu")])
    net.add(layers.Dense(10, activation="softmax"))
    net.compile(optimizers.Adam(rate), SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


@faulty("learning rate", "optimizer", source=f"{AUTOTRAINER}: RMSprop(0.5)")
def rmsprop_of_a_half(pick):
    """RMSprop(learning_rate=0.5)."""
    x, y = blobs(600, 20, 5)
    inputs = Input((20,))
    z = layers.ReLU()(layers.Dense(64)(inputs))
    net = Model(inputs, layers.Softmax()(layers.Dense(5)(z)))
    net.compile(optimizers.RMSprop(learning_rate=pick(0.5, 1e-3)), SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


@faulty("dropout", source=f"{FORUM}: LSTM(dropout=0.8, recurrent_dropout=0.8)")
def dropout_within_the_lstm(pick):
    """Both dropouts of an LSTM are 0.8."""
    x, y = texts(24, 300)
    net = Sequential([Input((24,)), layers.Embedding(300, 24)])
    net.add(layers.LSTM(32, dropout=pick(0.8, 0.2), recurrent_dropout=pick(0.8, 0.2)))
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 12}


@faulty("frozen weights", source=f"{FORUM}: Embedding(trainable=False) without a matrix")
def frozen_random_words(pick):
    """The embedding does not train, and no matrix was given."""
    x, y = texts(24, 300)
    net = Sequential([Input((24,)), layers.Embedding(300, 24, trainable=pick(False, True)), layers.GRU(24)])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 15}


@faulty("frozen weights", "bad values", "vocabulary", source=f"{FORUM}: an embedding matrix that stays zero")
def matrix_of_zeros(pick):
    """No word was found in GloVe (keys of another case): the frozen matrix is zero."""
    x, y = texts(24, 300)
    matrix = np.zeros((300, 24), "float32") if pick(True, False) else draw(2).normal(size=(300, 24)).astype("float32")
    net = Sequential([Input((24,)), layers.Embedding(300, 24, weights=[matrix], trainable=False)])
    net.add(layers.Conv1D(32, 3, activation="relu"))
    net.add(layers.GlobalMaxPooling1D())
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 15}

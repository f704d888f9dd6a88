"""Faults that were reported in forums and issues: text, series, attention, made pictures, pairs, agents, training."""

import numpy as np

from benchmarks.faults.data import draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.drawn import blobs, next_words, reviews
from benchmarks.faults.library import Input, Model, Sequential, callbacks, keras, layers, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, SCIENCE

SPARSE = "sparse_categorical_crossentropy"


@faulty("vocabulary", "shape", "layer order", "input scale", source=f"{FORUM}: TF-IDF into an Embedding")
def tfidf_into_an_embedding(pick):
    """Weights of words, which are below 1, are looked up as token numbers: all are row 0."""
    counts = draw(1).poisson(0.3, (500, 40)) * draw(2).uniform(0.05, 0.4, 40)
    x = (counts / (1e-6 + np.linalg.norm(counts, axis=1, keepdims=True))).astype("float32") * 0.99
    inputs = Input((40,))
    if pick(True, False):
        z = layers.GlobalAveragePooling1D()(layers.Embedding(2000, 16)(inputs))
    else:
        z = layers.Dense(16, activation="relu")(inputs)
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(z))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, yes_no(x), {"epochs": 20}


@faulty("vocabulary", source=f"{FORUM}: len(word_index) rows, without one for 0")
def a_row_short(pick):
    """word_index counts from 1, and the table has as many rows as words."""
    x, y = texts(30, 301, 2, padded=True)
    net = Sequential([Input((30,)), layers.Embedding(pick(300, 301), 16, mask_zero=True), layers.LSTM(16)])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 10}


@faulty("attention", source=f"{FORUM}: softmax over the last axis of (batch, time, 1)")
def weights_of_one(pick):
    """The scores of a pooling by attention are (batch, time, 1), and softmax goes over the 1."""
    x, y = texts(24, 200)
    inputs = Input((24,))
    z = layers.Bidirectional(layers.LSTM(16, return_sequences=True))(layers.Embedding(200, 16)(inputs))
    score = layers.Dense(1, activation="tanh")(z)
    weight = layers.Softmax(axis=pick(-1, 1))(score)
    z = layers.Lambda(lambda two: ops.sum(two[0] * two[1], axis=1))([z, weight])
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(z))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 10}


@faulty("positions", source=f"{FORUM}: an encoder without positions cannot tell which word came first")
def who_came_first(pick):
    """Which of two words comes first, by one block of attention without positions and an average."""
    rng = draw(4)
    x = rng.integers(3, 60, (600, 16))
    at = np.sort(rng.permuted(np.tile(np.arange(16), (600, 1)), axis=1)[:, :2], axis=1)
    y = rng.integers(0, 2, 600)
    every = np.arange(600)
    x[every, at[:, 0]], x[every, at[:, 1]] = 1 + y, 2 - y
    inputs = Input((16,), dtype="int32")
    z = layers.Embedding(60, 32)(inputs)
    if pick(False, True):
        z = z + layers.Embedding(16, 32)(np.arange(16))
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(2, 16)(z, z))
    z = layers.GlobalAveragePooling1D()(z)
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(layers.Dense(32, activation="relu")(z)))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


@faulty("mask", source=f"{FORUM}: a decoder without use_causal_mask")
def a_decoder_that_looks_ahead(pick):
    """A language model of two blocks, without a causal mask."""
    x, y = next_words(256, 16, 40)
    inputs = Input((16,), dtype="int32")
    z = layers.Embedding(40, 32)(inputs) + layers.Embedding(16, 32)(np.arange(16))
    for _ in range(2):
        n = layers.LayerNormalization()(z)
        z = z + layers.MultiHeadAttention(4, 8)(n, n, use_causal_mask=pick(False, True))
        z = z + layers.Dense(32)(layers.Dense(64, activation="gelu")(layers.LayerNormalization()(z)))
    net = Model(inputs, layers.Dense(40)(z))
    net.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return net, x, y, {"epochs": 10}


@faulty("label shift", "labels", source=f"{FORUM}: decoder input and decoder target are the same array")
def a_decoder_fed_its_target(pick):
    """Teacher forcing without the shift: the decoder gets the word that it should say."""
    source, target = next_words(300, 12, 30)
    before = np.concatenate([np.zeros((300, 1), "int32"), target[:, :-1]], axis=1)
    a, b = Input((12,), dtype="int32"), Input((12,), dtype="int32")
    _, h, c = layers.LSTM(32, return_state=True)(layers.Embedding(30, 16)(a))
    z = layers.LSTM(32, return_sequences=True)(layers.Embedding(30, 16)(b), initial_state=[h, c])
    net = Model([a, b], layers.Dense(30, activation="softmax")(z))
    net.compile("rmsprop", SPARSE)
    return net, [source, pick(target, before)], target, {"epochs": 20}


@faulty("label shift", "labels", source=f"{FORUM}: create_dataset with y = data[i + look_back - 1]")
def the_last_step_is_the_target(pick):
    """The target of a forecast is the last value of the window."""
    x, y = series(30)
    net = Sequential([Input((30, 1)), layers.LSTM(32), layers.Dense(1)])
    net.compile(loss="mean_squared_error", optimizer="adam")
    return net, x, pick(x[:, -1], y), {"epochs": 20, "batch_size": 16}


@faulty("target scale", source=f"{FORUM}: MinMaxScaler for x, sales as they are for y")
def sales_as_they_are(pick):
    """Windows of 0 to 1, and sales of some 50,000."""
    x, y = series(20, 3)
    x = (x + 2) / 4
    y = pick(50000 + 12000 * y, y)
    net = Sequential([Input((20, 3)), layers.GRU(32), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 30}


@faulty("recurrence", "shape", source=f"{FORUM}: trainX.reshape(n, 1, look_back)")
def the_window_as_features(pick):
    """A window of 24 values as one step of 24 features."""
    x, y = series(24)
    x = x.reshape(pick((-1, 1, 24), (-1, 24, 1)))
    net = Sequential([Input(x.shape[1:]), layers.LSTM(40), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 20}


@faulty("recurrence", "order of data", source=f"{GITHUB}: stateful=True and shuffle=True")
def stateful_and_shuffled(pick):
    """A stateful LSTM over shuffled windows."""
    x, y = series(16, count=320)
    net = Sequential([Input(batch_shape=(16, 16, 1)), layers.LSTM(24, stateful=pick(True, False)), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 20, "batch_size": 16}


@faulty("shape", "recurrence", source=f"{FORUM}: return_sequences=True before the last Dense")
def an_answer_for_each_step(pick):
    """The last LSTM keeps the steps, and there is one label for a row."""
    x, y = series(20, 4)
    y = (y[:, 0] > 0).astype("int32")
    net = Sequential([Input((20, 4)), layers.LSTM(24, return_sequences=True)])
    net.add(layers.LSTM(12, return_sequences=pick(True, False)))
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y[:, None], {"epochs": 10}


@faulty(
    "hidden activation",
    "gradient flow",
    "recurrence",
    source=f"{FORUM}: LSTM(activation='relu') is NaN after some epochs",
)
def relu_in_three_lstms(pick):
    """Three LSTMs with relu over 60 steps."""
    x, y = series(60)
    how = pick("relu", "tanh")
    net = Sequential([Input((60, 1)), layers.LSTM(64, activation=how, return_sequences=True)])
    net.add(layers.LSTM(64, activation=how, return_sequences=True))
    net.add(layers.LSTM(32, activation=how))
    net.add(layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 20}


@faulty("mask", source=f"{FORUM}: padding='post' and an LSTM that reads it")
def padding_read_last(pick):
    """Sixty words, most of them padding at the end, without a mask."""
    x, y = reviews(512, 60, 120, longest=20)
    net = Sequential([Input((60,)), layers.Embedding(120, 16, mask_zero=pick(False, True)), layers.GRU(24)])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 10}


@faulty("output activation", "loss", source=f"{FORUM}: Q values by softmax")
def q_values_by_softmax(pick):
    """Values of actions, from -10 to 10, by softmax and MSE."""
    x = rows(4, 600)
    q = 3 * quantity(x, 2)
    net = Sequential([Input((4,)), layers.Dense(24, activation="relu"), layers.Dense(24, activation="relu")])
    net.add(layers.Dense(2, activation=pick("softmax", "linear")))
    net.compile(loss="mse", optimizer=optimizers.Adam(0.001))
    return net, x, q, {"epochs": 40}


@faulty("output activation", "target scale", source=f"{FORUM}: torques of -2 to 2 by a sigmoid (Pendulum)")
def torques_by_a_sigmoid(pick):
    """An actor is cloned: actions of -2 to 2."""
    x = rows(3, 600)
    y = 2 * np.tanh(quantity(x))[:, None]
    inputs = Input((3,))
    z = layers.Dense(64, activation="relu")(layers.Dense(64, activation="relu")(inputs))
    z = layers.Dense(1, activation=pick("sigmoid", "tanh"))(z)
    net = Model(inputs, layers.Rescaling(pick(1.0, 2.0))(z))
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 30}


@faulty("target scale", source=f"{FORUM}: discounted returns of thousands for a critic")
def returns_of_thousands(pick):
    """A critic learns returns of -4,000 to 0."""
    x = rows(6, 600)
    y = quantity(x)
    net = Sequential([Input((6,)), layers.Dense(64, activation="tanh"), layers.Dense(64, activation="tanh")])
    net.add(layers.Dense(1))
    net.compile(optimizers.Adam(1e-3), "mse")
    return net, x, pick(-2000 + 900 * y, y), {"epochs": 40}


def _generator_and_critic():
    maker = Sequential([Input((16,)), layers.Dense(64), layers.LeakyReLU(0.2), layers.Dense(196, activation="tanh")])
    maker.add(layers.Reshape((14, 14, 1)))
    critic = Sequential([Input((14, 14, 1)), layers.Flatten(), layers.Dense(64), layers.LeakyReLU(0.2)])
    critic.add(layers.Dense(1, activation="sigmoid"))
    return maker, critic


@faulty(
    "frozen weights", "labels", source=f"{GITHUB}, eriklindernoren/Keras-GAN#22: trainable before and after compile"
)
def the_critic_helps_the_maker(pick):
    """The combined model of a GAN trains the discriminator too: it learns to call all real."""
    maker, critic = _generator_and_critic()
    critic.trainable = pick(True, False)
    noise = Input((16,))
    net = Model(noise, critic(maker(noise)))
    net.compile(loss="binary_crossentropy", optimizer=optimizers.Adam(0.0002, 0.5))
    return net, rows(16), np.ones((512, 1)), {"epochs": 20, "batch_size": 64}


@faulty(
    "frozen weights", source=f"{GITHUB}, 0b01/SimGAN-Captcha#4: trainable = False before the discriminator compiles"
)
def a_critic_that_cannot_learn(pick):
    """The discriminator is frozen before it is compiled, and stays at 0.693."""
    _, critic = _generator_and_critic()
    critic.trainable = pick(False, True)
    critic.compile(loss="binary_crossentropy", optimizer=optimizers.Adam(0.0002, 0.5), metrics=["accuracy"])
    real, _ = images(14, 1, 4, 256)
    x = np.concatenate([2 * real - 1, np.tanh(draw(1).normal(size=real.shape))]).astype("float32")
    return critic, x, np.repeat([1, 0], 256)[:, None], {"epochs": 20}


@faulty("input scale", source=f"{FORUM}: real pictures of 0 to 255, made ones of -1 to 1")
def real_pictures_as_bytes(pick):
    """The discriminator can tell real pictures by their range alone."""
    _, critic = _generator_and_critic()
    critic.compile(loss="binary_crossentropy", optimizer=optimizers.Adam(0.0002, 0.5))
    real, _ = images(14, 1, 4, 256)
    made = np.tanh(draw(1).normal(size=real.shape))
    x = np.concatenate([pick(255 * real, 2 * real - 1), made]).astype("float32")
    return critic, x, np.repeat([0.9, 0.0], 256)[:, None], {"epochs": 20, "batch_size": 64}


class _Sampling(layers.Layer):
    """z of a mean and a logarithm of the variance, with the divergence as a loss."""

    def __init__(self, sign, weight, **kwargs):
        super().__init__(**kwargs)
        self.sign, self.weight = sign, weight
        self.seeds = keras.random.SeedGenerator(1)

    def call(self, two):
        mean, spread = two
        divergence = -0.5 * ops.mean(ops.sum(1 + spread - ops.square(mean) - ops.exp(spread), axis=-1))
        self.add_loss(self.sign * self.weight * divergence)
        return mean + ops.exp(0.5 * spread) * keras.random.normal(ops.shape(mean), seed=self.seeds)


def _vae(sign, weight):
    inputs = Input((196,))
    z = layers.Dense(64, activation="relu")(inputs)
    z = _Sampling(sign, weight)([layers.Dense(4)(z), layers.Dense(4)(z)])
    z = layers.Dense(64, activation="relu")(z)
    return Model(inputs, layers.Dense(196, activation="sigmoid")(z))


@faulty("loss", source=f"{GITHUB}, keras-team/keras#6500: the sign of the divergence")
def a_divergence_that_grows(pick):
    """The KL term has the wrong sign and has no lowest value."""
    x = np.clip(images(14, 1, 4)[0].reshape(512, 196), 0, 1)
    net = _vae(pick(-1, 1), 1 / 196)
    net.compile("adam", "binary_crossentropy")
    return net, x, x, {"epochs": 30, "batch_size": 64}


@faulty(
    "loss",
    "regularization",
    source=f"{GITHUB}, keras-team/keras#3383: the mean over pixels beside the sum over latents",
)
def a_posterior_that_collapses(pick):
    """Crossentropy is a mean over 196 pixels, the divergence a sum that outweighs it."""
    x = np.clip(images(14, 1, 4)[0].reshape(512, 196), 0, 1)
    net = _vae(1, pick(1.0, 1 / 196))
    net.compile("adam", "binary_crossentropy")
    return net, x, x, {"epochs": 30, "batch_size": 64}


@faulty("output activation", "input scale", source=f"{FORUM}: StandardScaler before an autoencoder with a sigmoid")
def standardized_and_a_sigmoid(pick):
    """An autoencoder of standardized columns ends in a sigmoid."""
    x = rows(30)
    net = Sequential([Input((30,)), layers.Dense(16, activation="relu"), layers.Dense(8, activation="relu")])
    net.add(layers.Dense(16, activation="relu"))
    net.add(layers.Dense(30, activation=pick("sigmoid", "linear")))
    net.compile("adam", "mse")
    return net, x, x, {"epochs": 40}


def _pairs():
    x, y = blobs(800, 12, 4, spread=0.5)
    a, b = x[:400], x[400:]
    return a, b, (y[:400] == y[400:]).astype("float32")[:, None]


def _distance(two):
    return ops.sqrt(ops.maximum(ops.sum(ops.square(two[0] - two[1]), axis=1, keepdims=True), 1e-7))


@faulty("labels", "loss", source=f"{GITHUB}, keras-team/keras#4980, #16935: which label means the same")
def same_pairs_are_driven_apart(pick):
    """1 means the same in the data, and another in the contrastive loss."""

    def contrastive(y_true, d):
        far = ops.square(ops.maximum(1.0 - d, 0.0))
        near = ops.square(d)
        same = pick(1 - y_true, y_true)
        return ops.mean(same * near + (1 - same) * far)

    a, b, same = _pairs()
    tower = Sequential([Input((12,)), layers.Dense(32, activation="relu"), layers.Dense(8)])
    one, two = Input((12,)), Input((12,))
    net = Model([one, two], layers.Lambda(_distance)([tower(one), tower(two)]))
    net.compile("adam", contrastive)
    return net, [a, b], same, {"epochs": 30}


@faulty("disconnected", "layer order", source=f"{FORUM}: a siamese network whose two halves share nothing")
def twins_that_share_nothing(pick):
    """The tower is made anew for each input of a siamese network."""

    def tower():
        return Sequential([Input((12,)), layers.Dense(32, activation="relu"), layers.Dense(8)])

    a, b, same = _pairs()
    one, two = Input((12,)), Input((12,))
    first = tower()
    second = pick(tower(), first)
    gap = layers.Lambda(lambda both: ops.abs(both[0] - both[1]))([first(one), second(two)])
    net = Model([one, two], layers.Dense(1, activation="sigmoid")(gap))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, [a, b], same, {"epochs": 30}


@faulty("optimizer", "learning rate", source=f"{FORUM}: decay of Keras 2 typed as weight_decay")
def a_decay_of_the_weights(pick):
    """AdamW(weight_decay=0.9) beside a rate of 0.01."""
    x, y = blobs(600, 16, 4)
    net = Sequential([Input((16,)), layers.Dense(32, activation="relu"), layers.Dense(4, activation="softmax")])
    net.compile(optimizers.AdamW(0.01, weight_decay=pick(20.0, 0.004)), SPARSE)
    return net, x, y, {"epochs": 40}


@faulty("optimizer", "learning rate", source=f"{FORUM}: Adam(beta_1=0.999, beta_2=0.9)")
def betas_in_the_other_order(pick):
    """The two betas of Adam are exchanged."""
    x, y = blobs(600, 16, 4)
    net = Sequential([Input((16,)), layers.Dense(32, activation="relu"), layers.Dense(4, activation="softmax")])
    net.compile(optimizers.Adam(0.001, *pick((0.999, 0.9), (0.9, 0.999))), SPARSE)
    return net, x, y, {"epochs": 40}


@faulty("optimizer", "learning rate", source=f"{SCIENCE}: clipvalue=1e-5 with SGD")
def clipped_to_nothing(pick):
    """SGD(0.01) of gradients that are cut to 1e-5."""
    x, y = blobs(600, 16, 4)
    net = Sequential([Input((16,)), layers.Dense(32, activation="relu"), layers.Dense(4, activation="softmax")])
    net.compile(optimizers.SGD(0.05, momentum=0.9, clipvalue=pick(1e-5, 1.0)), "categorical_crossentropy")
    return net, x, one_hot(y, 4), {"epochs": 40}


@faulty("callback", source=f"{FORUM}: EarlyStopping on val_acc, and the metric is called accuracy")
def a_figure_of_another_name(pick):
    """monitor="val_acc", where logs have val_accuracy."""
    x, y = blobs(600, 16, 4)
    net = Sequential([Input((16,)), layers.Dense(32, activation="relu"), layers.Dense(4, activation="softmax")])
    net.compile("adam", SPARSE, metrics=["accuracy"])
    stop = callbacks.EarlyStopping(monitor=pick("val_acc_top", "val_accuracy"), patience=4)
    return net, x, y, {"epochs": 40, "validation_split": 0.2, "callbacks": [stop]}


@faulty("callback", source=f"{FORUM}: min_delta=1 for an accuracy")
def a_step_that_is_never_made(pick):
    """EarlyStopping on accuracy with min_delta=1: no epoch counts as better."""
    x, y = blobs(600, 16, 4)
    net = Sequential([Input((16,)), layers.Dense(32, activation="relu"), layers.Dense(4, activation="softmax")])
    net.compile("adam", SPARSE, metrics=["accuracy"])
    stop = callbacks.EarlyStopping("val_accuracy", min_delta=pick(1, 1e-3), patience=5, mode="max")
    return net, x, y, {"epochs": 60, "validation_split": 0.2, "callbacks": [stop]}


@faulty("callback", "learning rate", source=f"{FORUM}: ReduceLROnPlateau with more patience than there are epochs")
def a_patience_longer_than_the_run(pick):
    """patience=30 in a run of 20 epochs."""
    x, y = blobs(600, 16, 4)
    net = Sequential([Input((16,)), layers.Dense(32, activation="relu"), layers.Dense(4, activation="softmax")])
    net.compile("adam", SPARSE)
    slow = callbacks.ReduceLROnPlateau("val_loss", factor=0.3, patience=pick(30, 3))
    return net, x, y, {"epochs": 20, "validation_split": 0.2, "callbacks": [slow]}

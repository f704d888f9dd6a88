"""Faults that are asked about in forums: recurrent layers, attention, text, subclassed networks, depth."""

import numpy as np

from benchmarks.faults.data import draw, images, one_hot, quantity, rows, series, texts
from benchmarks.faults.drawn import blobs, next_words, reviews
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import AUTOTRAINER, DEEPFD, DEFAULT, FORUM, GITHUB, NEURALINT, SCIENCE

SPARSE = "sparse_categorical_crossentropy"


@faulty("label shift", "labels", source=f"{SCIENCE}: a forecast that is the last value of the window")
def target_inside_the_window(pick):
    """The target is the last value of the window itself."""
    x, y = series(20)
    net = Sequential([Input((20, 1)), layers.LSTM(32), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, pick(x[:, -1], y), {"epochs": 20}


@faulty("label shift", source=f"{GITHUB}: a language model whose targets are its inputs")
def a_language_model_that_copies(pick):
    """Next words by a GRU; y is x."""
    x, y = next_words(512)
    net = Sequential([Input((12,)), layers.Embedding(24, 32), layers.GRU(64, return_sequences=True)])
    net.add(layers.Dense(24))
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return net, x, pick(x, y), {"epochs": 20}


@faulty("label shift", source=f"{GITHUB}, keras-team/keras#11594: seq2seq that gives the same token")
def decoder_sees_its_answer(pick):
    """Encoder and decoder by LSTM; the decoder's input is not shifted against its target."""
    rng = draw(4)
    source = rng.integers(1, 30, (512, 8))
    target = source[:, ::-1]
    begun = np.concatenate([np.full((512, 1), 30), target[:, :-1]], axis=1)
    read, write = Input((8,)), Input((8,))
    _, h, c = layers.LSTM(48, return_state=True)(layers.Embedding(31, 24)(read))
    z = layers.LSTM(48, return_sequences=True)(layers.Embedding(31, 24)(write), initial_state=[h, c])
    net = Model([read, write], layers.Dense(31, activation="softmax")(z))
    net.compile("rmsprop", SPARSE)
    return net, [source, pick(target, begun)], target, {"epochs": 30, "batch_size": 64}


@faulty("mask", source=f"{GITHUB}, keras-team/keras#395: padding in the loss of a tagger")
def tags_of_padding(pick):
    """A tagger of padded sentences without a mask: most tokens are padding."""
    x, _ = reviews(512, 40, 100, longest=12)
    y = np.where(x > 0, 1 + x % 4, 0)
    net = Sequential([Input((40,)), layers.Embedding(100, 24, mask_zero=pick(False, True))])
    net.add(layers.Bidirectional(layers.LSTM(24, return_sequences=True)))
    net.add(layers.TimeDistributed(layers.Dense(5, activation="softmax")))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 10, "batch_size": 64}


@faulty("gradient flow", "recurrence", "hidden activation", source=f"{FORUM}: a plain RNN over hundreds of steps")
def four_hundred_steps_by_a_plain_rnn(pick):
    """SimpleRNN with relu over 400 steps."""
    x, y = series(400, 2, count=256)
    cell = pick(layers.SimpleRNN(32, activation="relu"), layers.GRU(32))
    net = Sequential([Input((400, 2)), cell, layers.Dense(1)])
    net.compile(optimizers.Adam(1e-3), "mse")
    return net, x, y[:, 0], {"epochs": 20}


@faulty("recurrence", source=f"{FORUM}: output[:, -1] of a bidirectional layer")
def last_step_of_both_directions(pick):
    """The last step of a bidirectional layer: of the backward half, which has seen one token."""
    x, y = texts(30, 300)
    inputs = Input((30,))
    z = layers.Embedding(300, 24)(inputs)
    if pick(True, False):
        z = layers.Bidirectional(layers.LSTM(24, return_sequences=True))(z)[:, -1, :]
    else:
        z = layers.Bidirectional(layers.LSTM(24))(z)
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(z))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 15}


@faulty("recurrence", "order of data", source=f"{FORUM}: stateful=True and shuffle")
def state_of_another_row(pick):
    """A stateful LSTM over windows that are shuffled."""
    x, y = series(16, 1, count=512)
    inputs = Input(batch_shape=(32, 16, 1))
    z = layers.LSTM(32, stateful=pick(True, False))(inputs)
    net = Model(inputs, layers.Dense(1)(z))
    net.compile("adam", "mse")
    return net, x, y[:, 0], {"epochs": 20, "batch_size": 32}


class _Block(keras.layers.Layer):
    """A block of a transformer, as tutorials write it."""

    def __init__(self, width, heads, causal=False, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.attend = layers.MultiHeadAttention(heads, width // heads)
        self.feed = Sequential([layers.Dense(2 * width, activation="relu"), layers.Dense(width)])
        self.first, self.second = layers.LayerNormalization(axis=axis), layers.LayerNormalization(axis=axis)
        self.causal = causal

    def call(self, z):
        z = self.first(z + self.attend(z, z, use_causal_mask=self.causal))
        return self.second(z + self.feed(z))


class _Places(keras.layers.Layer):
    """Tokens, and where they stand."""

    def __init__(self, length, words, width, places=True, **kwargs):
        super().__init__(**kwargs)
        self.tokens = layers.Embedding(words, width)
        self.places = layers.Embedding(length, width) if places else None

    def call(self, x):
        z = self.tokens(x)
        return z if self.places is None else z + self.places(ops.arange(ops.shape(x)[1]))


@faulty("mask", source=f"{GITHUB}, keras-team/keras#21284 and others: a language model that sees the future")
def small_gpt_without_a_mask(pick):
    """Next words by two blocks without a causal mask."""
    x, y = next_words(512)
    inputs = Input((12,), dtype="int32")
    z = _Places(12, 24, 32)(inputs)
    for _ in range(2):
        z = _Block(32, 4, causal=pick(False, True))(z)
    net = Model(inputs, layers.Dense(24)(z))
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("positions", source=f"{DEFAULT} and {FORUM}: no positions")
def blocks_without_positions(pick):
    """The first word decides, and the blocks do not know which is the first."""
    x, y = reviews(512, 16, 40, longest=16)
    x = np.where(x == 0, 1, x)
    inputs = Input((16,), dtype="int32")
    z = _Places(16, 40, 32, places=pick(False, True))(inputs)
    z = layers.GlobalAveragePooling1D()(_Block(32, 4)(z))
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(z))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


class _OwnAttention(keras.layers.Layer):
    """softmax(q k) v, written by hand."""

    def __init__(self, width, axis, scale, **kwargs):
        super().__init__(**kwargs)
        self.q, self.k, self.v = layers.Dense(width), layers.Dense(width), layers.Dense(width)
        self.width, self.axis, self.scale = width, axis, scale

    def call(self, z):
        scores = ops.matmul(self.q(z), ops.transpose(self.k(z), (0, 2, 1)))
        weights = ops.softmax(scores * self.scale, axis=self.axis)
        return ops.matmul(weights, self.v(z))


@faulty("attention", source=f"{DEFAULT} and {FORUM}: softmax over the queries")
def attention_over_the_queries(pick):
    """An attention of one's own with softmax over axis 1."""
    x, y = texts(20, 300)
    inputs = Input((20,))
    z = _Places(20, 300, 32)(inputs)
    z = layers.Add()([z, _OwnAttention(32, pick(1, -1), 32**-0.5)(z)])
    z = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(z))
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(z))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 15}


@faulty("layer order", "dropout", source=f"{FORUM}: dropout with training=True in call")
def noise_in_predictions(pick):
    """A subclassed network calls its dropout with training=True."""
    x, y = blobs(600, 20, 4)

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = layers.Dense(64, activation="relu")
            self.drop = layers.Dropout(0.5)
            self.head = layers.Dense(4, activation="softmax")

        def call(self, inputs, training=False):
            z = self.drop(self.hidden(inputs), training=pick(True, training))
            return self.head(z)

    net = Net()
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("disconnected", source=f"{FORUM}: a layer that call forgets")
def a_layer_that_call_forgets(pick):
    """`z = self.second(inputs)` in place of `self.second(z)`."""
    x, y = images(16, 1, 4)

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = layers.Conv2D(16, 3, activation="relu", padding="same")
            self.second = layers.Conv2D(16, 3, activation="relu", padding="same")
            self.pool, self.head = layers.GlobalMaxPooling2D(), layers.Dense(4, activation="softmax")

        def call(self, inputs):
            z = self.first(inputs)
            z = self.second(pick(inputs, z))
            return self.head(self.pool(z))

    net = Net()
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 20}


@faulty("hidden activation", "capacity", source=f"{NEURALINT}: layers without activation between them")
def only_linear_layers(pick):
    """Three Dense layers in a row without an activation."""
    x = rows(10)
    y = (np.abs(x[:, 0]) + x[:, 1] * x[:, 2] > 0.8).astype("float32")
    net = Sequential([Input((10,))])
    for units in (64, 32, 16):
        net.add(layers.Dense(units, activation=pick(None, "relu")))
        net.add(layers.Dropout(0.1))
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 60}


@faulty("output activation", "hidden activation", source=f"{FORUM}: softmax in the layer and behind it")
def softmax_twice(pick):
    """Dense(activation="softmax"), and then Activation("softmax")."""
    x, y = images(24, 3, 6)
    net = Sequential([Input((24, 24, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D()])
    net.add(layers.Flatten())
    net.add(layers.Dense(6, activation="softmax"))
    if pick(True, False):
        net.add(layers.Activation("softmax"))
    net.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return net, x, one_hot(y, 6), {"epochs": 20}


@faulty("gradient flow", "hidden activation", source=f"{AUTOTRAINER} and {DEEPFD}: sigmoid in ten layers")
def ten_layers_of_sigmoid(pick):
    """Two clouds of points by ten layers with sigmoid and SGD."""
    x, y = blobs(600, 2, 2)
    net = Sequential([Input((2,))])
    for _ in range(pick(10, 2)):
        net.add(layers.Dense(16, activation=pick("sigmoid", "relu")))
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile(optimizers.SGD(0.05, momentum=0.9), "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 60}


@faulty("feature maps", source=f"{FORUM}: strides and pooling leave one pixel")
def pooled_to_one_pixel(pick):
    """Strides of 4 and pooling by 4 at the beginning: 28 x 28 is 1 x 1 after two layers."""
    x, y = images(28, 1, 10)
    net = Sequential([Input((28, 28, 1)), layers.Conv2D(16, 5, strides=pick(4, 1), padding="same", activation="relu")])
    net.add(layers.MaxPooling2D(pick(4, 2)))
    net.add(layers.Conv2D(32, 3, padding="same", activation="relu"))
    net.add(layers.Conv2D(64, 3, padding="same", activation="relu"))
    net.add(layers.GlobalMaxPooling2D())
    net.add(layers.Dense(10, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("layer order", "output activation", source=f"{FORUM}: BatchNormalization behind the last layer")
def normalized_output(pick):
    """A regression whose output passes BatchNormalization."""
    x = rows(12)
    net = Sequential([Input((12,)), layers.Dense(64), layers.BatchNormalization(), layers.Activation("relu")])
    net.add(layers.Dense(1))
    if pick(True, False):
        net.add(layers.BatchNormalization())
    net.compile("adam", "mse")
    return net, x, quantity(x), {"epochs": 30}


@faulty("loss", "output activation", source=f"{FORUM}: poisson with negative predictions")
def counts_by_a_linear_unit(pick):
    """Counts by the poisson loss after a Dense(1) without activation: NaN."""
    x = rows(8)
    y = draw(3).poisson(np.exp(0.8 * quantity(x))).astype("float32")
    inputs = Input((8,))
    z = layers.Dense(32, activation="relu")(inputs)
    net = Model(inputs, layers.Dense(1, activation=pick(None, "exponential"))(z))
    net.compile(optimizers.Adam(1e-3), losses.Poisson())
    return net, x, y, {"epochs": 40}


@faulty("loss", source=f"{FORUM}: MAPE with targets of 0")
def percentages_of_zero(pick):
    """Sales per hour, of which many are 0, by mean_absolute_percentage_error."""
    x, after = series(24)
    y = np.maximum(np.round(3 * after[:, 0]), 0)
    net = Sequential([Input((24, 1)), layers.Conv1D(32, 5, activation="relu"), layers.Flatten(), layers.Dense(1)])
    net.compile(optimizer="adam", loss=pick("mape", "mae"))
    return net, x, y, {"epochs": 30}


@faulty("capacity", source=f"{FORUM}: a bottleneck narrower than the classes")
def narrow_before_thirty_classes(pick):
    """Two units before a softmax of thirty."""
    x, y = blobs(900, 40, 30)
    net = Sequential([Input((40,)), layers.Dense(128, activation="relu"), layers.Dense(pick(2, 64), activation="relu")])
    net.add(layers.Dense(30, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 40}


@faulty("capacity", "gradient flow", source=f"{FORUM}: [layer] * 4 is four times the same layer")
def one_layer_four_times(pick):
    """`[Dense(32)] * 4`: one layer that is called four times."""
    x, y = blobs(600, 32, 5)
    if pick(True, False):
        stack = [layers.Dense(32, activation="relu")] * 4
    else:
        stack = [layers.Dense(32, activation="relu") for _ in range(4)]
    inputs = z = Input((32,))
    for layer in stack:
        z = layer(z)
    net = Model(inputs, layers.Dense(5, activation="softmax")(z))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 30}


@faulty("vocabulary", source=f"{FORUM}: input_dim=len(word_index)")
def one_word_too_many(pick):
    """Embedding(len(word_index)), without the row of padding."""
    x, y = texts(20, 251)
    inputs = Input(shape=(20,))
    z = layers.Embedding(pick(250, 251), 16, name="words")(inputs)
    z = layers.Conv1D(32, 3, activation="relu")(z)
    z = layers.GlobalMaxPooling1D()(z)
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(z))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 15}

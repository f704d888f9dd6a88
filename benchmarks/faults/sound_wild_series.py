"""Sound programs as they occur in the wild: series, text, generators of data, several parts, own layers."""

import numpy as np

from benchmarks.faults.data import choices, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, metrics, ops, optimizers
from benchmarks.faults.program import sound
from benchmarks.faults.sound_wild import FIT, WILD


@sound(f"{WILD}: tied encoder and decoder by a transpose")
def kernel_shared_with_its_transpose():
    """An autoencoder whose decoder multiplies by the transposed kernel of the encoder."""
    x = (rows(4) @ np.random.default_rng(0).normal(size=(4, 20))).astype("float32") / 2

    class Tied(Model):
        def __init__(self):
            super().__init__()
            self.encode = layers.Dense(8, activation="tanh")
            self.bias = self.add_weight((20,), "zeros", name="bias")

        def call(self, x):
            return ops.matmul(self.encode(x), ops.transpose(self.encode.kernel)) + self.bias

    model = Tied()
    model.compile("adam", "mse")
    return model, x, x, FIT


@sound(f"{WILD}: several steps ahead at once")
def five_values_at_once():
    """A window of 24 values, the next five."""
    x, y = series(24, 2, 5)
    model = Sequential([Input((24, 2)), layers.LSTM(32), layers.Dense(5)])
    model.compile("adam", "mse", metrics=["mae"])
    return model, x, y, FIT


@sound(f"{WILD}: two layers of LSTM")
def two_layers_of_memory():
    """return_sequences for the first, dropout between."""
    x, y = series(24)
    model = Sequential([layers.LSTM(16, return_sequences=True), layers.Dropout(0.2), layers.LSTM(16), layers.Dense(1)])
    model.compile(optimizers.Adam(1e-3), "mean_squared_error")
    return model, x, y[:, 0], FIT


@sound(f"{WILD}: windows of a table without shuffle")
def windows_in_their_order():
    """shuffle=False of windows of a series, with the last ones for validation."""
    x, y = series(24)
    model = Sequential([Input((24, 1)), layers.GRU(16), layers.Dense(1)])
    model.compile("adam", "mse")
    return model, x, y[:, 0], {**FIT, "shuffle": False, "validation_split": 0.2}


@sound(f"{WILD}: Conv1D before a GRU")
def convolution_before_recurrence():
    """Conv1D, pooling, GRU; kinds of signals of three sensors."""
    x, _ = series(60, 3)
    model = Sequential([Input((60, 3)), layers.Conv1D(16, 5, activation="relu"), layers.MaxPooling1D(2)])
    model.add(layers.GRU(16))
    model.add(layers.Dense(3, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, choices(x, 3), FIT


@sound(f"{WILD}: rows padded with another value")
def masking_of_minus_ten():
    """Masking(-10) for rows that are padded with -10."""
    x, _ = series(20)
    x = np.array(x)
    ends = np.random.default_rng(2).integers(8, 21, len(x))
    y = x[np.arange(len(x)), ends - 1, 0]
    for row, end in zip(x, ends, strict=True):
        row[end:] = -10.0
    model = Sequential([Input((20, 1)), layers.Masking(-10.0), layers.LSTM(12), layers.Dense(1)])
    model.compile("adam", "mse")
    return model, x, y, FIT


@sound(f"{WILD}: stateful in its order")
def state_kept_in_order():
    """A stateful LSTM, shuffle=False, the state reset by a callback."""
    x, y = series(20, count=320)
    model = Sequential([Input(batch_shape=(32, 20, 1)), layers.LSTM(8, stateful=True), layers.Dense(1)])
    model.compile("adam", "mse")
    reset = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: model.layers[0].reset_states())
    return model, x, y[:, 0], {"epochs": 20, "batch_size": 32, "shuffle": False, "callbacks": [reset]}


@sound(f"{WILD}: reviews read from both ends")
def reviews_from_both_ends():
    """Embedding with a mask, two directions, dropout, one sigmoid."""
    x, y = texts(20, 60, padded=True)
    model = Sequential(
        [Input((None,)), layers.Embedding(60, 16, mask_zero=True), layers.Bidirectional(layers.LSTM(12))]
    )
    model.add(layers.Dropout(0.5))
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
    return model, x, y, FIT


@sound(f"{WILD}: TextVectorization in the model")
def strings_into_the_model():
    """TextVectorization outside, Embedding of its size, mean of the words."""
    x, y = texts(12, 60)
    lines = [" ".join(f"w{token}" for token in row) for row in x]
    words = layers.TextVectorization(output_mode="int", output_sequence_length=12)
    words.adapt(lines)
    model = Sequential([Input((12,)), layers.Embedding(words.vocabulary_size(), 16), layers.GlobalAveragePooling1D()])
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, np.asarray(words(lines)), y, FIT


@sound(f"{WILD}: counts of words")
def counts_of_words():
    """Multi-hot words, a dense net."""
    x, y = texts(20, 60, 4)
    bag = np.stack([np.bincount(row, minlength=60) > 0 for row in x]).astype("float32")
    model = Sequential([Input((60,)), layers.Dense(32, "relu"), layers.Dropout(0.5), layers.Dense(4, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, bag, y, FIT


@sound(f"{WILD}: tags with a mask")
def tags_with_a_mask():
    """A tagger of padded rows with mask_zero."""
    x, _ = texts(24, 60, padded=True)
    model = Sequential([Input((24,)), layers.Embedding(60, 16, mask_zero=True)])
    model.add(layers.LSTM(16, return_sequences=True))
    model.add(layers.TimeDistributed(layers.Dense(4, activation="softmax")))
    model.compile("adam", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    return model, x, np.where(x > 0, 1 + x % 3, 0), FIT


@sound(f"{WILD}: a language model")
def next_words_with_a_causal_mask():
    """Attention with use_causal_mask, learned positions, scores."""
    text, _ = texts(17, 40)
    inputs = Input((16,), dtype="int32")
    h = layers.Embedding(40, 16)(inputs) + layers.Embedding(16, 16)(ops.arange(16))
    for _ in range(2):
        n = layers.LayerNormalization()(h)
        h = h + layers.MultiHeadAttention(2, 8)(n, n, use_causal_mask=True)
        h = h + layers.Dense(16)(layers.Dense(32, "gelu")(layers.LayerNormalization()(h)))
    model = Model(inputs, layers.Dense(40)(h))
    model.compile(optimizers.Adam(3e-3), losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model, text[:, :-1], text[:, 1:], FIT


@sound(f"{WILD}: attention over steps")
def weights_of_steps():
    """softmax over the steps of a GRU, a weighted sum."""
    x, y = series(24)
    inputs = Input((24, 1))
    h = layers.GRU(16, return_sequences=True)(inputs)
    weight = layers.Softmax(axis=1)(layers.Dense(1)(h))
    model = Model(inputs, layers.Dense(1)(ops.sum(weight * h, axis=1)))
    model.compile("adam", "mse")
    return model, x, y[:, 0], FIT


@sound(f"{WILD}: pictures one at a time by a generator")
def generator_that_never_ends():
    """A generator of shuffled batches with steps_per_epoch."""
    x, y = images(16, 1, 4)

    def batches():
        numbers = np.random.default_rng(0)
        while True:
            at = numbers.integers(0, len(x), 32)
            yield x[at], one_hot(np.asarray(y)[at], 4)

    model = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, activation="relu"), layers.Flatten()])
    model.add(layers.Dense(4, activation="softmax"))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, batches(), None, {"epochs": 20, "steps_per_epoch": 16}


@sound(f"{WILD}: age and sex of a face")
def losses_by_the_names_of_outputs():
    """Two outputs, a loss and a weight for each."""
    x, _ = images(16, 1, 4)
    inputs = Input((16, 16, 1))
    h = layers.Flatten()(layers.Conv2D(8, 3, activation="relu")(inputs))
    model = Model(inputs, {"age": layers.Dense(1)(h), "sex": layers.Dense(1, activation="sigmoid")(h)})
    model.compile("adam", {"age": "mae", "sex": "binary_crossentropy"}, loss_weights={"age": 0.5, "sex": 1.0})
    return model, x, {"age": quantity(x), "sex": yes_no(x)}, FIT


@sound(f"{WILD}: a gate for each feature")
def gate_of_its_own():
    """A layer of one's own with a kernel and a gate of add_weight."""
    x = rows(8)

    class Gated(layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.units = units

        def build(self, shape):
            self.w = self.add_weight((shape[-1], self.units), "glorot_uniform")
            self.g = self.add_weight((self.units,), "zeros")

        def call(self, x):
            return ops.relu(ops.matmul(x, self.w)) * ops.sigmoid(self.g)

    model = Sequential([Gated(32), Gated(16), layers.Dense(1)])
    model.compile(optimizers.Adam(0.01), "mse")
    return model, x, quantity(x), FIT


@sound(f"{WILD}: codes of one bit")
def codes_of_one_bit():
    """Signs with a straight-through estimate."""
    x = rows(8)
    inputs = Input((8,))
    z = layers.Dense(16, activation="tanh")(inputs)
    model = Model(inputs, layers.Dense(1)(z + ops.stop_gradient(ops.sign(z) - z)))
    model.compile("adam", "mse")
    return model, x, quantity(x), FIT


@sound(f"{WILD}: a VAE")
def code_with_its_divergence():
    """A VAE that adds the divergence to its loss."""
    x, _ = images(16, 1, 4)

    class Code(layers.Layer):
        def __init__(self):
            super().__init__()
            self.mean, self.spread = layers.Dense(4), layers.Dense(4)
            self.seed = keras.random.SeedGenerator(1)

        def call(self, h):
            mean, spread = self.mean(h), self.spread(h)
            self.add_loss(-0.005 * ops.mean(1 + spread - ops.square(mean) - ops.exp(spread)))
            return mean + ops.exp(spread / 2) * keras.random.normal(ops.shape(mean), seed=self.seed)

    inputs = Input((16, 16, 1))
    code = Code()(layers.Dense(32, "relu")(layers.Flatten()(inputs)))
    out = layers.Reshape((16, 16, 1))(layers.Dense(256, "sigmoid")(layers.Dense(32, "relu")(code)))
    model = Model(inputs, out)
    model.compile("adam", "binary_crossentropy")
    return model, x, x, FIT


@sound(f"{WILD}: a judge of pictures")
def judge_alone():
    """The discriminator of a GAN, on real and made pictures, Adam(2e-4, 0.5)."""
    x, _ = images(16, 1, 4)
    made = np.random.default_rng(0).random(x.shape).astype("float32")
    model = Sequential([Input((16, 16, 1)), layers.Conv2D(16, 3, strides=2, padding="same"), layers.LeakyReLU(0.2)])
    model.add(layers.Dropout(0.4))
    model.add(layers.Flatten())
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile(optimizers.Adam(2e-4, 0.5), "binary_crossentropy", metrics=["accuracy"])
    at = np.random.default_rng(1).permutation(2 * len(x))
    both = np.concatenate([x, made])[at]
    return model, both, np.repeat([1.0, 0.0], len(x))[at], FIT


@sound(f"{WILD}: pictures of -1 to 1 by tanh")
def centred_autoencoder():
    """Pictures of -1 to 1 through an autoencoder that ends in tanh, mse."""
    x, _ = images(16, 1, 4)
    model = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")])
    model.add(layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu"))
    model.add(layers.Conv2D(1, 3, padding="same", activation="tanh"))
    model.compile("adam", "mse")
    return model, (x - 0.5) * 2, (x - 0.5) * 2, FIT


@sound(f"{WILD}: pixels of three kinds")
def pixels_of_three_kinds():
    """Class numbers of pixels, softmax over channels."""
    x, _ = images(16, 3, 4)
    model = Sequential([Input((16, 16, 3)), layers.Conv2D(16, 3, padding="same", activation="relu")])
    model.add(layers.Conv2D(3, 1, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, x.argmax(-1), FIT


@sound(f"{WILD}: two pictures by one base")
def one_base_for_two_pictures():
    """A siamese net by the absolute difference."""
    x, y = images(16, 1, 4)
    base = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, activation="relu"), layers.Flatten(), layers.Dense(16)])
    a, b = Input((16, 16, 1)), Input((16, 16, 1))
    model = Model([a, b], layers.Dense(1, "sigmoid")(ops.abs(base(a) - base(b))))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    other = np.roll(np.arange(len(x)), 1)
    return model, [x, x[other]], (np.asarray(y) == np.asarray(y)[other]).astype("float32"), FIT


@sound(f"{WILD}: users and things")
def stars_of_films():
    """Embeddings of users and films, their product, biases, a rating of 1 to 5."""
    numbers = np.random.default_rng(0)
    users, films = numbers.integers(0, 40, 600), numbers.integers(0, 30, 600)
    stars = 1 + (users + 2 * films) % 5
    a, b = Input((1,), dtype="int32"), Input((1,), dtype="int32")
    dot = layers.Dot(-1)([layers.Embedding(40, 8)(a), layers.Embedding(30, 8)(b)])
    bias = layers.Embedding(40, 1)(a) + layers.Embedding(30, 1)(b)
    model = Model([a, b], layers.Dense(1)(layers.Flatten()(dot + bias)))
    model.compile(optimizers.Adam(0.01), "mse")
    return model, [users[:, None], films[:, None]], stars.astype("float32"), FIT


@sound(f"{WILD}: counts")
def counts_with_poisson():
    """Poisson's loss of an exponential."""
    x = rows(6)
    y = np.random.default_rng(0).poisson(np.exp(0.5 * quantity(x))).astype("float32")
    model = Sequential([Input((6,)), layers.Dense(16, "relu"), layers.Dense(1, "exponential")])
    model.compile("adam", "poisson", metrics=[metrics.MeanAbsoluteError()])
    return model, x, y, FIT

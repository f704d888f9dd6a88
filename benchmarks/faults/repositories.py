"""Faults in the style of repositories: subclasses, steps of their own, streams of batches, several networks."""

import math

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import DEFAULT, DEFECTS, STUDY, TAXONOMY

ISSUES = "after issues on GitHub"
WORDS, WIDTH, LENGTH = 120, 32, 16


class _Perceptron(Model):
    """A network by subclassing that ends in a function."""

    def __init__(self, units, end):
        super().__init__()
        self.hidden, self.scores, self.end = layers.Dense(64, activation="relu"), layers.Dense(units), end

    def call(self, inputs, training=False):
        return self.end(self.scores(self.hidden(inputs)))


@faulty("output activation", "loss", source=f"{ISSUES}: ops.sigmoid at the end of call")
def sigmoid_in_call_for_classes(pick):
    """A subclassed model whose call ends in ops.sigmoid, with a loss over classes of which one is true."""
    x = rows(16)
    model = _Perceptron(5, pick(ops.sigmoid, ops.softmax))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, choices(x, 5), {"epochs": 40}


@faulty("logits", "output activation", source=f"{ISSUES}: from_logits=True and softmax in call")
def softmax_in_call_and_logits(pick):
    """The call ends in softmax, and the loss applies it again."""
    x = rows(16)
    model = _Perceptron(5, pick(ops.softmax, lambda z: z))
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, x, choices(x, 5), {"epochs": 40}


@faulty("logits", "output activation", source=f"{ISSUES}: no activation in call, and the loss of probabilities")
def scores_in_call_as_probabilities(pick):
    """The call returns raw scores, and the loss takes probabilities."""
    x = rows(16)
    model = _Perceptron(1, pick(lambda z: z * 1.0, ops.sigmoid))
    model.compile("adam", losses.BinaryCrossentropy())
    return model, x, yes_no(x), {"epochs": 40}


@faulty("shape", "labels", "loss", source=f"{ISSUES}: broadcasting in a loss of one's own")
def squares_that_broadcast(pick):
    """mean((y_true - y_pred[:, 0])**2), where y_true is (N, 1)."""
    x = rows(12)
    y = quantity(x)[:, None]

    def squared(y_true, y_pred):
        y_pred = y_pred[:, 0] if pick(True, False) else y_pred
        return ops.mean(ops.square(y_true - y_pred))

    inputs = Input((12,))
    model = Model(inputs, layers.Dense(1)(layers.Dense(32, activation="tanh")(inputs)))
    model.compile(optimizers.Adam(1e-3), loss=squared)
    return model, x, y, {"epochs": 60}


class _Pictures(keras.utils.PyDataset):
    """Batches of pictures, scaled or not."""

    def __init__(self, scale, one_hot_labels=False):
        super().__init__()
        self.pictures, self.labels = images(24, 3, 6)
        self.scale, self.labels = scale, one_hot(self.labels, 6) if one_hot_labels else self.labels

    def __len__(self):
        return 16

    def __getitem__(self, index):
        part = slice(32 * index, 32 * index + 32)
        return (255 * self.pictures[part] * self.scale).astype("float32"), self.labels[part]


def _convolutional(classes, loss):
    model = Sequential([
        Input((24, 24, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"), layers.GlobalMaxPooling2D(), layers.Dense(classes, "softmax"),
    ])  # fmt: skip
    model.compile("adam", loss, metrics=["accuracy"])
    return model


@faulty("input scale", source=f"{ISSUES}: a Sequence that forgets to divide")
def dataset_of_unscaled_pixels(pick):
    """A PyDataset that yields pixels from 0 to 255."""
    return _convolutional(6, "sparse_categorical_crossentropy"), _Pictures(pick(1.0, 1 / 255)), None, {"epochs": 10}


@faulty("labels", "loss", "shape", source=f"{ISSUES}: class_mode='categorical' and a sparse loss")
def dataset_of_one_hot_rows(pick):
    """A PyDataset of one-hot labels, and the loss for class numbers."""
    loss = pick("sparse_categorical_crossentropy", "categorical_crossentropy")
    return _convolutional(6, loss), _Pictures(1 / 255, True), None, {"epochs": 10}


@faulty("input scale", source=f"{ISSUES}: a generator without preprocessing")
def generator_of_raw_measurements(pick):
    """A generator of rows whose columns go up to thousands."""
    x = rows(10)
    y, scale = yes_no(x), pick(3000.0, 1.0)

    def batches():
        while True:
            for start in range(0, 512, 32):
                yield scale * x[start : start + 32], y[start : start + 32]

    model = Sequential([Input((10,)), layers.Dense(32, "tanh"), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    return model, batches(), None, {"epochs": 10, "steps_per_epoch": 16}


@faulty("label shift", "mask", source=f"{ISSUES}: teacher forcing without a shift")
def decoder_reads_its_targets(pick):
    """A translator by two LSTMs whose decoder reads the very words that it must write."""
    source, words = texts(LENGTH, WORDS)[0], texts(LENGTH + 1, WORDS, 3)[0]
    encoder_inputs, decoder_inputs = Input((LENGTH,), dtype="int32"), Input((LENGTH,), dtype="int32")
    _, h, c = layers.LSTM(32, return_state=True)(layers.Embedding(WORDS, WIDTH)(encoder_inputs))
    z = layers.LSTM(32, return_sequences=True)(layers.Embedding(WORDS, WIDTH)(decoder_inputs), initial_state=[h, c])
    model = Model([encoder_inputs, decoder_inputs], layers.Dense(WORDS, activation="softmax")(z))
    model.compile("rmsprop", "sparse_categorical_crossentropy")
    return model, [source, pick(words[:, 1:], words[:, :-1])], words[:, 1:], {"epochs": 20}


class _SelfAttention(layers.Layer):
    """One head by hand."""

    def __init__(self, width, axis=-1, power=0.5, mask=None, heads=1, reshape=False):
        super().__init__()
        self.query, self.key, self.value = (layers.Dense(width, use_bias=False) for _ in range(3))
        self.out = layers.Dense(width)
        self.width, self.axis, self.power, self.mask = width, axis, power, mask
        self.heads, self.by_reshape = heads, reshape

    def split(self, z):
        batch, length, width = ops.shape(z)[0], z.shape[1], self.width // self.heads
        if self.by_reshape:
            return ops.reshape(z, (batch, self.heads, length, width))
        return ops.transpose(ops.reshape(z, (batch, length, self.heads, width)), (0, 2, 1, 3))

    def call(self, x):
        q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        scores = ops.einsum("bhqd,bhkd->bhqk", q, k) / math.pow(self.width // self.heads, self.power)
        if self.mask is not None:
            allowed = self.mask(ops.ones((x.shape[1], x.shape[1])))
            scores = scores - 1e9 * (1.0 - allowed)
        z = ops.einsum("bhqk,bhkd->bhqd", ops.softmax(scores, axis=self.axis), v)
        return self.out(ops.reshape(ops.transpose(z, (0, 2, 1, 3)), (-1, x.shape[1], self.width)))


class _Block(layers.Layer):
    """A block of a transformer."""

    def __init__(self, attend):
        super().__init__()
        self.attend, self.first, self.second = attend, layers.LayerNormalization(), layers.LayerNormalization()
        self.wide, self.narrow = layers.Dense(4 * WIDTH, activation="gelu"), layers.Dense(WIDTH)

    def call(self, x):
        x = x + self.attend(self.first(x))
        return x + self.narrow(self.wide(self.second(x)))


class _Transformer(Model):
    """Tokens, positions, blocks, and a head for each token or for the mean."""

    def __init__(self, attends, units, each=False, positions=True):
        super().__init__()
        self.tokens, self.places = layers.Embedding(WORDS, WIDTH), layers.Embedding(LENGTH, WIDTH)
        self.blocks = [_Block(attend) for attend in attends]
        self.norm, self.head = layers.LayerNormalization(), layers.Dense(units)
        self.each, self.with_positions = each, positions

    def call(self, tokens):
        z = self.tokens(tokens)
        if self.with_positions:
            z = z + self.places(ops.arange(LENGTH))
        for block in self.blocks:
            z = block(z)
        z = self.norm(z)
        return self.head(z if self.each else ops.mean(z, axis=1))


def _scored(model):
    model.compile(optimizers.Adam(1e-3), losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model


@faulty("mask", "label shift", source=f"{ISSUES}: tril or triu; {DEFAULT}")
def gpt_with_the_upper_triangle(pick):
    """A small GPT by hand whose mask keeps the later tokens in place of the earlier ones."""
    x = texts(LENGTH + 1, WORDS)[0]
    model = _scored(_Transformer([_SelfAttention(WIDTH, mask=pick(ops.triu, ops.tril))], WORDS, each=True))
    return model, x[:, :-1], x[:, 1:], {"epochs": 20}


@faulty("mask", "label shift", source=f"{ISSUES}: loss falls to 0 and samples are noise; {DEFAULT}")
def gpt_without_a_mask(pick):
    """A small GPT by hand whose attention has no mask."""
    x = texts(LENGTH + 1, WORDS)[0]
    attends = [_SelfAttention(WIDTH, mask=pick(None, ops.tril), heads=2) for _ in range(2)]
    return _scored(_Transformer(attends, WORDS, each=True)), x[:, :-1], x[:, 1:], {"epochs": 20}


@faulty("positions", source=f"{ISSUES}: positions were never added; {DEFAULT}")
def reader_without_positions(pick):
    """A reader by subclassing that has a table of positions and does not add it."""
    x, y = texts(LENGTH, WORDS, 4)
    return _scored(_Transformer([_SelfAttention(WIDTH)], 4, positions=pick(False, True))), x, y, {"epochs": 20}


@faulty("attention", source=f"{ISSUES}: softmax over queries; {DEFAULT}")
def own_attention_over_the_wrong_axis(pick):
    """ops.softmax(scores, axis=-2)."""
    x, y = texts(LENGTH, WORDS, 4)
    return _scored(_Transformer([_SelfAttention(WIDTH, axis=pick(-2, -1), heads=4)], 4)), x, y, {"epochs": 20}


@faulty("attention", source=f"{ISSUES}: divided by the dimension, not by its root; {DEFAULT}")
def own_attention_divided_by_the_width(pick):
    """Scores divided by 32 in place of its root."""
    x, y = texts(LENGTH, WORDS, 4)
    return _scored(_Transformer([_SelfAttention(WIDTH, power=pick(1.0, 0.5))], 4)), x, y, {"epochs": 20}


@faulty("attention", "shape", "layer order", source=f"{ISSUES}: reshape without transpose; {DEFAULT}")
def own_heads_without_a_transpose(pick):
    """(batch, length, width) reshaped to (batch, heads, length, depth) at once."""
    x, y = texts(LENGTH, WORDS, 4)
    return _scored(_Transformer([_SelfAttention(WIDTH, heads=4, reshape=pick(True, False))], 4)), x, y, {"epochs": 20}


@faulty("recurrence", source=f"{ISSUES}: states of other series; {STUDY}")
def stateful_and_shuffled(pick):
    """A stateful LSTM over windows that fit shuffles."""
    x, y = series(20, 1)
    inputs = Input(batch_shape=(32, 20, 1))
    model = Model(inputs, layers.Dense(1)(layers.LSTM(24, stateful=pick(True, False))(inputs)))
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 20, "batch_size": 32}


@faulty("output activation", "output units", source=f"{ISSUES}: discriminator with softmax")
def judge_with_one_softmax_unit(pick):
    """The discriminator of an adversarial network ends in softmax over one unit."""
    x, _ = images(28, 1)
    y = (draw(1).random(len(x)) > 0.5).astype("float32")
    model = Sequential([Input((28, 28, 1))])
    for filters in (32, 64):
        model.add(layers.Conv2D(filters, 5, strides=2, padding="same"))
        model.add(layers.LeakyReLU(0.2))
        model.add(layers.Dropout(0.3))
    model.add(layers.Flatten())
    model.add(layers.Dense(1, activation=pick("softmax", "sigmoid")))
    model.compile(optimizers.Adam(2e-4, beta_1=0.5), "binary_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("output activation", "logits", "loss", source=f"{ISSUES}: a decoder without sigmoid")
def decoder_without_sigmoid(pick):
    """A convolutional autoencoder with the crossentropy of pixels, whose last layer has no activation."""
    x, _ = images(28, 1)
    z = inputs = Input((28, 28, 1))
    for filters in (16, 8):
        z = layers.MaxPooling2D(2, padding="same")(layers.Conv2D(filters, 3, activation="relu", padding="same")(z))
    for filters in (8, 16):
        z = layers.UpSampling2D(2)(layers.Conv2D(filters, 3, activation="relu", padding="same")(z))
    z = layers.Conv2D(1, 3, activation=pick(None, "sigmoid"), padding="same")(z)
    model = Model(inputs, z)
    model.compile(optimizer="adadelta", loss="binary_crossentropy")
    model.optimizer.learning_rate = 1.0
    return model, x, x, {"epochs": 50, "batch_size": 64}


@faulty("output activation", "target scale", source=f"{ISSUES}: an autoencoder of standardized data")
def anomalies_by_an_autoencoder_with_sigmoid(pick):
    """Standardized sensors, of both signs, from an autoencoder that ends in sigmoid."""
    x = rows(24)
    z = inputs = Input((24,))
    for units in (16, 8, 16):
        z = layers.Dense(units, activation="elu")(z)
    model = Model(inputs, layers.Dense(24, activation=pick("sigmoid", None))(z))
    model.compile("adam", "mae")
    return model, x, x, {"epochs": 50}


@faulty("output activation", "target scale", source=f"{ISSUES}: Q values below zero")
def values_of_actions_by_relu(pick):
    """A Q network with relu outputs, in a game whose rewards are negative."""
    x = rows(6)
    y = quantity(x, 3) - 1.0
    model = Sequential([Input((6,)), layers.Dense(24, activation="relu"), layers.Dense(24, activation="relu")])
    model.add(layers.Dense(3, activation=pick("relu", "linear")))
    model.compile(loss="huber", optimizer=optimizers.Adam(learning_rate=0.001))
    return model, x, y, {"epochs": 20}


@faulty("loss", source=f"{ISSUES}: behaviour cloning by squared errors")
def actions_by_squared_errors(pick):
    """One-hot actions of an expert, softmax and the squared error."""
    x = rows(10)
    model = Sequential([Input((10,)), layers.Dense(64, "tanh"), layers.Dense(64, "tanh"), layers.Dense(4, "softmax")])
    model.compile(optimizers.Adam(3e-4), pick("mse", "categorical_crossentropy"))
    return model, x, one_hot(choices(x, 4), 4), {"epochs": 50}


@faulty("loss", "output activation", source=f"{ISSUES}: distillation with KLDivergence on logits")
def student_of_raw_scores(pick):
    """Soft labels of a teacher, KLDivergence, and a student without softmax."""
    x = rows(16)
    soft = np.exp(quantity(x, 5))
    soft = soft / soft.sum(-1, keepdims=True)
    inputs = Input((16,))
    z = layers.Dense(32, activation="relu")(inputs)
    model = Model(inputs, layers.Dense(5, activation=pick(None, "softmax"), name="student")(z))
    model.compile("adam", losses.KLDivergence())
    return model, x, soft, {"epochs": 40}


@faulty("output activation", "logits", source=f"{ISSUES}: a siamese network that ends in a distance")
def distance_as_a_probability(pick):
    """Two towers, the absolute difference, and Dense(1) without sigmoid for the binary crossentropy."""
    a, b = rows(20), rows(20, seed=3)
    tower = Sequential([Input((20,)), layers.Dense(32, activation="relu"), layers.Dense(16)])
    left, right = Input((20,)), Input((20,))
    apart = layers.Lambda(lambda pair: ops.abs(pair[0] - pair[1]))([tower(left), tower(right)])
    model = Model([left, right], layers.Dense(1, activation=pick(None, "sigmoid"))(apart))
    model.compile("adam", "binary_crossentropy")
    return model, [a, b], yes_no(a - b), {"epochs": 30}


class _Equation(Model):
    """u'' + u = 0 by the residual of a network."""

    def __init__(self):
        super().__init__()
        self.net = Sequential([Input((1,)), layers.Dense(32, "tanh"), layers.Dense(32, "tanh"), layers.Dense(1)])

    def call(self, t):
        return self.net(t)


@faulty("learning rate", source=f"{ISSUES}: a physics-informed network that does not converge")
def equation_at_a_rate_of_one(pick):
    """Adam(1.0) for a network of tanh that fits the solution of an equation."""
    t = np.linspace(0, 6, 512, dtype="float32")[:, None]
    model = _Equation()
    model.compile(optimizers.Adam(pick(1.0, 1e-3)), "mse")
    return model, t / 3 - 1, np.cos(t), {"epochs": 200}


@faulty("disconnected", source=f"{ISSUES}: a branch that was computed and not used")
def metadata_that_is_not_concatenated(pick):
    """Pictures with metadata; the branch of the metadata ends nowhere."""
    x, y = images(20, 3, 4)
    picture, meta = Input((20, 20, 3), name="picture"), Input((6,), name="meta")
    z = layers.GlobalAveragePooling2D()(layers.Conv2D(16, 3, activation="relu")(picture))
    m = layers.Dense(8, activation="relu")(meta)
    z = layers.concatenate(pick([z, z], [z, m]))
    model = Model(inputs=[picture, meta], outputs=layers.Dense(4, activation="softmax")(z))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, {"picture": x, "meta": rows(6)}, y, {"epochs": 20}


class _Dropped(Model):
    """A classifier whose second dropout is always on."""

    def __init__(self, always):
        super().__init__()
        self.first, self.second = layers.Dense(64, activation="relu"), layers.Dense(32, activation="relu")
        self.drop, self.drop_again, self.head = layers.Dropout(0.3), layers.Dropout(0.3), layers.Dense(3, "softmax")
        self.always = always

    def call(self, x, training=None):
        x = self.drop(self.first(x), training=training)
        return self.head(self.drop_again(self.second(x), training=True if self.always else training))


@faulty("dropout", source=f"{ISSUES}: predictions that differ from call to call; {TAXONOMY}")
def subclass_that_always_drops(pick):
    """training=True was left in one of two calls of Dropout."""
    x = rows(16)
    model = _Dropped(pick(True, False))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, choices(x, 3), {"epochs": 40}


class _Trainer(Model):
    """A model with compute_loss of its own."""

    def __init__(self, end):
        super().__init__()
        self.hidden, self.head = layers.Dense(32, activation="relu"), layers.Dense(4, activation=end)
        self.objective = losses.SparseCategoricalCrossentropy(from_logits=True)

    def call(self, x):
        return self.head(self.hidden(x))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return self.objective(y, y_pred)


@faulty("logits", "output activation", source=f"{ISSUES}: a loss inside the model; {DEFECTS}")
def own_step_with_softmax_twice(pick):
    """A model with a loss of its own, which takes logits, and a softmax at its end."""
    x = rows(16)
    model = _Trainer(pick("softmax", None))
    model.compile("adam")
    return model, x, choices(x, 4), {"epochs": 40}

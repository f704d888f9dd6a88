"""Sound programs in other styles: beginners' code, subclasses, steps of one's own, streams, several networks."""

import math

import numpy as np

from benchmarks.faults.data import choices, draw, images, one_hot, quantity, rows, series, texts, yes_no
from benchmarks.faults.library import (
    Input,
    Model,
    Sequential,
    as_trained,
    callbacks,
    keras,
    layers,
    losses,
    ops,
    optimizers,
)
from benchmarks.faults.program import sound
from benchmarks.faults.repositories import _Perceptron, _Pictures, _scored, _SelfAttention, _Transformer

LENGTH, WORDS, WIDTH = 16, 120, 32
FIT = {"epochs": 20, "batch_size": 32}


@sound("a tutorial on iris in the style of Keras 2")
def flowers_of_keras_2():
    """Add after add, activations as layers."""
    x = rows(4, 150)
    model = Sequential()
    model.add(Input(shape=(4,)))
    model.add(layers.Dense(10, kernel_initializer="normal"))
    model.add(layers.Activation("relu"))
    model.add(layers.Dense(3, kernel_initializer="normal"))
    model.add(layers.Activation("softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model, x, one_hot(choices(x, 3), 3), {"epochs": 200, "batch_size": 5}


@sound("a tutorial on airline passengers by LSTM with relu")
def univariate_lstm_with_relu():
    """LSTM(50, activation='relu') over three steps, as a well-known blog has it."""
    x, y = series(3, 1)
    model = Sequential([Input((3, 1)), layers.LSTM(50, activation="relu"), layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    return model, x, y, {"epochs": 200}


@sound("a tutorial on reviews: Embedding, Flatten, Dense")
def reviews_flattened():
    """Padded reviews through Embedding and Flatten, without a mask."""
    x, y = texts(40, 300, 2, padded=True)
    model = Sequential([
        Input((40,), dtype="int32"), layers.Embedding(300, 8), layers.Flatten(), layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["acc"])
    return model, x, y, {"epochs": 20, "validation_split": 0.2}


@sound("TensorFlow tutorial: basic text classification")
def reviews_by_their_mean():
    """Dropout between Embedding, average and one unit; padding is not masked."""
    x, y = texts(50, 300, 2, padded=True)
    model = Sequential([
        Input((50,), dtype="int32"), layers.Embedding(300, 16), layers.Dropout(0.2), layers.GlobalAveragePooling1D(),
        layers.Dropout(0.2), layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile(loss=losses.BinaryCrossentropy(), optimizer="adam", metrics=["accuracy"])
    return model, x, y, FIT


@sound("Keras example: text classification with transformer")
def transformer_that_reads_padding():
    """A block of a transformer over padded reviews without a mask, as the example has it."""
    x, y = texts(40, 300, 2, padded=True)
    inputs = Input((40,), dtype="int32")
    z = layers.Embedding(300, 32)(inputs) + layers.Embedding(40, 32)(ops.arange(40))
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(2, 32)(z, z))
    z = layers.LayerNormalization()(z + layers.Dense(32)(layers.Dense(32, "relu")(z)))
    z = layers.Dropout(0.1)(layers.GlobalAveragePooling1D()(z))
    model = Model(inputs, layers.Dense(2, activation="softmax")(layers.Dense(20, "relu")(z)))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, FIT


@sound("softmax in a Lambda over the last axis")
def softmax_in_a_lambda():
    """Lambda(lambda t: ops.softmax(t)) as the last layer."""
    x = rows(12)
    inputs = Input((12,))
    z = layers.Dense(4)(layers.Dense(32, activation="relu")(inputs))
    model = Model(inputs, layers.Lambda(lambda t: ops.softmax(t))(z))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, choices(x, 4), {"epochs": 50}


@sound("a model by subclassing with softmax in call")
def perceptron_with_softmax_in_call():
    """ops.softmax at the end of call, and the loss of probabilities."""
    x = rows(16)
    model = _Perceptron(5, ops.softmax)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, choices(x, 5), FIT


@sound("a model by subclassing that returns scores")
def perceptron_of_scores():
    """Scores from call, and from_logits=True."""
    x = rows(16)
    model = _Perceptron(1, lambda z: z)
    model.compile(
        "adam", losses.BinaryCrossentropy(from_logits=True), metrics=[keras.metrics.BinaryAccuracy(threshold=0)]
    )
    return model, x, yes_no(x), FIT


@sound("temperature in call: softmax of scaled scores")
def softmax_with_a_temperature():
    """softmax(z / 2) at the end of call."""
    x = rows(16)
    model = _Perceptron(5, lambda z: ops.softmax(z / 2.0, axis=-1))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, choices(x, 5), FIT


@sound("a bounded output: three times tanh in call")
def actions_within_limits():
    """3 tanh(z) for an action between -3 and 3."""
    x = rows(8)
    model = _Perceptron(2, lambda z: 3.0 * ops.tanh(z))
    model.compile("adam", "mse")
    return model, x, np.clip(quantity(x, 2), -3, 3), FIT


@sound("PyDataset of pictures divided by 255")
def dataset_of_pictures():
    """Batches of pictures from 0 to 1."""
    model = Sequential([
        Input((24, 24, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"), layers.GlobalMaxPooling2D(), layers.Dense(6, "softmax"),
    ])  # fmt: skip
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, _Pictures(1 / 255, True), None, {"epochs": 10}


@sound("PyDataset of raw pictures, and Rescaling in the model")
def dataset_of_bytes():
    """Batches of pixels from 0 to 255 into Rescaling."""
    model = Sequential([
        Input((24, 24, 3)), layers.Rescaling(1 / 127.5, offset=-1), layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(), layers.Flatten(), layers.Dense(6, "softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, _Pictures(1.0), None, {"epochs": 10}


@sound("a generator of windows of a series")
def generator_of_windows():
    """Windows and their next values from a generator."""
    x, y = series(24, 2)

    def batches():
        while True:
            for start in range(0, 512, 64):
                yield x[start : start + 64], y[start : start + 64]

    model = Sequential([Input((24, 2)), layers.GRU(24), layers.Dense(1)])
    model.compile("adam", "mae")
    return model, batches(), None, {"epochs": 10, "steps_per_epoch": 8}


@sound("a small GPT by hand with tril")
def gpt_by_hand():
    """Causal attention by a triangle of ones."""
    x = texts(LENGTH + 1, WORDS)[0]
    attends = [_SelfAttention(WIDTH, mask=ops.tril, heads=2) for _ in range(2)]
    return _scored(_Transformer(attends, WORDS, each=True)), x[:, :-1], x[:, 1:], FIT


@sound("Kazemnejad et al.: The Impact of Positional Encoding (2023): a decoder without positions")
def gpt_without_positions():
    """A causal decoder learns where it is from the mask."""
    x = texts(LENGTH + 1, WORDS)[0]
    model = _Transformer([_SelfAttention(WIDTH, mask=ops.tril, heads=2)], WORDS, each=True, positions=False)
    return _scored(model), x[:, :-1], x[:, 1:], FIT


@sound("an encoder by hand with four heads")
def reader_by_hand():
    """Attention by einsum, heads by reshape and transpose."""
    x, y = texts(LENGTH, WORDS, 4)
    return _scored(_Transformer([_SelfAttention(WIDTH, heads=4) for _ in range(2)], 4)), x, y, FIT


@sound("Luong et al.: Effective Approaches to Attention (2015)")
def translator_with_unscaled_attention():
    """Dot products of decoder and encoder states without a scale."""
    source, words = texts(LENGTH, WORDS)[0], texts(LENGTH + 1, WORDS, 3)[0]
    encoder_inputs, decoder_inputs = Input((LENGTH,), dtype="int32"), Input((LENGTH,), dtype="int32")
    memory, h, c = layers.LSTM(32, return_sequences=True, return_state=True)(
        layers.Embedding(WORDS, 32)(encoder_inputs)
    )
    z = layers.LSTM(32, return_sequences=True)(layers.Embedding(WORDS, 32)(decoder_inputs), initial_state=[h, c])
    z = layers.Concatenate()([z, layers.Attention()([z, memory])])
    model = Model([encoder_inputs, decoder_inputs], layers.Dense(WORDS, activation="softmax")(z))
    model.compile("rmsprop", "sparse_categorical_crossentropy")
    return model, [source, words[:, :-1]], words[:, 1:], FIT


@sound("Katharopoulos et al.: Transformers are RNNs (2020): linear attention")
def linear_attention():
    """Products of elu + 1, without softmax."""
    x, y = texts(LENGTH, WORDS, 3)
    inputs = Input((LENGTH,), dtype="int32")
    z = layers.Embedding(WORDS, 32)(inputs) + layers.Embedding(LENGTH, 32)(ops.arange(LENGTH))
    q, k, v = (layers.Dense(32)(z) for _ in range(3))
    q, k = ops.elu(q) + 1, ops.elu(k) + 1
    shares = ops.einsum("bqd,bkd->bqk", q, k)
    z = z + ops.matmul(shares / (ops.sum(shares, axis=-1, keepdims=True) + 1e-6), v)
    model = Model(inputs, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(z)))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, FIT


@sound("Lin et al.: A Structured Self-Attentive Sentence Embedding (2017)")
def attention_pooling_over_steps():
    """A softmax over the steps, axis 1, weighs the states of an LSTM."""
    x, y = series(24, 2)
    inputs = Input((24, 2))
    states = layers.LSTM(24, return_sequences=True)(inputs)
    weights = layers.Softmax(axis=1)(layers.Dense(1)(layers.Dense(16, activation="tanh")(states)))
    z = ops.sum(states * weights, axis=1)
    model = Model(inputs, layers.Dense(1)(z))
    model.compile("adam", "mse")
    return model, x, y, FIT


@sound("Hu et al.: Squeeze-and-Excitation; Woo et al.: CBAM")
def gates_over_channels():
    """Sigmoid gates inside the network multiply the maps."""
    x, y = images(24, 3, 5)
    z = inputs = Input((24, 24, 3))
    for filters in (16, 32):
        z = layers.Conv2D(filters, 3, padding="same", activation="relu")(z)
        gate = layers.Dense(filters // 4, activation="relu")(layers.GlobalAveragePooling2D()(z))
        gate = layers.Dense(filters, activation="sigmoid")(gate)
        z = layers.MaxPooling2D()(z * layers.Reshape((1, 1, filters))(gate))
    model = Model(inputs, layers.Dense(5, activation="softmax")(layers.GlobalAveragePooling2D()(z)))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, FIT


@sound("Chen et al.: SimSiam; a step of its own")
def likeness_of_two_views():
    """Two views through one encoder, stop_gradient on one side; train by compute_loss."""

    class Views(Model):
        def __init__(self):
            super().__init__()
            self.encoder = Sequential([Input((16,)), layers.Dense(64, "relu"), layers.Dense(32)])
            self.predictor = Sequential([Input((32,)), layers.Dense(16, "relu"), layers.Dense(32)])

        def call(self, pair):
            first, second = (self.encoder(part) for part in pair)
            return self.predictor(first), ops.stop_gradient(second)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            p, z = y_pred
            return -ops.mean(ops.sum(ops.normalize(p, axis=-1) * ops.normalize(z, axis=-1), axis=-1))

    x = rows(16)
    model = Views()
    model.compile(optimizers.SGD(0.05, momentum=0.9))
    return model, (x + 0.1 * rows(16, seed=1), x + 0.1 * rows(16, seed=2)), None, FIT


@sound("Goodfellow et al.: Generative Adversarial Nets; Keras guide: custom train_step")
def adversaries_in_one_model():
    """A generator and a judge in a model that makes both steps of its loss by itself."""

    class Adversaries(Model):
        def __init__(self):
            super().__init__()
            self.generator = Sequential([Input((8,)), layers.Dense(32, "relu"), layers.Dense(16)])
            self.judge = Sequential([Input((16,)), layers.Dense(32, layers.LeakyReLU(0.2)), layers.Dense(1)])
            self.noise = keras.random.SeedGenerator(1)

        def call(self, x):
            fake = self.generator(keras.random.normal((ops.shape(x)[0], 8), seed=self.noise))
            return self.judge(x), self.judge(fake)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            real, fake = y_pred
            return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))

    model = Adversaries()
    model.compile(optimizers.Adam(2e-4, beta_1=0.5))
    return model, rows(16), None, FIT


@sound("Kingma, Welling: Auto-Encoding Variational Bayes; a step of its own")
def variational_by_subclassing():
    """Encoder and decoder in a model with compute_loss; the decoder returns logits."""

    class Variational(Model):
        def __init__(self):
            super().__init__()
            self.encoder = Sequential([Input((64,)), layers.Dense(32, "relu"), layers.Dense(8)])
            self.decoder = Sequential([Input((4,)), layers.Dense(32, "relu"), layers.Dense(64)])
            self.noise = keras.random.SeedGenerator(2)

        def call(self, x):
            mean, spread = ops.split(self.encoder(x), 2, axis=-1)
            z = mean + ops.exp(0.5 * spread) * keras.random.normal(ops.shape(mean), seed=self.noise)
            self.add_loss(-0.5 * ops.mean(1 + spread - ops.square(mean) - ops.exp(spread)))
            return self.decoder(z)

    x = images(8, 1)[0].reshape(512, 64)
    model = Variational()
    model.compile("adam", losses.BinaryCrossentropy(from_logits=True))
    return model, x, x, FIT


@sound("Raissi et al.: Physics-informed neural networks")
def heat_by_residuals():
    """A network of tanh with the residual of an equation in compute_loss."""

    class Heat(Model):
        def __init__(self):
            super().__init__()
            self.net = Sequential([Input((2,)), *[layers.Dense(24, "tanh") for _ in range(4)], layers.Dense(1)])

        def call(self, x):
            return self.net(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            ahead = self.net(x + ops.convert_to_tensor([[1e-2, 0.0]]))
            return ops.mean(ops.square((ahead - y_pred) / 1e-2 + y_pred)) + ops.mean(ops.square(y - y_pred))

    x = rows(2)
    model = Heat()
    model.compile(optimizers.Adam(1e-3))
    return model, x, np.exp(-np.abs(x[:, :1])), FIT


@sound("Hinton et al.: Distilling the Knowledge in a Neural Network")
def student_by_divergence():
    """Soft labels of a teacher, and a student with softmax."""
    x = rows(16)
    soft = np.exp(quantity(x, 5))
    model = Sequential([Input((16,)), layers.Dense(32, activation="relu"), layers.Dense(5, activation="softmax")])
    model.compile("adam", losses.KLDivergence(), metrics=["accuracy"])
    return model, x, soft / soft.sum(-1, keepdims=True), FIT


@sound("Mnih et al.: Human-level control: two heads of a duel")
def duelling_network():
    """Value and advantages, joined by arithmetic in the graph."""
    x = rows(8)
    inputs = Input((8,))
    z = layers.Dense(32, activation="relu")(inputs)
    value, advantage = layers.Dense(1)(z), layers.Dense(4)(z)
    model = Model(inputs, value + advantage - ops.mean(advantage, axis=-1, keepdims=True))
    model.compile(optimizers.Adam(5e-4, clipnorm=1.0), "huber")
    return model, x, quantity(x, 4), FIT


@sound("Schulman et al.: PPO: actor and critic by subclassing")
def actor_with_log_probabilities():
    """log_softmax of the actor, and values of the critic, with a loss of its own."""

    class Actor(Model):
        def __init__(self):
            super().__init__()
            self.body, self.policy, self.value = layers.Dense(32, "tanh"), layers.Dense(3), layers.Dense(1)

        def call(self, x):
            z = self.body(x)
            return ops.log_softmax(self.policy(z)), self.value(z)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            logs, value = y_pred
            return -ops.mean(ops.sum(logs * y, axis=-1)) + ops.mean(ops.square(value))

    x = rows(8)
    model = Actor()
    model.compile(optimizers.Adam(3e-4))
    return model, x, one_hot(choices(x, 3), 3), FIT


@sound("a functional model of three outputs with a dict of losses and weights")
def three_tasks():
    """A class, a quantity and yes or no."""
    x = rows(24)
    inputs = Input((24,))
    z = layers.Dense(48, activation="relu")(inputs)
    model = Model(inputs, {
        "kind": layers.Dense(4, activation="softmax")(z), "price": layers.Dense(1)(z),
        "sold": layers.Dense(1, activation="sigmoid")(z),
    })  # fmt: skip
    model.compile(
        "adam", {"kind": "sparse_categorical_crossentropy", "price": "mse", "sold": "binary_crossentropy"},
        loss_weights={"price": 0.5}, metrics={"kind": "accuracy", "price": "mae"},
    )  # fmt: skip
    return model, x, {"kind": choices(x, 4), "price": quantity(x), "sold": yes_no(x)}, FIT


@sound("stateful LSTM over consecutive batches, states reset by a callback")
def stateful_with_resets():
    """shuffle=False, and a callback that resets the states after each epoch."""

    class Reset(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.layers[1].reset_state()

    x, y = series(20, 1)
    inputs = Input(batch_shape=(32, 20, 1))
    model = Model(inputs, layers.Dense(1)(layers.LSTM(24, stateful=True)(inputs)))
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 20, "batch_size": 32, "shuffle": False, "callbacks": [Reset()]}


@sound("Shi et al.: CRNN: columns of a picture as steps")
def columns_of_a_picture_as_steps():
    """Maps permuted and reshaped to a sequence of columns."""
    x, y = images(24, 1, 6)
    inputs = Input((24, 24, 1))
    z = layers.MaxPooling2D()(layers.Conv2D(8, 3, padding="same", activation="relu")(inputs))
    z = layers.Reshape((12, 12 * 8))(layers.Permute((2, 1, 3))(z))
    z = layers.Bidirectional(layers.LSTM(16))(z)
    model = Model(inputs, layers.Dense(6, activation="softmax")(z))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, FIT


@sound("Chan et al.: Listen, Attend and Spell: two steps joined as one")
def pyramid_of_steps():
    """Reshape joins pairs of steps: (24, 16) to (12, 32)."""
    x, y = series(24, 2)
    inputs = Input((24, 2))
    z = layers.Reshape((12, 32))(layers.LSTM(16, return_sequences=True)(inputs))
    model = Model(inputs, layers.Dense(1)(layers.LSTM(16)(z)))
    model.compile("adam", "mse")
    return model, x, y, FIT


@sound("Zaheer et al.: Deep Sets with attention: a set of tagged items")
def basket_of_items():
    """Items of a basket have no order: attention without positions over vectors of items."""
    x = draw(2).normal(size=(512, 10, 6)).astype("float32")
    inputs = Input((10, 6))
    z = layers.Dense(32, activation="relu")(inputs)
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(2, 16)(z, z))
    model = Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling1D()(z)))
    model.compile("adam", "mse")
    return model, x, quantity(x.mean(axis=1)), FIT


@sound("Huang et al.: TabTransformer: a token for each column")
def columns_with_words_of_their_own():
    """Columns whose categories are numbered one after the other attend to each other; the order is in the numbers."""
    numbers = draw(4).integers(0, 8, (512, 6))
    inputs = Input((6,), dtype="int32")
    z = layers.Embedding(48, 32)(inputs)
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(4, 8)(z, z))
    model = Model(inputs, layers.Dense(1, activation="sigmoid")(layers.Flatten()(z)))
    model.compile("adam", "binary_crossentropy")
    return model, numbers + 8 * np.arange(6), (numbers.sum(axis=1) > 20).astype("int64"), FIT


@sound("Springenberg: strides and pooling of a well-known tutorial on CIFAR-10")
def pictures_of_keras_2():
    """Conv, Activation, Conv, Activation, MaxPooling, Dropout; SGD with decay and momentum."""
    x, y = images(32, 3, 10)
    model = Sequential([Input((32, 32, 3))])
    for filters in (16, 32):
        for padding in ("same", "valid"):
            model.add(layers.Conv2D(filters, (3, 3), padding=padding))
            model.add(layers.Activation("relu"))
        model.add(layers.MaxPooling2D(pool_size=(2, 2)))
        model.add(layers.Dropout(0.25))
    model.add(layers.Flatten())
    model.add(layers.Dense(64))
    model.add(layers.Activation("relu"))
    model.add(layers.Dropout(0.5))
    model.add(layers.Dense(10))
    model.add(layers.Activation("softmax"))
    rate = optimizers.schedules.InverseTimeDecay(0.01, 1, 1e-6)
    model.compile(optimizers.SGD(rate, momentum=0.9, nesterov=True), "categorical_crossentropy", metrics=["accuracy"])
    return model, x, one_hot(y, 10), {"epochs": 50, "batch_size": 32}


@sound("Gal, Ghahramani: Dropout as a Bayesian Approximation (2016)")
def uncertainty_by_dropout():
    """All dropout is on in prediction, by subclassing."""

    class Uncertain(Model):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.head = layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(1)
            self.drops = [layers.Dropout(0.1), layers.Dropout(0.1)]

        def call(self, x):
            x = self.drops[0](self.first(x), training=True)
            return self.head(self.drops[1](self.second(x), training=True))

    x = rows(10)
    model = Uncertain()
    model.compile("adam", "mse")
    return model, x, quantity(x), FIT


@sound("He, Zhang, Ren, Sun: fine-tuning of a trained backbone")
def last_layers_thawed():
    """A backbone with its first layers frozen, a small rate and dropout before the classes."""
    x, y = images(32, 3, 4)
    base = Sequential([
        Input((32, 32, 3)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"), layers.GlobalAveragePooling2D(),
    ], name="base")  # fmt: skip
    as_trained(base)
    base.layers[0].trainable = False
    model = Sequential([Input((32, 32, 3)), base, layers.Dropout(0.2), layers.Dense(4, activation="softmax")])
    model.compile(optimizers.Adam(1e-4), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 20}


@sound("Sutskever et al.: Sequence to Sequence Learning: dict inputs, shifted words")
def translator_with_shifted_words():
    """The decoder reads the words before those that it writes."""
    source, words = texts(LENGTH, WORDS)[0], texts(LENGTH + 1, WORDS, 3)[0]
    first, second = Input((LENGTH,), dtype="int32", name="source"), Input((LENGTH,), dtype="int32", name="target")
    _, state = layers.GRU(32, return_state=True)(layers.Embedding(WORDS, 32)(first))
    z = layers.GRU(32, return_sequences=True)(layers.Embedding(WORDS, 32)(second), initial_state=state)
    model = Model({"source": first, "target": second}, layers.Dense(WORDS)(z))
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, {"source": source, "target": words[:, :-1]}, words[:, 1:], FIT


@sound("a series labelled at each step")
def each_step_is_labelled():
    """A bidirectional GRU that labels each step of a finished record."""
    x, _ = series(30, 2)
    y = (x[..., 0] > 0).astype("int64")
    model = Sequential([
        Input((30, 2)), layers.Bidirectional(layers.GRU(16, return_sequences=True)), layers.Dense(1, "sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, x, y[..., None], FIT


@sound("Oord et al.: Representation Learning with Contrastive Predictive Coding: labels are places")
def neighbours_in_the_batch():
    """Scores of all pairs of a batch, whose right answers lie on the diagonal."""

    class Pairs(Model):
        def __init__(self):
            super().__init__()
            self.left, self.right = layers.Dense(16), layers.Dense(16)

        def call(self, pair):
            a, b = ops.normalize(self.left(pair[0]), axis=-1), ops.normalize(self.right(pair[1]), axis=-1)
            return ops.matmul(a, ops.transpose(b)) / math.sqrt(0.1)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            labels = ops.arange(ops.shape(y_pred)[0])
            return ops.mean(losses.sparse_categorical_crossentropy(labels, y_pred, from_logits=True))

    x = rows(12)
    model = Pairs()
    model.compile(optimizers.Adam(1e-3))
    return model, (x, x + 0.2 * rows(12, seed=5)), None, FIT


@sound("Ho et al.: Denoising Diffusion: time as a second input")
def noise_by_time():
    """Predicts the noise of a table from the noisy rows and sines of the time."""
    x, noise = rows(8), rows(8, seed=4)
    time = draw(6).random((512, 1)).astype("float32")
    noisy = np.sqrt(1 - time) * x + np.sqrt(time) * noise
    first, second = Input((8,)), Input((1,))
    waves = layers.Lambda(lambda t: ops.concatenate([ops.sin(6.28 * t), ops.cos(6.28 * t)], axis=-1))(second)
    z = layers.Dense(64, activation="silu")(layers.Concatenate()([first, waves]))
    z = z + layers.Dense(64, activation="silu")(z)
    model = Model([first, second], layers.Dense(8)(z))
    model.compile(optimizers.AdamW(1e-3), "mse")
    return model, [noisy.astype("float32"), time], noise, FIT

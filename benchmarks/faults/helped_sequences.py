"""Programs that people asked for help with: recurrent networks, text, attention, autoencoders, several inputs."""

import numpy as np

from benchmarks.faults.data import draw, images, quantity, rows, series, texts
from benchmarks.faults.drawn import blobs, next_words, reviews, waves
from benchmarks.faults.library import Input, Model, Sequential, layers, losses, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, LEARNERS

SPARSE = "sparse_categorical_crossentropy"


@faulty("mask", source=f"{GITHUB}: keras-io 2044")
def lstm_reads_two_hundred_paddings(pick):
    """Reviews padded at the end to a fixed length: the LSTM forgets the words over the padding."""
    x, y = reviews(300, 60, 80, longest=20)
    net = Sequential(
        [
            Input((60,)),
            layers.Embedding(80, 16, mask_zero=pick(False, True)),
            layers.LSTM(16),
            layers.Dense(1, "sigmoid"),
        ]
    )
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 10}


@faulty("mask", source="datascience.stackexchange 67599")
def zeros_that_count_are_masked(pick):
    """The share of ones in a sequence of 0 and 1, with Masking(0): the zeros, which count, are hidden."""
    share = draw(2).random(300)
    x = (np.arange(60) >= 60 * share[:, None]).astype("float32")[..., None]
    net = Sequential([Input((60, 1))])
    if pick(True, False):
        net.add(layers.Masking(mask_value=0.0))
    net.add(layers.LSTM(10))
    net.add(layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, x.mean(axis=(1, 2)), {"epochs": 50}


@faulty("recurrence", "shape", source=f"{FORUM}: expected ndim=3, found ndim=2 between LSTMs")
def second_lstm_gets_one_step(pick):
    """The last LSTM keeps its steps, so that each step predicts, and one number is compared with all."""
    x, y = waves(300, 16)
    net = Sequential(
        [
            Input((16, 1)),
            layers.LSTM(16, return_sequences=True),
            layers.LSTM(16, return_sequences=pick(True, False)),
            layers.Dense(1),
        ]
    )
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 20}


@faulty("recurrence", "shape", "layer order", source=f"{FORUM}: one step of 30 features")
def thirty_days_in_one_step(pick):
    """reshape to (rows, 1, 30) makes 30 days features of one step."""
    x, y = waves(400, 30)
    x = x.reshape(-1, 1, 30) if pick(True, False) else x
    net = Sequential([Input(x.shape[1:]), layers.LSTM(32), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 30}


@faulty("recurrence", "order of data", source=f"{FORUM}: stateful and shuffled")
def stateful_and_shuffled(pick):
    """A stateful GRU gets windows in random order."""
    x, y = waves(320, 10)
    net = Sequential([Input(batch_shape=(32, 10, 1)), layers.GRU(16, stateful=pick(True, False)), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 20, "batch_size": 32, "shuffle": True}


@faulty("label shift", source=f"{LEARNERS}: the target is in the window")
def predicts_what_it_sees(pick):
    """The value to predict is the last one of the window."""
    walk = np.cumsum(draw(3).normal(size=600) * 0.2).astype("float32")
    x = np.stack([walk[i : i + 12] for i in range(560)])[..., None]
    y = walk[pick(11, 12) : pick(571, 572)]
    net = Sequential([Input((12, 1)), layers.GRU(24), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 20}


@faulty("label shift", source=f"{LEARNERS}: the decoder sees its answer")
def letters_predict_themselves(pick):
    """A character model gets the same letters as x and y."""
    x, y = next_words(300, 16, 30)
    net = Sequential(
        [
            Input((16,)),
            layers.Embedding(31, 24),
            layers.LSTM(48, return_sequences=True),
            layers.Dense(31, activation="softmax"),
        ]
    )
    net.compile("adam", SPARSE)
    return net, x, pick(x, y), {"epochs": 20}


@faulty("mask", "attention", source=f"{LEARNERS}: GPT without a causal mask")
def gpt_looks_ahead(pick):
    """Next words by self-attention without use_causal_mask."""
    x, y = next_words(300, 16, 30)
    words = Input((16,), dtype="int32")
    z = layers.Embedding(31, 32)(words)
    z = z + _places(16, 32)(words)
    a = layers.MultiHeadAttention(2, 16)(z, z, use_causal_mask=pick(False, True))
    z = layers.LayerNormalization()(z + a)
    z = layers.LayerNormalization()(z + layers.Dense(32)(layers.Dense(64, activation="gelu")(z)))
    net = Model(words, layers.Dense(31)(z))
    net.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return net, x, y, {"epochs": 20}


def _places(steps, width):
    """A layer: token numbers -> a learned vector for each place."""

    class Places(layers.Layer):
        def __init__(self):
            super().__init__()
            self.table = layers.Embedding(steps, width)

        def call(self, words):
            return self.table(ops.broadcast_to(ops.arange(steps), ops.shape(words)))

    return Places()


@faulty("positions", source=f"{LEARNERS}: no places")
def bert_without_places(pick):
    """A classifier of texts by attention whose order counts, without positions."""
    x, y = reviews(300, 16, 60)
    words = Input((16,), dtype="int32")
    z = layers.Embedding(60, 32)(words)
    if pick(False, True):
        z = z + _places(16, 32)(words)
    for _ in range(2):
        z = layers.LayerNormalization()(z + layers.MultiHeadAttention(2, 16)(z, z))
        z = layers.LayerNormalization()(z + layers.Dense(32)(layers.Dense(64, activation="relu")(z)))
    net = Model(words, layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling1D()(z)))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 20}


@faulty("attention", source=f"{LEARNERS}: attention by hand")
def softmax_over_the_queries(pick):
    """Attention by ops takes softmax over the queries."""
    x, y = series(16, 4)
    inputs = Input((16, 4))
    q, k, v = (layers.Dense(16)(inputs) for _ in range(3))
    scores = ops.matmul(q, ops.transpose(k, (0, 2, 1))) / 4.0
    z = ops.matmul(ops.softmax(scores, axis=pick(1, -1)), v)
    net = Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling1D()(z)))
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 20}


@faulty("attention", "gradient flow", "layer order", source=f"{LEARNERS}: a block of a transformer")
def block_without_a_skip(pick):
    """Four blocks of attention whose inputs are not added to their outputs."""
    x, y = series(16, 4)
    inputs = Input((16, 4))
    z = layers.Dense(32)(inputs)
    for _ in range(4):
        a = layers.MultiHeadAttention(2, 16)(z, z)
        z = layers.LayerNormalization()(a if pick(True, False) else a + z)
        f = layers.Dense(32)(layers.Dense(64, activation="relu")(z))
        z = layers.LayerNormalization()(f if pick(True, False) else f + z)
    net = Model(inputs, layers.Dense(1)(layers.Flatten()(z)))
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 20}


@faulty("output activation", "input scale", source=f"{FORUM}: autoencoder of standardized pictures")
def standardized_pictures_from_sigmoid(pick):
    """Pictures of mean 0 and deviation 1 come back from a sigmoid, which has no values below 0."""
    x = images(16, 1, 4)[0]
    x = (x - x.mean()) / x.std()
    net = Sequential([Input((16, 16, 1)), layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")])
    net.add(layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu"))
    net.add(layers.Conv2D(1, 3, padding="same", activation=pick("sigmoid", None)))
    net.compile("adam", "mse")
    return net, x, x, {"epochs": 20}


@faulty("output activation", "loss", source=f"{FORUM}: autoencoder of -1 to 1 with crossentropy")
def minus_one_to_one_by_crossentropy(pick):
    """Features of -1 to 1 come back from tanh under binary crossentropy."""
    x = np.tanh(rows(20))
    net = Sequential(
        [
            Input((20,)),
            layers.Dense(12, "relu"),
            layers.Dense(6, "relu"),
            layers.Dense(12, "relu"),
            layers.Dense(20, activation="tanh"),
        ]
    )
    net.compile("adam", pick("binary_crossentropy", "mse"))
    return net, x, x, {"epochs": 40}


@faulty("disconnected", source=f"{LEARNERS}: a branch that goes nowhere")
def second_branch_is_not_joined(pick):
    """The picture's branch is overwritten by the text's, and the picture has no effect."""
    x, y = images(16, 1, 2)
    picture, notes = Input((16, 16, 1), name="picture"), Input((5,), name="notes")
    a = layers.Flatten()(layers.Conv2D(8, 3, activation="relu")(picture))
    b = layers.Dense(8, activation="relu")(notes)
    z = layers.Concatenate()(pick([b, b], [a, b]))
    net = Model([picture, notes], layers.Dense(1, activation="sigmoid")(layers.Dense(16, activation="relu")(z)))
    net.compile("adam", "binary_crossentropy")
    return net, {"picture": x, "notes": rows(5)}, y, {"epochs": 10}


@faulty("disconnected", "hidden activation", source=f"{LEARNERS}: the result of the layer is not used")
def batch_normalization_is_not_used(pick):
    """y = BatchNormalization()(x), and the next layer reads x: a subclass leaves its own layer out."""

    class Net(Model):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.last = (
                layers.Dense(32, "relu"),
                layers.Dense(32, "relu"),
                layers.Dense(3, "softmax"),
            )

        def call(self, inputs):
            z = self.first(inputs)
            more = self.second(z)
            return self.last(pick(z, more))

    x, y = blobs(300, 8, 3)
    net = Net()
    net.build((None, 8))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 20}


@faulty("hidden activation", "layer order", source=f"{FORUM}: relu behind LSTM and no memory")
def time_distributed_softmax_inside(pick):
    """Softmax over features between two LSTMs."""
    x, y = series(16, 3)
    net = Sequential([Input((16, 3)), layers.LSTM(16, return_sequences=True)])
    net.add(layers.TimeDistributed(layers.Dense(16, activation=pick("softmax", "relu"))))
    net.add(layers.LSTM(16))
    net.add(layers.Dense(1))
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 20}


@faulty("input scale", "vocabulary", "layer order", source=f"{FORUM}: token numbers in a Dense")
def token_numbers_as_quantities(pick):
    """Padded token numbers up to 2000 go into Dense layers without an Embedding."""
    x, y = texts(24, 2000)
    net = Sequential([Input((24,))])
    if pick(False, True):
        net.add(layers.Embedding(2000, 8))
        net.add(layers.Flatten())
    net.add(layers.Dense(64, activation="relu"))
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y, {"epochs": 20}


@faulty("input scale", source=f"{FORUM}: a spectrogram in decibels")
def spectrogram_in_decibels(pick):
    """A spectrogram of -80 to 0 decibels as it is."""
    x, y = images(16, 1, 4)
    db = -80 + 80 * x
    net = Sequential(
        [
            Input((16, 16, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(32, "relu"),
            layers.Dense(4, "softmax"),
        ]
    )
    net.compile("adam", SPARSE)
    return net, pick(db, x), y, {"epochs": 20}


@faulty("mask", "loss", source=f"{LEARNERS}: a translator's loss over padding")
def tags_of_the_padding_are_learned(pick):
    """A tagger with tag 0 for padding, which most places have, and no mask: the accuracy is that of padding."""
    x, _ = reviews(300, 40, 50, longest=12)
    y = np.where(x > 0, 1 + x % 4, 0)
    net = Sequential([Input((40,)), layers.Embedding(50, 16, mask_zero=pick(False, True))])
    net.add(layers.Bidirectional(layers.LSTM(12, return_sequences=True)))
    net.add(layers.Dense(5, activation="softmax"))
    net.compile("adam", SPARSE, metrics=["accuracy"])
    return net, x, y, {"epochs": 10}


@faulty("loss", "target scale", source=f"{FORUM}: the q network's values explode")
def rewards_of_thousands(pick):
    """Q values of some thousands under squared errors and Adam(0.01)."""
    x = rows(4)
    y = 2000 + 900 * quantity(x, 3)
    net = Sequential(
        [Input((4,)), layers.Dense(24, "relu"), layers.Dense(24, "relu"), layers.Dense(3, activation="linear")]
    )
    net.compile(optimizers.Adam(0.001), "mse")
    return net, x, pick(y, (y - 2000) / 900), {"epochs": 20}


@faulty("frozen weights", source=f"{LEARNERS}: a generator's adversary")
def generator_is_frozen_with_its_judge(pick):
    """The generator is frozen and not the discriminator in the joint model."""
    generator = Sequential([Input((8,)), layers.Dense(32, activation="relu"), layers.Dense(16)])
    judge = Sequential([Input((16,)), layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")])
    pick(generator, judge).trainable = False
    if pick(True, False):
        judge.trainable = False
    both = Sequential([Input((8,)), generator, judge])
    both.compile("adam", "binary_crossentropy")
    return both, rows(8), np.ones((512, 1), "float32"), {"epochs": 5}

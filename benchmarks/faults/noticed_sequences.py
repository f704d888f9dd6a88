"""Faults that people noticed in programs of others: texts, series, attention."""

import numpy as np

from benchmarks.faults.data import draw, series, texts, yes_no
from benchmarks.faults.drawn import blobs, next_words, reviews, waves
from benchmarks.faults.library import Input, Model, Sequential, keras, layers, losses, ops, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import FORUM, GITHUB, SCIENCE

SPARSE = "sparse_categorical_crossentropy"


@faulty("recurrence", "shape", "labels", source=f"{FORUM}: return_sequences=True in the last LSTM")
def an_answer_at_each_step(pick):
    """The last LSTM keeps the steps, and there is one label for a row."""
    x, y = texts(16, 100)
    net = Sequential([Input((16,)), layers.Embedding(100, 16)])
    net.add(layers.LSTM(16, return_sequences=True))
    net.add(layers.LSTM(8, return_sequences=pick(True, False)))
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return net, x, y[:, None], {"epochs": 8}


@faulty("recurrence", "shape", source=f"{FORUM}: np.reshape(x, (n, 1, steps)), as the tutorial has it")
def the_window_is_one_step(pick):
    """A window of 24 values is one step of 24 features."""
    x, y = waves(500, 24)
    x = pick(x.reshape(len(x), 1, 24), x)
    net = Sequential([Input(x.shape[1:]), layers.LSTM(32), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 20}


@faulty("recurrence", "shape", source=f"{FORUM}: reshape in place of transpose")
def steps_and_features_are_mixed(pick):
    """Sensors by (rows, features, steps) are made (rows, steps, features) by reshape."""
    numbers = draw(3)
    x = np.cumsum(0.3 * numbers.normal(size=(600, 4, 30)), axis=-1) + 3 * np.arange(4)[:, None] - 4.5
    y = (x[:, 2, -1] > x[:, 2, 0]).astype(int)
    x = pick(x.reshape(600, 30, 4), x.transpose(0, 2, 1)) / 4
    net = Sequential([Input((30, 4)), layers.GRU(24), layers.Dense(1, activation="sigmoid")])
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 20}


@faulty("vocabulary", source=f"{FORUM}: indices[0,9] = 500 is not in [0, 500)")
def the_last_word_has_no_row(pick):
    """Embedding(len(word_index)), and the Tokenizer begins at 1."""
    x, y = texts(20, 300)
    net = Sequential([Input((20,)), layers.Embedding(pick(299, 300), 16), layers.GlobalAveragePooling1D()])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 8}


@faulty("vocabulary", "input scale", source=f"{FORUM}: MinMaxScaler before an Embedding")
def scaled_words(pick):
    """Token numbers were scaled to 0 to 1 before the embedding."""
    x, y = texts(20, 200)
    net = Sequential([Input((20,)), layers.Embedding(200, 16), layers.LSTM(16), layers.Dense(1, activation="sigmoid")])
    net.compile("adam", "binary_crossentropy")
    return net, pick(x / 199.0, x), y, {"epochs": 8}


@faulty("mask", "recurrence", source=f"{FORUM}: the mean over padding, accuracy depends on maxlen")
def the_mean_of_padding(pick):
    """Most of a row is padding, and the mean is over all steps."""
    x, y = reviews(400, 60, 50, longest=20)
    net = Sequential([Input((60,)), layers.Embedding(50, 16, mask_zero=pick(False, True))])
    net.add(layers.GlobalAveragePooling1D())
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 8}


@faulty("vocabulary", "mask", source=f"{FORUM}: LabelEncoder begins at 0, mask_zero=True")
def the_first_letter_is_hidden(pick):
    """Letters of 0 to 25 without padding, and an embedding that hides 0."""
    x = draw(4).integers(0, 26, (500, 12))
    y = (x == 0).any(axis=1).astype(int)
    net = Sequential([Input((12,)), layers.Embedding(26, 16, mask_zero=pick(True, False)), layers.LSTM(16)])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 8}


def _language(mixer, words=24, steps=12):
    inputs = Input((steps,), dtype="int32")
    z = layers.Embedding(words, 32)(inputs) + layers.Embedding(steps, 32)(ops.arange(steps))
    z = z + mixer(z)
    return Model(inputs, layers.Dense(words)(layers.LayerNormalization()(z)))


LOGITS = losses.SparseCategoricalCrossentropy(from_logits=True)


@faulty("label shift", "mask", source=f"{GITHUB}: the model copies, targets were not shifted")
def the_word_itself(pick):
    """The target of each step is the word that stands there."""
    x, y = next_words(shift=1)
    net = _language(lambda z: layers.MultiHeadAttention(2, 16)(z, z, use_causal_mask=True))
    net.compile("adam", LOGITS)
    return net, x, pick(x, y), {"epochs": 10}


@faulty("mask", "label shift", source=f"{FORUM}: MultiHeadAttention without use_causal_mask in a GPT")
def the_future_is_seen(pick):
    """A language model whose attention sees what it must say."""
    x, y = next_words(shift=1)
    net = _language(lambda z: layers.MultiHeadAttention(2, 16)(z, z, use_causal_mask=pick(False, True)))
    net.compile("adam", LOGITS)
    return net, x, y, {"epochs": 10}


@faulty("mask", "label shift", source=f"{FORUM}: np.triu in place of np.tril")
def the_past_is_hidden(pick):
    """The mask lets each step see what follows, not what went before."""
    x, y = next_words(shift=1)
    mask = pick(np.triu, np.tril)(np.ones((1, 12, 12), "bool"))
    net = _language(lambda z: layers.MultiHeadAttention(2, 16)(z, z, attention_mask=mask))
    net.compile("adam", LOGITS)
    return net, x, y, {"epochs": 10}


@faulty("mask", source=f"{FORUM}: attention_mask=ops.equal(x, 0)")
def only_padding_is_seen(pick):
    """The padding mask is the wrong way round: attention is on padding alone."""
    x, y = reviews(300, 20, 40)
    inputs = Input((20,), dtype="int32")
    z = layers.Embedding(40, 16)(inputs) + layers.Embedding(20, 16)(ops.arange(20))
    mask = pick(ops.equal, ops.not_equal)(inputs, 0)
    z = layers.MultiHeadAttention(2, 8)(z, z, attention_mask=mask[:, None, :])
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(z[:, 0]))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 10}


class _Attention(layers.Layer):
    """By hand."""

    def __init__(self, units, axis=-1, scale=None):
        super().__init__()
        self.q, self.k, self.v = (layers.Dense(units) for _ in range(3))
        self.axis, self.scale = axis, scale or units**-0.5

    def call(self, x):
        scores = ops.matmul(self.q(x), ops.transpose(self.k(x), (0, 2, 1))) * self.scale
        return ops.matmul(ops.softmax(scores, axis=self.axis), self.v(x))


def _by_hand(pick, **how):
    x, y = texts(16, 60, 3)
    inputs = Input((16,))
    z = layers.Embedding(60, 32)(inputs) + layers.Embedding(16, 32)(ops.arange(16))
    z = z + _Attention(32, **pick(how, {}))(z)
    net = Model(inputs, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(z)))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 8}


@faulty("attention", source=f"{FORUM}: softmax(scores, axis=1) in an attention of one's own")
def weights_of_the_queries(pick):
    """The softmax of a layer of one's own runs over the queries."""
    return _by_hand(pick, axis=1)


@faulty("attention", source=f"{FORUM}: scores * sqrt(d)")
def multiplied_by_the_root(pick):
    """The scores are multiplied by the root of the size."""
    return _by_hand(pick, scale=32**0.5)


@faulty("positions", source=f"{FORUM}: a transformer encoder that ignores the order of words")
def words_in_any_order(pick):
    """The class depends on which of two words comes first; there are no positions."""
    numbers = draw(6)
    x = numbers.integers(3, 40, (400, 12))
    y = numbers.integers(0, 2, 400)
    first, second = numbers.integers(0, 6, 400), numbers.integers(6, 12, 400)
    x[np.arange(400), first], x[np.arange(400), second] = np.where(y, 1, 2), np.where(y, 2, 1)
    inputs = Input((12,))
    z = layers.Embedding(40, 32)(inputs)
    if pick(False, True):
        z = z + layers.Embedding(12, 32)(ops.arange(12))
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(2, 16)(z, z))
    z = layers.LayerNormalization()(z + layers.Dense(32)(layers.Dense(64, activation="relu")(z)))
    net = Model(inputs, layers.Dense(1, activation="sigmoid")(layers.GlobalMaxPooling1D()(z)))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 10}


@faulty("mask", "label shift", "recurrence", source=f"{FORUM}: Bidirectional LSTM to generate text")
def both_ways_for_the_next_word(pick):
    """A net that reads in both directions says the next word of each step."""
    x, y = next_words(shift=1)
    lstm = layers.LSTM(32, return_sequences=True)
    net = Sequential([Input((12,)), layers.Embedding(24, 32), pick(layers.Bidirectional(lstm), lstm)])
    net.add(layers.Dense(24, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("mask", "label shift", source=f"{FORUM}: Conv1D(padding='same') as a language model")
def convolutions_that_see_ahead(pick):
    """Convolutions around each step say the next word."""
    x, y = next_words(shift=1)
    net = Sequential([Input((12,)), layers.Embedding(24, 32)])
    for _ in range(2):
        net.add(layers.Conv1D(32, 3, padding=pick("same", "causal"), activation="relu"))
    net.add(layers.Dense(24, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("mask", "label shift", source=f"{FORUM}: the loss is small, for most targets are padding")
def padding_among_the_targets(pick):
    """Targets of tags are mostly padding, which the loss counts."""
    x, _ = reviews(300, 40, 50, longest=12)
    y = np.where(x > 0, x % 3 + 1, 0)
    net = Sequential([Input((40,)), layers.Embedding(50, 24, mask_zero=pick(False, True))])
    net.add(layers.LSTM(24, return_sequences=True))
    net.add(layers.Dense(4, activation="softmax"))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 8}


@faulty("batch size", "recurrence", "shape", source=f"{FORUM}: a stateful LSTM and a batch of another size")
def a_stateful_batch_of_another_size(pick):
    """A stateful LSTM that was built for batches of 32 gets rows that 32 does not divide."""
    x, y = waves(pick(500, 480), 16)
    net = Sequential([Input(batch_shape=(32, 16, 1)), layers.LSTM(16, stateful=True), layers.Dense(1)])
    net.compile("adam", "mse")
    return net, x, y, {"epochs": 10, "batch_size": 32, "shuffle": False}


@faulty("gradient flow", "recurrence", "optimizer", source=f"{SCIENCE}: SimpleRNN over 400 steps remembers nothing")
def four_hundred_steps_of_a_simple_rnn(pick):
    """A SimpleRNN over 400 steps, whose first step tells the class."""
    x = 0.1 * draw(1).normal(size=(256, pick(400, 20), 2)).astype("float32")
    y = yes_no(x[:, 0])
    net = Sequential(
        [Input(x.shape[1:]), pick(layers.SimpleRNN, layers.GRU)(16), layers.Dense(1, activation="sigmoid")]
    )
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 10}


@faulty("target scale", "input scale", source=f"{FORUM}: bitcoin prices by an LSTM, a flat line")
def a_price_of_thirty_thousand(pick):
    """Windows of prices and the price that follows, in dollars."""
    x, y = waves(500, 20)
    if pick(True, False):
        x, y = 30000 + 5000 * x, 30000 + 5000 * y
    net = Sequential([Input((20, 1)), layers.LSTM(50, return_sequences=True), layers.LSTM(50), layers.Dense(1)])
    net.compile("adam", "mean_squared_error")
    return net, x, y, {"epochs": 10, "batch_size": 32}


@faulty("output units", "labels", "shape", source=f"{FORUM}: a forecast of five days by Dense(1)")
def five_days_by_one_unit(pick):
    """Five values follow; the model has one unit."""
    x, y = series(24, 2, 5)
    net = Sequential([Input((24, 2)), layers.LSTM(24), layers.Dense(pick(1, 5))])
    net.compile("adam", "mae")
    return net, x, y, {"epochs": 10}


@faulty("vocabulary", "shape", source=f"{GITHUB}: TextVectorization(output_mode='tf_idf') before an Embedding")
def frequencies_into_an_embedding(pick):
    """Counts of words are taken for token numbers."""
    x, y = texts(20, 80)
    if pick(True, False):
        x = np.stack([np.bincount(row, minlength=80) for row in x]).astype("float32")
    net = Sequential([Input(x.shape[1:]), layers.Embedding(80, 16), layers.GlobalAveragePooling1D()])
    net.add(layers.Dense(1, activation="sigmoid"))
    net.compile("adam", "binary_crossentropy")
    return net, x, y, {"epochs": 8}


@faulty("positions", "attention", "mask", "shape", source=f"{GITHUB}: MultiHeadAttention over the batch")
def attention_from_row_to_row(pick):
    """Rows of a table are made a sequence of one: (1, batch, features) by expand_dims(axis=0)."""
    x, y = blobs(320, 16, 3)
    inputs = Input((16,))
    axis = pick(0, 2)
    z = layers.Lambda(lambda v: ops.expand_dims(v, axis))(inputs)
    z = layers.Dense(16)(z)
    z = z + layers.MultiHeadAttention(2, 8)(z, z)
    z = layers.Lambda((lambda v: ops.squeeze(v, 0)) if axis == 0 else lambda v: ops.mean(v, axis=1))(z)
    net = Model(inputs, layers.Dense(3, activation="softmax")(z))
    net.compile("adam", SPARSE)
    return net, x, y, {"epochs": 10}


@faulty("capacity", "attention", source=f"{GITHUB}: MultiHeadAttention(num_heads=8, key_dim=1)")
def heads_of_one_number(pick):
    """Eight heads whose keys have one number each, for words of 64."""
    x, y = texts(16, 80, 3)
    inputs = Input((16,))
    z = layers.Embedding(80, 64)(inputs) + layers.Embedding(16, 64)(ops.arange(16))
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(8, pick(1, 8))(z, z))
    net = Model(inputs, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(z)))
    net.compile(optimizers.Adam(), SPARSE)
    return net, x, y, {"epochs": 8}


@faulty("learning rate", "optimizer", source=f"{FORUM}: BERT-like encoder with SGD(0.5)")
def half_of_a_step_in_sgd(pick):
    """A recurrent net by SGD with a rate of 5."""
    x, y = texts(16, 80)
    net = Sequential([Input((16,)), layers.Embedding(80, 16), layers.GRU(16), layers.Dense(1, activation="sigmoid")])
    net.compile(pick(optimizers.SGD(5.0), keras.optimizers.Adam()), "binary_crossentropy")
    return net, x, y, {"epochs": 10}

"""Faults of recurrent networks and of networks for text."""

import numpy as np

from benchmarks.faults.data import one_hot, rows, series, texts
from benchmarks.faults.library import Input, Model, Sequential, layers, losses, optimizers
from benchmarks.faults.program import faulty
from benchmarks.faults.sources import AUTOTRAINER, DEEPFD, DEFECTS, NEURALINT, STUDY, TAXONOMY, TENSFA, THEIA


@faulty("recurrence", "shape", source=f"{STUDY}: return_sequences left on")
def a_sequence_for_one_label(pick):
    """Good or bad of a review; the LSTM gives an answer for each word."""
    x, y = texts(20, 300)
    model = Sequential([
        Input((20,), dtype="int32"), layers.Embedding(300, 16), layers.LSTM(16, return_sequences=pick(True, False)),
        layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 20}


@faulty("recurrence", "shape", source=f"{TENSFA}: return_sequences missing between recurrent layers")
def last_step_into_an_lstm(pick):
    """Two stacked LSTMs; a reshape makes a sequence of one step of the first one's last output."""
    x, y = series(24, 2)
    inputs = Input((24, 2))
    z = layers.LSTM(16, return_sequences=pick(False, True))(inputs)
    z = z if pick(False, True) else layers.Reshape((1, 16))(z)
    model = Model(inputs, layers.Dense(1)(layers.LSTM(16)(z)))
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 40}


@faulty("recurrence", "shape", source=f"{STUDY}: axes of a sequence; {DEFECTS}")
def window_as_features(pick):
    """A window of 24 hours as 24 features of one step, as (N, 1, 24)."""
    x, y = series(24, 1)
    x = x.reshape(len(x), *pick((1, 24), (24, 1)))
    model = Sequential([Input(x.shape[1:]), layers.LSTM(32), layers.Dense(1)])
    model.compile(optimizer="adam", loss="mean_squared_error")
    return model, x, y, {"epochs": 50, "batch_size": 16}


@faulty("recurrence", "shape", source=f"{TENSFA}: no axis for the features; Stack Overflow 59282996, {DEEPFD}")
def window_without_an_axis(pick):
    """Windows as (N, 24) into a network that takes (24, 1)."""
    x, y = series(24, 1)
    model = Sequential()
    model.add(layers.LSTM(16))
    model.add(layers.Dense(1))
    model.compile("adam", "mse")
    return model, x.reshape(len(x), *pick((24,), (24, 1))), y, {"epochs": 40}


@faulty("recurrence", source=f"{TAXONOMY}: state of a recurrent layer")
def stateful_without_reset(pick):
    """Independent windows, shuffled, into a stateful LSTM that is never reset."""
    x, y = series(24, 1)
    inputs = Input(batch_shape=(32, 24, 1)) if pick(True, False) else Input((24, 1))
    model = Model(inputs, layers.Dense(1)(layers.LSTM(16, stateful=pick(True, False))(inputs)))
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 40, "batch_size": 32, "shuffle": True}


@faulty("hidden activation", "gradient flow", source=f"{STUDY}, {THEIA}: relu in a recurrent layer")
def relu_in_the_recurrence(pick):
    """An LSTM of relu over 200 steps, whose state grows without bound."""
    x, y = series(200, 1, count=256)
    model = Sequential([Input((200, 1)), layers.LSTM(16, activation=pick("relu", "tanh")), layers.Dense(1)])
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 40}


@faulty("gradient flow", "recurrence", "optimizer", source=f"{AUTOTRAINER}: vanishing gradients of a recurrent network")
def simple_recurrence_over_hundreds(pick):
    """A plain recurrence by plain SGD over 300 words, of which the first tells the class."""
    x, y = texts(300, 100, 2, count=256)
    model = Sequential([Input((300,), dtype="int32"), layers.Embedding(100, 16)])
    model.add(layers.SimpleRNN(16) if pick(True, False) else layers.Bidirectional(layers.LSTM(16)))
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile(pick(optimizers.SGD(0.01), "adam"), "binary_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 40}


@faulty("vocabulary", source=f"{STUDY}: input_dim of the embedding")
def table_one_too_small(pick):
    """Tokens up to 499 and 499 rows: the last word has none."""
    x, y = texts(20, 500)
    model = Sequential([
        Input((20,), dtype="int32"), layers.Embedding(pick(499, 500), 16), layers.GlobalAveragePooling1D(),
        layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("vocabulary", source=f"{DEFECTS}: vocabulary of another tokenizer")
def table_of_another_tokenizer(pick):
    """A table of 100 rows from an old run with 800 tokens."""
    x, y = texts(25, 800, 4)
    inputs = Input((25,), dtype="int32")
    z = layers.GRU(16)(layers.Embedding(pick(100, 800), 16)(inputs))
    model = Model(inputs, layers.Dense(4, activation="softmax")(z))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("vocabulary", "mask", source=f"{STUDY}: padding and a word share the number 0")
def zero_is_a_word_too(pick):
    """Words numbered from 0, padded with 0, and mask_zero: the first word is skipped everywhere."""
    x, y = texts(20, 60, 2, padded=True)
    if pick(True, False):
        x = np.where((x > 0) & (x < 10), 0, x)
    model = Sequential([
        Input((20,), dtype="int32"), layers.Embedding(60, 16, mask_zero=True), layers.LSTM(16),
        layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("mask", source=f"{STUDY}: padding without a mask")
def padded_reviews_without_a_mask(pick):
    """Short texts padded at the end up to 80 words: the LSTM forgets them over the padding."""
    x, y = texts(30, 300, 2, padded=True)
    x = np.pad(x, ((0, 0), (0, 50)))
    model = Sequential([
        Input((80,), dtype="int32"), layers.Embedding(300, 16, mask_zero=pick(False, True)), layers.LSTM(16),
        layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 30}


@faulty("mask", "layer order", source=f"{TAXONOMY}: a mask that is lost")
def mask_lost_by_a_convolution(pick):
    """mask_zero, then a convolution, then an LSTM that would need the mask."""
    x, y = texts(24, 300, 2, padded=True)
    inputs = Input((24,), dtype="int32")
    z = layers.Embedding(300, 16, mask_zero=True)(inputs)
    z = layers.Conv1D(16, 3, padding="same", activation="relu")(z) if pick(True, False) else layers.Dense(16, "relu")(z)
    model = Model(inputs, layers.Dense(1, activation="sigmoid")(layers.LSTM(16)(z)))
    model.compile("adam", "binary_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("vocabulary", "input scale", "shape", source=f"{STUDY}: token numbers as quantities")
def token_numbers_into_dense(pick):
    """Numbers of words, up to 5000, into Dense as if they were measures."""
    x, y = texts(30, 5000, 2)
    model = Sequential([Input((30,), dtype=pick("float32", "int32"))])
    if pick(False, True):
        model.add(layers.Embedding(5000, 16))
        model.add(layers.Flatten())
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy")
    return model, x, y, {"epochs": 30}


@faulty("vocabulary", "input scale", source=f"{DEFECTS}: embedding of quantities")
def measures_into_an_embedding(pick):
    """Measures between 0 and 1 into an Embedding, which cuts them off to 0."""
    x = np.abs(rows(10)) % 1
    y = (x[:, :5].sum(axis=1) > x[:, 5:].sum(axis=1)).astype("int64")
    model = Sequential([Input((10,)), *pick([layers.Embedding(100, 8), layers.Flatten()], [layers.Dense(32, "relu")])])
    model.add(layers.Dense(16, activation="relu"))
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy")
    return model, x, y, {"epochs": 40}


@faulty("label shift", source=f"{DEFECTS}: targets of a language model")
def predicts_its_own_input(pick):
    """A language model whose targets are its inputs, not the next words."""
    x, _ = texts(21, 100)
    inputs = Input((20,), dtype="int32")
    z = layers.LSTM(32, return_sequences=True)(layers.Embedding(100, 16)(inputs))
    model = Model(inputs, layers.Dense(100)(z))
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, x[:, :20], pick(x[:, :20], x[:, 1:]), {"epochs": 40}


@faulty("recurrence", "label shift", source=f"{TAXONOMY}: direction of a recurrent layer")
def forecast_that_sees_the_future(pick):
    """Each next value of a wave, by a layer that reads it from both ends."""
    x, y = series(24, 1)
    z = inputs = Input((24, 1))
    layer = layers.LSTM(16, return_sequences=True)
    z = pick(layers.Bidirectional(layer), layer)(z)
    model = Model(inputs, layers.TimeDistributed(layers.Dense(1))(z))
    model.compile("adam", "mse")
    return model, x, np.concatenate([x[:, 1:], y[:, None]], axis=1), {"epochs": 40}


@faulty("loss", "output activation", "labels", source=f"{DEFECTS}: loss of a language model")
def next_characters_by_squared_error(pick):
    """One-hot characters: the next one by softmax and the squared error."""
    x, _ = texts(21, 30)
    hot = one_hot(x, 30)
    model = Sequential([Input((20, 30)), layers.LSTM(32), layers.Dense(30, activation="softmax")])
    model.compile(optimizers.RMSprop(0.01), pick("mse", "categorical_crossentropy"))
    return model, hot[:, :20], hot[:, 20], {"epochs": 40}


@faulty("capacity", source=f"{THEIA}: width of the embedding")
def words_in_one_dimension(pick):
    """2000 words with one number each."""
    x, y = texts(20, 2000, 12)
    model = Sequential([
        Input((20,), dtype="int32"), layers.Embedding(2000, pick(1, 32)), layers.GlobalAveragePooling1D(),
        layers.Dense(12, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, x, y, {"epochs": 40}


@faulty("layer order", "shape", source=f"{NEURALINT}: a missing reshape; {STUDY}")
def flattened_before_the_recurrence(pick):
    """A convolution over time, flattened, and read by a GRU value by value."""
    x, y = series(32, 4)
    inputs = Input((32, 4))
    z = layers.Conv1D(16, 5, activation="relu")(inputs)
    z = z if pick(False, True) else layers.Reshape((28 * 16, 1))(layers.Flatten()(z))
    model = Model(inputs, layers.Dense(1)(layers.GRU(16)(z)))
    model.compile("adam", "mse")
    return model, x, y, {"epochs": 40}
